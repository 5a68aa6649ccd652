"""The two COPY statements that move a table's columns from one PostgreSQL to another.

Each value is cast to the target's type in the SELECT, without the type's modifier: an explicit
cast to varchar(5) would cut a longer text in silence, while COPY's own input refuses it. Binary
where every type means the same bytes on both servers; else text, which enums and types of an
extension also read back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.postgresql.catalog import user_sql

# Object numbers below are assigned by PostgreSQL itself and are the same on every server.
_FIRST_OWN_NUMBER = 16384

_TYPES = """
WITH RECURSIVE base AS (
    SELECT a.attname, t.oid, t.typtype, t.typbasetype
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT base.attname, t.oid, t.typtype, t.typbasetype
      FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd'
)
SELECT attname, oid::bigint, typtype::text, format_type(oid, -1) FROM base WHERE typtype <> 'd'
"""


@dataclass(frozen=True)
class CopyStatements:
    """What reads and what writes; both move the same columns in the same order."""

    read: sql.Composed
    write: sql.Composed
    binary: bool


@dataclass(frozen=True)
class _Type:
    """A target column's type beneath its domains; ``name`` is quoted by the server."""

    number: int
    sort: str
    name: str

    @property
    def is_enum(self) -> bool:
        return self.sort == "e"

    @property
    def is_built_in(self) -> bool:
        return self.number < _FIRST_OWN_NUMBER

    @property
    def is_binary(self) -> bool:
        # An enum's bytes are its label. A reg* value's bytes are a number that only its own database knows.
        return self.is_enum or (self.is_built_in and not self.name.startswith("reg"))


def quoted_name(name: TableName) -> sql.Identifier:
    """A table's name as SQL writes it."""
    return sql.Identifier(name.name) if name.schema is None else sql.Identifier(name.schema, name.name)


def build_copy(
    target: psycopg.Connection[Any],
    *,
    source: sql.Composable,
    table: TableName,
    columns: Sequence[tuple[str, str]],
    condition: sql.Composable,
) -> CopyStatements:
    """Build both statements.

    Args:
        target: connection to ask for the types of the target's columns.
        source: what stands after FROM, with its alias where it needs one.
        table: of the target.
        columns: source name and target name of each column.
        condition: which rows of the source.
    """
    types = _fetch_types(target, table)
    binary = all(types[name].is_binary for _, name in columns)
    option = sql.SQL("(FORMAT BINARY)") if binary else sql.SQL("(FORMAT TEXT)")
    values = sql.SQL(", ").join(_value(name, types[into]) for name, into in columns)
    read = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT {}").format(values, source, condition, option)
    names = sql.SQL(", ").join(sql.Identifier(into) for _, into in columns)
    write = sql.SQL("COPY {} ({}) FROM STDIN {}").format(quoted_name(table), names, option)
    return CopyStatements(read, write, binary)


def _fetch_types(connection: psycopg.Connection[Any], table: TableName) -> dict[str, _Type]:
    rows = connection.execute(_TYPES, (quoted_name(table).as_string(),)).fetchall()
    return {name: _Type(number, sort, type_name) for name, number, sort, type_name in rows}


def _value(column: str, into: _Type) -> sql.Composed:
    if into.is_enum:
        return sql.SQL("{}::text").format(sql.Identifier(column))
    if not into.is_built_in:
        return sql.SQL("{}").format(sql.Identifier(column))
    # The name comes from the catalog, quoted by format_type; it is SQL, not a value.
    return sql.SQL("{}::{}").format(sql.Identifier(column), user_sql(into.name))
