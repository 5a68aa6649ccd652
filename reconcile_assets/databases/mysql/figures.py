"""Single figures of each partition in MySQL: aggregates that its SQL computes exactly, and a person's own queries."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconcile_assets.core.canonical import ColumnForm, natural_form
from reconcile_assets.core.canonical_render import date_as_timestamp
from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter, Relation
from reconcile_assets.databases.figures import (
    Aggregate,
    FigureFunction,
    FigureQuery,
    Value,
    aggregate_rows,
    read_value,
)
from reconcile_assets.databases.mysql.connection import execute
from reconcile_assets.databases.mysql.errors import translated_errors
from reconcile_assets.databases.mysql.fields import type_of_field
from reconcile_assets.databases.mysql.statements import Sql, clock_literal, fill, identifier, join, sql, user_sql
from reconcile_assets.databases.mysql.values import reader
from reconcile_assets.databases.mysql.windows import Windows

if TYPE_CHECKING:
    from reconcile_assets.databases.mysql.session import MysqlSession

_EXACT_NUMBERS = frozenset({TypeKind.INTEGER, TypeKind.DECIMAL})
_MOMENTS = frozenset({TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})
_COUNTS = frozenset({FigureFunction.ROWS, FigureFunction.COUNT})
_TEMPLATES = {
    FigureFunction.ROWS: sql("COUNT(*)"),
    FigureFunction.COUNT: sql("COUNT({x})"),
    FigureFunction.COUNT_DISTINCT: sql("COUNT(DISTINCT {x})"),
    FigureFunction.SUM: sql("SUM({x})"),
    FigureFunction.MIN: sql("MIN({x})"),
    FigureFunction.MAX: sql("MAX({x})"),
}


def fetch_aggregates(
    session: "MysqlSession", relation: Relation, partitions: PartitionFilter, aggregates: Sequence[Aggregate]
) -> Mapping[str, tuple[str | None, ...]]:
    """See :meth:`Session.fetch_aggregates`; floats, texts and the like are read and summed up here."""
    if not partitions.partitions or not all(_is_exact(each) for each in aggregates):
        return aggregate_rows(session, relation, partitions, aggregates)
    windows = Windows(partitions.column, partitions.kind, partitions.partitions)
    query = fill(
        "SELECT {w} AS w, {figures} FROM {source} WHERE {inside} GROUP BY w",
        w=windows.number,
        figures=join(", ", [_figure(each) for each in aggregates]),
        source=session.source_of(relation),
        inside=windows.condition,
    )
    with translated_errors(session.name):
        rows = execute(session.driver_connection, query)
    session.cost.scans += 1
    readers = [_reader(each) for each in aggregates]
    return {
        windows.keys[int(row[0])]: tuple(
            None if value is None else read(str(value)) for read, value in zip(readers, row[1:], strict=True)
        )
        for row in rows
    }


def _is_exact(aggregate: Aggregate) -> bool:
    if aggregate.function in _COUNTS or aggregate.column is None:
        return True
    kinds = _EXACT_NUMBERS if aggregate.function is FigureFunction.SUM else _EXACT_NUMBERS | _MOMENTS
    column_type = aggregate.column.type
    return column_type.kind in kinds and not column_type.native.startswith("year")


def _figure(aggregate: Aggregate) -> Sql:
    column = sql("1") if aggregate.column is None else identifier(aggregate.column.name)
    return fill("CAST({figure} AS CHAR)", figure=Sql(_TEMPLATES[aggregate.function].format(x=column)))


def _reader(aggregate: Aggregate) -> Callable[[str], str]:
    """What makes a figure's exact text of the server's."""
    moments = aggregate.function in (FigureFunction.MIN, FigureFunction.MAX)
    if aggregate.column is None or not moments or aggregate.column.type.kind not in _MOMENTS:
        return str
    if aggregate.column.type.kind is TypeKind.DATE:
        return date_as_timestamp
    read = reader(_natural(aggregate.column))
    return lambda text: read(text.encode())


def _natural(column: Column) -> ColumnForm:
    canonical = natural_form(column.type)
    if canonical is None:
        raise ValueError("a moment without a form")
    return ColumnForm(column, canonical)


def count_unpartitioned(
    session: "MysqlSession", relation: Relation, first: PartitionFilter, last: Partition | None
) -> int:
    """See :meth:`Session.count_unpartitioned`."""
    begin, _ = Windows(first.column, first.kind, first.partitions).bounds(first.partitions[0])
    column = identifier(first.column)
    tests = [fill("{x} IS NULL", x=column), fill("{x} < {start}", x=column, start=moment_literal(begin))]
    if last is not None:
        _, end = Windows(first.column, first.kind, (last,)).bounds(last)
        tests.append(fill("{x} >= {end}", x=column, end=moment_literal(end)))
    query = fill(
        "SELECT COUNT(*) FROM {source} WHERE {tests}", source=session.source_of(relation), tests=join(" OR ", tests)
    )
    return int(str(session.fetch_scalar(query)))


def fetch_figure(session: "MysqlSession", query: FigureQuery) -> Value:
    """See :meth:`Session.fetch_figure`; bounds are timestamps, an instant's in UTC as the session is."""
    source = user_sql(query.wrapped(moment_literal))
    with translated_errors(session.name), session.driver_connection.cursor() as cursor:
        cursor.execute(fill("SELECT * FROM {source} AS q LIMIT 2", source=source))
        fields: Sequence[Any] = list(cursor._result.fields or ())
        rows = cursor.fetchall()
    query.refuse_shape(session.name, columns=len(fields), rows=len(rows))
    value = rows[0][0]
    if value is None:
        return None
    kind = type_of_field(fields[0]).kind
    if isinstance(value, bytes):
        return f"\\x{value.hex()}" if kind is TypeKind.BYTES else value.decode("utf-8", "surrogateescape")
    return read_value(str(value), kind)


def moment_literal(moment: datetime) -> Sql:
    """A bound: an instant in UTC where it is aware, else the wall clock's reading."""
    local = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return fill("TIMESTAMP{text}", text=clock_literal(local.isoformat(sep=" ", timespec="microseconds")))
