"""The writing transaction of a PostgreSQL target: binary COPY from another PostgreSQL, COPY of texts from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from reconcile_assets.core.recast import transfer_value
from reconcile_assets.core.tables import Table, TableName
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.errors import translated_errors
from reconcile_assets.databases.postgresql import write
from reconcile_assets.databases.postgresql.catalog import source_of
from reconcile_assets.databases.postgresql.copy import build_copy, quoted_name
from reconcile_assets.databases.postgresql.session import PostgresSession
from reconcile_assets.databases.postgresql.windows import Windows
from reconcile_assets.databases.writing import Transfer, Writer


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

    def prepare(self, transfer: Transfer) -> None:
        """See :meth:`Writer.prepare`."""
        # Rows that refer to these stand on nothing between the deletion and the copy.
        self._connection.execute("SET CONSTRAINTS ALL DEFERRED")

    def finish(self, transfer: Transfer) -> None:
        """See :meth:`Writer.finish`."""
        self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def count_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.count_windows`."""
        windows = Windows.of(transfer.writing)
        query = sql.SQL("SELECT {} AS w, count(*) FROM {} WHERE {} GROUP BY w").format(
            windows.number, quoted_name(transfer.table.name), windows.condition
        )
        return {windows.keys[number]: rows for number, rows in self._connection.execute(query).fetchall()}

    def delete_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.delete_windows`."""
        table, windows = quoted_name(transfer.table.name), Windows.of(transfer.writing)
        deleted = write.delete_windows(self._connection, table, condition=windows.condition, window=windows.number)
        if deleted:
            write.refuse_cascades(self._connection, table, deleted=sum(deleted.values()), name=self.session.name)
        return {windows.keys[number]: rows for number, rows in deleted.items()}

    def insert_rows(self, transfer: Transfer, source: Session) -> None:
        """See :meth:`Writer.insert_rows`; COPY knows no conflicts, so that other modes copy into a table beside."""
        if transfer.mode is WriteMode.REPLACE or not transfer.key:
            self._copy(transfer, source, into=transfer.table.name)
            return
        self._connection.execute(_staging_sql(transfer))
        self._copy(transfer, source, into=_STAGE)
        self._connection.execute(_merge_sql(transfer))
        self._connection.execute(sql.SQL("DROP TABLE {}").format(quoted_name(_STAGE)))

    def _copy(self, transfer: Transfer, source: Session, *, into: TableName) -> None:
        if isinstance(source, PostgresSession):
            self._copy_from_postgres(transfer, source, into)
        else:
            self._copy_texts(transfer, source, into)

    def _copy_from_postgres(self, transfer: Transfer, source: PostgresSession, into: TableName) -> None:
        statements = build_copy(
            self._connection,
            source=source_of(transfer.relation),
            table=into,
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

    def _copy_texts(self, transfer: Transfer, source: Session, into: TableName) -> None:
        names = sql.SQL(", ").join(sql.Identifier(name) for name in transfer.target_names)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(quoted_name(into), names)
        change: list[Callable[[str | None], Any]] = [transfer_value(pair, _encode) for pair in transfer.written]
        rows = source.read_rows(transfer.relation, transfer.source_columns, transfer.reading)
        with translated_errors(self.session.name), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in rows:
                for row in batch:
                    copy.write_row([make(text) for make, text in zip(change, row, strict=True)])


# In the schema of this session's temporary tables, which is searched before every other one.
_STAGE = TableName("pg_temp", "reconcile_assets_stage")


def _encode(text: str) -> str:
    """COPY escapes what its format needs; the server keeps no NUL in any text."""
    if "\x00" in text:
        raise ValueError("a NUL character")
    return text


def _staging_sql(transfer: Transfer) -> sql.Composed:
    """A table of the target's own types, without its constraints and triggers; it ends with the transaction."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in transfer.target_names)
    return sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
        sql.Identifier(_STAGE.name), names, quoted_name(transfer.table.name)
    )


def _merge_sql(transfer: Transfer) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in transfer.target_names)
    key = sql.SQL(", ").join(sql.Identifier(name) for name in transfer.key_names)
    updates = sql.SQL(", ").join(
        sql.SQL("{name} = EXCLUDED.{name}").format(name=sql.Identifier(name)) for name in transfer.updated_names
    )
    changes = transfer.mode is WriteMode.UPSERT and transfer.updated_names
    return sql.SQL(
        "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {stage}"
        " ON CONFLICT ({key}) DO {action}"
    ).format(
        table=quoted_name(transfer.table.name),
        names=names,
        stage=quoted_name(_STAGE),
        key=key,
        action=sql.SQL("UPDATE SET {}").format(updates) if changes else sql.SQL("NOTHING"),
    )
