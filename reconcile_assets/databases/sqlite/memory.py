"""A SQLite database in memory, which only its own connection can see: a copy of it is compared."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from reconcile_assets.databases.base import Database
from reconcile_assets.databases.sqlite.connection import copy_in_memory
from reconcile_assets.databases.sqlite.errors import translate
from reconcile_assets.databases.sqlite.session import SqliteSession
from reconcile_assets.errors import UnknownEngine


class SqliteMemory(Database):
    """A database that somebody else's connection holds in memory.

    Args:
        lend: gives that connection, for as long as it is copied.
    """

    engine = "sqlite"

    def __init__(self, lend: Callable[[], AbstractContextManager[sqlite3.Connection]], *, name: str) -> None:
        self.name = name
        self._lend = lend

    def __repr__(self) -> str:
        return f"SqliteMemory(name={self.name!r})"

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
    ) -> Iterator[SqliteSession]:
        """See :meth:`Database.session`.

        Raises:
            DatabaseUnavailable, QueryRefused: the connection can't be read.
            UnknownEngine: writing was asked for.
        """
        if not read_only or snapshot is not None:
            raise UnknownEngine(f"{self.name}: a database in memory can be compared by diff, not written to")
        try:
            with self._lend() as original:
                copy = copy_in_memory(original)
        except sqlite3.Error as error:
            raise translate(error, self.name) from None
        session = SqliteSession(copy, name=self.name, statement_timeout=statement_timeout)
        try:
            with session.translated():
                session.begin()
            yield session
        finally:
            session.close()
