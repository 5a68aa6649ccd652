"""Describing tables, views and queries from PostgreSQL's catalog."""

import difflib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import psycopg
from psycopg import sql

from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.postgresql.types import PostgresType, resolve_type
from reconcile_assets.errors import MissingObject, NotComparable, QueryRefused

LONGEST_NAME = 63  # bytes; the server would cut a longer one off and take another table for it

_FIND = sql.SQL("""
SELECT c.oid, n.nspname, c.relkind::text, c.relhassubclass AND c.relkind = 'r'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = {name} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND ({schema}::text IS NULL AND pg_catalog.pg_table_is_visible(c.oid) OR n.nspname = {schema})
""")

_NEAR = sql.SQL("""
SELECT n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
LIMIT 5000
""")

_COLUMNS = sql.SQL("""
SELECT a.attname, a.atttypid::int8, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attnotnull, a.attgenerated::text, a.attidentity::text
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = {relation}::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
""")

# When this server started, to the microsecond, tells it from every other one.
_IDENTITY = sql.SQL("""
SELECT pg_catalog.concat_ws(
  ' ', extract(epoch FROM pg_catalog.pg_postmaster_start_time()), d.oid, {table}::regclass::oid)
FROM pg_catalog.pg_database d WHERE d.datname = current_database()
""")

_TYPES = sql.SQL("""
WITH RECURSIVE wanted(oid) AS (
  SELECT unnest({oids}::oid[])
  UNION
  SELECT next.oid FROM wanted JOIN pg_catalog.pg_type t ON t.oid = wanted.oid
  CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS next(oid) WHERE next.oid <> 0
)
SELECT t.oid::int8, t.typname, t.typtype::text, t.typbasetype::int8, t.typtypmod,
       CASE WHEN t.typcategory = 'A' AND t.typtype = 'b' THEN t.typelem::int8 ELSE 0 END,
       pg_catalog.format_type(t.oid, NULL)
FROM pg_catalog.pg_type t JOIN wanted ON wanted.oid = t.oid
""")

_INDEXES = sql.SQL("""
SELECT i.indisprimary,
       i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
       i.indpred IS NULL,
       ARRAY(SELECT a.attname::text FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, n)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n)
FROM pg_catalog.pg_index i
WHERE i.indrelid = {relation}::oid AND i.indisvalid
ORDER BY i.indisprimary DESC, i.indexrelid
""")


def user_sql(text: str) -> sql.SQL:
    """SQL that a person wrote, to stand in a statement as it is; :func:`check_statement` has looked at it."""
    return sql.SQL(cast(Any, text))


def source_of(relation: Relation, table: TableName | None = None) -> sql.Composable:
    """The relation as it stands after FROM, with its condition."""
    if relation.query is not None:
        body: sql.Composable = sql.SQL("(\n{}\n) AS q").format(user_sql(_without_end(relation.query)))
    else:
        named = table or relation.table
        if named is None:
            raise ValueError("a relation without a table or a query")
        parts = (named.name,) if named.schema is None else (named.schema, named.name)
        body = sql.Identifier(*parts)
    if relation.where is None:
        return body
    return sql.SQL("(SELECT * FROM {} WHERE (\n{}\n)) AS w").format(body, user_sql(relation.where))


def _without_end(query: str) -> str:
    return query.strip().removesuffix(";")


def check_statement(connection: psycopg.Connection[Any], text: str, what: str) -> None:
    """Let the server parse a text as one statement: it refuses a second one here.

    Raises:
        QueryRefused: a syntax error, or more than one statement.
    """
    result = connection.pgconn.prepare(b"", text.encode())
    if result.status == psycopg.pq.ExecStatus.COMMAND_OK:
        return
    message = psycopg.errors.error_from_result(result, encoding="utf-8")
    primary = (message.diag.message_primary or "refused").split("\n", 1)[0]
    if "multiple commands" in primary:
        primary = "it holds more than one statement"
    if message.sqlstate in {"42703", "42P01"}:
        raise MissingObject(f"{what}: {primary}")
    raise QueryRefused(f"{what}: {primary}")


def check_relation(connection: psycopg.Connection[Any], relation: Relation, name: str) -> None:
    """Refuse a query or condition that a person wrote, when it is not one query or one condition."""
    for what, text in (("query", relation.query), ("condition", relation.where)):
        if text is not None and not text.strip():
            raise QueryRefused(f"{name}: the {what} is empty")
        if text is not None and "\x00" in text:
            raise QueryRefused(f"{name}: the {what} holds a NUL character")
    if relation.query is not None:
        check_statement(connection, _without_end(relation.query), f"{name}: the query is refused")
    if relation.query is not None or relation.where is not None:
        probe = sql.SQL("SELECT * FROM {}").format(source_of(relation))
        what = "query" if relation.where is None else "condition"
        check_statement(connection, probe.as_string(connection), f"{name}: the {what} is refused")
    if relation.where is not None:  # by itself too: "false) or (true" is a condition inside our parentheses only
        alone = sql.SQL("SELECT * FROM {} WHERE\n{}").format(
            source_of(replace(relation, where=None)), user_sql(relation.where)
        )
        check_statement(connection, alone.as_string(connection), f"{name}: the condition is refused")


