"""Flushing the write queue: what may go is applied, what fails waits or is buried, an outage ends it."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from reconcile_assets.core.queue_news import after_settling
from reconcile_assets.core.queued_writes import HISTORY_KEPT, Failure, Place, QueuedWrite, WriteState, choose_next
from reconcile_assets.errors import (
    AlreadyRunning,
    AuthenticationFailed,
    CircuitOpen,
    ConfigurationError,
    ReconcileAssetsError,
    SerializationConflict,
    StatementTimeout,
    TransientError,
    UnknownEngine,
    UnknownOutcome,
)
from reconcile_assets.resilience.queue_file import QueueFile
from reconcile_assets.resilience.queue_rows import QueueTransaction

logger = logging.getLogger(__name__)

Apply = Callable[[Sequence[QueuedWrite]], None]
"""Applies writes in this order in one transaction, each at most once ever by its idempotency key."""

TOGETHER = 100  # writes in one transaction of the database
LONGEST_PAUSE = 300.0  # seconds between two tries of one write
_SUSPECTS = 3  # writes in a row that ran into a time limit, and none that went through: the database is slow
# Of a statement, on a database that answers; alone they may be of the write, and many of the database.
_OF_A_STATEMENT = (SerializationConflict, StatementTimeout)
# No write's own fault: the database is away, or can't be used by anyone.
_OUTAGES = (
    TransientError,
    CircuitOpen,
    UnknownOutcome,
    AuthenticationFailed,
    ConfigurationError,
    UnknownEngine,
    AlreadyRunning,
)


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


@dataclass(frozen=True)
class FlushSettings:
    """How a flush goes.

    Attributes:
        clock: the present, aware, UTC.
        draw: a pause between two bounds.
        seconds: after so many no further part begins; None for no limit.
        counted: errors of ``apply``, beside this package's, that are the write's own fault.
    """

    limits: QueueLimits
    clock: Callable[[], datetime]
    draw: Callable[[float, float], float]
    seconds: float | None = None
    counted: tuple[type[Exception], ...] = ()


class _LeaseLostError(Exception):
    """Another process has taken over."""


class _StoppedError(Exception):
    """The flush ends here."""


class Flush:
    """One flush, by the process that holds the lease.

    Args:
        owner: of the lease.
    """

    def __init__(self, file: QueueFile, owner: str, apply: Apply, settings: FlushSettings) -> None:
        self._file = file
        self._owner = owner
        self._apply = apply
        self._settings = settings
        self._limits = settings.limits
        self._counted: tuple[type[Exception], ...] = (ReconcileAssetsError, *settings.counted)
        self._passed_over: set[str] = set()  # rows of which a write has failed
        self._left_out: set[str] = set()  # idempotency keys of writes that are still there
        self._suspects: list[tuple[QueuedWrite, Exception]] = []
        self._answers = False
        self._report = FlushReport()

    def run(self) -> FlushReport:
        """Apply until nothing more can go; see :meth:`WriteQueue.flush`."""
        deadline = None if self._settings.seconds is None else time.monotonic() + self._settings.seconds
        try:
            while self._run_once(deadline):
                pass
            self._judge_suspects()
        except _LeaseLostError:
            return replace(self._report, stopped="another process has taken over")
        except _StoppedError as stop:
            return replace(self._report, stopped=str(stop))
        return self._report

    def _run_once(self, deadline: float | None) -> bool:
        """Go once through what waits; False where nothing could go."""
        with self._file.reading() as reader:
            places = reader.fetch_places()
        gone: set[int] = set()
        while part := self._choose(places, gone):
            if deadline is not None and time.monotonic() >= deadline:
                raise _StoppedError("its time was over")
            self._apply_part(self._read(part))
            gone.update(place.sequence for place in part)
            places = [place for place in places if place.sequence not in gone]
        return bool(gone)

    def _choose(self, places: Sequence[Place], gone: set[int]) -> list[Place]:
        """The next part: one that has failed before goes alone, so that it takes no others with it."""
        now = self._settings.clock()
        chosen = choose_next(places, now=now, longest_pause=LONGEST_PAUSE, passed_over=self._passed_over)
        part = list(islice(chosen, TOGETHER))
        at = next((at for at, place in enumerate(part) if place.tries), None)
        return part if at is None else part[: max(at, 1)]

    def _read(self, part: Sequence[Place]) -> list[QueuedWrite]:
        """The writes themselves; the lease is ours, so they are all there, unless a person was faster."""
        with self._file.reading() as reader:
            found = (reader.fetch_one(WriteState.WAITING, place.sequence) for place in part)
            return [write for write in found if write is not None]

    def _apply_part(self, part: Sequence[QueuedWrite]) -> None:
        """Apply these together; where that fails, each half by itself, until the one that fails is found."""
        part = self._without_held(part)
        if not part:
            return
        try:
            self._apply(part)
        except _OF_A_STATEMENT as error:
            self._divide(part, error, suspected=True)
            return
        except _OUTAGES as error:
            raise _StoppedError(str(error)) from None
        except self._counted as error:
            self._answers = True
            self._divide(part, error, suspected=False)
            return
        self._settle(part)

    def _without_held(self, part: Sequence[QueuedWrite]) -> list[QueuedWrite]:
        free = []
        for write in part:
            if write.row in self._passed_over or not self._left_out.isdisjoint(write.depends_on):
                self._leave_out(write)
            else:
                free.append(write)
        return free

    def _leave_out(self, write: QueuedWrite) -> None:
        self._passed_over.add(write.row)
        self._left_out.add(write.idempotency_key)

    def _divide(self, part: Sequence[QueuedWrite], error: Exception, *, suspected: bool) -> None:
        middle = len(part) // 2
        if middle:
            self._apply_part(part[:middle])
            self._apply_part(part[middle:])
            return
        self._leave_out(part[0])
        if suspected:
            self._suspects.append((part[0], error))
            if len(self._suspects) >= _SUSPECTS and not self._answers:
                raise _StoppedError(str(error))
        else:
            self._bury_or_wait(part[0], error)

    def _judge_suspects(self) -> None:
        """A time limit or deadlock of a write counts where others went through: else the database is slow for all."""
        for write, error in self._suspects:
            if self._answers:
                self._bury_or_wait(write, error)
        if self._suspects and not self._answers:
            raise _StoppedError(str(self._suspects[0][1]))

    def _settle(self, part: Sequence[QueuedWrite]) -> None:
        with self._file.writing() as change:
            self._renew(change)
            change.settle(part)
            self._forget_warnings(change)
        self._answers = True
        self._report = replace(self._report, applied=self._report.applied + len(part))

    def _forget_warnings(self, change: QueueTransaction) -> None:
        figures = change.figures
        if figures.warned and figures.waiting <= self._limits.warn_at // 2:
            change.figures = figures = replace(figures, warned=False)
        change.figures = replace(
            figures, overflow=after_settling(figures.overflow, figures.waiting, self._limits.capacity)
        )

    def _bury_or_wait(self, write: QueuedWrite, error: Exception) -> None:
        now, tries = self._settings.clock(), write.tries + 1
        dead = tries >= self._limits.max_tries
        pause = self._settings.draw(0.0, min(LONGEST_PAUSE, 2.0**tries))
        text = str(error) if isinstance(error, ReconcileAssetsError) else type(error).__name__  # whose text is not ours
        changed = replace(
            write,
            tries=tries,
            state=WriteState.DEAD if dead else WriteState.WAITING,
            next_try_at=None if dead else now + timedelta(seconds=pause),
            history=(*write.history, Failure(now, text))[-HISTORY_KEPT:],
        )
        with self._file.writing() as change:
            self._renew(change)
            change.put(write, changed)
        self._report = replace(self._report, failed=self._report.failed + 1, buried=self._report.buried + int(dead))
        logger.log(
            logging.ERROR if dead else logging.WARNING,
            "write %d failed, try %d of %d%s: %s",
            write.sequence,
            tries,
            self._limits.max_tries,
            ", now a dead letter" if dead else "",
            text,
            extra={"table": write.table},
        )

    def _renew(self, change: QueueTransaction) -> None:
        if change.figures.owner != self._owner:
            raise _LeaseLostError
        until = self._settings.clock() + timedelta(seconds=self._limits.lease)
        change.figures = replace(change.figures, lease_until=until.isoformat())
