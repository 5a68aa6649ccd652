"""The canonical form of a value: what two engines must both be able to say of it.

A pair of columns is compared in one :class:`Canonical` form. Each engine renders its
own type into that form in SQL (for digests); values that were shipped arrive as the
engine's exact text and are read here into hashable Python values, equal exactly when
the database values are equal. No two different values ever share a form: NULL is
``None`` and never text, numbers are exact, text is its code points.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from reconcile_assets.core.canonical_arrays import parse_array
from reconcile_assets.core.canonical_floats import double_text, to_single
from reconcile_assets.core.canonical_json import canonicalize_json
from reconcile_assets.core.canonical_times import microseconds_of
from reconcile_assets.core.canonical_uuids import uuid_digits
from reconcile_assets.core.tables import Column, ColumnType, TypeKind

FOREIGN = "\ud800"
"""Before the exact text of a value that its column's declared type does not have, such as text in a SQLite INTEGER.

No text of any database begins with it, so such a value equals only the same value.
"""


class Form(StrEnum):
    """How the two values of a pair of columns are compared."""

    NUMBER = "number"  # exact decimal; floats by their shortest round trip
    FLOAT32 = "float32"  # rounded to the nearest single-precision float
    DOUBLE = "double"  # a float of either precision as the double that it is
    TEXT = "text"
    BYTES = "bytes"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMETZ = "timetz"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"
    BIT = "bit"
    OPAQUE = "opaque"


@dataclass(frozen=True)
class Canonical:
    """A form and what narrows it.

    Attributes:
        digits: fractional digits of seconds that are kept, the rest is cut off; None keeps all.
        element: the form of an array's elements.
        scale: digits after the point that decimals of both sides always show; None writes none of the zeros at the end.
    """

    form: Form
    digits: int | None = None
    element: "Canonical | None" = None
    scale: int | None = None


@dataclass(frozen=True)
class ColumnForm:
    """One side's column and the form it is rendered into.

    Attributes:
        native: both sides are one engine and one type, so that the engine's own binary form may serve.
        zone: IANA zone in which a zoneless time is read as an instant; None leaves it zoneless.
        zero_is_null: MySQL's ``0000-00-00`` is read as NULL; the column then counts as nullable.
        identical: native, and both columns are of one type with one length, precision and scale.
    """

    column: Column
    canonical: Canonical
    native: bool = False
    zone: str | None = None
    zero_is_null: bool = False
    identical: bool = False


NATURAL: dict[TypeKind, Form] = {
    TypeKind.INTEGER: Form.NUMBER,
    TypeKind.DECIMAL: Form.NUMBER,
    TypeKind.FLOAT32: Form.FLOAT32,
    TypeKind.FLOAT64: Form.NUMBER,
    TypeKind.TEXT: Form.TEXT,
    TypeKind.CHAR: Form.TEXT,
    TypeKind.ENUM: Form.TEXT,
    TypeKind.BYTES: Form.BYTES,
    TypeKind.BOOLEAN: Form.BOOLEAN,
    TypeKind.DATE: Form.DATE,
    TypeKind.TIME: Form.TIME,
    TypeKind.TIMETZ: Form.TIMETZ,
    TypeKind.TIMESTAMP: Form.TIMESTAMP,
    TypeKind.TIMESTAMPTZ: Form.TIMESTAMPTZ,
    TypeKind.INTERVAL: Form.INTERVAL,
    TypeKind.UUID: Form.UUID,
    TypeKind.JSON: Form.JSON,
    TypeKind.BIT: Form.BIT,
    TypeKind.OPAQUE: Form.OPAQUE,
}


def natural_form(column_type: ColumnType) -> Canonical | None:
    """The form of a type beside itself; None for a type that is never compared."""
    if column_type.kind is TypeKind.ARRAY:
        element = natural_form(column_type.element) if column_type.element else None
        return Canonical(Form.ARRAY, element=element) if element else None
    form = NATURAL.get(column_type.kind)
    return Canonical(form) if form else None


def canonicalize(text: str | None, column_type: ColumnType, canonical: Canonical) -> Hashable:
    """Read an engine's exact text of a value into a value that equals only what is equal.

    Args:
        text: the engine's text; None is NULL and stays None.
        column_type: the type of the column that the text came from.
        canonical: the form agreed on for the pair of columns.
    """
    if text is None or text.startswith(FOREIGN):
        return text
    return _READERS[canonical.form](text, column_type, canonical)


def _read_number(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    if column_type.kind is TypeKind.BOOLEAN:
        return {"true": 1, "false": 0}[text] if text in ("true", "false") else exact_number(text)
    if column_type.kind is TypeKind.BIT:
        return int(text, 2) if text else text
    if column_type.kind is TypeKind.INTEGER:
        return int(text) if text.removeprefix("-").isdecimal() else exact_number(text)
    if column_type.kind is TypeKind.FLOAT64:
        return exact_number(double_text(float(text)))
    return exact_number(text)


def exact_number(text: str) -> Hashable:
    """A decimal that compares exactly; ``"NaN"`` stands for itself, so that NaN equals NaN."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    return "NaN" if value.is_nan() else value


