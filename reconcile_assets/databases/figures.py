"""Single figures of each partition, for every engine: what is asked for, and how it is computed from read rows.

An engine that can aggregate exactly does so in its SQL; here the exact texts are read, one scan for all figures.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any

from reconcile_assets.core.canonical import FOREIGN, Canonical, Form
from reconcile_assets.core.canonical_render import date_as_timestamp, renderer
from reconcile_assets.core.canonical_times import microseconds_of
from reconcile_assets.core.compare_pairs import NUMBERS
from reconcile_assets.core.placeholders import Placeholder, split_placeholders
from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter, Relation, Session
from reconcile_assets.databases.streaming_rows import RowWindows, bounds_of
from reconcile_assets.errors import CouldNotVerify, NotComparable

__all__ = [
    "NUMBERS",
    "Aggregate",
    "FigureFunction",
    "FigureQuery",
    "Value",
    "aggregate_rows",
    "count_outside",
    "read_value",
]

Value = Decimal | bool | str | None
_CLOCKS = frozenset({TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})
_WIDE = Context(prec=100_000, Emax=999_999, Emin=-999_999)  # sums are exact: nothing is ever rounded


class FigureFunction(StrEnum):
    """What is computed over the rows of a partition."""

    ROWS = "rows"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"


@dataclass(frozen=True)
class Aggregate:
    """One figure; ``column`` is None for the number of rows only.

    Raises:
        NotComparable: a sum of a column that has no numbers.
    """

    function: FigureFunction
    column: Column | None = None

    def __post_init__(self) -> None:
        if self.function is FigureFunction.SUM and self.column and self.column.type.kind not in NUMBERS:
            raise NotComparable(
                f"sum and avg need a column of numbers; {self.column.name} is {self.column.type.native}"
            )


@dataclass(frozen=True)
class FigureQuery:
    """A query that a person wrote, for one partition.

    Attributes:
        text: with ``:partition_start`` and ``:partition_end`` where the bounds belong.
        kind: of the partition column: decides whether the bounds are instants.
        start, end: the bounds, as that column is compared with them.
        what: what messages call the query.
    """

    text: str
    kind: TypeKind
    start: datetime
    end: datetime
    what: str

    @classmethod
    def of(cls, text: str, partitions: PartitionFilter, partition: Partition, *, what: str) -> "FigureQuery":
        """The query for one of these partitions."""
        start, end = partition.local_start, partition.local_end
        if partitions.kind is TypeKind.TIMESTAMPTZ:
            start, end = partition.start, partition.end
        return cls(text, partitions.kind, start, end, what)

    def pieces(self) -> tuple[str | datetime, ...]:
        """The query without the semicolon at its end: its text, and a bound wherever one belongs."""
        bounds = {Placeholder.START: self.start, Placeholder.END: self.end}
        found = split_placeholders(self.text.strip().removesuffix(";"))
        return tuple(bounds[piece] if isinstance(piece, Placeholder) else piece for piece in found)

    def wrapped(self, literal: Callable[[datetime], str]) -> str:
        """The query in parentheses, as it stands after FROM: so it can be nothing but one query.

        Args:
            literal: a bound as the engine's SQL writes it.
        """
        pieces = [literal(piece) if isinstance(piece, datetime) else piece for piece in self.pieces()]
        return "".join(("(\n", *pieces, "\n)"))

    def refuse_shape(self, name: str, *, columns: int, rows: int) -> None:
        """Refuse what is not one row of one column.

        Args:
            name: what messages call the database.
            rows: 2 for more than one.

        Raises:
            CouldNotVerify: it is not.
        """
        if columns == rows == 1:
            return
        found = f"{columns} columns" if columns != 1 else f"{'more than one' if rows else 'no'} row"
        raise CouldNotVerify(f"{name}: {self.what} must give one row of one column, it gave {found}")


def read_value(text: str, kind: TypeKind | None) -> Value:
    """A figure by its exact text: numbers and booleans as such, JSON with its names in order, all else as text."""
    if kind in NUMBERS:
        return Decimal(text)
    if kind is TypeKind.BOOLEAN:
        return text in ("t", "true")
    if kind is not TypeKind.JSON:
        return text
    try:
        return repr(_sorted(json.loads(text, parse_float=Decimal, parse_int=Decimal)))
    except (ValueError, ArithmeticError, RecursionError):  # beyond what can be read: equal to the same text only
        return text


def _sorted(document: Any) -> Any:
    """A JSON document, its names in order."""
    if isinstance(document, dict):
        return {name: _sorted(value) for name, value in sorted(document.items())}
    return [_sorted(value) for value in document] if isinstance(document, list) else document


def aggregate_rows(
    session: Session, relation: Relation, partitions: PartitionFilter, aggregates: Sequence[Aggregate]
) -> Mapping[str, tuple[str | None, ...]]:
    """See :meth:`Session.fetch_aggregates`."""
    if not partitions.partitions:
        return {}
    decider = session.describe(relation).column(partitions.column)
    columns = list(dict.fromkeys((decider, *(each.column for each in aggregates if each.column is not None))))
    at = {column: index for index, column in enumerate(columns)}
    windows = RowWindows(partitions)
    found: dict[str, list[_Figure]] = {}
    for batch in session.read_rows(relation, columns, partitions):
        for row in batch:
            window = windows.key_of(row[0])
            if window is None:
                continue
            figures = found.get(window)
            if figures is None:
                figures = found[window] = [_Figure(each) for each in aggregates]
            for figure, each in zip(figures, aggregates, strict=True):
                figure.add("" if each.column is None else row[at[each.column]])
    return {window: tuple(figure.text() for figure in figures) for window, figures in found.items()}


class _Figure:
    """One figure while the rows pass."""

    def __init__(self, aggregate: Aggregate) -> None:
        self._function = aggregate.function
        self._name = "" if aggregate.column is None else aggregate.column.name
        self._exact = _exact(aggregate.column)
        self._order = _order(aggregate.column)
        self._count = 0
        self._sum: Decimal | None = None
        self._best: str | None = None
        self._values: set[str] = set()

    def add(self, text: str | None) -> None:
        """Take a row's value in; NULL counts nowhere."""
        if text is None:
            return
        self._count += 1
        function = self._function
        if function in (FigureFunction.ROWS, FigureFunction.COUNT):
            return
        value = self._exact(text)
        if value[:1] == FOREIGN and function is not FigureFunction.COUNT_DISTINCT:
            raise CouldNotVerify(f"column {self._name} holds a value that its type does not have")
        if function is FigureFunction.SUM:
            number = Decimal(value)
            self._sum = number if self._sum is None else _add(self._sum, number)
        elif function is FigureFunction.COUNT_DISTINCT:
            self._values.add(value)
        elif self._best is None or self._is_better(value):
            self._best = value

    def _is_better(self, value: str) -> bool:
        here, there = self._order(value), self._order(self._best or "")
        return here < there if self._function is FigureFunction.MIN else here > there

    def text(self) -> str | None:
        """As PostgreSQL would write it."""
        if self._function in (FigureFunction.ROWS, FigureFunction.COUNT):
            return str(self._count)
        if self._function is FigureFunction.COUNT_DISTINCT:
            return str(len(self._values))
        if self._function is FigureFunction.SUM:
            return None if self._sum is None else f"{self._sum:f}"
        return self._best


