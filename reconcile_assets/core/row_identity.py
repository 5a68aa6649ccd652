"""Which writes are of the same row: pure, and rather too often yes than too seldom.

Writes of one row keep their order. How a database compares keys (the case of letters, accents,
blanks at the end, a number given as text) is not known where a write is kept, so everything that
some database takes for equal counts as the same row here. Two rows taken for one wait for each
other; one row taken for two would be written in the wrong order.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from reconcile_assets.core.record_json import encode_record

_NUMBER = re.compile(r"[-+]?\d{1,400}(\.\d{1,400})?", re.ASCII)
_UUID = re.compile(r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", re.ASCII)


def row_identity(table: str, key: Mapping[str, Any]) -> str:
    """32 hex digits, the same for writes that may be of the same row.

    Args:
        key: the values that name the row, by column; none is None.
    """
    parts = sorted((name.casefold(), _text_of(value)) for name, value in key.items())
    text = json.dumps([table, parts], ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return _text_of_text(value)
    if isinstance(value, bool | int | float | Decimal):
        return _number(str(int(value)) if isinstance(value, bool) else str(value))
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return _moment(datetime(value.year, value.month, value.day))
    if isinstance(value, UUID):
        return f"uuid {value.hex}"
    return encode_record({"": value})


def _text_of_text(text: str) -> str:
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        return _number(stripped)
    found = _UUID.fullmatch(stripped)
    if found:
        return f"uuid {''.join(found.groups()).lower()}"
    if _MOMENT.fullmatch(stripped):
        try:
            return _moment(datetime.fromisoformat(stripped))
        except ValueError:
            pass  # a text like any other
    folded = unicodedata.normalize("NFKD", stripped.casefold())
    return f"text {''.join(each for each in folded if not unicodedata.combining(each))}"


def _number(text: str) -> str:
    number = Decimal(text)
    if not number.is_finite():
        return f"number {number}"
    sign, digits, exponent = number.as_tuple()
    plain = "".join(map(str, digits)).lstrip("0")
    trimmed = plain.rstrip("0")
    if not trimmed:
        return "number 0"
    return f"number {'-' if sign else ''}{trimmed}e{int(exponent) + len(plain) - len(trimmed)}"


def _moment(moment: datetime) -> str:
    """An instant in UTC; a time without a zone is taken as UTC, as a connection in UTC takes it."""
    try:
        return f"moment {(moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None)}"
    except OverflowError:  # at the end of the calendar
        return f"moment {moment}"
