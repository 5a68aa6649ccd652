"""Whole columns of SQLite's values as the digest's texts, where all are of the class that their type declares.

The same as :mod:`reconcile_assets.databases.sqlite.values` and the canonical form give one by one, but quicker.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache, partial
from types import NoneType
from typing import Any

from reconcile_assets.core.canonical import ColumnForm, Form
from reconcile_assets.core.canonical_numbers import at_scale, plain_of_double
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.streaming_digest import Quick, Texts

_DAY = len("0000-00-00")
_WHOLE = frozenset({int, NoneType})
_REAL = frozenset({float, NoneType})
_NUMBER = frozenset({int, float, NoneType})
_TEXT = frozenset({str, NoneType})
# With a space or T, seconds, and UTC where it has a zone: all else is looked at one by one.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(\+00:?(?:00)?|Z)?", re.ASCII
)


def quick_column(form: ColumnForm) -> Quick | None:
    """What makes the digest's texts of a column's values; it gives None where some value is of another class."""
    if form.zone is not None or form.canonical.digits is not None:
        return None
    if form.canonical.scale is not None:
        return partial(_scaled, scale=form.canonical.scale) if form.column.type.kind is TypeKind.DECIMAL else None
    return _QUICK.get((form.column.type.kind, form.canonical.form))


def _whole(values: Sequence[Any]) -> Texts | None:
    if not _WHOLE.issuperset(map(type, values)):
        return None
    return [None if value is None else str(value) for value in values]


def _real(values: Sequence[Any]) -> Texts | None:
    if not _REAL.issuperset(map(type, values)):
        return None
    return [None if value is None else plain_of_double(value) for value in values]


def _number(values: Sequence[Any]) -> Texts | None:
    if not _NUMBER.issuperset(map(type, values)):
        return None
    return [
        None if value is None else plain_of_double(value) if isinstance(value, float) else str(value)
        for value in values
    ]


def _scaled(values: Sequence[Any], *, scale: int) -> Texts | None:
    found = _number(values)
    return None if found is None else [None if text is None else at_scale(text, scale) for text in found]


def _text(values: Sequence[Any]) -> Texts | None:
    return values if _TEXT.issuperset(map(type, values)) else None


def _instant(values: Sequence[Any]) -> Texts | None:
    return _moments(values, zoned=True)


def _zoneless(values: Sequence[Any]) -> Texts | None:
    return _moments(values, zoned=False)


def _moments(values: Sequence[Any], *, zoned: bool) -> Texts | None:
    if not _TEXT.issuperset(map(type, values)):
        return None
    texts: list[str | None] = []
    fullmatch, end = _MOMENT.fullmatch, "+00" if zoned else ""
    for value in values:
        if value is None:
            texts.append(None)
            continue
        match = fullmatch(value)
        if match is None:
            return None
        day, clock, fraction, zone = match.groups()
        if (zone is not None) is not zoned or not _is_usual_day(day):
            return None
        fraction = fraction.rstrip("0") if fraction else ""
        texts.append(f"{day} {clock}.{fraction}{end}" if fraction else f"{day} {clock}{end}")
    return texts


def _dates(values: Sequence[Any]) -> Texts | None:
    if not _TEXT.issuperset(map(type, values)):
        return None
    return values if all(value is None or _is_usual_day(value) for value in values) else None


@lru_cache(maxsize=4096)
def _is_usual_day(day: str) -> bool:
    """Whether a text is a day of the calendar with a year of four digits."""
    if len(day) != _DAY or day[4] != "-" or not day.isascii():
        return False
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


_TRUTHS = {0: "false", 1: "true", None: None}


def _booleans(values: Sequence[Any]) -> Texts | None:
    if not _WHOLE.issuperset(map(type, values)) or not _TRUTHS.keys() >= set(values):
        return None
    return [_TRUTHS[value] for value in values]


_QUICK: dict[tuple[TypeKind, Form], Quick] = {
    (TypeKind.INTEGER, Form.NUMBER): _whole,
    (TypeKind.BOOLEAN, Form.NUMBER): _whole,
    (TypeKind.BOOLEAN, Form.BOOLEAN): _booleans,
    (TypeKind.FLOAT64, Form.NUMBER): _real,
    (TypeKind.DECIMAL, Form.NUMBER): _number,
    (TypeKind.TEXT, Form.TEXT): _text,
    (TypeKind.DATE, Form.DATE): _dates,
    (TypeKind.TIMESTAMP, Form.TIMESTAMP): _zoneless,
    (TypeKind.TIMESTAMPTZ, Form.TIMESTAMPTZ): _instant,
}
