"""Describing tables and views by SQLAlchemy's inspector, and queries by their values."""

import difflib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from reconcile_assets.core.tables import Column, ColumnType, Table, TableName, TypeKind
from reconcile_assets.databases.sqlalchemy_dialect.traits import traits_of
from reconcile_assets.errors import MissingObject, NotComparable


@dataclass(frozen=True)
class Described:
    """A table, and its names as SQLAlchemy spells them: they know whether they must be quoted.

    Attributes:
        name: of the table; None for a query.
        columns: by our plain name.
    """

    table: Table
    name: str | None = None
    schema: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def find_table(inspector: sa.Inspector, table: TableName, name: str) -> tuple[str | None, str, bool]:
    """Schema and name as SQLAlchemy spells them, and whether it is a view.

    Raises:
        MissingObject: it is not there; near names are offered.
        NotComparable: the name fits several, which differ in case only.
    """
    schema = _schema(inspector, table.schema, name)
    tables = list(inspector.get_table_names(schema))
    views = _views(inspector, schema)
    chosen = _choose([*tables, *views], table.name, name)
    if chosen is None:
        near = difflib.get_close_matches(table.name, [str(found) for found in (*tables, *views)], n=3, cutoff=0.6)
        offer = f"did you mean {' or '.join(near)}?" if near else "check schema and name"
        raise MissingObject(f"{name}: there is no table {table}; {offer}")
    return schema, chosen, chosen not in tables


def _schema(inspector: sa.Inspector, schema: str | None, name: str) -> str | None:
    if schema is None:
        return None
    try:
        known = inspector.get_schema_names()
    except NotImplementedError:
        known = []
    chosen = _choose(known, schema, name)
    if chosen is None:
        raise MissingObject(f"{name}: there is no schema {schema}; check its name, or leave it out")
    return chosen


def _views(inspector: sa.Inspector, schema: str | None) -> list[str]:
    found: list[str] = []
    for ask in (inspector.get_view_names, inspector.get_materialized_view_names):
        try:
            found += ask(schema)
        except NotImplementedError:
            continue
    return found


def _choose(known: Iterable[str], wanted: str, name: str) -> str | None:
    """The name itself, else the only one that differs in case."""
    names = [found for found in known if found is not None]
    exact = [found for found in names if str(found) == wanted]
    same = exact or [found for found in names if str(found).lower() == wanted.lower()]
    if len(same) > 1:
        raise NotComparable(
            f"{name}: several names differ from {wanted} in case only; make a view of the one that you mean"
        )
    return same[0] if same else None


def fetch_columns(inspector: sa.Inspector, schema: str | None, table: str) -> Sequence[Mapping[str, Any]]:
    """The columns as the inspector has them; a type that it does not know is no warning but an unknown type."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        return list(inspector.get_columns(table, schema))


def fetch_keys(
    inspector: sa.Inspector, schema: str | None, table: str, filled: set[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], frozenset[str]]:
    """Primary key, unique keys over columns without NULLs, and the columns that stand first in an index."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        primary = _names(inspector.get_pk_constraint(table, schema)["constrained_columns"])
        try:
            unique = [_names(found["column_names"]) for found in inspector.get_unique_constraints(table, schema)]
            indexes = list(inspector.get_indexes(table, schema))
        except NotImplementedError:
            unique, indexes = [], []
    filled = filled | set(primary)
    for index in indexes:
        plain = index.get("expressions") is None and not index.get("dialect_options")
        if index["unique"] and plain and all(index["column_names"]):
            unique.append(_names(index["column_names"]))
    keys = tuple(dict.fromkeys(found for found in unique if found and found != primary and filled.issuperset(found)))
    return primary, keys, frozenset(names[0] for names in (primary, *keys) if names)


def _names(columns: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(str(column) for column in columns if column is not None)


def by_plain_name(columns: Sequence[Mapping[str, Any]], name: str) -> dict[str, str]:
    """SQLAlchemy's spelling of each column's name, by our plain one.

    Raises:
        NotComparable: two columns have names that only quoting tells apart.
    """
    found = {str(column["name"]): column["name"] for column in columns}
    if len(found) < len(columns):
        raise NotComparable(f"{name}: the table has two columns whose names differ in case only; make a view of it")
    return found


_CLASSES: dict[frozenset[type], TypeKind] = {
    frozenset({int}): TypeKind.INTEGER,
    frozenset({Decimal}): TypeKind.DECIMAL,
    frozenset({int, Decimal}): TypeKind.DECIMAL,
    frozenset({float}): TypeKind.FLOAT64,
    frozenset({str}): TypeKind.TEXT,
    frozenset({bytes}): TypeKind.BYTES,
    frozenset({bool}): TypeKind.BOOLEAN,
    frozenset({date}): TypeKind.DATE,
    frozenset({UUID}): TypeKind.UUID,
    frozenset({time}): TypeKind.TIME,
    frozenset({datetime}): TypeKind.TIMESTAMP,
}
_CLOCKS = frozenset({TypeKind.TIME, TypeKind.TIMESTAMP})


def survey_columns(
    names: Sequence[str], rows: Iterable[Sequence[Any]], dialect: sa.Dialect, *, exact_floats: bool
) -> list[Column]:
    """The columns of a query, whose types are what its values are."""
    classes: list[set[type]] = [set() for _ in names]
    for row in rows:
        for found, value in zip(classes, row, strict=True):
            if value is not None:
                found.add(_class_of(value))
    columns: list[Column] = []
    for name, found in zip(names, classes, strict=True):
        native = " and ".join(sorted(one.__name__ for one in found)) or "no values"
        kind = _CLASSES.get(frozenset(found), TypeKind.UNKNOWN)
        digits = traits_of(dialect).clock_digits if kind in _CLOCKS else None
        if (kind in _CLOCKS and digits is None) or (kind is TypeKind.FLOAT64 and not exact_floats):
            kind = TypeKind.UNKNOWN
        columns.append(Column(name, ColumnType(kind, native, None if digits == 6 else digits)))
    return columns


def _class_of(value: Any) -> type:
    if isinstance(value, datetime | time) and value.tzinfo is not None:
        return object
    return bytes if isinstance(value, bytearray | memoryview) else type(value)
