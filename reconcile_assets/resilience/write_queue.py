"""The durable write queue: writes that a database can't take now are kept, and applied once, in order.

Prevents that an outage loses writes, or that their replay doubles or reorders them. What ``enqueue``
has returned for survives a kill of the process and a loss of power. Nothing is dropped: a full queue
refuses, a write that keeps failing becomes a dead letter that a person decides on.
"""

import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconcile_assets.core.queued_writes import Operation, QueuedWrite, WriteState
from reconcile_assets.core.record_json import encode_record
from reconcile_assets.errors import ConfigurationError, MissingObject, QueueFull, ReconcileAssetsError
from reconcile_assets.resilience.queue_file import QueueFile
from reconcile_assets.resilience.queue_flush import Apply, Flush, FlushReport, QueueLimits

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueCounts:
    """How many writes stand in the queue, and since when the oldest waits (aware, UTC)."""

    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


DEFAULT = QueueLimits()


class WriteQueue:
    """A queue in one file, shared by the processes of one machine.

    Args:
        path: of the file; made with mode 0600 where it is missing.
        on_warning: called once when ``warn_at`` writes wait, with their number.
        on_full: called for each refusal of a full queue, with the number that wait: an alert belongs here.
        clock: the present, aware, UTC; draw: jitter between two bounds.

    Raises:
        LedgerCorrupt: the file is damaged or of a newer version; it is kept, and no other takes its place.
        ConfigurationError, DatabaseUnavailable: the file can't be used.
    """

    def __init__(
        self,
        path: Path,
        limits: QueueLimits = DEFAULT,
        *,
        on_warning: Callable[[int], None] | None = None,
        on_full: Callable[[int], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.limits = limits
        self._file = QueueFile(path)
        self._on_warning = on_warning
        self._on_full = on_full
        self._clock = clock
        self._draw = draw

    @property
    def path(self) -> Path:
        """Of the file."""
        return self._file.path

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def enqueue(
        self,
        table: str,
        operation: Operation | str,
        record: Mapping[str, Any],
        *,
        key: Sequence[str],
        idempotency_key: str | None = None,
        depends_on: Sequence[str] = (),
    ) -> str:
        """Keep a write; when this returns, it is on the disk.

        Args:
            record: by column; for a delete only the key's columns count.
            key: the columns that name the row.
            idempotency_key: handing the same write in again under it changes nothing; None makes one.
            depends_on: idempotency keys of writes that must be applied before.

        Returns:
            The idempotency key.

        Raises:
            QueueFull: as many wait as may; nothing was dropped for it.
            ConfigurationError: the record lacks a column of the key, has NULL there, or a value without an exact form;
                or the idempotency key stands for another write.
        """
        (name,) = self.enqueue_all([(table, operation, record, key, idempotency_key, depends_on)])
        return name

    def enqueue_all(
        self,
        writes: Sequence[tuple[str, Operation | str, Mapping[str, Any], Sequence[str], str | None, Sequence[str]]],
    ) -> list[str]:
        """Keep several writes at once, all of them or none; see :meth:`enqueue` for what each is."""
        made = [self._make(*each) for each in writes]
        warned = False
        try:
            with self._file.writing() as connection:
                figures = self._file.fetch_figures(connection)
                for write in made:
                    known = self._file.fetch_by_idempotency_key(connection, write.idempotency_key)
                    if known is not None:
                        _refuse_another(known, write)
                        continue
                    if figures.waiting >= self.limits.capacity:
                        raise QueueFull(
                            f"the queue's file {self.path}: {figures.waiting} writes wait, as many as may;"
                            " the write was not taken: bring the database back, or raise queue.capacity"
                        )
                    self._file.put(connection, replace(write, sequence=figures.next_sequence))
                    figures = replace(figures, next_sequence=figures.next_sequence + 1, waiting=figures.waiting + 1)
                if figures.waiting >= self.limits.warn_at and not figures.warned:
                    figures, warned = replace(figures, warned=1), True
                self._file.put_figures(connection, figures)
        except QueueFull:
            logger.critical("the write queue is full: %d writes wait", self.limits.capacity)
            if self._on_full is not None:
                self._on_full(self.limits.capacity)
            raise
        if warned:
            logger.warning("%d changes wait to be written", figures.waiting)
            if self._on_warning is not None:
                self._on_warning(figures.waiting)
        return [write.idempotency_key for write in made]

    def _make(
        self,
        table: str,
        operation: Operation | str,
        record: Mapping[str, Any],
        key: Sequence[str],
        idempotency_key: str | None,
        depends_on: Sequence[str],
    ) -> QueuedWrite:
        try:
            known = Operation(operation)
        except ValueError:
            names = ", ".join(each.value for each in Operation)
            raise ConfigurationError(f"{table}: there is no operation {operation!r}; write one of {names}") from None
        if not table or not key:
            raise ConfigurationError(f"a write names a table and the columns of its key, not {table!r} and {list(key)}")
        lacking = [name for name in key if record.get(name) is None]
        if lacking:
            raise ConfigurationError(f"{table}: the record has no value for {', '.join(lacking)}, which is in the key")
        named = {name: record[name] for name in key}
        values = named if known is Operation.DELETE else dict(record)
        try:
            encode_record(values)
        except TypeError as error:
            raise ConfigurationError(f"{table}: {error}") from None
        name = idempotency_key or secrets.token_hex(16)
        return QueuedWrite(0, table, known, name, self._clock(), named, values, tuple(depends_on))

    def counts(self) -> QueueCounts:
        """How many wait and are dead."""
        with self._file.reading() as connection:
            figures = self._file.fetch_figures(connection)
            first = next(self._file.fetch(connection, [WriteState.WAITING], limit=1), None)
        return QueueCounts(figures.waiting, figures.dead, None if first is None else first.queued_at)

    def fetch(self, state: WriteState, *, after: int = 0, limit: int = 1000) -> list[QueuedWrite]:
        """Writes of a state by sequence, a page at a time."""
        with self._file.reading() as connection:
            return list(self._file.fetch(connection, [state], after=after, limit=limit))

    # ---- dead letters ----

    def retry(self, sequences: Sequence[int] = ()) -> int:
        """Let dead letters wait again, with their history and all tries before them.

        Args:
            sequences: which; empty for all.

        Raises:
            MissingObject: one is no dead letter.
        """
        with self._file.writing() as connection:
            chosen = self._dead(connection, sequences)
            for write in chosen:
                self._file.put(connection, replace(write, state=WriteState.WAITING, tries=0, next_try_at=None))
            figures = self._file.fetch_figures(connection)
            self._file.put_figures(
                connection,
                replace(figures, waiting=figures.waiting + len(chosen), dead=figures.dead - len(chosen)),
            )
        return len(chosen)

    def discard(self, sequences: Sequence[int]) -> int:
        """Give dead letters up for good; export them before.

        Raises:
            MissingObject: one is no dead letter.
        """
        if not sequences:
            raise ConfigurationError("name the dead letters to discard by their numbers; see queue list --dead")
        with self._file.writing() as connection:
            chosen = self._dead(connection, sequences)
            self._file.settle(connection, chosen)
        return len(chosen)

    def _dead(self, connection: Any, sequences: Sequence[int]) -> list[QueuedWrite]:
        dead = {write.sequence: write for write in self._file.fetch(connection, [WriteState.DEAD])}
        strays = [str(number) for number in sequences if number not in dead]
        if strays:
            raise MissingObject(f"the queue's file {self.path} has no dead letter {', '.join(strays)}; see queue list")
        return [dead[number] for number in dict.fromkeys(sequences)] if sequences else list(dead.values())

    # ---- flushing ----

    def flush(self, apply: Apply) -> FlushReport:
        """Apply what waits, in the order of arrival; only one process does so at a time.

        A write that fails holds back those of its own row and its dependants, nobody else; an outage
        (passing errors, an open breaker, a lost COMMIT reply) ends the flush and counts as no try.

        Raises:
            whatever ``apply`` raises that is none of this package's errors; the write waits as before.
        """
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        if not self._take_lease(owner):
            return FlushReport(stopped="another process is flushing")
        try:
            return Flush(self._file, self.limits, owner, apply, self._clock, self._draw).run()
        finally:
            with suppress(ReconcileAssetsError):  # it ends by itself
                self._give_lease_back(owner)

    def _take_lease(self, owner: str) -> bool:
        with self._file.writing() as connection:
            figures, now = self._file.fetch_figures(connection), self._clock()
            if figures.owner is not None and figures.lease_until is not None:
                left = (datetime.fromisoformat(figures.lease_until) - now).total_seconds()
                if 0 < left <= self.limits.lease:  # longer ones are a clock that was set back
                    return False
            until = now + timedelta(seconds=self.limits.lease)
            self._file.put_figures(connection, replace(figures, owner=owner, lease_until=until.isoformat()))
        return True

    def _give_lease_back(self, owner: str) -> None:
        with self._file.writing() as connection:
            figures = self._file.fetch_figures(connection)
            if figures.owner == owner:
                self._file.put_figures(connection, replace(figures, owner=None, lease_until=None))


def _refuse_another(known: QueuedWrite, write: QueuedWrite) -> None:
    if known.state is WriteState.SETTLED:  # its values are gone
        return
    if (known.table, known.operation, known.record) != (write.table, write.operation, write.record):
        raise ConfigurationError(
            f"{write.table}: the idempotency key stands for another write in the queue; give each write its own"
        )
