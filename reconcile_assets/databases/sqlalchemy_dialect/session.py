"""A connection of SQLAlchemy's, in one transaction that is rolled back: rows stream, and are hashed here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import sqlalchemy as sa

from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.sqlalchemy_dialect.catalog import (
    Described,
    by_plain_name,
    fetch_columns,
    fetch_keys,
    find_table,
    survey_columns,
)
from reconcile_assets.databases.sqlalchemy_dialect.conditions import check_relation
from reconcile_assets.databases.sqlalchemy_dialect.errors import translate
from reconcile_assets.databases.sqlalchemy_dialect.traits import name_of
from reconcile_assets.databases.sqlalchemy_dialect.types import is_float, resolve_type
from reconcile_assets.databases.sqlalchemy_dialect.values import writer
from reconcile_assets.databases.streaming import Rows, StreamingSession
from reconcile_assets.databases.streaming_rows import Exact
from reconcile_assets.errors import NotComparable, QueryRefused

_BATCH = 1000
# Doubles that need 17 digits: a driver or server that shows fewer gives others back. They are bound, not written as
# literals, which some engines read to fewer digits than they keep.
_LONG_DOUBLES = (
    0.30000000000000004,
    9.123456789012346,
    123456789.12345679,
    -1.7976931348623155e300,
    2.2250738585072014e-300,
)


class AlchemySession(StreamingSession):
    """See :class:`~reconcile_assets.databases.base.Session`.

    Args:
        connection: read by nobody else while this session lasts.
        is_ours: the transaction was begun by us, and may be begun anew before anything was read.
        notes: what this session could not promise.
    """

    def __init__(
        self,
        connection: sa.Connection,
        *,
        name: str,
        statement_timeout: float | None,
        is_ours: bool,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name=name, statement_timeout=statement_timeout)
        self.notes = notes
        self._connection = connection
        self._is_ours = is_ours
        self._dialect = connection.dialect
        self._tables: dict[Relation, Described] = {}
        self._exact_types: dict[str, bool] = {}
        self.engine = f"sqlalchemy:{name_of(self._dialect)}"  # which renders values otherwise than our own session
        raw = getattr(self._dialect.dbapi, "Error", sa.exc.SQLAlchemyError)  # not all of it is wrapped
        self._driver_errors: tuple[type[Exception], ...] = (sa.exc.SQLAlchemyError, raw, ValueError, OverflowError)

    def interrupt(self) -> None:
        """See :meth:`StreamingSession.interrupt`: by the driver's own way, else by the next batch."""
        driver = self._connection.connection.driver_connection
        for way in ("cancel", "interrupt", "cancel_operation"):
            end = getattr(driver, way, None)
            if callable(end):
                with suppress(*self._driver_errors, TypeError):  # some need an argument, which is theirs to know
                    end()
                return

    @contextmanager
    def translated(self) -> Iterator[None]:
        """See :meth:`StreamingSession.translated`."""
        try:
            yield
        except self._driver_errors as error:
            if self._cancelled.is_set():
                raise self.timed_out() from None
            raise translate(error, self.name) from None

    def exact(self, column: Column) -> Exact:
        """See :meth:`StreamingSession.exact`."""
        return writer(column, name=self.name, ends_are_infinite=self._dialect.driver == "psycopg2")

    def read(self, relation: Relation, columns: Sequence[Column], condition: str | None = None) -> Rows:
        """See :meth:`StreamingSession.read`."""
        names = self._described_as(relation).columns
        items: list[sa.ColumnElement[Any]] = [_raw(names.get(column.name, column.name)) for column in columns]
        select = sa.select(*(items or [sa.literal_column("1")])).select_from(self._from(relation))
        yield from self._batches(select, relation)

    def _batches(self, select: sa.Select[Any], relation: Relation) -> Rows:
        if relation.where is not None:
            select = select.where(_condition(relation.where))
        streamed = self._connection.execute(select, execution_options={"stream_results": True, "yield_per": _BATCH})
        with streamed as result:
            for batch in result.partitions(_BATCH):
                yield [tuple(row) for row in batch]

    def describe_anew(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        check_relation(relation, self.name)
        describe = self._describe_query if relation.table is None else self._describe_table
        self._tables[relation] = describe(relation)
        if relation.where is not None:
            self._try_condition(relation)
        return self._tables[relation].table

    def _describe_table(self, relation: Relation) -> Described:
        inspector = sa.inspect(self._connection)
        schema, table, is_view = find_table(inspector, relation.table or TableName(None, ""), self.name)
        found = fetch_columns(inspector, schema, table)
        names = by_plain_name(found, self.name)
        filled = {str(column["name"]) for column in found if not column["nullable"]}
        primary, unique, indexed = ((), (), frozenset()) if is_view else fetch_keys(inspector, schema, table, filled)
        # Not every engine enforces the keys that it describes: no column promises to be without NULLs, so that
        # NULLs and duplicates are always counted.
        columns = tuple(
            Column(str(column["name"]), self._resolve(column["type"]), generated=bool(column.get("computed")))
            for column in found
        )
        named = TableName(None if schema is None else str(schema), str(table))
        return Described(Table(named, columns, primary, unique, indexed, is_view), table, schema, names)

    def _resolve(self, native: Any) -> Any:
        exact_floats = is_float(native) and self._hands_over_doubles(native)
        return resolve_type(native, self._dialect, exact_floats=exact_floats)

    def _describe_query(self, relation: Relation) -> Described:
        select: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(self._from(relation))
        with self._connection.execute(select.limit(0)) as result:
            names = [str(found) for found in result.keys()]  # noqa: SIM118 - a result is no mapping
        twice = sorted({found for found in names if names.count(found) > 1})
        if twice:
            raise NotComparable(f"{self.name}: the query has two columns named {twice[0]}; give each its own name")
        rows = (row for batch in self._batches(select, relation) for row in batch)
        exact_floats = self._hands_over_doubles(sa.DOUBLE_PRECISION())
        columns = survey_columns(names, rows, self._dialect, exact_floats=exact_floats)
        self.cost.scans += 1
        return Described(Table(TableName(None, "query"), tuple(columns), is_view=True))

    def _hands_over_doubles(self, native: sa.types.TypeEngine[Any]) -> bool:
        """Whether doubles of this type come back to their last bit; tried once for each type."""
        spelled = repr(native)
        if spelled not in self._exact_types:
            self._exact_types[spelled] = self._try_doubles(native)
        return self._exact_types[spelled]

    def _try_doubles(self, native: sa.types.TypeEngine[Any]) -> bool:
        casts = [sa.cast(sa.literal(value, native), native) for value in _LONG_DOUBLES]
        select = sa.select(*[sa.type_coerce(cast, sa.types.NullType()) for cast in casts])
        try:
            with nullcontext() if self._is_ours else self._connection.begin_nested():
                found = self._connection.execute(select).one()
        except self._driver_errors:
            if self._is_ours:  # many engines take no further statement after one that failed
                self._connection.rollback()
            return False
        return tuple(found) == _LONG_DOUBLES

    def _try_condition(self, relation: Relation) -> None:
        """The condition by itself too, not only inside our parentheses."""
        select: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(self._from(relation))
        for condition in (f"\n{relation.where}\n", f"(\n{relation.where}\n)"):
            with self._connection.execute(select.where(sa.literal_column(condition)).limit(1)) as result:
                result.fetchone()

    def _described_as(self, relation: Relation) -> Described:
        self.describe(relation)
        return self._tables[relation]

    def _from(self, relation: Relation) -> sa.FromClause:
        if relation.query is not None:
            text = relation.query.strip().removesuffix(";")
            return sa.table(sa.sql.quoted_name(f"(\n{self._doubled(text)}\n) q", quote=False))
        found = self._tables.get(relation)
        if found is None or found.name is None:
            raise QueryRefused(f"{self.name}: the table is not described yet")
        return sa.table(found.name, schema=found.schema)

    def _doubled(self, text: str) -> str:
        """Percent signs as the driver's style of parameters wants them."""
        one = str(sa.literal_column("%").compile(dialect=self._dialect))
        return text.replace("%", one)

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`; counted."""
        self._described_as(relation)
        select = sa.select(sa.func.count()).select_from(self._from(relation))
        if relation.where is not None:
            select = select.where(_condition(relation.where))
        with self.limited():
            return int(self._connection.execute(select).scalar_one())

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`."""
        if not isinstance(statement, str):
            raise QueryRefused(f"{self.name}: this statement is written for PostgreSQL, not for {self.engine}")
        with self.limited():
            return self._connection.exec_driver_sql(statement, tuple(parameters) or None).scalar()


def _raw(name: str) -> sa.ColumnClause[Any]:
    """A column whose values come as the driver has them: SQLAlchemy's own conversions may round."""
    return sa.column(name, sa.types.NullType())


def _condition(text: str) -> sa.ColumnElement[bool]:
    return sa.literal_column(f"(\n{text}\n)", sa.Boolean())
