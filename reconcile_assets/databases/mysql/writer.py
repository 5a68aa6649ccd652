"""The writing transaction of a MySQL or MariaDB target: multi-row INSERTs, InnoDB's transaction, locks by name."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql

from reconcile_assets.core.recast import transfer_value
from reconcile_assets.core.tables import Table
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.mysql.connection import connect, execute
from reconcile_assets.databases.mysql.encoding import encoder
from reconcile_assets.databases.mysql.errors import translated_errors
from reconcile_assets.databases.mysql.locks import end_holder, lock_name, lock_partitions, take_lock
from reconcile_assets.databases.mysql.session import MysqlSession
from reconcile_assets.databases.mysql.statements import Sql, fill, identifier, integer_literal, join, sql, text_literal
from reconcile_assets.databases.mysql.windows import Windows
from reconcile_assets.databases.writing import Transfer, Writer
from reconcile_assets.errors import (
    ConfigurationError,
    ConstraintRefused,
    LossyWrite,
    SerializationConflict,
    UnknownOutcome,
)

# NO_AUTO_VALUE_ON_ZERO: a 0 in an AUTO_INCREMENT column is a value, not a wish for the next one.
_SQL_MODE = "STRICT_TRANS_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
_WIDEST = 4  # bytes of a character
_STATEMENT_BYTES = 512 * 1024  # of an INSERT, or a quarter of what the server takes
_ENGINE = """
SELECT t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t
JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_SCHEMA = {schema} AND t.TABLE_NAME = {name}
"""
_CASCADES = """
SELECT r.CONSTRAINT_NAME, r.TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS r
WHERE r.UNIQUE_CONSTRAINT_SCHEMA = {schema} AND r.REFERENCED_TABLE_NAME = {name}
  AND r.DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') LIMIT 1
