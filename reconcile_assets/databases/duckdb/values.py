"""DuckDB's values as exact texts: written by DuckDB where its text is exact, the rest here.

Values are fetched as text, because Python's own types would lose something: infinity, years
before Christ or beyond 9999, nanoseconds, the months of an interval.
"""

import re
from collections.abc import Callable
from typing import Any

from reconcile_assets.core import canonical_intervals
from reconcile_assets.core.canonical import ColumnForm, Form
from reconcile_assets.core.canonical_arrays import array_text
from reconcile_assets.core.canonical_floats import double_text, single_text
from reconcile_assets.core.canonical_numbers import plain_of_double
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.duckdb.types import depth_of
from reconcile_assets.databases.streaming_digest import Quick

Exact = Callable[[Any], str | None]

_FLOATS = frozenset({TypeKind.FLOAT32, TypeKind.FLOAT64})


def exact_sql(column_type: ColumnType, item: str) -> str:
    """The expression by which a value is fetched: text, a double, or lists of these."""
    return _exact_sql(column_type, item, depth_of(column_type.native))


def _exact_sql(column_type: ColumnType, item: str, depth: int) -> str:
    if depth and column_type.kind is TypeKind.ARRAY:
        name = "".join(("e", str(depth)))
        return "".join(
            ("list_transform(", item, ", lambda ", name, ": ", _exact_sql(column_type, name, depth - 1), ")")
        )
    kind = column_type.element.kind if column_type.kind is TypeKind.ARRAY and column_type.element else column_type.kind
    if kind is TypeKind.BYTES:
        return "".join(("('\\x' || lower(hex(", item, ")))"))
    return "".join(("CAST(", item, " AS ", "DOUBLE" if kind in _FLOATS else "VARCHAR", ")"))


def exact_of(column_type: ColumnType) -> Exact | None:
    """What writes a fetched value exactly; None where it is fetched as its exact text."""
    if column_type.kind is TypeKind.ARRAY:
        if column_type.element is None:
            return None
        element = exact_of(column_type.element)
        write = _AS_ELEMENT.get(column_type.element.kind, element)
        return lambda value: None if value is None else array_text(_nested(value, write))
    return _WRITERS.get(column_type.kind)


def quick_column(form: ColumnForm) -> Quick | None:
    """What makes the digest's texts of doubles; None for other columns."""
    wanted = (TypeKind.FLOAT64, Form.NUMBER)
    if (form.column.type.kind, form.canonical.form) != wanted or form.canonical.digits is not None:
        return None
    return lambda values: [None if value is None else plain_of_double(value) for value in values]


def _nested(value: Any, write: Exact | None) -> Any:
    if isinstance(value, list | tuple):
        return [_nested(item, write) for item in value]
    return value if write is None or value is None else write(value)


def _moment(value: Any) -> str | None:
    """``0044-03-15 (BC) 01:02:03`` as PostgreSQL has it: the era at the end."""
    if value is None or "(BC)" not in value:
        return None if value is None else str(value)
    return f"{value.replace(' (BC)', '', 1)} BC"


_PART = re.compile(r"(-?\d+) (year|month|day)s?")
_CLOCK = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$")


def interval_text(value: str | None) -> str | None:
    """An interval as PostgreSQL writes it."""
    if value is None:
        return None
    parts = {"year": 0, "month": 0, "day": 0}
    for count, unit in _PART.findall(value):
        parts[unit] += int(count)
    clock = _CLOCK.search(value)
    micros = 0
    if clock:
        seconds = (int(clock[2]) * 60 + int(clock[3])) * 60 + int(clock[4])
        micros = seconds * 1_000_000 + int((clock[5] or "0").ljust(6, "0"))
        micros = -micros if clock[1] else micros
    return canonical_intervals.interval_text(parts["year"] * 12 + parts["month"], parts["day"], micros)


_WRITERS: dict[TypeKind, Exact] = {
    TypeKind.FLOAT32: lambda value: None if value is None else single_text(value),
    TypeKind.FLOAT64: lambda value: None if value is None else double_text(value),
    TypeKind.DATE: _moment,
    TypeKind.TIMESTAMP: _moment,
    TypeKind.TIMESTAMPTZ: _moment,
    TypeKind.INTERVAL: interval_text,
}
_AS_ELEMENT: dict[TypeKind, Exact] = {
    TypeKind.BOOLEAN: lambda value: None if value is None else {"true": "t", "false": "f"}[value],
}
