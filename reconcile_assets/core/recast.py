"""A value's exact text, recast for a column of another type; what would be changed on the way is refused.

The texts are those by which values are shipped and compared (as PostgreSQL writes them), so each
engine needs no more than one way to read them into its own types.
"""

from collections.abc import Callable
from typing import Any

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.canonical_numbers import plain_decimal, plain_double, plain_single
from reconcile_assets.core.canonical_render import date_as_timestamp
from reconcile_assets.core.canonical_uuids import uuid_digits
from reconcile_assets.core.compare_pairs import NUMBERS, TEXTS, ColumnPair
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.errors import LossyWrite

Recast = Callable[[str], str]
_UUID_DIGITS = 32
_EXACT_NUMBERS = frozenset({TypeKind.INTEGER, TypeKind.DECIMAL})


def transfer_value(pair: ColumnPair, encode: Callable[[str], Any] | None) -> Callable[[str | None], Any]:
    """What makes of a value's exact text in the source what the target's driver takes; NULL stays None.

    Args:
        encode: the target engine's part, from a text of the target's kind; None where its driver takes that text.
            It raises ValueError or OverflowError where the type has no such value.

    Raises (by the function that is returned):
        LossyWrite: the target can't hold the value as it is; the column is named, the value is not.
    """
    change, fits = _change(pair.source.type, pair.target.type), _fits(pair.target.type)

    def transfer(text: str | None) -> Any:
        if text is None:
            return None
        try:
            if text[:1] == FOREIGN:
                raise ValueError("a value that its own column's type does not have")
            found = text if change is None else change(text)
            if fits is not None and not fits(found):
                raise ValueError("more digits than the type keeps: it would be rounded")
            return found if encode is None else encode(found)
        except (ValueError, ArithmeticError):
            raise LossyWrite(
                f"column {pair.source.name}: the {pair.target.type.native} of the target can't hold a value of the"
                f" source ({pair.source.type.native}) as it is"
            ) from None

    return transfer


def _fits(b: ColumnType) -> Callable[[str], bool] | None:
    """Whether a decimal has no more digits after its point than its column keeps; None where any number has."""
    scale = b.scale
    if b.kind is not TypeKind.DECIMAL or scale is None or not b.enforced:
        return None

    def fits(text: str) -> bool:
        _, _, digits = text.partition(".")
        return len(digits) <= scale or ("e" not in digits.lower() and len(digits.rstrip("0")) <= scale)

    return fits


def _change(a: ColumnType, b: ColumnType) -> Recast | None:
    if a.kind is TypeKind.BIT or b.kind is TypeKind.BIT:
        return _bits(a, b)
    if a.kind is b.kind:
        return None
    if {a.kind, b.kind} <= NUMBERS:
        return _number(a, b)
    if TypeKind.BOOLEAN in (a.kind, b.kind):
        return _as_number if a.kind is TypeKind.BOOLEAN else _as_boolean
    if {a.kind, b.kind} == {TypeKind.DATE, TypeKind.TIMESTAMP}:
        return _as_midnight if a.kind is TypeKind.DATE else _as_day
    if b.kind is TypeKind.UUID or (a.kind is TypeKind.BYTES and b.kind in TEXTS):
        return lambda text: _as_uuid(text, is_bytes=a.kind is TypeKind.BYTES)
    if b.kind is TypeKind.BYTES:  # of a UUID, native or written as text
        return lambda text: f"\\x{_as_uuid(text, is_bytes=False).replace('-', '')}"
    return None


def _number(a: ColumnType, b: ColumnType) -> Recast | None:
    if b.kind not in _EXACT_NUMBERS:
        return None
    plain = {TypeKind.FLOAT32: plain_single, TypeKind.FLOAT64: plain_double}.get(a.kind, plain_decimal)
    return plain if b.kind is TypeKind.DECIMAL else lambda text: _whole(plain(text))


def _whole(text: str) -> str:
    if not text.removeprefix("-").isdecimal():
        raise ValueError("no whole number")
    return text


def _bits(a: ColumnType, b: ColumnType) -> Recast | None:
    if a.kind is b.kind:
        return None
    if a.kind is TypeKind.BIT:
        return lambda text: _from_number(str(int(text, 2)), b)
    return lambda text: _to_bits(_whole(plain_decimal(_as_number(text))), b.length or 1)


def _from_number(text: str, b: ColumnType) -> str:
    return _as_boolean(text) if b.kind is TypeKind.BOOLEAN else text


def _to_bits(text: str, length: int) -> str:
    bits = format(int(text), "b")
    if len(bits) > length or bits.startswith("-"):
        raise ValueError("too many bits")
    return bits.zfill(length)


def _as_number(text: str) -> str:
    return {"true": "1", "false": "0"}.get(text, text)


def _as_boolean(text: str) -> str:
    found = {"1": "true", "0": "false"}.get(plain_decimal(text))
    if found is None:
        raise ValueError("neither true nor false")
    return found


def _as_midnight(text: str) -> str:
    moment = date_as_timestamp(text)
    if moment.startswith("!"):
        raise ValueError("no timestamp is so far away")
    return moment


def _as_day(text: str) -> str:
    era = " BC" if text.endswith(" BC") else ""
    day, _, clock = text.removesuffix(" BC").partition(" ")
    if clock not in ("", "00:00:00"):
        raise ValueError("no midnight")
    return f"{day}{era}"


def _as_uuid(text: str, *, is_bytes: bool) -> str:
    digits = uuid_digits(text.rstrip(" "), is_bytes=is_bytes)
    if len(digits) != _UUID_DIGITS:
        raise ValueError("no uuid")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
