"""Exact texts as texts that DuckDB's own casts read as the same values."""

import json
import re
from collections.abc import Callable
from typing import Any

from reconcile_assets.core.canonical_arrays import parse_array
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.duckdb.types import depth_of
from reconcile_assets.databases.quoting import quote_text

Encode = Callable[[str], str]


def value_sql(column_type: ColumnType, item: str) -> str:
    """The expression that makes a column's value of the text that `encoder` gives.

    Args:
        item: an expression of the type VARCHAR.
    """
    if column_type.kind is TypeKind.BYTES:
        return "".join(("unhex(", item, ")"))
    if column_type.kind is TypeKind.ARRAY:
        shape: Any = "VARCHAR"
        for _ in range(depth_of(column_type.native)):
            shape = [shape]
        item = "".join(("from_json(", item, ", ", quote_text(json.dumps(shape)), ")"))
    return "".join(("CAST(", item, " AS ", column_type.native, ")"))


def encoder(column_type: ColumnType) -> Encode | None:
    """What makes the text to be cast of an exact text of the column's kind; None where the two are the same.

    Raises (by the function that is returned):
        ValueError: DuckDB would keep another value.
    """
    if column_type.kind is TypeKind.ARRAY:
        element = column_type.element
        write = None if element is None else _AS_ELEMENT.get(element.kind, _ENCODERS.get(element.kind))
        depth = depth_of(column_type.native)
        return lambda text: _list_text(text, write, depth)
    return _ENCODERS.get(column_type.kind, _text)


def _text(text: str) -> str:
    if not text.isascii():
        text.encode()  # bytes that are no UTF-8 can't be text
    return text


def _whole(text: str) -> str:
    if not text.removeprefix("-").isdecimal():
        raise ValueError("a cast would round it")
    return text


def _bytes(text: str) -> str:
    return text.removeprefix("\\x")


def _element_bytes(text: str) -> str:
    digits = text.removeprefix("\\x")
    return "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))


def _moment(text: str) -> str:
    """The era after the day, as DuckDB has it."""
    if not text.endswith(" BC"):
        return text
    day, space, clock = text.removesuffix(" BC").partition(" ")
    return f"{day} (BC){space}{clock}"


_PART = re.compile(r"([-+]?\d+) (year|mon|day)s?")
_CLOCK = re.compile(r"([-+]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$")


def _interval(text: str) -> str:
    """Months, days and microseconds, each by itself: PostgreSQL's sign before a clock is not read."""
    parts = {"year": 0, "mon": 0, "day": 0}
    for count, unit in _PART.findall(text):
        parts[unit] += int(count)
    clock = _CLOCK.search(text)
    micros = 0
    if clock:
        seconds = (int(clock[2]) * 60 + int(clock[3])) * 60 + int(clock[4])
        micros = seconds * 1_000_000 + int((clock[5] or "0").ljust(6, "0"))
        micros = -micros if clock[1] == "-" else micros
    return f"{parts['year'] * 12 + parts['mon']} months {parts['day']} days {micros} microseconds"


def _list_text(text: str, write: Encode | None, depth: int) -> str:
    """A JSON document of texts: no separator or quote of a list's own syntax can be read otherwise."""
    parsed = parse_array(text, lambda item: item if item is None or write is None else write(item))
    if not isinstance(parsed, tuple) or parsed[:1] == ("bounds",):
        raise ValueError("no list, or one that does not begin with 1")
    if parsed and _depth(parsed) != depth:
        raise ValueError("a list of other depth")
    return json.dumps(_plain(parsed), ensure_ascii=False)


def _plain(item: Any) -> Any:
    if item[:1] == ("value",):
        return item[1]
    return [_plain(each) for each in item]


def _depth(item: Any) -> int:
    return 0 if item[:1] == ("value",) else 1 + max((_depth(each) for each in item), default=0)


_ENCODERS: dict[TypeKind, Encode] = {
    TypeKind.INTEGER: _whole,
    TypeKind.BYTES: _bytes,
    TypeKind.DATE: _moment,
    TypeKind.TIMESTAMP: _moment,
    TypeKind.TIMESTAMPTZ: _moment,
    TypeKind.INTERVAL: _interval,
}
_AS_ELEMENT: dict[TypeKind, Encode] = {TypeKind.BYTES: _element_bytes}
