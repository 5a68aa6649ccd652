"""The durable write queue: writes that a database can't take now are kept, and applied once, in order.

Prevents that an outage loses writes, or that their replay doubles or reorders them. What ``enqueue``
has returned for survives a kill of the process and a loss of power. Nothing is dropped: a full queue
refuses, a write that keeps failing becomes a dead letter that a person decides on.

::

    queue = WriteQueue(Path(".state/queue/target.db"))
    queue.enqueue("app.payments", "upsert", {"id": 7, "amount": Decimal("12.50")}, key=["id"])
    report = queue.flush(apply)  # apply(writes): one transaction of the database
"""

import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from reconcile_assets.core.queue_news import NewsKind, QueueNews, after_refusal, find_news
from reconcile_assets.core.queued_writes import (
    HISTORY_KEPT,
    Failure,
    Operation,
    QueuedWrite,
    WriteState,
    find_dependants,
)
from reconcile_assets.errors import ConfigurationError, MissingObject, QueueFull, ReconcileAssetsError
from reconcile_assets.resilience.new_writes import NewWrite, make_write
from reconcile_assets.resilience.queue_file import QueueFile
from reconcile_assets.resilience.queue_flush import Apply, Flush, FlushReport, FlushSettings, QueueLimits
from reconcile_assets.resilience.queue_rows import QueueTransaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueCounts:
    """How many writes stand in the queue, and since when the oldest waits (aware, UTC)."""

    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


DEFAULT = QueueLimits()


