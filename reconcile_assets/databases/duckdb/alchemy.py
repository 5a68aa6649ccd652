"""The session's own connection seen through SQLAlchemy, for the ledger's tables.

SQLAlchemy has no dialect for DuckDB; what the ledger's statements need of one is little.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import duckdb
import sqlalchemy
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.compiler import SQLCompiler

_SCHEME = "reconcile_assets_duckdb"
_TABLES = (
    "SELECT count(*) FROM duckdb_tables()"
    " WHERE database_name = current_database() AND schema_name = ? AND table_name = ?"
)
_SCHEMAS = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"


class _Compiler(SQLCompiler):
    def for_update_clause(self, select: Any, **_: Any) -> str:
        """A file has one writing process: there are no rows to lock."""
        return ""


class DuckdbDialect(DefaultDialect):
    """The dialect of the ledger's statements."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True
    supports_multivalues_insert = True
    use_insertmanyvalues = True
    use_insertmanyvalues_wo_returning = True  # one statement for many rows, not one for each
    statement_compiler = _Compiler

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """DuckDB's driver."""
        return duckdb

    def initialize(self, connection: Any) -> None:
        """There is nothing to learn about it."""

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Whether there is such a table."""
        found = connection.exec_driver_sql(_TABLES, (schema or "main", table_name)).scalar()
        return bool(found)

    def get_schema_names(self, connection: Any, **_: Any) -> list[str]:
        """The schemas of the file."""
        return [row[0] for row in connection.exec_driver_sql(_SCHEMAS)]

    def has_schema(self, connection: Any, schema_name: str, **_: Any) -> bool:
        """Whether there is such a schema."""
        return schema_name in self.get_schema_names(connection)


class _Cursor:
    """A cursor in the connection's own transaction: the driver's ``cursor()`` would begin another one."""

    arraysize = 1
    rowcount = -1
    lastrowid = None

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Sequence[Any] | None = None

    def execute(self, statement: str, parameters: Sequence[Any] | None = None) -> None:
        self._connection.execute(statement, list(parameters) if parameters else None)
        self.description = self._connection.description or None
        self._rows = self._connection.fetchall() if self.description else []

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        for row in parameters:
            self.execute(statement, row)

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[Any]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []


class _Connection:
    """The connection as SQLAlchemy takes it; its transaction can be held while SQLAlchemy sets itself up."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.held = True

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def commit(self) -> None:
        if not self.held:
            self._connection.commit()

    def rollback(self) -> None:
        if not self.held:
            self._connection.rollback()

    def close(self) -> None:
        self._connection.close()


def wrap_connection(connection: duckdb.DuckDBPyConnection) -> sqlalchemy.Connection:
    """The same connection and transaction: SQLAlchemy's commit commits what was done beside it too."""
    registry.register(_SCHEME, __name__, DuckdbDialect.__name__)
    own = _Connection(connection)
    engine = sqlalchemy.create_engine(
        f"{_SCHEME}://",
        creator=lambda: own,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    try:
        return engine.connect()  # which rolls back at first, and would end our transaction
    finally:
        own.held = False
