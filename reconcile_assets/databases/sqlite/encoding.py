"""Exact texts as the values that SQLite keeps: whatever it would change on the way in is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from reconcile_assets.core.canonical_floats import double_text
from reconcile_assets.core.canonical_numbers import plain_decimal
from reconcile_assets.core.tables import ColumnType, TypeKind

Encode = Callable[[str], Any]
_LARGEST = 2**63
_SURE_DIGITS = 15  # a double keeps every decimal of so many digits


def encoder(column_type: ColumnType) -> Encode:
    """What makes the driver's value of an exact text of the column's kind.

    Raises (by the function that is returned):
        ValueError: SQLite would keep another value.
    """
    return _ENCODERS.get(column_type.kind, text_value)


def text_value(text: str) -> str:
    """Text as it is, to its last character; bytes that are no UTF-8 can't be bound as text."""
    text.encode()  # raises UnicodeEncodeError, which is a ValueError
    return text


def _integer(text: str) -> int | float | str:
    """A whole number; what else a column of integers holds (``1.5``) is kept as a decimal is."""
    return _decimal(text)


def _decimal(text: str) -> int | float:
    plain = plain_decimal(text)
    if plain.removeprefix("-").isdecimal():
        whole = int(plain)
        if -_LARGEST <= whole < _LARGEST:
            return whole
        raise ValueError("beyond 64 bits")
    value = float(text)
    if value != value:
        raise ValueError("NaN is kept as NULL")
    if len(plain) > _SURE_DIGITS and Decimal(double_text(value)) != Decimal(plain):
        raise ValueError("more digits than a double keeps")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value != value:
        raise ValueError("NaN is kept as NULL")
    return value


_BOOLEANS = {"true": 1, "false": 0}


def _boolean(text: str) -> int | float:
    found = _BOOLEANS.get(text)
    return _decimal(text) if found is None else found


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


_ENCODERS: dict[TypeKind, Encode] = {
    TypeKind.INTEGER: _integer,
    TypeKind.DECIMAL: _decimal,
    TypeKind.FLOAT64: _float,
    TypeKind.BOOLEAN: _boolean,
    TypeKind.BYTES: _bytes,
}
