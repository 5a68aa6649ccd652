"""Exact texts as the literals by which MySQL takes a value into a column: exactly, or not at all."""

import struct
from collections.abc import Callable

from pymysql.converters import escape_string

from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.mysql.statements import Sql, bits_literal, bytes_literal, clock_literal, number_literal

Encode = Callable[[str], Sql]


def encoder(column_type: ColumnType) -> Encode:
    """What makes the literal of an exact text of the column's kind.

    Raises (by the function that is returned):
        ValueError: MySQL has no such value.
    """
    if column_type.native.startswith("year"):
        return lambda text: clock_literal(text.rjust(4, "0"))  # as text: as a number 0 means 2000
    return _ENCODERS.get(column_type.kind, text_literal)


def text_literal(text: str) -> Sql:
    """Text in quotes: shorter than in hexadecimal; the connection's own ``sql_mode`` reads the backslashes.

    Raises:
        ValueError: bytes that are no UTF-8 can't be text.
    """
    if not text.isascii():
        text.encode()
    return Sql("".join(("'", escape_string(text), "'")))


def _double(text: str) -> Sql:
    """With an exponent it is read as a double; without, as a decimal first."""
    return number_literal(text if "e" in text else "".join((text, "e0")))


def _single(text: str) -> Sql:
    return _double(repr(struct.unpack("<f", struct.pack("<f", float(text)))[0]))


def _moment(text: str) -> Sql:
    return clock_literal(text.removesuffix("+00"))


def _bytes(text: str) -> Sql:
    return bytes_literal(bytes.fromhex(text.removeprefix("\\x")))


_ENCODERS: dict[TypeKind, Encode] = {
    TypeKind.INTEGER: number_literal,
    TypeKind.DECIMAL: number_literal,
    TypeKind.FLOAT32: _single,
    TypeKind.FLOAT64: _double,
    TypeKind.DATE: _moment,
    TypeKind.TIME: _moment,
    TypeKind.TIMESTAMP: _moment,
    TypeKind.TIMESTAMPTZ: _moment,
    TypeKind.BIT: bits_literal,
    TypeKind.BYTES: _bytes,
}
