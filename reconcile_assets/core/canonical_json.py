"""JSON by value: exact numbers, no order of keys, no white space; the last of duplicate keys wins.

``true`` is not ``1`` and ``"1"`` is not ``1``: every value carries its type.
"""

import json
from collections.abc import Hashable
from decimal import Decimal, InvalidOperation


def canonicalize_json(text: str) -> Hashable:
    """A hashable value, equal for two documents exactly when they hold the same value.

    Text that is no JSON, or is nested too deeply to be read, equals only the same text.
    """
    try:
        return _tag(json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return ("text", text)


def _number(token: str) -> Hashable:
    try:
        value = Decimal(token)
    except InvalidOperation:
        return ("number", token)
    return value if value.is_finite() else ("number", token)


def _refuse(token: str) -> None:
    raise ValueError("not a JSON number")


def _tag(value: object) -> Hashable:
    if isinstance(value, dict):
        return ("object", frozenset((name, _tag(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(_tag(item) for item in value))
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, bool) or value is None:
        return ("literal", json.dumps(value))
    if isinstance(value, tuple):
        return value
    return ("number", value)
