"""Records as JSON, exactly: what a column can hold comes back as it was.

JSON has no decimals, times, bytes or infinities: these become ``{"$": type, "v": text}``. The
text is canonical (sorted keys, no spaces), so that equal records have equal texts and hashes.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_TAG, _VALUE = "$", "v"


def encode_record(record: Mapping[str, Any]) -> str:
    """The canonical JSON text of a record.

    Raises:
        TypeError: a value's type has no exact form; the message names the column and the type, no value.
    """
    encoded = {}
    for name, value in record.items():
        if not isinstance(name, str):
            raise TypeError(f"a column's name is text, not {type(name).__name__}")
        try:
            encoded[name] = _encode(value)
        except TypeError as error:
            raise TypeError(f"column {name}: {error}") from None
    return _dump(encoded)


def decode_record(text: str) -> dict[str, Any]:
    """The record of a text that :func:`encode_record` has made.

    Raises:
        ValueError: the text is no such text.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("a record is a JSON object")
    return {name: _decode(value) for name, value in found.items()}


def hash_record(record: Mapping[str, Any]) -> str:
    """64 hex digits (SHA-256) of the canonical text."""
    return hashlib.sha256(encode_record(record).encode("utf-8", "surrogatepass")).hexdigest()


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _tagged("float", repr(value))
    if isinstance(value, Mapping):
        return _encode_mapping(value)
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    for kind, name, write, _ in _TYPES:
        if isinstance(value, kind):
            return _tagged(name, write(value))
    raise TypeError(f"a value of type {type(value).__name__} has no exact form as JSON")


def _encode_mapping(value: Mapping[Any, Any]) -> Any:
    if not all(isinstance(name, str) for name in value):
        raise TypeError("an object's names are text")
    encoded = {name: _encode(item) for name, item in value.items()}
    return {_TAG: "object", _VALUE: encoded} if _TAG in encoded else encoded


def _tagged(name: str, text: str) -> dict[str, str]:
    return {_TAG: name, _VALUE: text}


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {name: _decode(item) for name, item in value.items()}
    if value[_TAG] == "object":
        return {name: _decode(item) for name, item in value[_VALUE].items()}
    if value[_TAG] not in _READERS or not isinstance(value.get(_VALUE), str):
        raise ValueError("a record holds a value of an unknown type")
    return _READERS[value[_TAG]](value[_VALUE])


def _write_delta(value: timedelta) -> str:
    return f"{value.days}:{value.seconds}:{value.microseconds}"


def _read_delta(text: str) -> timedelta:
    days, seconds, microseconds = map(int, text.split(":"))
    return timedelta(days, seconds, microseconds)


_TYPES: tuple[tuple[type, str, Callable[[Any], str], Callable[[str], Any]], ...] = (
    (Decimal, "decimal", str, Decimal),
    (datetime, "datetime", datetime.isoformat, datetime.fromisoformat),  # before date, of which it is a kind
    (date, "date", date.isoformat, date.fromisoformat),
    (time, "time", time.isoformat, time.fromisoformat),
    (timedelta, "timedelta", _write_delta, _read_delta),
    (UUID, "uuid", str, UUID),
    (bytes, "bytes", bytes.hex, bytes.fromhex),
)
_READERS: dict[str, Callable[[str], Any]] = {name: read for _, name, _, read in _TYPES} | {"float": float}
