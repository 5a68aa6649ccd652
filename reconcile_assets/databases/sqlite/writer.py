"""The writing transaction of a SQLite file."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from reconcile_assets.core.compare_pairs import ColumnPair
from reconcile_assets.core.recast import transfer_value
from reconcile_assets.core.tables import Table
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.file_locks import writer_lock
from reconcile_assets.databases.quoting import quote_name
from reconcile_assets.databases.sqlite.connection import SessionConnection, connect
from reconcile_assets.databases.sqlite.encoding import encoder
from reconcile_assets.databases.sqlite.session import SqliteSession
from reconcile_assets.databases.streaming_rows import RowWindows
from reconcile_assets.databases.writing import Transfer, Writer
from reconcile_assets.errors import AlreadyRunning, ConstraintRefused, LossyWrite

_CASCADES = """
SELECT t.name FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name) AS f
 WHERE t.type = 'table' AND lower(f."table") = lower(?) AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
 LIMIT 1
"""


@contextmanager
def opened_writer(path: str, *, name: str, lock_wait: float) -> Iterator["SqliteWriter"]:
    """See :meth:`Database.writing`."""
    with writer_lock(path, name=name, wait=lock_wait):
        connection = connect(path, name=name, mode="rw", wait=lock_wait)
        session = SqliteSession(connection, name=name, statement_timeout=None)
        try:
            with session.translated():
                writer = SqliteWriter(session, path)
                writer.begin()
                yield writer
        finally:
            session.close()


class SqliteWriter(Writer):
    """See :class:`~reconcile_assets.databases.writing.Writer`.

    The file has one writer at a time: its lock is held from :meth:`begin` on.
    """

    session: SqliteSession

    def __init__(self, session: SqliteSession, path: str) -> None:
        self.session = session
        self._path = path
        self._connection: SessionConnection = session.driver_connection

    def begin(self) -> None:
        """Begin the transaction, as the file's only writer.

        Raises:
            AlreadyRunning: another program was writing for longer than the connection waits.
        """
        self._connection.execute("PRAGMA foreign_keys = ON")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise
            raise AlreadyRunning(
                f"{self.session.name}: another program holds the write lock of {self._path}; wait until it ends, then"
                " run this again"
            ) from None
        # Rows that refer to these stand on nothing between the deletion and the insertion.
        self._connection.execute("PRAGMA defer_foreign_keys = ON")

    def lock_partitions(self, table: Table, partitions: Sequence[str]) -> None:
        """See :meth:`Writer.lock_partitions`: nobody else writes to the file."""

    def count_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.count_windows`."""
        window, rows = self._windows(transfer)
        counted = " ".join(("SELECT", window, "AS w, count(*)", rows, "GROUP BY w"))
        return dict(self._connection.execute(counted).fetchall())

    def delete_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.delete_windows`."""
        deleted = self.count_windows(transfer)
        if deleted:
            self._refuse_cascades(transfer.table)
            self._connection.execute(" ".join(("DELETE", self._windows(transfer)[1])))
        return deleted

    def insert_rows(self, transfer: Transfer, source: Session) -> None:
        """See :meth:`Writer.insert_rows`."""
        if isinstance(source, SqliteSession) and source.fetch_file() == self.session.fetch_file():
            # Pages that don't fit in memory go to the file early, which our own reading half would hold up.
            self._connection.execute("PRAGMA cache_spill = OFF")
        try:
            self._connection.executemany(_insert_sql(transfer), _rows(transfer, source))
        except UnicodeEncodeError:
            raise LossyWrite(f"{self.session.name}: a text is not valid in its encoding") from None

    def _windows(self, transfer: Transfer) -> tuple[str, str]:
        """The expression of a row's window, and the rows that stand in some, from FROM on."""
        column = transfer.table.column(transfer.writing.column)
        windows, exact = RowWindows(transfer.writing), self.session.exact(column)
        self._connection.create_function(
            "reconcile_assets_window", 1, lambda value: windows.key_of(exact(value)), deterministic=True
        )
        near = self.session.condition_of(column, transfer.writing)
        window = "".join(("reconcile_assets_window(", quote_name(column.name), ")"))
        return window, " ".join(("FROM", _table(transfer.table), "WHERE", near or "1", "AND", window, "IS NOT NULL"))

    def commit(self, seconds: float) -> None:
        """See :meth:`Writer.commit`."""
        with self.session.translated():
            self._connection.execute("COMMIT")

    def _refuse_cascades(self, table: Table) -> None:
        found = self._connection.execute(_CASCADES, (table.name.name,)).fetchone()
        if found is not None:
            raise ConstraintRefused(
                f"{self.session.name}: replacing these rows deletes or empties rows of {found[0]} by its foreign key;"
                " declare it without ON DELETE CASCADE or SET, then run this again"
            )


def _insert_sql(transfer: Transfer) -> str:
    names = ", ".join(quote_name(name) for name in transfer.target_names)
    marks = ", ".join("?" for _ in transfer.target_names)
    insert = " ".join(("INSERT INTO", _table(transfer.table), "(", names, ") VALUES (", marks, ")"))
    if transfer.mode is WriteMode.REPLACE or not transfer.key:
        return insert
    key = ", ".join(quote_name(name) for name in transfer.key_names)
    action = "NOTHING"
    if transfer.mode is WriteMode.UPSERT and transfer.updated_names:
        pairs = (" = excluded.".join((quote_name(name), quote_name(name))) for name in transfer.updated_names)
        action = " ".join(("UPDATE SET", ", ".join(pairs)))
    return " ".join((insert, "ON CONFLICT (", key, ") DO", action))


def _table(table: Table) -> str:
    return ".".join((quote_name("main"), quote_name(table.name.name)))


def _rows(transfer: Transfer, source: Session) -> Iterator[Sequence[Any]]:
    """The values of each row, some at a time; those of one SQLite file go to another as they are."""
    if isinstance(source, SqliteSession):
        change = [_native(pair, source) for pair in transfer.written]
        for kept in source.read_windows(transfer.relation, transfer.source_columns, transfer.reading):
            for _, values in kept:
                yield [make(value) if make else value for make, value in zip(change, values, strict=True)]
        return
    makers = [transfer_value(pair, encoder(pair.target.type)) for pair in transfer.written]
    for texts in source.read_rows(transfer.relation, transfer.source_columns, transfer.reading):
        for row in texts:
            yield [make(text) for make, text in zip(makers, row, strict=True)]


def _native(pair: ColumnPair, source: SqliteSession) -> Callable[[Any], Any] | None:
    if pair.source.type.kind is pair.target.type.kind:
        return None
    exact, transfer = source.exact(pair.source), transfer_value(pair, encoder(pair.target.type))
    return lambda value: transfer(exact(value))
