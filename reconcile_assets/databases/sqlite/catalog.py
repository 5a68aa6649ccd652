"""Describing SQLite's tables, views and queries."""

import difflib
import sqlite3
from collections.abc import Sequence
from typing import Any

from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.quoting import quote_name, select_from, source_of
from reconcile_assets.databases.sqlite.types import INJECTIVE, declared_kind, must_be_surveyed, resolve_type
from reconcile_assets.errors import MissingObject, NotComparable, QueryRefused

_TABLES = (
    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_COLUMNS = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid'
_WITHOUT_ROWID = "SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'"
_INDEXES = 'SELECT name, "unique", partial FROM pragma_index_list(?) ORDER BY seq'
_INDEX_COLUMNS = "SELECT cid, name FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno"

Declared = tuple[str, str, int, int, int]


def check_relation(relation: Relation, name: str) -> None:
    """Refuse a query or condition that is empty, or that SQLite would not read to its end."""
    for what, text in (("query", relation.query), ("condition", relation.where)):
        if text is not None and not text.strip():
            raise QueryRefused(f"{name}: the {what} is empty")
        if text is not None and "\x00" in text:
            raise QueryRefused(f"{name}: the {what} holds a NUL character")


def describe_table(connection: sqlite3.Connection, relation: Relation, name: str) -> tuple[Table, bool]:
    """A table or view, and whether its values were surveyed for it by a scan.

    Raises:
        MissingObject: it is not there; the nearest names are offered.
    """
    if relation.table is None:
        raise ValueError("a query is described by describe_query")
    found, is_view = find_table(connection, relation.table, name)
    declared: list[Declared] = connection.execute(_COLUMNS, (found.name,)).fetchall()
    declared = [row for row in declared if row[4] != 1]  # 1: a virtual table's hidden column
    classes = survey(connection, source_of(relation, found), [(row[0], row[1]) for row in declared])
    primary = tuple(row[0] for row in sorted(declared, key=lambda row: row[3]) if row[3])
    filled = _filled(connection, found, declared, primary)
    columns = tuple(
        Column(
            name=row[0],
            type=resolve_type(row[1], classes.get(row[0])),
            # What is unique to SQLite may be one value in canonical form ('2024-01-01' and '2024-01-01 00:00:00'):
            # such a column makes no promise, and duplicates are counted.
            nullable=row[0] not in filled or declared_kind(row[1]) not in INJECTIVE,
            generated=row[4] in (2, 3),
        )
        for row in declared
    )
    unique, indexed = _read_indexes(connection, found.name, filled, primary)
    return Table(found, columns, primary, unique, indexed, is_view), bool(classes)


def find_table(connection: sqlite3.Connection, table: TableName, name: str) -> tuple[TableName, bool]:
    """The table as it is really called, and whether it is a view; case counts only where it tells two apart."""
    names = dict(connection.execute(_TABLES).fetchall())
    if table.schema is None or table.schema.lower() == "main":
        same = [found for found in names if found.lower() == table.name.lower()]
        chosen = table.name if table.name in same else next(iter(same), None)
        if chosen is not None:
            return TableName("main", chosen), names[chosen] == "view"
    near = difflib.get_close_matches(table.name, names, n=3, cutoff=0.6)
    offer = f"did you mean {' or '.join(near)}?" if near else "check its name"
    raise MissingObject(f"{name}: there is no table {table}; {offer}")


def _filled(
    connection: sqlite3.Connection, table: TableName, declared: Sequence[Declared], primary: tuple[str, ...]
) -> set[str]:
    """Columns without NULLs: a primary key may hold some, unless it is the rowid or the table has none."""
    filled = {row[0] for row in declared if row[2]}
    is_rowid = len(primary) == 1 and any(row[0] == primary[0] and row[1].upper() == "INTEGER" for row in declared)
    without_rowid = connection.execute(_WITHOUT_ROWID, (table.name,)).fetchone()
    if is_rowid or (without_rowid and without_rowid[0]):
        filled.update(primary)
    return filled


def _read_indexes(
    connection: sqlite3.Connection, table: str, filled: set[str], primary: tuple[str, ...]
) -> tuple[tuple[tuple[str, ...], ...], frozenset[str]]:
    unique: list[tuple[str, ...]] = []
    indexed = set(primary[:1])
    for index, is_unique, partial in connection.execute(_INDEXES, (table,)).fetchall():
        parts = connection.execute(_INDEX_COLUMNS, (index,)).fetchall()
        names = tuple(part[1] for part in parts)
        if partial or not parts or any(part[0] < 0 for part in parts):
            continue
        indexed.add(names[0])
        if is_unique and names != primary and filled.issuperset(names):
            unique.append(names)
    return tuple(unique), frozenset(indexed)


def describe_query(connection: sqlite3.Connection, relation: Relation, name: str) -> tuple[Table, bool]:
    """The columns of a query; their types are what their values are."""
    source = source_of(relation, None)
    cursor = connection.execute(" ".join((select_from(("*",), source), "LIMIT 0")))
    names = [found[0] for found in cursor.description or ()]
    twice = sorted({found for found in names if names.count(found) > 1})
    if twice:
        raise NotComparable(f"{name}: the query has two columns named {twice[0]}; give each its own name")
    classes = survey(connection, source, [(found, "") for found in names])
    columns = tuple(Column(found, resolve_type("", classes.get(found))) for found in names)
    return Table(TableName(None, "query"), columns, is_view=True), True


def survey(connection: sqlite3.Connection, source: str, columns: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """The storage classes of the values of those columns whose declared type does not settle them, by one scan."""
    wanted = [name for name, declared in columns if must_be_surveyed(declared_kind(declared))]
    if not wanted:
        return {}
    items = ["".join(("group_concat(DISTINCT typeof(", quote_name(name), "))")) for name in wanted]
    row: tuple[Any, ...] = connection.execute(select_from(items, source)).fetchone()
    return {name: set((found or "").split(",")) - {"null", ""} for name, found in zip(wanted, row, strict=True)}
