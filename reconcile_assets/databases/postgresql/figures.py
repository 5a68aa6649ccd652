"""Single figures of each partition: aggregates from one grouped scan, and queries that a person wrote."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import psycopg
from psycopg import sql

from reconcile_assets.core.tables import TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter, Relation, Session
from reconcile_assets.databases.errors import translated_errors
from reconcile_assets.databases.figures import NUMBERS, Aggregate, FigureFunction, FigureQuery, Value, read_value
from reconcile_assets.databases.postgresql.catalog import check_statement, source_of, user_sql
from reconcile_assets.databases.postgresql.types import KIND_BY_OID
from reconcile_assets.databases.postgresql.windows import Windows

_FLOATS = frozenset({TypeKind.FLOAT32, TypeKind.FLOAT64})


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


def _partition_query(query: FigureQuery) -> sql.Composed:
    """The query with its bounds: timestamptz for TIMESTAMPTZ, else timestamp."""
    return sql.Composed(
        [
            _moment(piece, _moment_type(query.kind)) if isinstance(piece, datetime) else user_sql(piece)
            for piece in query.pieces()
        ]
    )


def explain_figure(session: Session, figure: FigureQuery) -> None:
    """See :meth:`Session.explain_figure`."""
    connection, query = session.driver_connection, _partition_query(figure)
    with translated_errors(session.name):
        # First: a second statement after a semicolon would run, and could leave the read-only transaction.
        check_statement(connection, query.as_string(connection), f"{session.name}: {figure.what}")
        connection.execute(sql.SQL("EXPLAIN {}").format(query)).fetchall()


def fetch_figure(session: Session, figure: FigureQuery) -> Value:
    """See :meth:`Session.fetch_figure`.

    It comes as the server writes it: Python's own types would take a month for 30 days, and
    the numbers of a JSON document for the nearest floats.
    """
    connection, query, what = session.driver_connection, _partition_query(figure), figure.what
    with translated_errors(session.name):
        connection.execute("SAVEPOINT reconcile_assets_figure")
        try:
            check_statement(connection, query.as_string(connection), f"{session.name}: {what}")
            result = connection.execute(query).pgresult
        finally:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.UNKNOWN:
                connection.execute("ROLLBACK TO SAVEPOINT reconcile_assets_figure")
    columns, rows = (0, 0) if result is None else (result.nfields, result.ntuples)
    figure.refuse_shape(session.name, columns=columns, rows=rows)
    if result is None:
        return None
    value = result.get_value(0, 0)
    return None if value is None else read_value(value.decode(), KIND_BY_OID.get(result.ftype(0)))


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
