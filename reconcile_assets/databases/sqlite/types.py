"""SQLite's declared types and the canonical kinds that they map to.

SQLite keeps any value in any column; a declared type is a promise that each value is held to
when it is read (:mod:`reconcile_assets.databases.sqlite.values`).
"""

import re
from collections.abc import Collection

from reconcile_assets.core.tables import ColumnType, TypeKind

_INTEGERS = re.compile(
    r"(?:UNSIGNED )?(?:TINY|SMALL|MEDIUM|BIG|LONG)?INT(?:EGER)?[248]?(?: UNSIGNED)?|SERIAL|BIGSERIAL"
)
DECLARED: dict[str, TypeKind] = {
    "BOOLEAN": TypeKind.BOOLEAN,
    "BOOL": TypeKind.BOOLEAN,
    "BLOB": TypeKind.BYTES,
    "BYTEA": TypeKind.BYTES,
    "DATE": TypeKind.DATE,
    "TIME": TypeKind.TIME,
    "DATETIME": TypeKind.TIMESTAMP,
    "TIMESTAMP": TypeKind.TIMESTAMP,
    "TIMESTAMP WITHOUT TIME ZONE": TypeKind.TIMESTAMP,
    "TIMESTAMPTZ": TypeKind.TIMESTAMPTZ,
    "TIMESTAMP WITH TIME ZONE": TypeKind.TIMESTAMPTZ,
    "UUID": TypeKind.UUID,
    "GUID": TypeKind.UUID,
    "JSON": TypeKind.JSON,
    "REAL": TypeKind.FLOAT64,
    "DOUBLE": TypeKind.FLOAT64,
    "DOUBLE PRECISION": TypeKind.FLOAT64,
    "FLOAT": TypeKind.FLOAT64,
    "DECIMAL": TypeKind.DECIMAL,
    "NUMERIC": TypeKind.DECIMAL,
    "NUMBER": TypeKind.DECIMAL,
}
_LIMITS = re.compile(r"\(\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\)")
_INTEGER_DIGITS = 19  # of 64 bits, whatever the type is called
_TEXTS = ("CHAR", "CLOB", "TEXT")
_SURVEYED = frozenset({TypeKind.DATE, TypeKind.TIME, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})
_NUMBERS = frozenset({"integer", "real"})

# Of these, two different values that SQLite keeps never are the same value in the canonical form.
INJECTIVE = frozenset({TypeKind.INTEGER, TypeKind.TEXT, TypeKind.BYTES})


def declared_kind(declared: str) -> TypeKind | None:
    """The kind of a declared type; None where it says nothing, so that the values must be asked."""
    base = " ".join(re.sub(r"\([^)]*\)", " ", declared).upper().split())
    if base in DECLARED:
        return DECLARED[base]
    if _INTEGERS.fullmatch(base):
        return TypeKind.INTEGER
    return TypeKind.TEXT if any(part in base for part in _TEXTS) else None


def must_be_surveyed(kind: TypeKind | None) -> bool:
    """Whether the storage classes of a column's values must be known before it can be compared."""
    return kind is None or kind in _SURVEYED


_BY_CLASSES: dict[frozenset[str], TypeKind] = {
    frozenset({"integer"}): TypeKind.INTEGER,
    frozenset({"real"}): TypeKind.FLOAT64,
    frozenset({"integer", "real"}): TypeKind.DECIMAL,
    frozenset({"text"}): TypeKind.TEXT,
    frozenset({"blob"}): TypeKind.BYTES,
}


def resolve_type(declared: str, classes: Collection[str] | None) -> ColumnType:
    """The canonical type of a column.

    Args:
        classes: the storage classes of its values where they were surveyed, ``null`` not among them.
    """
    kind = declared_kind(declared)
    if kind is None:
        found = _BY_CLASSES.get(frozenset(classes or ()), TypeKind.UNKNOWN)
        return ColumnType(found, declared or "no declared type")
    if kind in _SURVEYED and _NUMBERS.intersection(classes or ()):
        return ColumnType(TypeKind.UNKNOWN, f"{declared} holding numbers")
    if kind is TypeKind.INTEGER:
        return ColumnType(kind, declared, _INTEGER_DIGITS, 0)
    limits = _LIMITS.search(declared)
    first, second = (limits[1], limits[2]) if limits else (None, None)
    if kind is TypeKind.DECIMAL and first:
        return ColumnType(kind, declared, int(first), int(second or 0), enforced=False)
    if kind is TypeKind.TEXT and first and not second:
        return ColumnType(kind, declared, length=int(first), enforced=False)
    return ColumnType(kind, declared, enforced=kind is not TypeKind.DECIMAL)
