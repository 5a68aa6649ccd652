"""Describing DuckDB's tables, views and queries."""

import difflib
from typing import TYPE_CHECKING

from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.duckdb.types import resolve_type
from reconcile_assets.databases.quoting import source_of, without_end
from reconcile_assets.errors import MissingObject, NotComparable, QueryRefused

if TYPE_CHECKING:
    import duckdb

_TABLES = """
SELECT schema_name, table_name, false FROM duckdb_tables() WHERE database_name = current_database()
UNION ALL
SELECT schema_name, view_name, true FROM duckdb_views() WHERE database_name = current_database() AND NOT internal
"""
_FILLED = """
SELECT column_name FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = ? AND table_name = ? AND NOT is_nullable
"""
_KEYS = """
SELECT constraint_type = 'PRIMARY KEY', constraint_column_names FROM duckdb_constraints()
WHERE database_name = current_database() AND schema_name = ? AND table_name = ?
  AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
ORDER BY constraint_index
"""


def find_table(connection: "duckdb.DuckDBPyConnection", table: TableName, name: str) -> tuple[TableName, bool]:
    """The table as it is really called, and whether it is a view; DuckDB's names have no case.

    Raises:
        MissingObject: it is not there; the nearest names are offered.
    """
    names = connection.execute(_TABLES).fetchall()
    schema = table.schema or "main"
    for found in names:
        if found[0].lower() == schema.lower() and found[1].lower() == table.name.lower():
            return TableName(found[0], found[1]), found[2]
    known = [_spelled(found[1]) if found[0] == "main" else ".".join(found[:2]) for found in names]
    near = difflib.get_close_matches(str(table), known, n=3, cutoff=0.6)
    offer = f"did you mean {' or '.join(near)}?" if near else "check schema and name"
    raise MissingObject(f"{name}: there is no table {table}; {offer}")


def _spelled(table: str) -> str:
    """A table's name as it can be written: with a dot in it, in quotes."""
    return "".join(('"', table, '"')) if "." in table else table


def describe_table(connection: "duckdb.DuckDBPyConnection", relation: Relation, name: str) -> Table:
    """A table or view.

    Raises:
        MissingObject: it is not there.
    """
    if relation.table is None:
        raise ValueError("a query is described by describe_query")
    found, is_view = find_table(connection, relation.table, name)
    where = (found.schema, found.name)
    filled = {row[0] for row in connection.execute(_FILLED, where).fetchall()}
    keys = [(is_primary, tuple(names)) for is_primary, names in connection.execute(_KEYS, where).fetchall()]
    primary = next((names for is_primary, names in keys if is_primary), ())
    filled.update(primary)
    columns = _columns(connection, source_of(relation, found), filled)
    return Table(
        found,
        columns,
        primary,
        tuple(names for is_primary, names in keys if not is_primary and filled.issuperset(names)),
        # Each block of rows knows the least and the greatest value of each column: a few windows need no whole scan.
        frozenset(column.name for column in columns),
        is_view,
    )


def describe_query(connection: "duckdb.DuckDBPyConnection", relation: Relation, name: str) -> Table:
    """The columns of a query."""
    plain = without_end(relation.query or "")
    names = [row[0] for row in connection.execute(" ".join(("DESCRIBE", plain))).fetchall()]
    twice = sorted({found for found in names if names.count(found) > 1})
    if twice:
        raise NotComparable(f"{name}: the query has two columns named {twice[0]}; give each its own name")
    return Table(TableName(None, "query"), _columns(connection, source_of(relation, None), set()), is_view=True)


def _columns(connection: "duckdb.DuckDBPyConnection", source: str, filled: set[str]) -> tuple[Column, ...]:
    rows = connection.execute(" ".join(("DESCRIBE SELECT * FROM", source))).fetchall()
    return tuple(Column(row[0], resolve_type(row[1]), nullable=row[0] not in filled) for row in rows)


def check_relation(connection: "duckdb.DuckDBPyConnection", relation: Relation, name: str) -> None:
    """Refuse a query or condition that is not one query or one condition.

    Raises:
        QueryRefused: it is empty, or holds a second statement.
    """
    for what, text in (("query", relation.query), ("condition", relation.where)):
        if text is None:
            continue
        if not text.strip() or "\x00" in text:
            raise QueryRefused(f"{name}: the {what} is empty or holds a NUL character")
        probes = [without_end(text)]
        if what == "condition":  # by itself too: "1=1) OR (1=1" is a condition inside our parentheses only
            probes = ["".join(("SELECT 1 WHERE (\n", text, "\n)")), "".join(("SELECT 1 WHERE\n", text))]
        for probe in probes:
            statements = connection.extract_statements(probe)
            if len(statements) != 1 or statements[0].type.name != "SELECT":
                raise QueryRefused(f"{name}: the {what} holds more than one statement, or is no SELECT")
