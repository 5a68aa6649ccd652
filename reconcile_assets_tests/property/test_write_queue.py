"""Any course of writing, flushing, failing, crashing and deciding keeps each write: once, and each row in its order."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from reconcile_assets.errors import ConstraintRefused, DatabaseUnavailable, QueueFull, UnknownOutcome
from reconcile_assets.resilience import QueuedWrite, QueueLimits, WriteQueue, WriteState
from reconcile_assets_tests.queue_samples import Clock, copy_files, no_pause

MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, nobody waits for a disk
CAPACITY = 12
ROWS = st.integers(0, 2)


class _KilledError(BaseException):
    """The process is no more."""


class Database:
    """Applies each write once, refuses some rows, and fails as it is told."""

    def __init__(self) -> None:
        self.applied: list[QueuedWrite] = []
        self.refused: set[int] = set()
        self.fault = ""

    def __call__(self, writes: Sequence[QueuedWrite]) -> None:
        if self.fault == "away":
            raise DatabaseUnavailable("away")
        known = {write.idempotency_key for write in self.applied}
        new = [write for write in writes if write.idempotency_key not in known]
        if any(write.record["id"] in self.refused for write in new):
            raise ConstraintRefused("refused")
        if self.fault == "killed before":
            raise _KilledError
        self.applied += new
        if self.fault == "killed after":
            raise _KilledError
        if self.fault == "reply lost":
            raise UnknownOutcome("reply lost")


class QueueMachine(RuleBasedStateMachine):
    """A queue whose process is killed now and then; its files are all that is left."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None))
        self._clock = Clock()
        self._database = Database()
        self._lives = 0
        self._dead_processes: list[WriteQueue] = []
        self.acknowledged: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.discarded: set[str] = set()

    @initialize(max_tries=st.integers(1, 2))
    def begin(self, max_tries: int) -> None:
        self._limits = QueueLimits(capacity=CAPACITY, warn_at=6, max_tries=max_tries)
        self._queue = self._open(self._folder / "0" / "queue.db")

    def teardown(self) -> None:
        for queue in (self._queue, *self._dead_processes):
            queue.close()
        shutil.rmtree(self._folder)

    def _open(self, path: Path) -> WriteQueue:
        return WriteQueue(path, self._limits, clock=self._clock, draw=no_pause)

    @rule(target=keys, row=ROWS)
    def enqueue(self, row: int) -> object:
        return self._enqueue(row, None, ())

    @rule(target=keys, row=ROWS, earlier=keys)
    def enqueue_dependant(self, row: int, earlier: str) -> object:
        return self._enqueue(row, None, (earlier,))

    def _enqueue(self, row: int, key: str | None, depends_on: tuple[str, ...]) -> object:
        full = self._queue.counts().waiting >= CAPACITY
        try:
            made = self._queue.enqueue("t", "upsert", {"id": row}, key="id", idempotency_key=key, depends_on=depends_on)
        except QueueFull:
            assert full
            return multiple()
        assert not full
        self.acknowledged[made] = (row, depends_on)
        return made

    @rule(key=keys)
    def hand_in_again(self, key: str) -> None:
        if key in self._everything():
            row = self.acknowledged[key][0]
            assert self._queue.enqueue("t", "upsert", {"id": row}, key="id", idempotency_key=key) == key

    @rule(rows=st.lists(ROWS, min_size=2, max_size=4))
    def enqueue_some(self, rows: list[int]) -> None:
        for row in rows:
            self._enqueue(row, None, ())

    @rule(seconds=st.sampled_from([1.0, 600.0, -600.0, 86_400.0]))
    def set_clock(self, seconds: float) -> None:
        self._clock.go(seconds)

    @rule()
    def flush(self) -> None:
        self._flush("", set())

    @rule(refused=st.sets(ROWS, min_size=1, max_size=2))
    def flush_with_refusals(self, refused: set[int]) -> None:
        self._flush("", refused)

    @rule(
        fault=st.sampled_from(["away", "reply lost", "killed before", "killed after"]),
        refused=st.sets(ROWS, max_size=2),
    )
    def flush_with_a_fault(self, fault: str, refused: set[int]) -> None:
        self._flush(fault, refused)

    def _flush(self, fault: str, refused: set[int]) -> None:
        self._database.fault, self._database.refused = fault, refused
        try:
            self._queue.flush(self._database)
        except _KilledError:
            self.kill()

    @rule()
    def kill(self) -> None:
        self._lives += 1
        files = copy_files(self._queue.path, self._folder / str(self._lives))
        self._dead_processes.append(self._queue)
        self._queue = self._open(files)

    @rule()
    def end_well(self) -> None:
        self._queue.close()

    @rule()
    def retry(self) -> None:
        self._queue.retry()

    @rule(which=st.integers(0, 3))
    def discard(self, which: int) -> None:
        letters = self._queue.fetch(WriteState.DEAD)
        if which < len(letters):
            self._queue.discard([letters[which].sequence])
            self.discarded.add(letters[which].idempotency_key)

    def _everything(self) -> list[str]:
        return [write.idempotency_key for state in WriteState for write in self._queue.fetch(state)]

    @invariant()
    def each_acknowledged_write_is_somewhere_once(self) -> None:
        if not hasattr(self, "_queue"):
            return
        applied = [write.idempotency_key for write in self._database.applied]
        kept = self._everything()
        assert len(applied) == len(set(applied))
        assert len(kept) == len(set(kept))
        assert set(applied) | set(kept) | self.discarded == self.acknowledged.keys()
        assert self.discarded.isdisjoint(applied)

    @invariant()
    def each_row_is_written_in_order(self) -> None:
        last: dict[int, int] = {}
        for write in self._database.applied:
            assert last.get(write.record["id"], 0) < write.sequence
            last[write.record["id"]] = write.sequence

    @invariant()
    def nothing_is_applied_before_what_it_depends_on(self) -> None:
        seen: set[str] = set()
        for write in self._database.applied:
            seen.add(write.idempotency_key)
            assert set(self.acknowledged[write.idempotency_key][1]) <= seen | self.discarded


QueueMachine.TestCase.settings = hypothesis.settings(
    parent=hypothesis.settings.get_profile("no deadlines"), max_examples=50, stateful_step_count=30
)
test_the_queue_keeps_every_write_whatever_happens = QueueMachine.TestCase