"""


@contextmanager
def opened_writer(parameters: Mapping[str, Any], *, name: str, lock_wait: float) -> Iterator["MysqlWriter"]:
    """See :meth:`Database.writing`."""
    if parameters.get("database") is None:
        raise ConfigurationError(
            f"{name}: the URL names no database; add one: batches and audit entries are kept there"
        )
    with translated_errors(name):
        connection = connect(dict(parameters), read_only=False, statement_timeout=None, repeatable=False)
    session = MysqlSession(connection, parameters, name=name)
    try:
        with translated_errors(name):
            writer = MysqlWriter(session, lock_wait=lock_wait)
            writer.begin()
            yield writer
    finally:
        session.close()


class MysqlWriter(Writer):
    """See :class:`~reconcile_assets.databases.writing.Writer`.

    Args:
        session: outside any transaction.
        lock_wait: the most seconds to wait for any lock.
    """

    session: MysqlSession
    token: str

    def __init__(self, session: MysqlSession, *, lock_wait: float) -> None:
        self.session = session
        self.token = lock_name("session", str(uuid.uuid4()))
        self._connection = session.driver_connection
        self._lock_wait = lock_wait

    def begin(self) -> None:
        """Begin the transaction.

        Read committed: the proof must see rows that others add meanwhile.
        """
        wait = integer_literal(max(1, round(self._lock_wait)))
        execute(self._connection, fill("SET SESSION sql_mode = {mode}", mode=text_literal(_SQL_MODE)))
        execute(
            self._connection,
            fill("SET SESSION innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}", wait=wait),
        )
        execute(self._connection, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        execute(self._connection, "START TRANSACTION READ WRITE")
        take_lock(self._connection, self.token)

    def lock_partitions(self, table: Table, partitions: Sequence[str]) -> None:
        """See :meth:`Writer.lock_partitions`."""
        lock_partitions(self._connection, table.name, partitions, wait=self._lock_wait)

    def end_lost(self, token: object) -> None:
        """See :meth:`Writer.end_lost`."""
        end_holder(self._connection, str(token), wait=self._lock_wait)

    def prepare(self, transfer: Transfer) -> None:
        """See :meth:`Writer.prepare`."""
        self.refuse_without_transactions(transfer.table)

    def count_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.count_windows`."""
        windows = _windows(transfer)
        counted = execute(
            self._connection,
            fill("SELECT {w} AS w, COUNT(*) {rows} GROUP BY w", w=windows.number, rows=_inside(transfer, windows)),
        )
        return {windows.keys[int(number)]: int(count) for number, count in counted}

    def delete_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.delete_windows`."""
        deleted = self.count_windows(transfer)
        if deleted:
            self._refuse_cascades(transfer.table)
        with self._connection.cursor() as cursor:
            statement = fill("DELETE {rows}", rows=_inside(transfer, _windows(transfer)))
            if cursor.execute(statement) != sum(deleted.values()):
                raise SerializationConflict(
                    f"{self.session.name}: another program changed rows of {transfer.table.name} meanwhile; try again"
                )
        return deleted

    def insert_rows(self, transfer: Transfer, source: Session) -> None:
        """See :meth:`Writer.insert_rows`."""
        head, tail = _insert_sql(transfer)
        longest = int(str(self.session.fetch_scalar("SELECT @@max_allowed_packet")))
        room = min(_STATEMENT_BYTES, longest // 4)
        with self._connection.cursor() as cursor:
            for statement in _statements(head, _rows(transfer, source), tail, room=room):
                if len(statement) * _WIDEST >= longest and len(statement.encode("utf-8", "replace")) >= longest:
                    raise LossyWrite(
                        f"{self.session.name}: a row is longer than the server's max_allowed_packet; raise it there"
                    )
                cursor.execute(statement)

    def commit(self, seconds: float) -> None:
        """See :meth:`Writer.commit`; the deadline is the client's own."""
        opened: Any = self._connection
        opened._read_timeout = seconds
        try:
            opened.commit()
        except pymysql.OperationalError as error:
            if error.args and error.args[0] in _ANSWERS:
                raise
            raise UnknownOutcome("the connection broke before the reply to COMMIT came") from None
        except (pymysql.InterfaceError, pymysql.InternalError):
            raise UnknownOutcome("the connection broke before the reply to COMMIT came") from None

    def refuse_without_transactions(self, table: Table) -> None:
        """Refuse a table whose engine has none.

        Raises:
            ConfigurationError
        """
        found = execute(self._connection, fill(_ENGINE, **_named(table)))
        if found and str(found[0][1]).upper() != "YES":
            raise ConfigurationError(
                f"{self.session.name}: {table.name} is of the engine {found[0][0]}, which has no transactions: nothing"
                f" can be replaced as a whole; ALTER TABLE {table.name} ENGINE=InnoDB, then run this again"
            )

    def _refuse_cascades(self, table: Table) -> None:
        found = execute(self._connection, fill(_CASCADES, **_named(table)))
        if found:
            raise ConstraintRefused(
                f"{self.session.name}: replacing these rows deletes or empties rows of {found[0][1]} by its foreign key"
                f" {found[0][0]}; declare it without ON DELETE CASCADE or SET, then run this again"
            )


# The server's own answers to COMMIT: it was refused and rolled back. Anything else may have come after it was done.
_ANSWERS = frozenset({1020, 1180, 1205, 1213})


def _windows(transfer: Transfer) -> Windows:
    return Windows(transfer.writing.column, transfer.writing.kind, transfer.partitions)


def _inside(transfer: Transfer, windows: Windows) -> Sql:
    """The rows of the windows, from FROM on."""
    return fill("FROM {table} WHERE {inside}", table=_table(transfer.table), inside=windows.condition)


def _insert_sql(transfer: Transfer) -> tuple[Sql, Sql]:
    """What stands before and after the rows; a row that is to stay is updated to what it is."""
    names = join(", ", [identifier(name) for name in transfer.target_names])
    head = fill("INSERT INTO {table} ({names}) VALUES ", table=_table(transfer.table), names=names)
    if transfer.mode is WriteMode.REPLACE or not transfer.key:
        return head, sql("")
    updated = transfer.updated_names if transfer.mode is WriteMode.UPSERT else ()
    updates = [fill("{name} = VALUES({name})", name=identifier(name)) for name in updated] or [
        fill("{name} = {name}", name=identifier(transfer.key_names[0]))
    ]
    return head, fill(" ON DUPLICATE KEY UPDATE {updates}", updates=join(", ", updates))


def _statements(head: Sql, rows: Iterator[Sql], tail: Sql, *, room: int) -> Iterator[Sql]:
    pending: list[Sql] = []
    size = 0
    for row in rows:
        pending.append(row)
        size += len(row)
        if size >= room:
            yield Sql("".join((head, ",".join(pending), tail)))
            pending, size = [], 0
    if pending:
        yield Sql("".join((head, ",".join(pending), tail)))


def _rows(transfer: Transfer, source: Session) -> Iterator[Sql]:
    makers: list[Callable[[str | None], Any]] = [
        transfer_value(pair, encoder(pair.target.type)) for pair in transfer.written
    ]
    null = sql("NULL")
    for batch in source.read_rows(transfer.relation, transfer.source_columns, transfer.reading):
        for row in batch:
            literals = [null if text is None else make(text) for make, text in zip(makers, row, strict=True)]
            yield Sql("".join(("(", ",".join(literals), ")")))


def _table(table: Table) -> Sql:
    return identifier(table.name.name) if table.name.schema is None else identifier(table.name.schema, table.name.name)


def _named(table: Table) -> dict[str, Sql]:
    return {"schema": text_literal(table.name.schema or ""), "name": text_literal(table.name.name)}
