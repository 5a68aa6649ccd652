"""Partitions in PostgreSQL's SQL: which rows stand in them, and in which one a row stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

from psycopg import sql

from reconcile_assets.core.tables import TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter

_MANY_RANGES = 32


@dataclass(frozen=True)
class Windows:
    """Half-open windows over one column, which is an instant, a timestamp without a zone, or a date.

    A row whose column is NULL, or outside every window, stands in none.

    Attributes:
        column: by its own name.
        kind: of the column: decides between the windows' instants and their local bounds.
        partitions: ordered by start, not overlapping.
    """

    column: str
    kind: TypeKind
    partitions: Sequence[Partition]

    @classmethod
    def of(cls, partitions: PartitionFilter) -> Self:
        """The windows of a filter."""
        return cls(partitions.column, partitions.kind, partitions.partitions)

    @cached_property
    def condition(self) -> sql.Composed:
        """True for the rows of the windows; windows side by side are one range, so an index serves.

        Of many ranges each row would be compared with all: its number is looked up among the windows' instead.
        """
        ranges = self._ranges()
        if len(ranges) > _MANY_RANGES:
            whole = self._between(ranges[0][0], ranges[-1][1])
            return sql.SQL("({} AND {} = ANY({}::int4[]))").format(whole, self.number, list(self.keys))
        each = [self._between(start, end) for start, end in ranges]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(each) if each else sql.SQL("false"))

    @cached_property
    def number(self) -> sql.Composed:
        """A number that is the same for the rows of one window; `keys` says whose."""
        column = sql.SQL("{}::{}").format(sql.Identifier(self.column), self._type)
        edges = sql.SQL(", ").join(self._literal(edge) for edge in self._edges)
        return sql.SQL("width_bucket({}, ARRAY[{}]::{}[])").format(column, edges, self._type)

    @cached_property
    def keys(self) -> Mapping[int, str]:
        """The window's number in SQL -> the partition's key."""
        number_of = {edge: number for number, edge in enumerate(self._edges, start=1)}
        return {
            number_of[start]: partition.key for partition in self.partitions for start, _ in [self.bounds(partition)]
        }

    def bounds(self, partition: Partition) -> tuple[datetime, datetime]:
        """The window's bounds as this column is compared with: instants, or the wall clock's reading."""
        if self.kind is TypeKind.TIMESTAMPTZ:
            return partition.start, partition.end
        return partition.local_start, partition.local_end

    @property
    def _type(self) -> sql.SQL:
        return sql.SQL("timestamptz") if self.kind is TypeKind.TIMESTAMPTZ else sql.SQL("timestamp")

    @cached_property
    def _edges(self) -> tuple[datetime, ...]:
        return tuple(sorted({edge for partition in self.partitions for edge in self.bounds(partition)}))

    def _between(self, start: datetime, end: datetime) -> sql.Composed:
        return sql.SQL("({column} >= {start} AND {column} < {end})").format(
            column=sql.Identifier(self.column), start=self._literal(start), end=self._literal(end)
        )

    def _literal(self, moment: datetime) -> sql.Composed:
        return sql.SQL("{}::{}").format(sql.Literal(moment.isoformat(sep=" ")), self._type)

    def _ranges(self) -> list[tuple[datetime, datetime]]:
        ranges: list[tuple[datetime, datetime]] = []
        for partition in self.partitions:
            start, end = self.bounds(partition)
            if ranges and ranges[-1][1] == start:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
        return ranges
