"""JSON by value: exact numbers, no order of keys, no white space; the last of duplicate keys wins.

``true`` is not ``1`` and ``"1"`` is not ``1``: every value carries its type.
"""

import json
import re
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


# As PostgreSQL's part of the contract marks it: what jsonb can't hold is left as it was written.
_NOT_IN_JSONB = re.compile(r"\\u(?:0000|d[89a-f])|[0-9.]e[-+]?[0-9]{4}", re.IGNORECASE)


def jsonb_text(text: str) -> str:
    """A document as PostgreSQL's jsonb writes it; ``!`` and the text itself where it is none.

    It only makes equal documents look alike more often: documents whose texts differ are still decided by value.
    """
    if _NOT_IN_JSONB.search(text):
        return f"!{text}"
    try:
        return _write(json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return f"!{text}"


def _write(value: object) -> str:
    if isinstance(value, dict):
        names = sorted(value, key=_jsonb_order)
        return "{" + ", ".join(f"{_quote(name)}: {_write(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_write(item) for item in value) + "]"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, Decimal):
        written = f"{value:f}"
        return written if value else written.removeprefix("-")
    return json.dumps(value)


def _jsonb_order(name: str) -> tuple[int, bytes]:
    encoded = name.encode("utf-8", "surrogatepass")
    return len(encoded), encoded


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
