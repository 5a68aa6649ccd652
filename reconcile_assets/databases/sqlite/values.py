"""SQLite's values as exact texts, each held to the type that its column declares.

A value that the type does not have (text in an INTEGER column) is written with its storage
class behind a mark that no text begins with: it differs from everything but itself.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.canonical_floats import double_text
from reconcile_assets.core.canonical_numbers import is_decimal
from reconcile_assets.core.canonical_times import microseconds_of, moment_text
from reconcile_assets.core.canonical_uuids import uuid_digits
from reconcile_assets.core.tables import TypeKind

Exact = Callable[[Any], str | None]


def foreign(value: Any) -> str:
    """A value that its column's type does not have."""
    if isinstance(value, bytes):
        return f"{FOREIGN}blob:\\x{value.hex()}"
    if isinstance(value, str):
        return f"{FOREIGN}text:{value}"
    return f"{FOREIGN}{'integer' if isinstance(value, int) else 'real'}:{number(value)}"


def number(value: int | float) -> str:
    """A number: a REAL by its shortest round trip."""
    return str(value) if isinstance(value, int) else double_text(value)


def figure_value(value: Any) -> Decimal | str | None:
    """What a person's query gave: a number, or text; bytes are ``\\x`` and hex."""
    if isinstance(value, int | float):
        return Decimal(number(value))
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def _number(value: Any) -> str | None:
    if isinstance(value, int | float):
        return number(value)
    return None if value is None else foreign(value)


def _decimal(value: Any) -> str | None:
    return value if isinstance(value, str) and is_decimal(value) else _number(value)


_EXACT_INTEGER = 2**53


def _float(value: Any) -> str | None:
    if isinstance(value, int) and abs(value) > _EXACT_INTEGER:
        return foreign(value)
    return _number(value)


def _boolean(value: Any) -> str | None:
    if isinstance(value, int) and value in (0, 1):
        return "true" if value else "false"
    return _number(value)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else foreign(value)


def _bytes(value: Any) -> str | None:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return None if value is None else foreign(value)


def _json(value: Any) -> str | None:
    if isinstance(value, int) or (isinstance(value, float) and value - value == 0):
        return number(value)
    return _text(value)


def _uuid(value: Any) -> str | None:
    if value is None:
        return None
    is_bytes = isinstance(value, bytes)
    if not is_bytes and not isinstance(value, str):
        return foreign(value)
    digits = uuid_digits(f"\\x{value.hex()}" if is_bytes else value, is_bytes=is_bytes)
    if digits.startswith(("!", "?")):
        return foreign(value)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_DATE = r"(?P<year>\d{4}|[1-9]\d{4,5})-(?P<month>\d\d)-(?P<day>\d\d)"
_CLOCK = r"(?P<clock>(?:[01]\d|2[0-3]):[0-5]\d)(?P<second>:[0-5]\d(?:\.\d{1,9})?)?"
_ZONE = r"(?P<zone>Z|(?P<sign>[-+])(?P<hours>\d\d):?(?P<minutes>[0-5]\d)?)"
_DAY_TEXT = re.compile(rf"{_DATE}(?P<bc> BC)?", re.ASCII)
_TIME_TEXT = re.compile(_CLOCK, re.ASCII)
_END_OF_DAY = re.compile(r"24:00(?::00(?:\.0{1,9})?)?", re.ASCII)  # a time of day that PostgreSQL also has
_MOMENT_TEXT = re.compile(rf"{_DATE}(?:[ T]{_CLOCK})?(?P<bc> BC)?", re.ASCII)
_INSTANT_TEXT = re.compile(rf"{_DATE}[ T]{_CLOCK} ?{_ZONE}(?P<bc> BC)?", re.ASCII)
_ENDLESS = frozenset({"infinity", "-infinity"})


def _is_date(match: re.Match[str]) -> bool:
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    if not 1 <= month <= 12 or day < 1 or year < 1:
        return False
    if month == 2:
        counted = 1 - year if match["bc"] else year
        return day <= (29 if counted % 4 == 0 and (counted % 100 != 0 or counted % 400 == 0) else 28)
    return day <= (30 if month in (4, 6, 9, 11) else 31)


def _clock(match: re.Match[str]) -> str:
    second = match["second"] or ":00"
    return f"{match['clock']}{second.rstrip('0').rstrip('.') if '.' in second else second}"


def _date(value: Any) -> str | None:
    if not isinstance(value, str):
        return None if value is None else foreign(value)
    match = _DAY_TEXT.fullmatch(value)
    return value if value in _ENDLESS or (match and _is_date(match)) else foreign(value)


def _time(value: Any) -> str | None:
    if not isinstance(value, str):
        return None if value is None else foreign(value)
    match = _TIME_TEXT.fullmatch(value)
    if match is None:
        return "24:00:00" if _END_OF_DAY.fullmatch(value) else foreign(value)
    return _clock(match)


def _timestamp(value: Any) -> str | None:
    if not isinstance(value, str):
        return None if value is None else foreign(value)
    match = _MOMENT_TEXT.fullmatch(value)
    if match is None or not _is_date(match):
        return value if value in _ENDLESS else foreign(value)
    return f"{_day(match)} {_clock(match) if match['clock'] else '00:00:00'}{match['bc'] or ''}"


def _instant(value: Any) -> str | None:
    if not isinstance(value, str):
        return None if value is None else foreign(value)
    match = _INSTANT_TEXT.fullmatch(value)
    if match is None or not _is_date(match):
        return value if value in _ENDLESS else foreign(value)
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0)) // timedelta(microseconds=1)
    moment = microseconds_of(f"{_day(match)} {_clock(match)}{match['bc'] or ''}")
    if isinstance(moment, str):
        return foreign(value)
    return moment_text(moment + offset if match["sign"] == "-" else moment - offset, zone="+00")


def _day(match: re.Match[str]) -> str:
    return f"{match['year']}-{match['month']}-{match['day']}"


EXACT: dict[TypeKind, Exact] = {
    TypeKind.INTEGER: _number,
    TypeKind.DECIMAL: _decimal,
    TypeKind.FLOAT64: _float,
    TypeKind.BOOLEAN: _boolean,
    TypeKind.TEXT: _text,
    TypeKind.BYTES: _bytes,
    TypeKind.JSON: _json,
    TypeKind.UUID: _uuid,
    TypeKind.DATE: _date,
    TypeKind.TIME: _time,
    TypeKind.TIMESTAMP: _timestamp,
    TypeKind.TIMESTAMPTZ: _instant,
    TypeKind.UNKNOWN: _text,
}