def _add(total: Decimal, number: Decimal) -> Decimal:
    if not total.is_finite() or not number.is_finite():
        special = {value for value in (total, number) if not value.is_finite()}
        return Decimal("NaN") if len(special) > 1 or any(value.is_nan() for value in special) else special.pop()
    return _WIDE.add(total, number)


def _exact(column: Column | None) -> Callable[[str], str]:
    """A value in the form whose sums, order and distinct values every engine gives alike."""
    if column is None:
        return str
    if column.type.kind is TypeKind.DATE:
        return date_as_timestamp
    if column.type.kind in NUMBERS:
        return renderer(column.type, Canonical(Form.NUMBER)) or str
    return str


def _order(column: Column | None) -> Callable[[str], tuple[int, Decimal | int | float | str]]:
    """Numbers by value, times by time, all else by code points; NaN is the largest number, as in PostgreSQL."""
    if column is not None and column.type.kind in NUMBERS:
        return _number_order
    if column is not None and column.type.kind in _CLOCKS:
        return _moment_order
    return lambda text: (0, text)


def _number_order(text: str) -> tuple[int, Decimal]:
    value = Decimal(text)
    return (1, Decimal(0)) if value.is_nan() else (0, value)


def _moment_order(text: str) -> tuple[int, float | str]:
    moment = microseconds_of(text)
    if not isinstance(moment, str):
        return 1, moment  # type: ignore[return-value]  # whole microseconds, or a fraction of one
    return (2 if moment == "infinity" else 0), moment


def count_outside(session: Session, relation: Relation, first: PartitionFilter, last: Partition | None) -> int:
    """See :meth:`Session.count_unpartitioned`."""
    column = session.describe(relation).column(first.column)
    begin, _ = bounds_of(first.partitions[0], first.kind)
    end = None if last is None else bounds_of(last, first.kind)[1]
    outside = 0
    for batch in session.read_rows(relation, [column]):
        for (text,) in batch:
            moment = None if text is None else microseconds_of(text)
            if moment is None or isinstance(moment, str):
                outside += moment != "infinity" or end is not None
            else:
                outside += moment < begin or (end is not None and moment >= end)
    return outside
