"""Queues with known content, and copies of them as a crash leaves them or a clean end."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconcile_assets.errors import ConstraintRefused
from reconcile_assets.resilience import QueuedWrite, QueueLimits, WriteQueue, WriteState

NOON = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
FILES = ("", "-wal", "-seal")


class Clock:
    """A clock that stands, until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        """Forward; back where negative."""
        self.now += timedelta(seconds=seconds)


def no_pause(low: float, high: float) -> float:
    """A draw that takes the shortest."""
    return low


@dataclass(frozen=True)
class Content:
    """What stands in a queue."""

    waiting: list[QueuedWrite]
    dead: list[QueuedWrite]

    @classmethod
    def of(cls, queue: WriteQueue) -> "Content":
        return cls(*(queue.fetch(state) for state in (WriteState.WAITING, WriteState.DEAD)))


class Refuser:
    """An apply that refuses some rows, and remembers what it has applied."""

    def __init__(self, *refused: int) -> None:
        self.refused = set(refused)
        self.applied: list[QueuedWrite] = []
        self.calls: list[list[int]] = []

    def __call__(self, writes: Sequence[QueuedWrite]) -> None:
        self.calls.append([write.record["id"] for write in writes])
        bad = [write for write in writes if write.record["id"] in self.refused]
        if bad:
            raise ConstraintRefused(f"a constraint refused {len(bad)} of the rows")
        self.applied += writes

    @property
    def ids(self) -> list[int]:
        return [write.record["id"] for write in self.applied]


def make_queue(path: Path, *, rows: int = 40) -> Content:
    """A queue of waiting writes, dead letters and some that are settled; still open, as a crash would find it."""
    queue = WriteQueue(path, QueueLimits(max_tries=1), draw=no_pause)
    for number in range(rows):
        record = {"id": number, "note": "\u00e4" * (number % 7), "amount": number / 4, "text": "x" * (number * 9)}
        queue.enqueue("app.payments", "upsert", record, key=["id"])
        if number == rows // 2:
            queue.flush(Refuser(*range(3, rows, 4)))
    content = Content.of(queue)
    kept.append(queue)
    return content


kept: list[WriteQueue] = []
"""Queues that are left open: closing one would end the crash."""


def copy_files(path: Path, folder: Path) -> Path:
    """What a crash would leave of a queue: its files as they are at this moment."""
    folder.mkdir(parents=True)
    copied = folder / path.name
    for end in FILES:
        source = Path(f"{path}{end}")
        if source.exists():
            shutil.copyfile(source, f"{copied}{end}")
    return copied


def read_files(path: Path) -> dict[str, bytes | None]:
    """The bytes of each file of a queue."""
    found = {end: Path(f"{path}{end}") for end in FILES}
    return {end: file.read_bytes() if file.exists() else None for end, file in found.items()}
