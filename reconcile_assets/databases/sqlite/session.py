"""A SQLite file, read only, in one snapshot."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.tables import Column, Table
from reconcile_assets.databases.base import Database, PartitionFilter, Relation
from reconcile_assets.databases.figures import FigureQuery, Value
from reconcile_assets.databases.file_urls import file_of, require_file
from reconcile_assets.databases.quoting import quote_name, quote_text, select_from, source_of
from reconcile_assets.databases.sqlite.catalog import check_relation, describe_query, describe_table
from reconcile_assets.databases.sqlite.columns import quick_column
from reconcile_assets.databases.sqlite.connection import LEFT_HALF_WRITTEN, SessionConnection, connect, recover
from reconcile_assets.databases.sqlite.errors import translate
from reconcile_assets.databases.sqlite.values import EXACT, Exact, figure_value
from reconcile_assets.databases.sqlite.windows import window_condition
from reconcile_assets.databases.streaming import Rows, StreamingSession
from reconcile_assets.databases.streaming_digest import Quick
from reconcile_assets.errors import QueryRefused, UnknownEngine

if TYPE_CHECKING:
    import sqlalchemy

    from reconcile_assets.databases.sqlite.diagnosis import SqliteDiagnosis
    from reconcile_assets.databases.sqlite.writer import SqliteWriter

_BATCH = 1000
_BUSY = 10.0  # seconds for which a lock is waited for


class SqliteDatabase(Database):
    """A SQLite file by URL."""

    engine = "sqlite"

    def __init__(self, url: str, *, name: str) -> None:
        self.name = name
        self.path = file_of(url, name=name)

    def __repr__(self) -> str:
        return f"SqliteDatabase(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return self.path

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator["SqliteSession"]:
        """See :meth:`Database.session`.

        Raises:
            MissingObject: there is no such file.
            ConfigurationError: the file is no database.
            UnknownEngine: writing was asked for.
        """
        if not read_only or snapshot is not None:
            raise UnknownEngine(f"{self.name}: a SQLite file has no snapshot to share, and is written by a writer only")
        require_file(self.path, name=self.name)
        session = self._begun(statement_timeout, repeatable=repeatable)
        try:
            yield session
        finally:
            session.close()

    def _begun(self, statement_timeout: float | None, *, repeatable: bool) -> "SqliteSession":
        """A session with its snapshot; what a process that was killed has left half written is rolled back first."""
        for is_last in (False, True):
            connection = connect(self.path, name=self.name, mode="ro", wait=_BUSY)
            session = SqliteSession(connection, name=self.name, statement_timeout=statement_timeout)
            try:
                session.begin(repeatable=repeatable)
                return session
            except (sqlite3.Error, sqlite3.Warning) as error:
                session.close()
                if is_last or getattr(error, "sqlite_errorname", "") not in LEFT_HALF_WRITTEN:
                    raise translate(error, self.name) from None
                recover(self.path, name=self.name)
        raise AssertionError("unreachable")

    @contextmanager
    def writing(self, *, lock_wait: float) -> Iterator["SqliteWriter"]:
        """See :meth:`Database.writing`."""
        from reconcile_assets.databases.sqlite.writer import opened_writer  # not needed to compare

        require_file(self.path, name=self.name)
        with opened_writer(self.path, name=self.name, lock_wait=lock_wait) as writer:
            yield writer


class SqliteSession(StreamingSession):
    """See :class:`~reconcile_assets.databases.base.Session`."""

    engine = "sqlite"

    def __init__(self, connection: SessionConnection, *, name: str, statement_timeout: float | None) -> None:
        super().__init__(name=name, statement_timeout=statement_timeout)
        self._connection = connection
        self._sqlalchemy: sqlalchemy.Connection | None = None

    @property
    def driver_connection(self) -> SessionConnection:
        """The sqlite3 connection, in this session's transaction."""
        return self._connection

    def sqlalchemy(self) -> "sqlalchemy.Connection":
        """See :meth:`Session.sqlalchemy`."""
        if self._sqlalchemy is None:
            from reconcile_assets.databases.sqlite.alchemy import wrap_connection

            self._sqlalchemy = wrap_connection(self._connection)
        return self._sqlalchemy

    def begin(self, *, repeatable: bool = True) -> None:
        """Start the snapshot: the first read takes it. Without one, each statement is a transaction by itself."""
        self._connection.execute("PRAGMA query_only = ON")
        if repeatable:
            self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def interrupt(self) -> None:
        """See :meth:`StreamingSession.interrupt`."""
        self._connection.interrupt()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """See :meth:`StreamingSession.translated`."""
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise translate(error, self.name) from None

    def exact(self, column: Column) -> Exact:
        """See :meth:`StreamingSession.exact`."""
        return EXACT[column.type.kind]

    def quick(self, form: ColumnForm) -> Quick | None:
        """See :meth:`StreamingSession.quick`."""
        return quick_column(form)

    def read(self, relation: Relation, columns: Sequence[Column], condition: str | None = None) -> Rows:
        """See :meth:`StreamingSession.read`."""
        table = None if relation.table is None else self.describe(relation).name
        items = [quote_name(column.name) for column in columns] or ["NULL"]
        where = "" if condition is None else f" WHERE {condition}"
        cursor = self._connection.execute(select_from(items, source_of(relation, table)) + where)
        while batch := cursor.fetchmany(_BATCH):
            yield batch

    def condition_of(self, column: Column, partitions: PartitionFilter) -> str | None:
        """See :meth:`StreamingSession.condition_of`."""
        return window_condition(column, partitions)

    def describe_anew(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        check_relation(relation, self.name)
        describe = describe_query if relation.table is None else describe_table
        table, scanned = describe(self._connection, relation, self.name)
        self.cost.scans += scanned
        if relation.where is not None:
            source = source_of(relation, None if relation.table is None else table.name)
            self._connection.execute(" ".join((select_from(("*",), source), "LIMIT 0"))).fetchall()
            # By itself too: "1=1) OR (1=1" is a condition inside our parentheses only.
            whole = source_of(replace(relation, where=None), None if relation.table is None else table.name)
            alone = "\n".join((select_from(("*",), whole), "WHERE", relation.where, "LIMIT 0"))
            self._connection.execute(alone).fetchall()
        return table

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`; counted."""
        table = None if relation.table is None else self.describe(relation).name
        return int(self.fetch_scalar(select_from(("count(*)",), source_of(relation, table))))

    def fetch_identity(self, relation: Relation) -> str | None:
        """See :meth:`Session.fetch_identity`."""
        table = self.describe(relation)
        return None if relation.table is None or table.is_view else f"{self.fetch_file()} {table.name.name}"

    def diagnosis(self) -> "SqliteDiagnosis":
        """See :meth:`Session.diagnosis`."""
        from reconcile_assets.databases.sqlite.diagnosis import SqliteDiagnosis

        return SqliteDiagnosis(self, self.fetch_path())

    def fetch_path(self) -> str:
        """The file's path as SQLite has opened it."""
        return str(self._connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0])

    def fetch_file(self) -> str:
        """What tells this file from every other one on the machine, whatever its path."""
        found = Path(self.fetch_path()).stat()
        return f"{found.st_dev} {found.st_ino}"

    def fetch_figure(self, query: FigureQuery) -> Value:
        """See :meth:`Session.fetch_figure`; bounds are ISO texts with a space, an instant's with ``+00:00``."""
        with self.limited():
            cursor = self._connection.execute(
                select_from(("*",), query.wrapped(lambda moment: quote_text(moment.isoformat(sep=" "))))
            )
            rows = cursor.fetchmany(2)
        query.refuse_shape(self.name, columns=len(cursor.description or ()), rows=len(rows))
        return figure_value(rows[0][0])

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`."""
        if not isinstance(statement, str):
            raise QueryRefused(f"{self.name}: this statement is written for PostgreSQL, not for SQLite")
        with self.limited():
            row = self._connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]
