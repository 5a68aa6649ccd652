"""A SQLite file, read only, in one snapshot."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconcile_assets.core.tables import Column, Table
from reconcile_assets.databases.base import Database, Relation
from reconcile_assets.databases.file_urls import file_of, require_file
from reconcile_assets.databases.quoting import quote_name, select_from, source_of
from reconcile_assets.databases.sqlite.catalog import check_relation, describe_query, describe_table
from reconcile_assets.databases.sqlite.errors import translate
from reconcile_assets.databases.sqlite.values import EXACT, Exact
from reconcile_assets.databases.streaming import Rows, StreamingSession
from reconcile_assets.errors import QueryRefused, UnknownEngine

_BATCH = 1000
_BUSY = 10.0  # seconds for which a lock is waited for


class SqliteDatabase(Database):
    """A SQLite file by URL."""

    engine = "sqlite"

    def __init__(self, url: str, *, name: str) -> None:
        self.name = name
        self._path = file_of(url, name=name)

    def __repr__(self) -> str:
        return f"SqliteDatabase(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return self._path

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
            raise UnknownEngine(f"{self.name}: a SQLite file can be compared by diff; writing needs PostgreSQL")
        require_file(self._path, name=self.name)
        session = SqliteSession(self._connect(), name=self.name, statement_timeout=statement_timeout)
        try:
            with session.translated():
                session.begin(repeatable=repeatable)
            yield session
        finally:
            session.close()

    def _connect(self) -> sqlite3.Connection:
        uri = "".join(("file:", quote(str(Path(self._path).absolute())), "?mode=ro"))
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise translate(error, self.name) from None
        connection.text_factory = _decode
        return connection


def _decode(text: bytes) -> str:
    """Text as it is; bytes that are no UTF-8 stay apart from all that is."""
    return text.decode("utf-8", "surrogateescape")


class SqliteSession(StreamingSession):
    """See :class:`~reconcile_assets.databases.base.Session`."""

    engine = "sqlite"

    def __init__(self, connection: sqlite3.Connection, *, name: str, statement_timeout: float | None) -> None:
        super().__init__(name=name, statement_timeout=statement_timeout)
        self._connection = connection

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

    def read(self, relation: Relation, columns: Sequence[Column]) -> Rows:
        """See :meth:`StreamingSession.read`."""
        table = None if relation.table is None else self.describe(relation).name
        items = [quote_name(column.name) for column in columns] or ["NULL"]
        cursor = self._connection.execute(select_from(items, source_of(relation, table)))
        while batch := cursor.fetchmany(_BATCH):
            yield batch

    def describe_anew(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        check_relation(relation, self.name)
        describe = describe_query if relation.table is None else describe_table
        table, scanned = describe(self._connection, relation, self.name)
        self.cost.scans += scanned
        if relation.where is not None:
            source = source_of(relation, None if relation.table is None else table.name)
            self._connection.execute(" ".join((select_from(("*",), source), "LIMIT 0"))).fetchall()
        return table

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`; counted."""
        table = None if relation.table is None else self.describe(relation).name
        return int(self.fetch_scalar(select_from(("count(*)",), source_of(relation, table))))

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`."""
        if not isinstance(statement, str):
            raise QueryRefused(f"{self.name}: this statement is written for PostgreSQL, not for SQLite")
        with self.limited():
            row = self._connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]
