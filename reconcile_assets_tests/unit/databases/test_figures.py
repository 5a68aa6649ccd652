"""Figures that are computed here, from the exact texts of rows."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.tables import Column, ColumnType, Table, TableName, TypeKind
from reconcile_assets.core.windows import Every, PartitionScheme
from reconcile_assets.databases.base import PartitionFilter, Relation, Session
from reconcile_assets.databases.figures import Aggregate, FigureFunction, FigureQuery, aggregate_rows, count_outside
from reconcile_assets.errors import CouldNotVerify, NotComparable

K, F = TypeKind, FigureFunction
SEEN = Column("seen", ColumnType(K.TIMESTAMP, "timestamp"))
SCHEME = PartitionScheme("seen", Every.DAY, datetime(2024, 1, 1), datetime(2024, 1, 4))
DAYS = SCHEME.partitions(datetime(2030, 1, 1, tzinfo=UTC))
WINDOWS = PartitionFilter("seen", K.TIMESTAMP, DAYS)


class Rows:
    """Stands for a session: rows of texts."""

    name = "source"

    def __init__(self, kind: TypeKind, rows: Sequence[tuple[str | None, str | None]]) -> None:
        self.value = Column("v", ColumnType(kind, kind.value))
        self._rows = rows

    def describe(self, relation: Relation) -> Table:
        return Table(TableName(None, "t"), (SEEN, self.value))

    def read_rows(
        self, relation: Relation, columns: Sequence[Column], partitions: PartitionFilter | None = None
    ) -> Iterator[list[tuple[str | None, ...]]]:
        at = {"seen": 0, "v": 1}
        yield [tuple(row[at[column.name]] for column in columns) for row in self._rows]


def figure(function: FigureFunction, kind: TypeKind, *values: str | None) -> str | None:
    rows = Rows(kind, [("2024-01-01 12:00:00", value) for value in values])
    found = aggregate_rows(
        cast(Session, rows), Relation(table=TableName(None, "t")), WINDOWS, [Aggregate(function, rows.value)]
    )
    return found["2024-01-01"][0]


@pytest.mark.parametrize(
    ("function", "kind", "values", "expected"),
    [
        (F.COUNT, K.TEXT, ("a", None, ""), "2"),
        (F.COUNT_DISTINCT, K.DECIMAL, ("1.10", "1.1", "2", None), "2"),
        (F.COUNT_DISTINCT, K.TEXT, ("a", "A", "a "), "3"),
        (F.SUM, K.INTEGER, ("9223372036854775807", "9223372036854775807"), "18446744073709551614"),
        (F.SUM, K.DECIMAL, ("0.1", "0.2", None), "0.3"),
        (F.SUM, K.FLOAT64, ("0.1", "0.2"), "0.3"),
        (F.SUM, K.FLOAT32, ("0.1", "0.2"), "0.3"),
        (F.SUM, K.FLOAT64, ("1e300", "1", "-1e300"), "1"),
        (F.SUM, K.FLOAT64, ("1", "NaN"), "NaN"),
        (F.SUM, K.FLOAT64, ("1", "Infinity"), "Infinity"),
        (F.SUM, K.FLOAT64, ("Infinity", "-Infinity"), "NaN"),
        (F.SUM, K.DECIMAL, (None,), None),
        (F.MIN, K.INTEGER, ("10", "9"), "9"),
        (F.MAX, K.INTEGER, ("10", "9"), "10"),
        (F.MAX, K.FLOAT64, ("Infinity", "NaN"), "NaN"),
        (F.MIN, K.TEXT, ("b", "B", "é"), "B"),
        (F.MAX, K.TEXT, ("b", "B", "é"), "é"),
        (F.MAX, K.DATE, ("2024-01-02", "12024-01-01"), "12024-01-01 00:00:00"),
        (F.MIN, K.DATE, ("0044-01-01 BC", "0001-01-01"), "0044-01-01 00:00:00 BC"),
        (F.MAX, K.TIMESTAMPTZ, ("2024-01-02 00:00:00+00", "2024-01-02 00:00:00.5+00"), "2024-01-02 00:00:00.5+00"),
        (F.MAX, K.TIMESTAMP, ("infinity", "2024-01-02 00:00:00"), "infinity"),
        (F.MIN, K.TIMESTAMP, ("-infinity", "2024-01-02 00:00:00"), "-infinity"),
        (F.MAX, K.TEXT, (None, None), None),
    ],
)
def test_a_figure_is_exact(
    function: FigureFunction, kind: TypeKind, values: tuple[str | None, ...], expected: str | None
) -> None:
    assert figure(function, kind, *values) == expected


def test_rows_are_counted_in_their_windows_only() -> None:
    moments = ["2024-01-01 00:00:00", "2024-01-01 23:59:59.999999", "2024-01-02 00:00:00", "2024-02-01 00:00:00", None]
    rows = Rows(K.TEXT, [(moment, "x") for moment in moments])
    found = aggregate_rows(cast(Session, rows), Relation(table=TableName(None, "t")), WINDOWS, [Aggregate(F.ROWS)])
    assert found == {"2024-01-01": ("2",), "2024-01-02": ("1",)}
    nothing: Any = PartitionFilter("seen", K.TIMESTAMP, ())
    assert aggregate_rows(cast(Session, rows), Relation(table=TableName(None, "t")), nothing, []) == {}


def test_a_sum_of_texts_and_a_value_of_another_type_are_refused() -> None:
    with pytest.raises(NotComparable, match="sum and avg need a column of numbers; v is text"):
        figure(F.SUM, K.TEXT, "1")
    with pytest.raises(CouldNotVerify, match="column v holds a value that its type does not have") as caught:
        figure(F.SUM, K.INTEGER, f"{FOREIGN}text:canary")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("moment", "is_outside", "is_outside_without_end"),
    [
        (None, True, True),
        ("2023-12-31 23:59:59.999999", True, True),
        ("2024-01-01 00:00:00", False, False),
        ("2024-01-04 00:00:00", True, False),
        ("infinity", True, False),
        ("-infinity", True, True),
        ("0000-00-00 00:00:00", True, True),
    ],
)
def test_rows_in_no_partition_are_counted(moment: str | None, is_outside: bool, is_outside_without_end: bool) -> None:
    rows = cast(Session, Rows(K.TEXT, [(moment, "x")]))
    first, relation = PartitionFilter("seen", K.TIMESTAMP, DAYS[:1]), Relation(table=TableName(None, "t"))
    assert count_outside(rows, relation, first, DAYS[-1]) == is_outside
    assert count_outside(rows, relation, first, None) == is_outside_without_end


def test_a_query_is_wrapped_with_its_bounds() -> None:
    query = FigureQuery.of("SELECT :partition_start, ':partition_end' ;", WINDOWS, DAYS[1], what="the query")
    assert query.wrapped(lambda moment: f"<{moment:%d}>") == "(\nSELECT <02>, ':partition_end' \n)"
    with pytest.raises(CouldNotVerify, match="source: the query must give one row of one column, it gave 2 columns"):
        query.refuse_shape("source", columns=2, rows=1)
    with pytest.raises(CouldNotVerify, match="it gave no row"):
        query.refuse_shape("source", columns=1, rows=0)
