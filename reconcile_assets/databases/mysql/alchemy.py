"""The session's own connection seen through SQLAlchemy, for the ledger's tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymysql import converters
from pymysql.cursors import Cursor

if TYPE_CHECKING:
    import sqlalchemy

_ENCODERS = {kind: write for kind, write in converters.conversions.items() if not isinstance(kind, int)}
_DECODERS = {kind: read for kind, read in converters.conversions.items() if isinstance(kind, int)}


class _ConvertingCursor(Cursor):
    """A cursor whose values are of Python's own types; everyone else on the connection gets texts."""

    def execute(self, query: Any, args: Any = None) -> int:
        with self._converting():
            return super().execute(query, args)

    def executemany(self, query: Any, args: Any) -> int | None:
        with self._converting():
            return super().executemany(query, args)

    @contextmanager
    def _converting(self) -> Iterator[None]:
        connection: Any = self.connection
        before = connection.encoders, connection.decoders
        connection.encoders, connection.decoders = _ENCODERS, _DECODERS
        try:
            yield
        finally:
            connection.encoders, connection.decoders = before


class _LedgerConnection:
    """The connection as SQLAlchemy takes it; its transaction can be held while SQLAlchemy sets itself up."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.held = True

    def cursor(self, *_: object) -> Cursor:
        return _ConvertingCursor(self._connection)

    def commit(self) -> None:
        if not self.held:
            self._connection.commit()

    def rollback(self) -> None:
        if not self.held:
            self._connection.rollback()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def wrap_connection(connection: Any) -> "sqlalchemy.Connection":
    """The same connection and transaction: SQLAlchemy's commit commits what was done beside it too."""
    import sqlalchemy
    from sqlalchemy.pool import StaticPool

    own = _LedgerConnection(connection)
    engine = sqlalchemy.create_engine(
        "mysql+pymysql://",
        creator=lambda: own,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    try:
        return engine.connect()  # while it learns about the server it rolls back, which would end our transaction
    finally:
        own.held = False
