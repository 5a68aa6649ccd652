"""Partitions in MySQL's SQL: which rows stand in them, and in which one a row stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from reconcile_assets.core.tables import TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.mysql.statements import Sql, clock_literal, fill, identifier, join, number_literal, sql


@dataclass(frozen=True)
class Windows:
    """Half-open windows over one column; a row whose column is NULL or outside every window stands in none.

    Attributes:
        kind: of the column: an instant compares with the windows' instants, anything else with their local bounds.
        partitions: ordered by start, not overlapping.
    """

    column: str
    kind: TypeKind
    partitions: Sequence[Partition]

    @cached_property
    def condition(self) -> Sql:
        """True for the rows of the windows; windows side by side are one range, so that an index serves."""
        ranges = [
            fill(
                "({column} >= TIMESTAMP{start} AND {column} < TIMESTAMP{end})",
                column=identifier(self.column),
                start=_literal(start),
                end=_literal(end),
            )
            for start, end in self._ranges()
        ]
        return fill("({ranges})", ranges=join(" OR ", ranges) if ranges else sql("FALSE"))

    @cached_property
    def number(self) -> Sql:
        """A number that is the same for the rows of one window; :attr:`keys` says whose. It is found by halving."""
        is_date = self.kind is TypeKind.DATE
        template = sql("CAST({x} AS DECIMAL(14, 0)) * 1000000") if is_date else sql("CAST({x} AS DECIMAL(20, 6))")
        digits = Sql(template.format(x=identifier(self.column)))
        edges = [number_literal(f"{edge:%Y%m%d%H%M%S.%f}".rjust(21, "0")) for edge in self._edges]
        return fill("INTERVAL({digits}, {edges})", digits=digits, edges=join(", ", edges))

    @cached_property
    def keys(self) -> Mapping[int, str]:
        """The window's number in SQL -> the partition's key."""
        number_of = {edge: number for number, edge in enumerate(self._edges, start=1)}
        return {number_of[self.bounds(partition)[0]]: partition.key for partition in self.partitions}

    def bounds(self, partition: Partition) -> tuple[datetime, datetime]:
        """The window's bounds as this column is compared with: in UTC for instants, else the wall clock's reading."""
        if self.kind is TypeKind.TIMESTAMPTZ:
            start, end = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (partition.start, partition.end))
            return start, end
        return partition.local_start, partition.local_end

    @cached_property
    def _edges(self) -> tuple[datetime, ...]:
        return tuple(sorted({edge for partition in self.partitions for edge in self.bounds(partition)}))

    def _ranges(self) -> list[tuple[datetime, datetime]]:
        ranges: list[tuple[datetime, datetime]] = []
        for partition in self.partitions:
            start, end = self.bounds(partition)
            if ranges and ranges[-1][1] == start:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
        return ranges


def _literal(moment: datetime) -> Sql:
    return clock_literal(moment.isoformat(sep=" ", timespec="microseconds"))
