"""Describing tables, views and queries from MySQL's and MariaDB's catalog."""

import difflib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.mysql.connection import execute, is_mariadb
from reconcile_assets.databases.mysql.fields import describe_fields
from reconcile_assets.databases.mysql.statements import Sql, fill, identifier, join, sql, text_literal, user_sql
from reconcile_assets.databases.mysql.types import resolve_type
from reconcile_assets.errors import MissingObject, QueryRefused

if TYPE_CHECKING:
    from pymysql.connections import Connection

LONGEST_NAME = 64  # characters

_FIND = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE {where}"
_COLUMNS = """
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION,
       CHARACTER_MAXIMUM_LENGTH, CHARACTER_SET_NAME, EXTRA
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name} ORDER BY ORDINAL_POSITION
"""
_INDEXES = """
SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name} ORDER BY INDEX_NAME, SEQ_IN_INDEX
"""
_CHECKS = """
SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = {schema} AND TABLE_NAME = {name}
"""
_JSON_CHECK = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)", re.IGNORECASE)


def source_of(relation: Relation, table: Table | None) -> Sql:
    """The relation as it stands after FROM, with its condition."""
    if relation.query is not None:
        body = fill("(\n{query}\n) AS q", query=user_sql(relation.query.strip().removesuffix(";")))
    else:
        named = table.name if table is not None else relation.table
        if named is None:
            raise ValueError("a relation without a table or a query")
        body = identifier(named.name) if named.schema is None else identifier(named.schema, named.name)
    if relation.where is None:
        return body
    columns = sql("*")
    if table is not None and relation.query is None:  # by name: a star leaves invisible columns out
        columns = join(", ", [identifier(column.name) for column in table.columns])
    return fill(
        "(SELECT {columns} FROM {body} WHERE (\n{where}\n)) AS w",
        columns=columns,
        body=body,
        where=user_sql(relation.where),
    )


def check_relation(connection: "Connection[Any]", relation: Relation, table: Table | None, name: str) -> None:
    """Refuse a query or condition that is empty or that the server does not take; rows are not read.

    Raises:
        QueryRefused: it is empty, or holds a NUL character.
        pymysql.Error: the server refuses it.
    """
    for what, text in (("query", relation.query), ("condition", relation.where)):
        if text is not None and not text.strip():
            raise QueryRefused(f"{name}: the {what} is empty")
        if text is not None and "\x00" in text:
            raise QueryRefused(f"{name}: the {what} holds a NUL character")
    # Without a condition too: it fails where some columns may not be read, which the catalog would just hide.
    execute(connection, fill("SELECT * FROM {source} LIMIT 0", source=source_of(relation, table)))
    if relation.where is not None:  # by itself too: "1=1) OR (1=1" is a condition inside our parentheses only
        whole = source_of(replace(relation, where=None), table)
        execute(
            connection,
            fill("SELECT 1 FROM {source} WHERE\n{where}\nLIMIT 0", source=whole, where=user_sql(relation.where)),
        )


def describe_table(connection: "Connection[Any]", table: TableName, name: str) -> Table:
    """A table or view.

    Raises:
        MissingObject: it is not there; the nearest names are offered.
    """
    for part in (table.schema, table.name):
        if part is not None and len(part) > LONGEST_NAME:
            raise MissingObject(
                f"{name}: the name {part[:20]}... is longer than the {LONGEST_NAME} characters MySQL keeps"
            )
        if part is not None and "\x00" in part:
            raise MissingObject(f"{name}: a name holds a NUL character, which MySQL never keeps")
        if part is not None and any(not "\0" < character <= "\uffff" for character in part):
            raise MissingObject(f"{name}: the name {part} has a character beyond U+FFFF, which MySQL never keeps")
    schema, found, is_view = _find(connection, table, name)
    where = {"schema": text_literal(schema), "name": text_literal(found)}
    json_columns = _json_columns(connection, where)
    columns = tuple(
        _column(row, json_columns) for row in execute(connection, fill(_COLUMNS, **where)) if row[0] is not None
    )
    primary, unique, indexed = _read_indexes(connection, where, columns)
    return Table(TableName(schema, found), columns, primary, unique, indexed, is_view)


