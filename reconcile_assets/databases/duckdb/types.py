"""DuckDB's types, as their names spell them, and the canonical kinds that they map to."""

import re

from reconcile_assets.core.tables import ColumnType, TypeKind

KINDS: dict[str, TypeKind] = {
    "BOOLEAN": TypeKind.BOOLEAN,
    "TINYINT": TypeKind.INTEGER,
    "SMALLINT": TypeKind.INTEGER,
    "INTEGER": TypeKind.INTEGER,
    "BIGINT": TypeKind.INTEGER,
    "HUGEINT": TypeKind.INTEGER,
    "UTINYINT": TypeKind.INTEGER,
    "USMALLINT": TypeKind.INTEGER,
    "UINTEGER": TypeKind.INTEGER,
    "UBIGINT": TypeKind.INTEGER,
    "UHUGEINT": TypeKind.INTEGER,
    "BIGNUM": TypeKind.INTEGER,
    "VARINT": TypeKind.INTEGER,
    "FLOAT": TypeKind.FLOAT32,
    "DOUBLE": TypeKind.FLOAT64,
    "VARCHAR": TypeKind.TEXT,
    "BLOB": TypeKind.BYTES,
    "DATE": TypeKind.DATE,
    "TIME": TypeKind.TIME,
    "TIME_NS": TypeKind.TIME,
    "TIME WITH TIME ZONE": TypeKind.TIMETZ,
    "TIMESTAMP": TypeKind.TIMESTAMP,
    "TIMESTAMP_S": TypeKind.TIMESTAMP,
    "TIMESTAMP_MS": TypeKind.TIMESTAMP,
    "TIMESTAMP_NS": TypeKind.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": TypeKind.TIMESTAMPTZ,
    "INTERVAL": TypeKind.INTERVAL,
    "UUID": TypeKind.UUID,
    "JSON": TypeKind.JSON,
    "BIT": TypeKind.BIT,
}
_INTEGER_DIGITS = {
    "TINYINT": 3,
    "UTINYINT": 3,
    "SMALLINT": 5,
    "USMALLINT": 5,
    "INTEGER": 10,
    "UINTEGER": 10,
    "BIGINT": 19,
    "UBIGINT": 20,
    "HUGEINT": 39,
    "UHUGEINT": 39,
}
_PRECISIONS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP_NS": 9, "TIME_NS": 9}  # digits of a second; else 6
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_LIST = re.compile(r"(.*)\[\d*\]", re.DOTALL)
_ENUM = re.compile(r"ENUM\(.*\)", re.DOTALL)


def resolve_type(native: str) -> ColumnType:
    """The canonical type of a spelled type; nested lists have their innermost element as element."""
    listed = _LIST.fullmatch(native)
    if listed:
        element = resolve_type(listed[1])
        return ColumnType(TypeKind.ARRAY, native, element=element.element if element.element else element)
    decimal = _DECIMAL.fullmatch(native)
    if decimal:
        return ColumnType(TypeKind.DECIMAL, native, int(decimal[1]), int(decimal[2]))
    if _ENUM.fullmatch(native):
        return ColumnType(TypeKind.ENUM, native)
    return ColumnType(KINDS.get(native, TypeKind.UNKNOWN), native, _PRECISIONS.get(native))


def depth_of(native: str) -> int:
    """How deeply lists are nested in a type."""
    listed = _LIST.fullmatch(native)
    return 1 + depth_of(listed[1]) if listed else 0
