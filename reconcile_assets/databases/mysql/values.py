"""Values on their way: the expression that ships one exactly, its text here, and the literal that finds it again."""

import struct
from collections.abc import Callable
from zoneinfo import ZoneInfo

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.canonical_floats import single_text
from reconcile_assets.core.canonical_times import in_zone
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.mysql.canonical import bits_text, number_text, text_bytes
from reconcile_assets.databases.mysql.statements import (
    Sql,
    bits_literal,
    bytes_literal,
    clock_literal,
    fill,
    number_literal,
    text_literal,
)

_TEXTS = (TypeKind.TEXT, TypeKind.CHAR, TypeKind.ENUM, TypeKind.JSON)
_NUMBERS = (TypeKind.INTEGER, TypeKind.DECIMAL, TypeKind.FLOAT32, TypeKind.FLOAT64)
_CLOCKS = (TypeKind.DATE, TypeKind.TIME, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ)


def value_sql(form: ColumnForm, name: Sql) -> Sql:
    """The bytes by which a value is shipped; :func:`reader` makes its exact text of them."""
    column_type = form.column.type
    if column_type.kind in _TEXTS:
        return text_bytes(column_type, name)
    if column_type.kind in _NUMBERS:
        return fill("CAST({text} AS BINARY)", text=number_text(column_type, name))
    if column_type.kind is TypeKind.BIT:
        return fill("CAST({text} AS BINARY)", text=bits_text(column_type, name))
    if column_type.kind is TypeKind.BYTES:
        return fill("CAST({x} AS BINARY)", x=name)
    return fill("CAST(CAST({x} AS CHAR) AS BINARY)", x=name)


Reader = Callable[[bytes], str]


def reader(form: ColumnForm) -> Reader:
    """What makes a value's exact text, as PostgreSQL would write it, of what was shipped."""
    kind = form.column.type.kind
    if form.zone is not None:
        zone = ZoneInfo(form.zone)
        return lambda value: in_zone(value.decode(), zone)
    if kind is TypeKind.FLOAT32:
        return lambda value: single_text(float(value))
    if kind is TypeKind.BYTES:
        return lambda value: f"\\x{value.hex()}"
    if kind in (TypeKind.TIME, TypeKind.TIMESTAMP):
        return _read_moment
    if kind is TypeKind.TIMESTAMPTZ:
        return lambda value: f"{_read_moment(value)}+00"
    return lambda value: value.decode("utf-8", "surrogateescape")


def _read_moment(value: bytes) -> str:
    text = value.decode()
    return text.rstrip("0").rstrip(".") if "." in text else text


def literal(form: ColumnForm, text: str) -> Sql:
    """The literal by which a column's own index finds the value of this text.

    Raises:
        ValueError: the text is none of the column's type.
    """
    column_type = form.column.type
    if column_type.native.startswith("year"):
        return clock_literal(text.rjust(4, "0"))  # as text: as a number 0 means 2000
    if column_type.kind is TypeKind.FLOAT32:
        return number_literal(repr(struct.unpack("<f", struct.pack("<f", float(text)))[0]))
    if column_type.kind in _NUMBERS:
        return number_literal(text)
    if column_type.kind in _CLOCKS:
        return clock_literal(text.removesuffix("+00"))
    if column_type.kind is TypeKind.BIT:
        return bits_literal(text)
    if column_type.kind is TypeKind.BYTES:
        return bytes_literal(bytes.fromhex(text.removeprefix("\\x")))
    return text_literal(text)