def _find(connection: "Connection[Any]", table: TableName, name: str) -> tuple[str, str, bool]:
    """The catalog compares names without case: the exact one is meant, unless the server itself has no case."""
    schema = sql("DATABASE()") if table.schema is None else text_literal(table.schema)
    if table.schema is None and execute(connection, "SELECT DATABASE()")[0][0] is None:
        raise MissingObject(f"{name}: the URL names no database; add one, or write the table as DATABASE.{table}")
    where = fill("TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}", schema=schema, name=text_literal(table.name))
    found = [(str(row[0]), str(row[1]), "VIEW" in str(row[2])) for row in execute(connection, fill(_FIND, where=where))]
    exact = [row for row in found if row[1] == table.name and table.schema in (None, row[0])]
    if exact:
        return exact[0]
    caseless = str(execute(connection, "SELECT @@lower_case_table_names")[0][0]) != "0"
    folded = [row for row in found if row[1].lower() == table.name.lower()]
    if caseless and folded:
        return folded[0]
    raise MissingObject(_no_such_table(connection, table, schema, name))


def _no_such_table(connection: "Connection[Any]", table: TableName, schema: Sql, name: str) -> str:
    rows = execute(connection, fill(_FIND, where=fill("TABLE_SCHEMA = {schema} LIMIT 5000", schema=schema)))
    names = {str(row[1]).lower(): str(row[1]) for row in rows}
    near = difflib.get_close_matches(table.name.lower(), names, n=3, cutoff=0.7)
    prefix = "" if table.schema is None else f"{table.schema}."
    offer = " or ".join(f"{prefix}{names[found]}" for found in near)
    return f"{name}: there is no table {table}{f'; did you mean {offer}?' if offer else '; check name and database'}"


def _json_columns(connection: "Connection[Any]", where: dict[str, Sql]) -> frozenset[str]:
    if not is_mariadb(connection):
        return frozenset()
    clauses = [str(row[0]) for row in execute(connection, fill(_CHECKS, **where))]
    matches = [_JSON_CHECK.fullmatch(clause.strip()) for clause in clauses]
    return frozenset(match[1].replace("``", "`") for match in matches if match)


def _column(row: tuple[Any, ...], json_columns: frozenset[str]) -> Column:
    name, data_type, native, nullable, precision, scale, seconds, length, charset, extra = row
    column_type = resolve_type(
        str(data_type).lower(),
        str(native),
        precision=_integer(precision),
        scale=_integer(scale),
        length=_integer(length),
        seconds=_integer(seconds),
        charset=charset,
        is_json=name in json_columns and str(data_type).lower() == "longtext",
    )
    generated = "GENERATED" in str(extra).upper() and "DEFAULT_GENERATED" not in str(extra).upper()
    return Column(
        name=str(name),
        type=column_type,
        nullable=nullable == "YES",
        generated=generated,
        identity="auto_increment" in str(extra).lower(),
    )


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))


def _read_indexes(
    connection: "Connection[Any]", where: dict[str, Sql], columns: tuple[Column, ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], frozenset[str]]:
    filled = {column.name for column in columns if not column.nullable}
    parts: dict[str, list[str | None]] = {}
    repeated: set[str] = set()
    for index, non_unique, column in execute(connection, fill(_INDEXES, **where)):
        parts.setdefault(str(index), []).append(column)
        if str(non_unique) != "0":
            repeated.add(str(index))
    indexed = frozenset(names[0] for names in parts.values() if names[0] is not None)
    keys = {
        index: tuple(found for found in names if found is not None)
        for index, names in parts.items()
        if index not in repeated and filled.issuperset(names)  # a part that is an expression has no name
    }
    primary = keys.pop("PRIMARY", ())
    return primary, tuple(keys.values()), indexed


def describe_query(connection: "Connection[Any]", relation: Relation, name: str) -> Table:
    """The columns of a query, as the server describes its result."""
    columns = describe_fields(connection, source_of(relation, None))
    if not columns:
        raise QueryRefused(f"{name}: the query returns no columns")
    return Table(TableName(None, "query"), columns, is_view=True)
