"""A DuckDB database that a connection of somebody else's has open: in memory, or a file which it alone may open."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import duckdb

from reconcile_assets.databases.base import Database
from reconcile_assets.databases.duckdb.errors import translate
from reconcile_assets.databases.duckdb.session import DuckdbSession
from reconcile_assets.errors import UnknownEngine


class BorrowedDuckdb(Database):
    """A database that is read through a cursor of such a connection; what is committed there is compared.

    Args:
        lend: gives the connection, for as long as it is read.
        place: see :meth:`Database.place`.
    """

    engine = "duckdb"

    def __init__(
        self, lend: Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]], *, name: str, place: str
    ) -> None:
        self.name = name
        self._lend = lend
        self._place = place

    def __repr__(self) -> str:
        return f"BorrowedDuckdb(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return self._place

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
            raise UnknownEngine(f"{self.name}: a connection that was given can be compared by diff, not written to")
        with self._lend() as original:
            session = DuckdbSession(self._cursor(original), name=self.name, statement_timeout=statement_timeout)
            try:
                with session.translated():
                    session.begin(repeatable=repeatable)
                yield session
            finally:
                session.close()

    def _cursor(self, original: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, whose settings are not the other's."""
        try:
            cursor = original.cursor()
            cursor.execute("SET SESSION TimeZone = 'UTC'")
        except duckdb.Error as error:
            raise translate(error, self.name) from None
        return cursor
