"""Statements on single rows in DuckDB."""

from collections.abc import Sequence
from typing import Any

import duckdb

from reconcile_assets.databases.duckdb.encoding import encoder, value_sql
from reconcile_assets.databases.quoting import quote_name
from reconcile_assets.databases.row_changes import Name, RowSql, Token, Value, encoded
from reconcile_assets.databases.writing import Writer
from reconcile_assets.errors import LossyWrite


class DuckdbRowSql(RowSql):
    """See :class:`RowSql`. The file has no other writer meanwhile."""

    def __init__(self, writer: Writer) -> None:
        self._connection: duckdb.DuckDBPyConnection = writer.session.driver_connection
        self._name = writer.session.name

    def run(self, tokens: Sequence[Token]) -> int:
        """See :meth:`RowSql.run`."""
        row = self._fetch(tokens)
        return 0 if row is None else int(row[0])

    def exists(self, tokens: Sequence[Token]) -> bool:
        """See :meth:`RowSql.exists`."""
        return self._fetch(tokens) is not None

    def _fetch(self, tokens: Sequence[Token]) -> Any:
        text = " ".join(_part(token) for token in tokens)
        values = [encoded(token, encoder(token.column.type)) for token in tokens if isinstance(token, Value)]
        try:
            return self._connection.execute(text, values or None).fetchone()
        except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException):
            raise LossyWrite(f"{self._name}: a value does not fit the type of its column") from None


def _part(token: Token) -> str:
    if isinstance(token, Name):
        return ".".join(quote_name(part) for part in token.parts)
    return value_sql(token.column.type, "?") if isinstance(token, Value) else token
