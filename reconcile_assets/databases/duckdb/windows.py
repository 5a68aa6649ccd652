"""Partitions in DuckDB's SQL: true exactly for the rows of the windows."""

from datetime import datetime

from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.databases.base import PartitionFilter
from reconcile_assets.databases.quoting import quote_name, quote_text


def window_condition(column: Column, partitions: PartitionFilter) -> str:
    """True for the rows of the windows; windows side by side are one range, so that whole blocks are skipped."""
    ranges: list[tuple[datetime, datetime]] = []
    for partition in partitions.partitions:
        start, end = partition.local_start, partition.local_end
        if partitions.kind is TypeKind.TIMESTAMPTZ:
            start, end = partition.start, partition.end
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    name = quote_name(column.name)
    parts = [
        "".join(("(", name, " >= ", moment_literal(start), " AND ", name, " < ", moment_literal(end), ")"))
        for start, end in ranges
    ]
    return "".join(("(", " OR ".join(parts) or "false", ")"))


def moment_literal(moment: datetime) -> str:
    """A bound: an instant where it is aware, else the wall clock's reading."""
    kind = "TIMESTAMP" if moment.tzinfo is None else "TIMESTAMPTZ"
    return " ".join((kind, quote_text(moment.isoformat(sep=" "))))
