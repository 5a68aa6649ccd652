"""SQLAlchemy's types and the canonical kinds that they map to.

A type whose values may lose something on their way through the driver is ``UNKNOWN``: it is never compared.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.sql.sqltypes import _Binary

from reconcile_assets.core.compare_pairs import FINEST
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.sqlalchemy_dialect.traits import Traits, traits_of

Found = tuple[TypeKind, int | None, int | None]  # kind, precision, scale


def resolve_type(native: types.TypeEngine[Any], dialect: sa.Dialect, *, exact_floats: bool) -> ColumnType:
    """The canonical type of a column.

    Args:
        exact_floats: the driver was seen to hand doubles over to the last bit.
    """
    spelled = _spelled(native, dialect)
    for kinds, resolve in _RULES:
        if isinstance(native, kinds):
            kind, precision, scale = resolve(native, dialect, exact_floats)
            return ColumnType(kind, spelled, precision, scale, getattr(native, "length", None))
    return ColumnType(TypeKind.UNKNOWN, spelled)


def is_float(native: types.TypeEngine[Any]) -> bool:
    """Whether the type is one of binary floats."""
    return isinstance(native, types.Float)


def _spelled(native: types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    try:
        return native.compile(dialect=dialect)
    except (sa.exc.SQLAlchemyError, NotImplementedError, AttributeError):
        return type(native).__name__


def _visit_name(native: types.TypeEngine[Any]) -> str:
    return str(getattr(native, "__visit_name__", "")).upper()


def _unknown(native: Any, dialect: sa.Dialect, exact_floats: bool) -> Found:
    return TypeKind.UNKNOWN, None, None


def _only(kind: TypeKind) -> Callable[[Any, sa.Dialect, bool], Found]:
    return lambda native, dialect, exact_floats: (kind, None, None)


def _float(native: Any, dialect: sa.Dialect, exact_floats: bool) -> Found:
    if dialect.name == "oracle" and _visit_name(native) == "FLOAT":
        return TypeKind.DECIMAL, None, None  # a NUMBER of so many binary digits, which no double holds
    if _visit_name(native) in traits_of(dialect).singles:
        return TypeKind.FLOAT32, None, None
    return (TypeKind.FLOAT64 if exact_floats else TypeKind.UNKNOWN), None, None


def _numeric(native: Any, dialect: sa.Dialect, exact_floats: bool) -> Found:
    return TypeKind.DECIMAL, native.precision, native.scale


def _text(native: Any, dialect: sa.Dialect, exact_floats: bool) -> Found:
    if _visit_name(native) in ("BINARY", "VARBINARY") or getattr(native, "charset", None) == "OCTETS":
        return TypeKind.BYTES, None, None
    padded = isinstance(native, types.CHAR | types.NCHAR) and traits_of(dialect).pads_char
    return (TypeKind.CHAR if padded else TypeKind.TEXT), None, None


def _moment(native: Any, dialect: sa.Dialect, exact_floats: bool) -> Found:
    if _visit_name(native) == "TIMESTAMP" and dialect.name in ("mysql", "mariadb"):
        return TypeKind.UNKNOWN, None, None  # an instant that the driver shows on the session's clock
    zoned = _visit_name(native) == "DATETIMEOFFSET" or any(getattr(native, name, False) for name in _ZONED)
    return _with_digits(TypeKind.TIMESTAMPTZ if zoned else TypeKind.TIMESTAMP, native, dialect)


def _time(native: Any, dialect: sa.Dialect, exact_floats: bool) -> Found:
    if getattr(native, "timezone", False):
        return TypeKind.UNKNOWN, None, None
    return _with_digits(TypeKind.TIME, native, dialect)


def _with_digits(kind: TypeKind, native: Any, dialect: sa.Dialect) -> Found:
    """Python's times end at the microsecond: a type that may keep more is not compared."""
    digits = _digits(native, dialect, traits_of(dialect))
    if digits is None or digits > FINEST:
        return TypeKind.UNKNOWN, None, None
    return kind, None if digits == FINEST else digits, None


def _digits(native: Any, dialect: sa.Dialect, traits: Traits) -> int | None:
    name = _visit_name(native)
    if dialect.name == "oracle" and name == "DATE":
        return 0
    if dialect.name == "mssql" and name in ("DATETIME", "SMALLDATETIME"):
        return 3
    if dialect.name in ("mysql", "mariadb"):
        return int(getattr(native, "fsp", None) or 0)
    declared = getattr(native, "precision", None)
    return declared if isinstance(declared, int) else traits.clock_digits


_ZONED = ("timezone", "local_timezone")

# The first that fits holds: what is narrower stands before what is wider.
_RULES: tuple[tuple[Any, Callable[[Any, sa.Dialect, bool], Found]], ...] = (
    (types.NullType, _unknown),
    (types.Interval, _unknown),
    (types.ARRAY, _unknown),
    (types.JSON, _only(TypeKind.JSON)),
    (types.Uuid, _only(TypeKind.UUID)),
    (types.Boolean, _only(TypeKind.BOOLEAN)),
    (types.Float, _float),
    (types.Numeric, _numeric),  # Oracle's NUMBER is an Integer too
    (types.Integer, _only(TypeKind.INTEGER)),
    (types.DateTime, _moment),
    (types.Date, _only(TypeKind.DATE)),
    (types.Time, _time),
    (types.Enum, _only(TypeKind.ENUM)),
    (_Binary, _only(TypeKind.BYTES)),
    (types.String, _text),
)
