"""Statements on single rows in SQLite."""

from collections.abc import Sequence

from reconcile_assets.databases.quoting import quote_name
from reconcile_assets.databases.row_changes import Name, RowSql, Token, Value, encoded
from reconcile_assets.databases.sqlite.connection import SessionConnection
from reconcile_assets.databases.sqlite.encoding import encoder
from reconcile_assets.databases.writing import Writer


class SqliteRowSql(RowSql):
    """See :class:`RowSql`. The file has no other writer meanwhile."""

    def __init__(self, writer: Writer) -> None:
        self._connection: SessionConnection = writer.session.driver_connection

    def run(self, tokens: Sequence[Token]) -> int:
        """See :meth:`RowSql.run`."""
        return self._connection.execute(_text(tokens), _values(tokens)).rowcount

    def exists(self, tokens: Sequence[Token]) -> bool:
        """See :meth:`RowSql.exists`."""
        return self._connection.execute(_text(tokens), _values(tokens)).fetchone() is not None


def _text(tokens: Sequence[Token]) -> str:
    return " ".join(_part(token) for token in tokens)


def _part(token: Token) -> str:
    if isinstance(token, Name):
        return ".".join(quote_name(part) for part in token.parts)
    return "?" if isinstance(token, Value) else token


def _values(tokens: Sequence[Token]) -> list[object]:
    return [encoded(token, encoder(token.column.type)) for token in tokens if isinstance(token, Value)]
