"""A driver's Python values as exact texts, each held to the kind of its column.

What could already have lost something (a float out of a decimal column, a time without the offset
that its type promises) ends the comparison instead of being compared.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.canonical_floats import double_text, single_text, to_single
from reconcile_assets.core.canonical_numbers import is_decimal, plain_decimal
from reconcile_assets.core.canonical_times import microseconds_of, moment_text
from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.databases.sqlite import values as sqlite_values
from reconcile_assets.databases.streaming_rows import Exact
from reconcile_assets.errors import NotComparable

_MICROSECOND = timedelta(microseconds=1)
_WHOLE = 2**53  # beyond it not every whole number is a double
_ENDS = frozenset({date.min, date.max, datetime.min, datetime.max})


class _InexactError(Exception):
    """A value that may not be the database's own."""


def writer(column: Column, *, name: str, ends_are_infinite: bool = False) -> Exact:
    """What writes a column's values exactly.

    Args:
        name: what messages call the database.
        ends_are_infinite: the driver shows infinity as the last day that Python has.
    """
    write = _WRITERS.get(column.type.kind, _refuse)

    def exact(value: Any) -> str | None:
        if value is None:
            return None
        try:
            if ends_are_infinite and isinstance(value, date) and _is_end(value):
                raise _InexactError
            return write(value)
        except _InexactError:
            kind = type(value).__name__
            raise NotComparable(
                f"{name}: the column {column.name} ({column.type.native}) comes through the driver as {kind}, which may"
                " not be the exact value; leave the column out with --exclude"
            ) from None

    return exact


def _is_end(value: date) -> bool:
    return (value.replace(tzinfo=None) if isinstance(value, datetime) else value) in _ENDS


def _refuse(value: Any) -> str:
    raise _InexactError


def _integer(value: Any) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return plain_decimal(str(value))
    raise _InexactError


def _decimal(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str) and is_decimal(value):
        return value
    raise _InexactError


def _double(value: Any) -> str:
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, int) and abs(value) <= _WHOLE:
        return str(int(value))
    raise _InexactError


def _single(value: Any) -> str:
    if not isinstance(value, float):
        raise _InexactError
    if value - value == 0 and _rounded(value) != value:
        raise _InexactError
    return single_text(value)


def _rounded(value: float) -> float | None:
    try:
        return to_single(value)
    except OverflowError:
        return None


def _text(value: Any) -> str:
    if isinstance(value, str) and not value.startswith(FOREIGN):
        return str(value)
    raise _InexactError


def _bytes(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    raise _InexactError


def _boolean(value: Any) -> str:
    if isinstance(value, int):
        return ("true" if value else "false") if value in (0, 1) else str(value)
    raise _InexactError


def _from_text(kind: TypeKind, value: Any) -> str:
    """Text, as some drivers hand it over: ISO dates and times, any spelling of a UUID."""
    text = sqlite_values.EXACT[kind](value) if isinstance(value, str | bytes) else None
    if text is None or text.startswith(FOREIGN):
        raise _InexactError
    return text


def _date(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _from_text(TypeKind.DATE, value)


def _timestamp(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        return _shortened(value.isoformat(sep=" "))
    return _from_text(TypeKind.TIMESTAMP, value)


def _instant(value: Any) -> str:
    if not isinstance(value, datetime):
        return _from_text(TypeKind.TIMESTAMPTZ, value)
    offset = value.utcoffset()
    if offset is None:
        raise _InexactError
    # Not by astimezone(): the instant may lie in a year that Python does not have.
    local = microseconds_of(value.replace(tzinfo=None).isoformat(sep=" "))
    if isinstance(local, str):
        raise _InexactError
    return moment_text(local - offset // _MICROSECOND, zone="+00")


def _time(value: Any) -> str:
    if isinstance(value, time) and value.tzinfo is None:
        return _shortened(value.isoformat())
    return _from_text(TypeKind.TIME, value)


def _shortened(text: str) -> str:
    return text.rstrip("0") if "." in text else text


def _uuid(value: Any) -> str:
    return str(value) if isinstance(value, UUID) else _from_text(TypeKind.UUID, value)


_WRITERS: dict[TypeKind, Callable[[Any], str]] = {
    TypeKind.INTEGER: _integer,
    TypeKind.DECIMAL: _decimal,
    TypeKind.FLOAT32: _single,
    TypeKind.FLOAT64: _double,
    TypeKind.TEXT: _text,
    TypeKind.CHAR: lambda value: _text(value).rstrip(" "),
    TypeKind.ENUM: _text,
    TypeKind.JSON: _text,
    TypeKind.BYTES: _bytes,
    TypeKind.BOOLEAN: _boolean,
    TypeKind.DATE: _date,
    TypeKind.TIME: _time,
    TypeKind.TIMESTAMP: _timestamp,
    TypeKind.TIMESTAMPTZ: _instant,
    TypeKind.UUID: _uuid,
}
