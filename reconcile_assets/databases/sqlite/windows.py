"""Partitions in SQLite's SQL: a condition that an index serves, around the rows of the windows."""

from datetime import datetime, timedelta

from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.databases.base import PartitionFilter
from reconcile_assets.databases.quoting import quote_name, quote_text

_FURTHEST_OFFSET = timedelta(days=2)  # an instant's text has its own offset: its day is less than two days off
_MOST_RANGES = 200  # SQLite refuses expressions nested 1,000 deep


def window_condition(column: Column, partitions: PartitionFilter) -> str:
    """True for every row of the windows, and for few others: the days are compared as the texts that they are.

    Whether a row stands in a window is decided by its exact value: ISO texts of one moment may be written in
    different ways, but each begins with its day.
    """
    ranges: list[tuple[str, str]] = []
    for partition in partitions.partitions:
        start, end = partition.local_start, partition.local_end
        if partitions.kind is TypeKind.TIMESTAMPTZ:
            start, end = _moved(partition.start, -_FURTHEST_OFFSET), _moved(partition.end, _FURTHEST_OFFSET)
        first, last = start.date().isoformat(), f"{end.date().isoformat()}~"  # after every text of that day
        if ranges and ranges[-1][1] >= first:
            ranges[-1] = (ranges[-1][0], last)
        else:
            ranges.append((first, last))
    if len(ranges) > _MOST_RANGES:
        ranges = [(ranges[0][0], ranges[-1][1])]
    name = quote_name(column.name)
    parts = [
        "".join(("(", name, " >= ", quote_text(first), " AND ", name, " < ", quote_text(last), ")"))
        for first, last in ranges
    ]
    return "".join(("(", " OR ".join(parts) or "0", ")"))


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the calendar begins or ends
        return moment
