"""A calendar of partitions: which day, week or month is proved, at a glance.

Pure: partitions and their statuses in, rows and cells out. The report renders it as
a table, so that the same grid is read by eyes, by a screen reader and by a printer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reconcile_assets.core.windows import Every, Partition


class PartitionStatus(StrEnum):
    """What is known of a partition, over all checks of its table."""

    MATCHED = "matched"
    MISMATCHED = "mismatched"
    INCONCLUSIVE = "inconclusive"
    UNVERIFIED = "unverified"  # at least one check never gave a verdict


_WORST_FIRST = (
    PartitionStatus.MISMATCHED,
    PartitionStatus.INCONCLUSIVE,
    PartitionStatus.UNVERIFIED,
    PartitionStatus.MATCHED,
)


def worst_status(statuses: Sequence[PartitionStatus]) -> PartitionStatus:
    """The worst of several; none at all is ``unverified``."""
    return next((status for status in _WORST_FIRST if status in statuses), PartitionStatus.UNVERIFIED)


@dataclass(frozen=True)
class CalendarCell:
    """One cell.

    Attributes:
        label: what a reader hears, e.g. ``2013-01-31``.
        status: the worst of the partitions in it; None where the calendar has no such day or
            the table no such partition.
        empty: every partition in it is matched and has no rows on both sides.
        partitions: how many partitions stand in it (24 for a day of hours).
    """

    label: str
    status: PartitionStatus | None
    empty: bool = False
    partitions: int = 1


@dataclass(frozen=True)
class CalendarRow:
    """One row of cells, e.g. a month of days."""

    label: str
    cells: tuple[CalendarCell, ...]


@dataclass(frozen=True)
class CalendarGrid:
    """A grid with a heading for each column.

    Attributes:
        unit: what a cell stands for: ``day``, ``week`` or ``month``.
    """

    unit: str
    columns: tuple[str, ...]
    rows: tuple[CalendarRow, ...]


def build_calendar(
    partitions: Sequence[Partition],
    statuses: Mapping[str, PartitionStatus],
    *,
    by: Every,
    empty: frozenset[str] = frozenset(),
) -> CalendarGrid:
    """Lay partitions out by their local start.

    Hours and days give months of 31 days, weeks years of 53 weeks, months years of 12.

    Args:
        partitions: the partitions to show, in any order.
        statuses: by partition key; a partition without one is ``unverified``.
        by: how long a partition is.
        empty: keys of matched partitions without rows on both sides.
    """
    places: dict[tuple[str, int], list[Partition]] = {}
    for partition in partitions:
        places.setdefault(_place(partition.local_start.date(), by), []).append(partition)
    width, unit = _SHAPES[by]
    rows = tuple(
        CalendarRow(label, tuple(_cell(label, number, places, statuses, by, empty) for number in range(1, width + 1)))
        for label in sorted({row for row, _ in places})
    )
    columns = _MONTHS if by is Every.MONTH else tuple(str(number) for number in range(1, width + 1))
    return CalendarGrid(unit, columns, rows)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHAPES = {Every.HOUR: (31, "day"), Every.DAY: (31, "day"), Every.WEEK: (53, "week"), Every.MONTH: (12, "month")}


def _place(start: date, by: Every) -> tuple[str, int]:
    """The row and column of a partition; weeks are numbered by the day of the year they begin on."""
    if by is Every.MONTH:
        return f"{start:%Y}", start.month
    if by is Every.WEEK:
        return f"{start:%Y}", (start.timetuple().tm_yday - 1) // 7 + 1
    return f"{start:%Y-%m}", start.day


def _cell(
    row: str,
    number: int,
    places: Mapping[tuple[str, int], Sequence[Partition]],
    statuses: Mapping[str, PartitionStatus],
    by: Every,
    empty: frozenset[str],
) -> CalendarCell:
    label = f"{row} week {number}" if by is Every.WEEK else f"{row}-{number:02d}"
    here = places.get((row, number), ())
    if not here:
        return CalendarCell(label, None, partitions=0)
    status = worst_status([statuses.get(partition.key, PartitionStatus.UNVERIFIED) for partition in here])
    is_empty = status is PartitionStatus.MATCHED and all(partition.key in empty for partition in here)
    return CalendarCell(label, status, is_empty, len(here))