def _read_float32(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    value = float(text)
    if value != value:
        return "NaN"
    try:
        return to_single(value)
    except OverflowError:  # finite, yet beyond single precision: equal to no float32
        return value


def _read_double(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    value = float(text)
    return exact_number(double_text(to_single(value) if column_type.kind is TypeKind.FLOAT32 else value))


def _read_text(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    return text.rstrip(" ") if column_type.kind is TypeKind.CHAR else text


def _read_time(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    value = microseconds_of(text)
    if canonical.digits is None or isinstance(value, str):
        return value
    unit: int = 10 ** (6 - canonical.digits)
    if canonical.form is Form.TIME and value < 0:  # its digits are cut off, as everywhere
        return value + -value % unit
    return value - value % unit


def _read_uuid(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    bare = text.rstrip(" ") if column_type.kind is TypeKind.CHAR else text
    return uuid_digits(bare, is_bytes=column_type.kind is TypeKind.BYTES)


def _read_json(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    return canonicalize_json(text)


def _read_array(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    element_type, element = column_type.element, canonical.element
    if element_type is None or element is None:
        return text
    return parse_array(text, lambda item: canonicalize(item, element_type, element))


def _read_verbatim(text: str, column_type: ColumnType, canonical: Canonical) -> Hashable:
    return text


_READERS: dict[Form, Callable[[str, ColumnType, Canonical], Hashable]] = {
    Form.NUMBER: _read_number,
    Form.FLOAT32: _read_float32,
    Form.DOUBLE: _read_double,
    Form.TEXT: _read_text,
    Form.BYTES: _read_verbatim,
    Form.BOOLEAN: _read_verbatim,
    Form.DATE: _read_verbatim,
    Form.TIME: _read_time,
    Form.TIMETZ: _read_verbatim,
    Form.TIMESTAMP: _read_time,
    Form.TIMESTAMPTZ: _read_time,
    Form.INTERVAL: _read_verbatim,
    Form.UUID: _read_uuid,
    Form.JSON: _read_json,
    Form.ARRAY: _read_array,
    Form.BIT: _read_verbatim,
    Form.OPAQUE: _read_verbatim,
}


_EXACT_INTEGER = 2**53


def display_value(text: str | None, column_type: ColumnType) -> bool | int | float | str | None:
    """A value as JSON shows it: NULL, booleans, finite floats and integers within 2^53 as such, else its text."""
    if text is None:
        return None
    if text.startswith(FOREIGN):
        return printable_text(text.removeprefix(FOREIGN))
    if column_type.kind is TypeKind.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    if column_type.kind is TypeKind.INTEGER and text.removeprefix("-").isdecimal():
        number = int(text)
        return number if abs(number) <= _EXACT_INTEGER else text
    if column_type.kind in (TypeKind.FLOAT32, TypeKind.FLOAT64):
        value = float(text)
        return value if value - value == 0 else text
    return printable_text(text)


def printable_text(text: str) -> str:
    """The text, with bytes that are no valid UTF-8 written as ``\\x`` and hex digits."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
