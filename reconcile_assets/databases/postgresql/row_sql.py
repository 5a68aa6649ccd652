"""Statements on single rows in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from reconcile_assets.databases.row_changes import Name, RowSql, Token, Value
from reconcile_assets.databases.writing import Writer


class PostgresRowSql(RowSql):
    """See :class:`RowSql`. The server reads each text as its column's type does."""

    merges = True

    def __init__(self, writer: Writer) -> None:
        self._connection: psycopg.Connection[Any] = writer.session.driver_connection

    def run(self, tokens: Sequence[Token]) -> int:
        """See :meth:`RowSql.run`."""
        return self._execute(tokens).rowcount

    def exists(self, tokens: Sequence[Token]) -> bool:
        """See :meth:`RowSql.exists`."""
        return self._execute([*tokens, "FOR UPDATE"]).fetchone() is not None

    def _execute(self, tokens: Sequence[Token]) -> psycopg.Cursor[Any]:
        parts = [_part(token) for token in tokens]
        values = [token.text for token in tokens if isinstance(token, Value)]
        return self._connection.execute(sql.SQL(" ").join(parts), values)


def _part(token: Token) -> sql.Composable:
    if isinstance(token, Name):
        # Beside placeholders a name is read twice.
        return sql.Identifier(*(part.replace("%", "%%") for part in token.parts))
    return sql.Placeholder() if isinstance(token, Value) else sql.SQL(token)