class WriteQueue:
    """A queue in one file, shared by the processes and threads of one machine.

    Args:
        path: of the file; made with mode 0600 where there never was one. It belongs on a disk of this machine.
        on_news: told of a long queue, of a full one, and when there is room again; an alert belongs here. News of a
            full queue that it could not take (it raised an error of this package) is told again by `tell_news`.
        clock: the present, aware, UTC.
        draw: jitter between two bounds.

    Raises:
        LedgerCorrupt: the file is damaged or of a newer version; it is kept, and no other takes its place.
        ConfigurationError, DatabaseUnavailable: the file can't be used.
    """

    def __init__(
        self,
        path: Path,
        limits: QueueLimits = DEFAULT,
        *,
        on_news: Callable[[QueueNews], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.limits = limits
        self._file = QueueFile(path)
        self._on_news = on_news
        self._clock = clock
        self._draw = draw

    @property
    def path(self) -> Path:
        """Of the file."""
        return self._file.path

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- taking ----

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
            operation: insert, update, upsert or delete.
            record: by column; for a delete only the key's columns count.
            key: the columns that name the row.
            idempotency_key: handing the same write in again under it changes nothing while it is in the queue; after
                that the database knows it. None makes one.
            depends_on: idempotency keys of writes, handed in before, that must be applied before.

        Returns:
            The idempotency key.

        Raises:
            QueueFull: as many wait as may; nothing was dropped for it.
            ConfigurationError: the record lacks a column of the key, has NULL there, or a value without an exact form;
                or the idempotency key stands for another write.
        """
        (name,) = self.enqueue_all([NewWrite(table, operation, record, key, idempotency_key, depends_on)])
        return name

    def enqueue_all(self, writes: Sequence[NewWrite]) -> list[str]:
        """Keep several writes at once, all of them or none; returns their idempotency keys."""
        now = self._clock()
        made = [make_write(each, now) for each in writes]
        given = {each.idempotency_key for each in writes}
        try:
            with self._file.writing() as change:
                for write in made:
                    self._add(change, write, may_be_known=write.idempotency_key in given)
                news = self._find_warning(change)
        except QueueFull:
            self._note_refusal()
            raise
        if news is not None:
            logger.warning("%d changes wait to be written", news.waiting)
            self._tell(news)
        return [write.idempotency_key for write in made]

    def _add(self, change: QueueTransaction, write: QueuedWrite, *, may_be_known: bool) -> None:
        known = change.find(write.idempotency_key) if may_be_known else None
        if known is not None:
            if not known.is_like(write):
                raise ConfigurationError(
                    f"{write.table}: the idempotency key stands for another write in the queue; give each its own"
                )
            return
        if change.figures.waiting >= self.limits.capacity:
            raise QueueFull(
                f"the queue's file {self.path}: {change.figures.waiting} writes wait, as many as may, and this one was"
                " not taken: bring the database back, or raise queue.capacity"
            )
        change.add(write)

    # ---- telling ----

    def _find_warning(self, change: QueueTransaction) -> QueueNews | None:
        figures = change.figures
        if figures.warned or figures.waiting < self.limits.warn_at:
            return None
        change.figures = replace(figures, warned=True)
        return QueueNews(NewsKind.LONG, figures.waiting, self.limits.capacity, self._news_id(f"long {figures.version}"))

    def _note_refusal(self) -> None:
        """The refusal itself stands whatever becomes of this."""
        logger.critical("the write queue is full: %d writes wait", self.limits.capacity)
        try:
            with self._file.reading() as reader:
                before = reader.figures.overflow
            if after_refusal(before, 0).partition(" ")[0] != before.partition(" ")[0]:
                with self._file.writing() as change:
                    figures = change.figures
                    change.figures = replace(figures, overflow=after_refusal(figures.overflow, figures.version))
            self.tell_news()
        except ReconcileAssetsError as error:
            logger.error("that the write queue is full could not be noted: %s", error)

    def tell_news(self) -> None:
        """Tell of a full queue, and of the room there is again, where that has not been told yet."""
        with self._file.reading() as reader:
            before = reader.figures.overflow
            found = find_news(before, reader.figures.waiting, self.limits.capacity)
        if found is None:
            return
        news, told = found
        if self._tell(replace(news, news_id=self._news_id(news.news_id))):
            with self._file.writing() as change:
                if change.figures.overflow == before:
                    change.figures = replace(change.figures, overflow=told)

    def _tell(self, news: QueueNews) -> bool:
        if self._on_news is None:
            return news.kind is NewsKind.LONG  # kept for one who can take it
        try:
            self._on_news(news)
        except ReconcileAssetsError as error:
            logger.error("that the write queue is %s could not be told: %s", news.kind, error)
            return False
        return True

    def _news_id(self, course: str) -> str:
        return f"{self._file.file_id} {course}"

    # ---- looking ----

    def counts(self) -> QueueCounts:
        """How many wait and are dead."""
        with self._file.reading() as reader:
            return QueueCounts(reader.figures.waiting, reader.figures.dead, reader.fetch_oldest())

    def fetch(self, state: WriteState, *, after: int = 0, limit: int = 1000) -> list[QueuedWrite]:
        """Writes of a state by sequence, a page at a time."""
        with self._file.reading() as reader:
            return list(reader.fetch(state, after=after, limit=limit))

    # ---- dead letters ----

    def retry(self, sequences: Collection[int] = ()) -> int:
        """Let dead letters wait again, in their old places and with their history; returns how many.

        Args:
            sequences: which; empty for all.

        Raises:
            MissingObject: one is no dead letter.
        """
        with self._file.writing() as change:
            chosen = self._dead(change, sequences)
            for write in chosen:
                change.put(write, replace(write, state=WriteState.WAITING, tries=0, next_try_at=None))
        return len(chosen)

    def discard(self, sequences: Collection[int]) -> int:
        """Give dead letters up for good; export them before. Returns how many.

        Writes that depend on one of them become dead letters in its place: whether they make sense without it, a
        person decides.

        Raises:
            MissingObject: one is no dead letter.
        """
        if not sequences:
            raise ConfigurationError("name the dead letters to discard by their numbers; see queue list --dead")
        with self._file.writing() as change:
            chosen = self._dead(change, sequences)
            change.settle(chosen)
            self._bury_dependants(change, chosen)
        return len(chosen)

    def _bury_dependants(self, change: QueueTransaction, discarded: Sequence[QueuedWrite]) -> None:
        numbers = {write.idempotency_key: write.sequence for write in discarded}
        now = self._clock()
        for place in find_dependants(change.fetch_places(), numbers):
            write = change.fetch_one(WriteState.WAITING, place.sequence)
            if write is None:  # dead already
                continue
            missed = next((name for name in write.depends_on if name in numbers), None)
            reason = "it depends on a write that does" if missed is None else f"it depends on write {numbers[missed]}"
            error = Failure(now, f"{reason}, which was discarded; retry it, or discard it too")
            history = (*write.history, error)[-HISTORY_KEPT:]
            change.put(write, replace(write, state=WriteState.DEAD, next_try_at=None, history=history))

    def _dead(self, change: QueueTransaction, sequences: Collection[int]) -> list[QueuedWrite]:
        dead = {write.sequence: write for write in change.fetch(WriteState.DEAD)}
        strays = [str(number) for number in sequences if number not in dead]
        if strays:
            raise MissingObject(f"the queue's file {self.path} has no dead letter {', '.join(strays)}; see queue list")
        return [dead[number] for number in dict.fromkeys(sequences)] if sequences else list(dead.values())

    # ---- flushing ----

    def flush(
        self, apply: Apply, *, seconds: float | None = None, counted: tuple[type[Exception], ...] = ()
    ) -> FlushReport:
        """Apply what waits, in the order of arrival; only one process does so at a time.

        A write that fails holds back those of its own row and its dependants, nobody else. An outage (passing errors,
        an open breaker, a lost COMMIT reply, a refused login) ends the flush and counts as no try; so does a time
        limit or a deadlock, unless other writes go through.

        Args:
            apply: applies up to 100 writes in one transaction, each at most once ever by its idempotency key.
            seconds: after so many no further part begins; None for no limit.
            counted: errors of ``apply``, beside this package's, that are the write's own fault and count as a try.

        Raises:
            whatever else ``apply`` raises; its writes wait as before.
        """
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        if not self._take_lease(owner):
            return FlushReport(stopped="another process is flushing")
        try:
            settings = FlushSettings(self.limits, self._clock, self._draw, seconds, counted)
            report = Flush(self._file, owner, apply, settings).run()
        finally:
            with suppress(ReconcileAssetsError):  # it ends by itself
                self._give_lease_back(owner)
        self.tell_news()
        return report

    def _take_lease(self, owner: str) -> bool:
        """A lease; one that is longer than any can be is a clock that was set back."""
        with self._file.writing() as change:
            figures, now = change.figures, self._clock()
            if figures.owner is not None and figures.lease_until is not None:
                left = (datetime.fromisoformat(figures.lease_until) - now).total_seconds()
                if 0 < left <= self.limits.lease:
                    return False
            until = now + timedelta(seconds=self.limits.lease)
            change.figures = replace(figures, owner=owner, lease_until=until.isoformat())
        return True

    def _give_lease_back(self, owner: str) -> None:
        with self._file.writing() as change:
            if change.figures.owner == owner:
                change.figures = replace(change.figures, owner=None, lease_until=None)
