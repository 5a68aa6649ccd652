"""The portable canonical form of a value as text: the Python twin of what PostgreSQL renders in SQL.

An engine whose rows are hashed here gives the exact text of each value (as PostgreSQL would
write it); this makes of it what stands in a row's digest. A twin test feeds every type
through both.
"""

from collections.abc import Callable

from reconcile_assets.core.canonical import FOREIGN, Canonical, Form
from reconcile_assets.core.canonical_json import jsonb_text
from reconcile_assets.core.canonical_numbers import (
    at_scale,
    plain_decimal,
    plain_double,
    plain_single,
    rounded_single,
    single_as_double,
)
from reconcile_assets.core.canonical_times import cut_moment
from reconcile_assets.core.canonical_uuids import dashed, uuid_digits
from reconcile_assets.core.row_digest import encode
from reconcile_assets.core.tables import ColumnType, TypeKind

Render = Callable[[str], str]


def renderer(column_type: ColumnType, canonical: Canonical) -> Render | None:
    """What makes the digest's text of a value's exact text; None where the two are the same.

    A foreign value (one that the column's type does not have) stays as it is.
    """
    choose = _RENDERERS.get(canonical.form)
    render = choose(column_type, canonical.digits) if choose else None
    if canonical.scale is not None:
        render = _at_scale(canonical.scale)
    return _sparing_foreign(render) if render else None


def _sparing_foreign(render: Render) -> Render:
    def spare(text: str) -> str:
        return text if text.startswith(FOREIGN) else render(text)

    return spare


def _at_scale(scale: int) -> Render:
    """A decimal with so many digits after its point, also those that are zero."""

    return lambda text: at_scale(plain_decimal(text), scale)


_BOOLEANS = {"true": "1", "false": "0"}

_NUMBERS: dict[TypeKind, Render] = {
    TypeKind.DECIMAL: plain_decimal,
    TypeKind.FLOAT32: plain_single,
    TypeKind.FLOAT64: plain_double,
    TypeKind.BOOLEAN: lambda text: _BOOLEANS.get(text, text),
    TypeKind.BIT: lambda text: str(int(text, 2)) if text else "!",
}


def _number(column_type: ColumnType, digits: int | None) -> Render | None:
    return _NUMBERS.get(column_type.kind)


def _float32(column_type: ColumnType, digits: int | None) -> Render | None:
    return single_as_double if column_type.kind is TypeKind.FLOAT32 else rounded_single


def _double(column_type: ColumnType, digits: int | None) -> Render | None:
    return single_as_double if column_type.kind is TypeKind.FLOAT32 else plain_double


def _uuid(column_type: ColumnType, digits: int | None) -> Render | None:
    if column_type.kind is TypeKind.UUID:
        return None
    return _uuid_of_bytes if column_type.kind is TypeKind.BYTES else _uuid_of_text


def _uuid_of_bytes(text: str) -> str:
    digits = uuid_digits(text, is_bytes=True)
    return digits if digits.startswith("?") else dashed(digits)


def _uuid_of_text(text: str) -> str:
    """A text that is no UUID is written in hex digits: what stands for a UUID is a plain field."""
    digits = uuid_digits(text)
    return f"!{encode(text).hex()}" if digits.startswith("!") else dashed(digits)


def _json(column_type: ColumnType, digits: int | None) -> Render | None:
    return None if column_type.native == "jsonb" else jsonb_text


def _timestamp(column_type: ColumnType, digits: int | None) -> Render | None:
    if column_type.kind is TypeKind.DATE:
        return date_as_timestamp
    return None if digits is None else lambda text: cut_moment(text, digits)


def date_as_timestamp(text: str) -> str:
    """A date's midnight, as PostgreSQL writes the timestamp; marked where no timestamp is so far away."""
    day, era = (text.removesuffix(" BC"), " BC") if text.endswith(" BC") else (text, "")
    if not day[:1].isdigit():
        return text
    year = int(day[: day.index("-")])
    if year > (4713 if era else 294_276):
        return f"!{text}"
    return f"{day} 00:00:00{era}"


def _time(column_type: ColumnType, digits: int | None) -> Render | None:
    return None if digits is None else lambda text: cut_moment(text, digits, is_time=True)


_RENDERERS: dict[Form, Callable[[ColumnType, int | None], Render | None]] = {
    Form.NUMBER: _number,
    Form.FLOAT32: _float32,
    Form.DOUBLE: _double,
    Form.UUID: _uuid,
    Form.JSON: _json,
    Form.TIMESTAMP: _timestamp,
    Form.TIMESTAMPTZ: lambda column_type, digits: None if digits is None else lambda text: cut_moment(text, digits),
    Form.TIME: _time,
}
