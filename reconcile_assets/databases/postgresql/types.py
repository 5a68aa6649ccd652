"""PostgreSQL's types and the canonical kinds that they map to."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconcile_assets.core.tables import ColumnType, TypeKind

_VARIABLE = 4  # bytes of header that a type modifier counts

KIND_BY_OID: dict[int, TypeKind] = {
    16: TypeKind.BOOLEAN,
    17: TypeKind.BYTES,
    19: TypeKind.TEXT,  # name
    20: TypeKind.INTEGER,
    21: TypeKind.INTEGER,
    23: TypeKind.INTEGER,
    25: TypeKind.TEXT,
    26: TypeKind.INTEGER,  # oid
    114: TypeKind.JSON,
    700: TypeKind.FLOAT32,
    701: TypeKind.FLOAT64,
    1042: TypeKind.CHAR,
    1043: TypeKind.TEXT,
    1082: TypeKind.DATE,
    1083: TypeKind.TIME,
    1114: TypeKind.TIMESTAMP,
    1184: TypeKind.TIMESTAMPTZ,
    1186: TypeKind.INTERVAL,
    1266: TypeKind.TIMETZ,
    1560: TypeKind.BIT,
    1562: TypeKind.BIT,
    1700: TypeKind.DECIMAL,
    2950: TypeKind.UUID,
    3802: TypeKind.JSON,
    # Equal exactly when their texts are: network addresses, log positions, ranges of exact types.
    650: TypeKind.OPAQUE,
    869: TypeKind.OPAQUE,
    829: TypeKind.OPAQUE,
    774: TypeKind.OPAQUE,
    3220: TypeKind.OPAQUE,
    3614: TypeKind.OPAQUE,
    3904: TypeKind.OPAQUE,
    3926: TypeKind.OPAQUE,
    3908: TypeKind.OPAQUE,
    3910: TypeKind.OPAQUE,
    3912: TypeKind.OPAQUE,
    4451: TypeKind.OPAQUE,
    4536: TypeKind.OPAQUE,
    4533: TypeKind.OPAQUE,
    4534: TypeKind.OPAQUE,
    4535: TypeKind.OPAQUE,
}


@dataclass(frozen=True)
class PostgresType:
    """A row of ``pg_type``.

    Attributes:
        family: ``typtype``: b base, d domain, e enum, c composite, r range, m multirange, p pseudo.
        base: the domain's type, else 0.
        base_modifier: the domain's modifier of that type.
        element: the array's element, 0 for anything else.
        native: its name as it can stand in a cast, without a modifier.
    """

    oid: int
    name: str
    family: str
    base: int
    base_modifier: int
    element: int
    native: str


def resolve_type(oid: int, modifier: int, native: str, types: Mapping[int, PostgresType]) -> ColumnType:
    """The canonical type of an OID with its modifier; domains are resolved to what they are made of."""
    found = types.get(oid)
    if found is None:
        return ColumnType(TypeKind.UNKNOWN, native)
    if found.family == "d":
        return resolve_type(found.base, found.base_modifier, _native_of(found.base, types), types)
    if found.element:
        element = resolve_type(found.element, modifier, _native_of(found.element, types), types)
        return ColumnType(TypeKind.ARRAY, native, element=element)
    if found.family == "e":
        return ColumnType(TypeKind.ENUM, native)
    if found.name == "citext" and found.family == "b":
        return ColumnType(TypeKind.TEXT, native)
    kind = KIND_BY_OID.get(oid, TypeKind.UNKNOWN)
    precision, scale, length = _limits(kind, oid, modifier)
    return ColumnType(kind, native, precision, scale, length)


def _native_of(oid: int, types: Mapping[int, PostgresType]) -> str:
    return types[oid].native if oid in types else "unknown"


_INTEGER_DIGITS = {21: 5, 23: 10, 20: 19, 26: 10}


def _limits(kind: TypeKind, oid: int, modifier: int) -> tuple[int | None, int | None, int | None]:
    """Precision, scale and length out of a type modifier, as ``format_type`` reads it."""
    if kind is TypeKind.INTEGER:
        return _INTEGER_DIGITS.get(oid), 0, None
    if modifier < 0:
        return None, None, None
    if kind is TypeKind.DECIMAL:
        limits = modifier - _VARIABLE
        scale = limits & 0x7FF
        return (limits >> 16) & 0xFFFF, scale - 2048 if scale >= 1024 else scale, None
    if kind in (TypeKind.TEXT, TypeKind.CHAR):
        return None, None, modifier - _VARIABLE
    if kind is TypeKind.BIT:
        return None, None, modifier
    if kind in (TypeKind.TIME, TypeKind.TIMETZ, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ):
        return modifier if modifier < 6 else None, None, None
    return None, None, None
