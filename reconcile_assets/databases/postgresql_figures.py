"""Single figures of each partition: aggregates from one grouped scan, and queries that a person wrote."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql

from reconcile_assets.core.placeholders import Placeholder, split_placeholders
from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter, Relation, Session
from reconcile_assets.databases.errors import translated_errors
from reconcile_assets.databases.postgresql.catalog import check_statement, source_of, user_sql
from reconcile_assets.databases.postgresql.types import KIND_BY_OID
from reconcile_assets.databases.postgresql_windows import Windows
from reconcile_assets.errors import CouldNotVerify, NotComparable

_FLOATS = frozenset({TypeKind.FLOAT32, TypeKind.FLOAT64})
NUMBERS = _FLOATS | {TypeKind.INTEGER, TypeKind.DECIMAL}


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
    """One figure; ``column`` is None for the number of rows only."""

    function: FigureFunction
    column: Column | None = None


def fetch_aggregates(
    session: Session, relation: Relation, partitions: PartitionFilter, aggregates: Sequence[Aggregate]
) -> Mapping[str, tuple[str | None, ...]]:
    """The exact texts of the figures of each partition that has rows, from one scan.

    Raises:
        NotComparable: a function that the column's type doesn't have.
        ReconcileAssetsError: the database could not answer.
    """
    windows = Windows.of(partitions)
    if not partitions.partitions:
        return {}
    figures = sql.SQL(", ").join(_aggregate(each) for each in aggregates)
    name = session.describe(relation).name if relation.table is not None else None
    query = sql.SQL("SELECT {} AS w, {} FROM {} WHERE {} GROUP BY w").format(
        windows.number, figures, source_of(relation, name), windows.condition
    )
    with translated_errors(session.name):
        rows = session.driver_connection.execute(query).fetchall()
    return {windows.keys[row[0]]: tuple(row[1:]) for row in rows}


def count_unpartitioned(session: Session, relation: Relation, first: PartitionFilter, last: Partition | None) -> int:
    """Rows whose partition column is NULL, before the first window, or at or after the last one's end.

    Args:
        first: of the table's first partition only.
        last: the table's last partition; None where time goes on.
    """
    windows, name = Windows.of(first), session.describe(relation).name if relation.table is not None else None
    field, kind = sql.Identifier(first.column), _moment_type(first.kind)
    start, _ = windows.bounds(first.partitions[0])
    outside = [sql.SQL("{} IS NULL").format(field), sql.SQL("{} < {}").format(field, _moment(start, kind))]
    if last is not None:
        outside.append(sql.SQL("{} >= {}").format(field, _moment(windows.bounds(last)[1], kind)))
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(source_of(relation, name), sql.SQL(" OR ").join(outside))
    return int(session.fetch_scalar(query))


def partition_query(text: str, *, kind: TypeKind, start: datetime, end: datetime) -> sql.Composed:
    """A person's query with the partition's bounds in the place of ``:partition_start`` and ``:partition_end``.

    Args:
        kind: of the partition column: bounds are timestamptz for TIMESTAMPTZ, else timestamp.
    """
    bounds = {Placeholder.START: start, Placeholder.END: end}
    pieces = split_placeholders(text.strip().removesuffix(";"))
    return sql.Composed(
        [
            _moment(bounds[piece], _moment_type(kind)) if isinstance(piece, Placeholder) else user_sql(piece)
            for piece in pieces
        ]
    )


def fetch_figure(session: Session, query: sql.Composed, *, what: str) -> Decimal | bool | str | None:
    """The one value that a person's query gives; what it leaves behind is rolled back.

    It comes as the server writes it: Python's own types would take a month for 30 days, and
    the numbers of a JSON document for the nearest floats.

    Args:
        what: what messages call the query, e.g. ``check revenue``.

    Raises:
        CouldNotVerify: the query gives another number of rows or columns.
        QueryRefused: the server refuses it, or it is more than one statement.
    """
    connection = session.driver_connection
    with translated_errors(session.name):
        connection.execute("SAVEPOINT reconcile_assets_figure")
        try:
            check_statement(connection, query.as_string(connection), f"{session.name}: {what}")
            result = connection.execute(query).pgresult
        finally:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.UNKNOWN:
                connection.execute("ROLLBACK TO SAVEPOINT reconcile_assets_figure")
    columns, rows = (0, 0) if result is None else (result.nfields, result.ntuples)
    if result is None or columns != 1 or rows != 1:
        shape = "no" if not rows else "more than one"
        found = f"{columns} columns" if columns != 1 else f"{shape} row"
        raise CouldNotVerify(f"{session.name}: {what} must give one row of one column, it gave {found}")
    value = result.get_value(0, 0)
    return None if value is None else _read_value(value.decode(), KIND_BY_OID.get(result.ftype(0)))


def _read_value(text: str, kind: TypeKind | None) -> Decimal | bool | str:
    if kind in NUMBERS:
        return Decimal(text)
    if kind is TypeKind.BOOLEAN:
        return text == "t"
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


def _moment_type(kind: TypeKind) -> sql.SQL:
    return sql.SQL("timestamptz") if kind is TypeKind.TIMESTAMPTZ else sql.SQL("timestamp")


def _moment(moment: datetime, kind: sql.SQL) -> sql.Composed:
    return sql.SQL("{}::{}").format(sql.Literal(moment.isoformat(sep=" ")), kind)


def _aggregate(aggregate: Aggregate) -> sql.Composed:
    if aggregate.function is FigureFunction.ROWS or aggregate.column is None:
        return sql.SQL("count(*)::text").format()
    column, kind = sql.Identifier(aggregate.column.name), aggregate.column.type.kind
    if aggregate.function is FigureFunction.COUNT:
        return sql.SQL("count({})::text").format(column)
    value = _exact(column, kind)
    if aggregate.function is FigureFunction.COUNT_DISTINCT:
        return sql.SQL("count(DISTINCT {})::text").format(value)
    if aggregate.function is FigureFunction.SUM:
        if kind not in NUMBERS:
            raise NotComparable(
                f"sum and avg need a column of numbers; {aggregate.column.name} is {aggregate.column.type.native}"
            )
        return sql.SQL("sum({})::text").format(value)
    return sql.SQL("{}({})::text").format(
        sql.SQL("min") if aggregate.function is FigureFunction.MIN else sql.SQL("max"), value
    )


def _exact(column: sql.Identifier, kind: TypeKind) -> sql.Composed:
    """The column in a form whose sums, order and distinct values don't depend on engine settings or collation."""
    if kind in _FLOATS:
        return sql.SQL("{}::text::numeric").format(column)  # a cast straight to numeric keeps 15 digits only
    if kind in NUMBERS:
        return sql.SQL("{}::numeric").format(column)
    if kind is TypeKind.TIMESTAMPTZ:
        return sql.SQL("{}").format(column)
    if kind in (TypeKind.DATE, TypeKind.TIMESTAMP):
        return sql.SQL("{}::timestamp").format(column)
    return sql.SQL('({}::text COLLATE "C")').format(column)
