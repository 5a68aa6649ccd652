"""A DuckDB database in memory, which only this process has: read through a cursor of its own connection."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from reconcile_assets.databases.base import Database
from reconcile_assets.databases.duckdb.errors import translate
from reconcile_assets.databases.duckdb.session import DuckdbSession
from reconcile_assets.errors import UnknownEngine


class DuckdbMemory(Database):
    """A database that somebody else's connection holds in memory; what is committed there is compared."""

    engine = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, name: str) -> None:
        self.name = name
        self._connection = connection

    def __repr__(self) -> str:
        return f"DuckdbMemory(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return "in memory"

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator[DuckdbSession]:
        """See :meth:`Database.session`.

        Raises:
            UnknownEngine: writing was asked for.
        """
        if not read_only or snapshot is not None:
            raise UnknownEngine(f"{self.name}: a database in memory can be compared by diff, not written to")
        try:
            cursor = self._connection.cursor()
            cursor.execute("SET SESSION TimeZone = 'UTC'")
        except duckdb.Error as error:
            raise translate(error, self.name) from None
        session = DuckdbSession(cursor, name=self.name, statement_timeout=statement_timeout)
        try:
            with session.translated():
                session.begin(repeatable=repeatable)
            yield session
        finally:
            session.close()
