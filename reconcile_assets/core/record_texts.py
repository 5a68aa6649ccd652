"""The values of a record as the exact texts of the columns that they are for.

A record comes from a program or from JSON, where a decimal may be text and a UUID an object. The
texts are those of `core.recast`, which each engine reads in one way. What would be changed on the
way is refused; what else a text may hold, the database judges.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from reconcile_assets.core.canonical_floats import double_text
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.errors import LossyWrite


def record_text(value: Any, column: Column) -> str | None:
    """The text; None for NULL.

    Times without a zone count as UTC where the column keeps instants, and instants are written in UTC where it keeps
    none. A text for a JSON column is a JSON document already.

    Raises:
        LossyWrite: the column can't hold the value as it is; the column is named, the value is not.
    """
    if value is None:
        return None
    try:
        return _text_for(value, column.type)
    except (ValueError, ArithmeticError):
        raise LossyWrite(
            f"column {column.name}: {column.type.native} can't hold this {type(value).__name__} as it is"
        ) from None


def _text_for(value: Any, column_type: ColumnType) -> str:
    if column_type.kind is TypeKind.ARRAY:
        return value if isinstance(value, str) else _array(value, column_type.element)
    write = _WRITERS.get(column_type.kind)
    return _text(value) if write is None else write(value)


def _text(value: Any) -> str:
    """Of a value in a column that keeps texts, or of which we know no better."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, timedelta):
        return _interval(value)
    if isinstance(value, Mapping | list | tuple):
        return _json_text(value)
    raise ValueError("no text")


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, Decimal):
        return _special(value) if not value.is_finite() else f"{value:f}"
    if isinstance(value, int):
        return str(int(value))
    raise ValueError("no number")


def _special(value: Decimal) -> str:
    return "NaN" if value.is_nan() else "Infinity" if value > 0 else "-Infinity"


def _whole(value: Any) -> str:
    text = _number(value)
    return text[: text.index(".")] if "." in text and not text.partition(".")[2].strip("0") else text


def _boolean(value: Any) -> str:
    if isinstance(value, str):
        return value.strip().lower()
    if isinstance(value, int) and value in (0, 1):
        return "true" if value else "false"
    raise ValueError("neither true nor false")


def _bytes(value: Any) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, UUID):
        return f"\\x{value.hex}"
    if isinstance(value, str) and value.startswith("\\x"):
        return f"\\x{bytes.fromhex(value[2:]).hex()}"
    raise ValueError("no bytes: they are written as \\x and hex digits")


def _parsed(value: Any) -> Any:
    """A text that is an ISO time as that time; any other as it is."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return value


def _date(value: Any) -> str:
    found = _parsed(value)
    if isinstance(found, datetime):
        if found.time() != time():
            raise ValueError("no midnight")
        return found.date().isoformat()
    return _only(found, date)


def _timestamp(value: Any) -> str:
    found = _parsed(value)
    if isinstance(found, datetime):
        return (found if found.tzinfo is None else found.astimezone(UTC)).replace(tzinfo=None).isoformat(sep=" ")
    return f"{found.isoformat()} 00:00:00" if isinstance(found, date) else _only(found, datetime)


def _instant(value: Any) -> str:
    text = _timestamp(value)
    return f"{text}+00" if isinstance(_parsed(value), date) else text


def _time(value: Any) -> str:
    if isinstance(value, timedelta):
        seconds = value // timedelta(seconds=1)
        fraction = f".{value.microseconds:06d}" if value.microseconds else ""
        if seconds < 0:
            raise ValueError("no time of a day")
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"
    return _only(value, time)


def _only(value: Any, kind: type) -> str:
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, kind):
        raise ValueError("another type")
    return str(value.isoformat())  # type: ignore[attr-defined]  # dates and times have it


def _interval(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, timedelta):
        raise ValueError("no interval")
    return f"{value.days} days {_time(timedelta(seconds=value.seconds, microseconds=value.microseconds))}"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else _json_text(value)


def _json_text(value: Any) -> str:
    """A JSON document with its numbers exact."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{_json_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_json_text, value)) + "]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float | Decimal):
        if not math.isfinite(value):
            raise ValueError("JSON has no infinity")
        return _number(value)
    if isinstance(value, bytes):
        raise ValueError("JSON has no bytes")
    return json.dumps(_text(value))


def _array(value: Any, element: ColumnType | None) -> str:
    if not isinstance(value, list | tuple):
        raise ValueError("no list")
    return "{" + ",".join(_element(item, element) for item in value) + "}"


def _element(item: Any, element: ColumnType | None) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list | tuple):
        return _array(item, element)
    text = _text(item) if element is None else _text_for(item, element)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_WRITERS: dict[TypeKind, Callable[[Any], str]] = {
    TypeKind.INTEGER: _whole,
    TypeKind.DECIMAL: _number,
    TypeKind.FLOAT32: _number,
    TypeKind.FLOAT64: _number,
    TypeKind.BOOLEAN: _boolean,
    TypeKind.BYTES: _bytes,
    TypeKind.DATE: _date,
    TypeKind.TIMESTAMP: _timestamp,
    TypeKind.TIMESTAMPTZ: _instant,
    TypeKind.TIME: _time,
    TypeKind.INTERVAL: _interval,
    TypeKind.JSON: _json,
}
