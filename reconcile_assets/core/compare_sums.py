"""Which windows and buckets differ, from the sums of their row digests."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconcile_assets.core.compare import NO_COUNTS, NO_ROWS, Checksum, SideCounts

ROWS_PER_BUCKET = 32
MOST_BUCKETS = 32_768  # in all windows together
SMALL = 2_000  # rows that are rather shipped than bucketed

Bucket = tuple[str | None, int]


class Sums(Protocol):
    """The rows of one bucket: counts and added-up digests."""

    @property
    def rows(self) -> int: ...
    @property
    def first(self) -> int: ...
    @property
    def second(self) -> int: ...
    @property
    def null_keys(self) -> int: ...
    @property
    def duplicate_keys(self) -> int: ...


@dataclass(frozen=True)
class WindowSums:
    """Both sides of one window.

    Attributes:
        buckets: those in which either side has rows.
    """

    source: SideCounts = NO_COUNTS
    target: SideCounts = NO_COUNTS
    source_digest: str = NO_ROWS.digest
    target_digest: str = NO_ROWS.digest
    buckets: int = 0

    @property
    def is_one_sided(self) -> bool:
        """Whether only one side has rows."""
        return (self.source.rows == 0) != (self.target.rows == 0)


def choose_buckets(rows: int, windows: int) -> int:
    """Buckets for each window: a power of 2, so that a bucket has about 32 to 64 rows; 1 for small windows.

    Fewer rows for each bucket make the sums of a scan longer, more rows make longer what is shipped of a bucket
    that differs: this is about where both together are least, with one difference in a few thousand rows.
    """
    if windows < 1 or rows <= SMALL * windows:
        return 1
    wanted = min(rows // ROWS_PER_BUCKET, MOST_BUCKETS) // windows
    return 1 << max(wanted.bit_length() - 1, 0)


def differing_buckets(source: Mapping[Bucket, Sums], target: Mapping[Bucket, Sums]) -> dict[Bucket, int]:
    """The buckets whose sums differ -> the rows of the larger side."""
    different: dict[Bucket, int] = {}
    for bucket in {**source, **target}:
        left, right = source.get(bucket), target.get(bucket)
        if left is None or right is None or _figures(left) != _figures(right):
            different[bucket] = max(left.rows if left else 0, right.rows if right else 0)
    return different


def _figures(sums: Sums) -> tuple[int, int, int]:
    return sums.rows, sums.first, sums.second


def sum_windows(source: Mapping[Bucket, Sums], target: Mapping[Bucket, Sums]) -> dict[str | None, WindowSums]:
    """Add the buckets of each window up."""
    left, right = dict(_sum_side(source)), dict(_sum_side(target))
    empty = (SideCounts(), NO_ROWS.digest)
    buckets = Counter(window for window, _ in {**source, **target})
    return {
        window: WindowSums(
            left.get(window, empty)[0],
            right.get(window, empty)[0],
            left.get(window, empty)[1],
            right.get(window, empty)[1],
            buckets[window],
        )
        for window in {**left, **right}
    }


def _sum_side(sums: Mapping[Bucket, Sums]) -> Iterator[tuple[str | None, tuple[SideCounts, str]]]:
    windows: dict[str | None, list[Sums]] = {}
    for (window, _), found in sums.items():
        windows.setdefault(window, []).append(found)
    for window, parts in windows.items():
        counts = SideCounts(
            rows=sum(part.rows for part in parts),
            null_keys=sum(part.null_keys for part in parts),
            duplicate_keys=sum(part.duplicate_keys for part in parts),
        )
        first, second = sum(part.first for part in parts), sum(part.second for part in parts)
        yield window, (counts, Checksum.of_sums(counts.rows, first, second).digest)
