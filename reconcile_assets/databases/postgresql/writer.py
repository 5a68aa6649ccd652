"""The writing transaction of a PostgreSQL target: binary COPY from another PostgreSQL, COPY of texts from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from reconcile_assets.core.recast import transfer_value
from reconcile_assets.core.tables import Table
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.errors import translated_errors
from reconcile_assets.databases.postgresql import write
from reconcile_assets.databases.postgresql.catalog import source_of
from reconcile_assets.databases.postgresql.copy import build_copy, quoted_name
from reconcile_assets.databases.postgresql.session import PostgresSession
from reconcile_assets.databases.postgresql.windows import Windows
from reconcile_assets.databases.writing import Transfer, Writer
from reconcile_assets.errors import UnknownEngine


class PostgresWriter(Writer):
    """See :class:`~reconcile_assets.databases.writing.Writer`.

    Args:
        session: open for writing, nothing done yet.
        lock_wait: the most seconds to wait for any lock.
    """

    session: PostgresSession

    def __init__(self, session: PostgresSession, *, lock_wait: float) -> None:
        self.session = session
        self._connection: psycopg.Connection[Any] = session.driver_connection
        self.token = write.begin_write(self._connection, lock_wait=lock_wait)

    def lock_partitions(self, table: Table, partitions: Sequence[str]) -> None:
        """See :meth:`Writer.lock_partitions`."""
        write.lock_partitions(self._connection, str(table.name), partitions)

    def end_lost(self, token: object) -> None:
        """See :meth:`Writer.end_lost`."""
        if isinstance(token, write.Backend):
            write.end_backend(self._connection, token)

    def commit(self, seconds: float) -> None:
        """See :meth:`Writer.commit`."""
        write.commit_within(self._connection, seconds)

    def write(self, transfer: Transfer, source: Session) -> Mapping[str, int]:
        """See :meth:`Writer.write`."""
        # Rows that refer to these stand on nothing between the deletion and the copy.
        self._connection.execute("SET CONSTRAINTS ALL DEFERRED")
        deleted: Mapping[str, int] = {}
        if transfer.mode is WriteMode.REPLACE:
            deleted = self._delete(transfer)
            self._copy(transfer, source)
        else:
            raise UnknownEngine(f"{self.session.name}: {transfer.mode} is not written yet")
        # Deferred constraints and triggers act now, so that the proof sees what they did.
        self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return deleted

    def _delete(self, transfer: Transfer) -> Mapping[str, int]:
        table, windows = quoted_name(transfer.table.name), Windows.of(transfer.writing)
        deleted = write.delete_windows(self._connection, table, condition=windows.condition, window=windows.number)
        if deleted:
            write.refuse_cascades(self._connection, table, deleted=sum(deleted.values()), name=self.session.name)
        return {windows.keys[number]: rows for number, rows in deleted.items()}

    def _copy(self, transfer: Transfer, source: Session) -> None:
        if isinstance(source, PostgresSession):
            self._copy_from_postgres(transfer, source)
        else:
            self._copy_texts(transfer, source)

    def _copy_from_postgres(self, transfer: Transfer, source: PostgresSession) -> None:
        statements = build_copy(
            self._connection,
            source=source_of(transfer.relation),
            table=transfer.table.name,
            columns=list(zip((each.name for each in transfer.source_columns), transfer.target_names, strict=True)),
            condition=Windows.of(transfer.reading).condition,
        )
        write.copy_rows(
            source.driver_connection,
            self._connection,
            read=statements.read,
            write=statements.write,
            source_name=source.name,
            target_name=self.session.name,
        )

    def _copy_texts(self, transfer: Transfer, source: Session) -> None:
        names = sql.SQL(", ").join(sql.Identifier(name) for name in transfer.target_names)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(quoted_name(transfer.table.name), names)
        change: list[Callable[[str | None], Any]] = [transfer_value(pair, None) for pair in transfer.written]
        rows = source.read_rows(transfer.relation, transfer.source_columns, transfer.reading)
        with translated_errors(self.session.name), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in rows:
                for row in batch:
                    copy.write_row([make(text) for make, text in zip(change, row, strict=True)])
