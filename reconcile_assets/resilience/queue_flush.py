"""Flushing the write queue: what may go is applied, what fails waits or is buried, an outage ends it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconcile_assets.core.queued_writes import Failure, QueuedWrite, WriteState, choose_next
from reconcile_assets.core.record_json import hash_record
from reconcile_assets.errors import (
    CircuitOpen,
    ConfigurationError,
    ReconcileAssetsError,
    SerializationConflict,
    StatementTimeout,
    TransientError,
    UnknownOutcome,
)
from reconcile_assets.resilience.queue_file import QueueFile

logger = logging.getLogger(__name__)

Apply = Callable[[Sequence[QueuedWrite]], None]
"""Applies writes in this order in one transaction, each at most once ever by its idempotency key."""

_TOGETHER = 100  # writes in one transaction of the database
_LONGEST_PAUSE = 300.0  # seconds between two tries of one write
_OUTAGES = (TransientError, CircuitOpen, UnknownOutcome)
_OF_A_STATEMENT = (SerializationConflict, StatementTimeout)


@dataclass(frozen=True)
class QueueLimits:
    """How much the queue takes.

    Attributes:
        capacity: waiting writes; one more is refused.
        warn_at: waiting writes at which one warning is given, and again only after it was half as long.
        max_tries: failed tries after which a write becomes a dead letter.
        lease: seconds after which a process that flushes and gives no sign is taken for dead.
    """

    capacity: int = 1000
    warn_at: int = 100
    max_tries: int = 10
    lease: float = 60.0

    def __post_init__(self) -> None:
        for name in ("capacity", "warn_at", "max_tries", "lease"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"queue: {name} is above 0, not {getattr(self, name)}")


@dataclass(frozen=True)
class FlushReport:
    """What one flush did.

    Attributes:
        applied: writes that are in the database now.
        failed: writes whose try failed and counts.
        buried: those of them that are dead letters now.
        stopped: why it ended early, e.g. the database is away; empty when all that could go has gone.
    """

    applied: int = 0
    failed: int = 0
    buried: int = 0
    stopped: str = ""


class _LeaseLostError(Exception):
    """Another process has taken over."""


class Flush:
    """One flush, by the process that holds the lease.

    Args:
        owner: of the lease.
    """

    def __init__(
        self,
        file: QueueFile,
        limits: QueueLimits,
        owner: str,
        apply: Apply,
        clock: Callable[[], datetime],
        draw: Callable[[float, float], float],
    ) -> None:
        self._file = file
        self._limits = limits
        self._owner = owner
        self._apply = apply
        self._clock = clock
        self._draw = draw
        self._passed_over: set[str] = set()
        self._report = FlushReport()

    def run(self) -> FlushReport:
        """Apply until nothing more can go; see :meth:`WriteQueue.flush`."""
        try:
            while part := self._choose():
                self._apply_part(part)
        except _LeaseLostError:
            return replace(self._report, stopped="another process has taken over")
        except _OUTAGES as error:
            return replace(self._report, stopped=str(error))
        return self._report

    def _choose(self) -> list[QueuedWrite]:
        with self._file.reading() as connection:
            writes = list(self._file.fetch(connection, [WriteState.WAITING, WriteState.DEAD]))
        identity = {write.sequence: _row_of(write) for write in writes}
        return choose_next(writes, now=self._clock(), identity=identity, passed_over=self._passed_over)[:_TOGETHER]

    def _apply_part(self, part: Sequence[QueuedWrite]) -> None:
        try:
            self._apply(part)
        except ReconcileAssetsError as error:
            if isinstance(error, _OUTAGES) and not isinstance(error, _OF_A_STATEMENT):
                raise
            if len(part) == 1:
                self._bury_or_wait(part[0], error)
            else:
                self._apply_singly(part)
            return
        self._settle(part)

    def _apply_singly(self, part: Sequence[QueuedWrite]) -> None:
        failed: set[str] = set()
        for write in part:
            if _row_of(write) in self._passed_over or failed.intersection(write.depends_on):
                failed.add(write.idempotency_key)
                continue
            self._apply_part([write])
            if _row_of(write) in self._passed_over:
                failed.add(write.idempotency_key)

    def _settle(self, part: Sequence[QueuedWrite]) -> None:
        with self._file.writing() as connection:
            self._renew(connection)
            self._file.settle(connection, part)
            figures = self._file.fetch_figures(connection)
            if figures.warned and figures.waiting <= self._limits.warn_at // 2:
                self._file.put_figures(connection, replace(figures, warned=0))
        self._report = replace(self._report, applied=self._report.applied + len(part))

    def _bury_or_wait(self, write: QueuedWrite, error: ReconcileAssetsError) -> None:
        now = self._clock()
        tries = write.tries + 1
        dead = tries >= self._limits.max_tries
        pause = self._draw(0.0, min(_LONGEST_PAUSE, 2.0**tries))
        changed = replace(
            write,
            tries=tries,
            state=WriteState.DEAD if dead else WriteState.WAITING,
            next_try_at=None if dead else now + timedelta(seconds=pause),
            history=(*write.history, Failure(now, str(error))),
        )
        with self._file.writing() as connection:
            figures = self._renew(connection)
            self._file.put(connection, changed)
            if dead:
                figures = replace(figures, waiting=figures.waiting - 1, dead=figures.dead + 1)
                self._file.put_figures(connection, figures)
        self._passed_over.add(_row_of(write))
        self._report = replace(self._report, failed=self._report.failed + 1, buried=self._report.buried + int(dead))
        log = logger.error if dead else logger.warning
        log(
            "write %d failed, try %d of %d%s: %s",
            write.sequence,
            tries,
            self._limits.max_tries,
            ", now a dead letter" if dead else "",
            error,
            extra={"table": write.table},
        )

    def _renew(self, connection: Any) -> Any:
        figures = self._file.fetch_figures(connection)
        if figures.owner != self._owner:
            raise _LeaseLostError
        until = self._clock() + timedelta(seconds=self._limits.lease)
        figures = replace(figures, lease_until=until.isoformat())
        self._file.put_figures(connection, figures)
        return figures


def _row_of(write: QueuedWrite) -> str:
    return f"{write.table} {hash_record(write.key)}"
