"""Statements on single rows in MySQL and MariaDB."""

from collections.abc import Sequence
from typing import Any

from reconcile_assets.core.tables import Table
from reconcile_assets.databases.mysql.encoding import encoder
from reconcile_assets.databases.mysql.statements import Sql, identifier, join, sql
from reconcile_assets.databases.mysql.writer import MysqlWriter
from reconcile_assets.databases.row_changes import Name, RowSql, Token, Value, encoded
from reconcile_assets.databases.writing import Writer
from reconcile_assets.errors import ConfigurationError, ConstraintRefused, LossyWrite, UnknownEngine


class MysqlRowSql(RowSql):
    """See :class:`RowSql`.

    ``ON DUPLICATE KEY UPDATE`` would change the row of any unique key, so an upsert looks for its row first.
    """

    def __init__(self, writer: Writer) -> None:
        if not isinstance(writer, MysqlWriter):
            raise UnknownEngine(f"{writer.session.name}: this is no writer of MySQL")
        self._writer = writer
        self._connection: Any = writer.session.driver_connection
        self._longest = int(str(writer.session.fetch_scalar("SELECT @@max_allowed_packet")))

    def check(self, table: Table) -> None:
        """See :meth:`RowSql.check`."""
        try:
            self._writer.refuse_without_transactions(table)
        except ConfigurationError as error:  # of this table only: writes of others can go
            raise ConstraintRefused(str(error)) from None

    def run(self, tokens: Sequence[Token]) -> int:
        """See :meth:`RowSql.run`; a row that is updated to what it is does not count."""
        statement = self._statement(tokens)
        with self._connection.cursor() as cursor:
            return int(cursor.execute(statement))

    def exists(self, tokens: Sequence[Token]) -> bool:
        """See :meth:`RowSql.exists`."""
        statement = self._statement([*tokens, "FOR UPDATE"])
        with self._connection.cursor() as cursor:
            return int(cursor.execute(statement)) > 0

    def _statement(self, tokens: Sequence[Token]) -> Sql:
        statement = join(" ", [_part(token) for token in tokens])
        if len(statement.encode()) >= self._longest:  # the server would close the connection over it
            raise LossyWrite(
                f"{self._writer.session.name}: a row is longer than the server's max_allowed_packet; raise it there"
            )
        return statement


def _part(token: Token) -> Sql:
    if isinstance(token, Name):
        return identifier(*token.parts)
    if isinstance(token, Value):
        return sql("NULL") if token.text is None else encoded(token, encoder(token.column.type))
    return Sql(token)