def describe_table(connection: psycopg.Connection[Any], table: TableName, name: str) -> Table:
    """A table, partitioned or foreign table, view or materialized view.

    Raises:
        MissingObject: it is not there; the nearest names are offered.
    """
    for part in (table.schema, table.name):
        if part is not None and len(part.encode()) > LONGEST_NAME:
            raise MissingObject(
                f"{name}: the name {part[:20]}... is longer than the {LONGEST_NAME} bytes PostgreSQL keeps"
            )
        if part is not None and "\x00" in part:
            raise MissingObject(f"{name}: a name holds a NUL character, which PostgreSQL never keeps")
    found = connection.execute(_FIND.format(name=table.name, schema=table.schema)).fetchone()
    if found is None:
        raise MissingObject(_no_such_table(connection, table, name))
    oid, schema, relkind, has_children = found
    rows = connection.execute(_COLUMNS.format(relation=oid)).fetchall()
    types = fetch_types(connection, {row[1] for row in rows})
    columns = tuple(
        Column(
            name=row[0],
            type=resolve_type(row[1], row[2], row[3], types),
            nullable=not row[4],
            generated=bool(row[5]),
            identity=bool(row[6]),
        )
        for row in rows
    )
    primary, unique, indexed = _read_indexes(connection, oid, columns)
    if has_children:  # a parent's keys promise nothing for the rows of tables that inherit from it
        primary, unique, indexed = (), (), frozenset()
    return Table(TableName(schema, table.name), columns, primary, unique, indexed, relkind in "vm")


def _read_indexes(
    connection: psycopg.Connection[Any], oid: int, columns: tuple[Column, ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], frozenset[str]]:
    filled = {column.name for column in columns if not column.nullable}
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    indexed: set[str] = set()
    for is_primary, is_unique, is_whole, names in connection.execute(_INDEXES.format(relation=oid)).fetchall():
        if is_whole and names and names[0] is not None:
            indexed.add(names[0])
        if is_primary and is_unique:
            primary = tuple(names)
        elif is_unique and filled.issuperset(names):
            unique.append(tuple(names))
    return primary, tuple(unique), frozenset(indexed)


def fetch_types(connection: psycopg.Connection[Any], oids: Iterable[int]) -> dict[int, PostgresType]:
    """The types of these OIDs and all that they are made of."""
    rows = connection.execute(_TYPES.format(oids=[int(oid) for oid in oids])).fetchall()
    return {row[0]: PostgresType(*row) for row in rows}


def fetch_identity(connection: psycopg.Connection[Any], table: TableName) -> str | None:
    """A text that only this table on this server has; ``table`` as it was described."""
    parts = (table.name,) if table.schema is None else (table.schema, table.name)
    row = connection.execute(_IDENTITY.format(table=sql.Identifier(*parts).as_string(connection))).fetchone()
    return None if row is None else str(row[0])


def describe_query(connection: psycopg.Connection[Any], relation: Relation, name: str) -> Table:
    """The columns of a query, as the server describes its result."""
    cursor = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(source_of(relation)))
    result = cursor.pgresult
    if result is None or cursor.description is None:
        raise QueryRefused(f"{name}: the query returns no columns")
    fields = [(column.name, result.ftype(index), result.fmod(index)) for index, column in enumerate(cursor.description)]
    names = [field[0] for field in fields]
    twice = sorted({found for found in names if names.count(found) > 1})
    if twice:
        raise NotComparable(f"{name}: the query has two columns named {twice[0]}; give each its own name")
    types = fetch_types(connection, {field[1] for field in fields})
    spellings = _spell_types(connection, fields)
    columns = tuple(
        Column(name=field[0], type=resolve_type(field[1], field[2], native, types))
        for field, native in zip(fields, spellings, strict=True)
    )
    return Table(TableName(None, "query"), columns, is_view=True)


def _spell_types(connection: psycopg.Connection[Any], fields: list[tuple[str, int, int]]) -> list[str]:
    statement = sql.SQL(
        "SELECT pg_catalog.format_type(o::oid, m) FROM unnest({}::int8[], {}::int4[]) WITH ORDINALITY AS f(o, m, n)"
        " ORDER BY n"
    ).format([field[1] for field in fields], [field[2] for field in fields])
    return [row[0] for row in connection.execute(statement).fetchall()]


def _no_such_table(connection: psycopg.Connection[Any], table: TableName, name: str) -> str:
    names: dict[str, str] = {}
    for schema, relname, visible in connection.execute(_NEAR).fetchall():
        shown = str(TableName(None if visible and table.schema is None else schema, relname))
        names[shown.lower()] = shown
    near = difflib.get_close_matches(str(table).lower(), names, n=3, cutoff=0.7)
    if not near and table.schema is None:
        near = [lower for lower in names if lower.rpartition(".")[2] == table.name.lower()][:3]
    offer = f"; did you mean {' or '.join(names[found] for found in near)}?" if near else "; check name and schema"
    return f"{name}: there is no table {table}{offer}"
