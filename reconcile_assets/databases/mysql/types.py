"""MySQL's and MariaDB's types and the canonical kinds that they map to."""

from dataclasses import dataclass

from reconcile_assets.core.tables import ColumnType, TypeKind

FINEST = 6


@dataclass(frozen=True)
class MysqlType(ColumnType):
    """A column's type.

    Attributes:
        charset: of text, as the server names it; None for anything else.
        padded: ZEROFILL writes zeros before the number, and YEAR before the year.
    """

    charset: str | None = None
    padded: bool = False


KINDS = {
    "tinyint": TypeKind.INTEGER,
    "smallint": TypeKind.INTEGER,
    "mediumint": TypeKind.INTEGER,
    "int": TypeKind.INTEGER,
    "integer": TypeKind.INTEGER,
    "bigint": TypeKind.INTEGER,
    "year": TypeKind.INTEGER,
    "decimal": TypeKind.DECIMAL,
    "float": TypeKind.FLOAT32,
    "double": TypeKind.FLOAT64,
    "char": TypeKind.CHAR,
    "varchar": TypeKind.TEXT,
    "tinytext": TypeKind.TEXT,
    "text": TypeKind.TEXT,
    "mediumtext": TypeKind.TEXT,
    "longtext": TypeKind.TEXT,
    "enum": TypeKind.ENUM,
    "set": TypeKind.ENUM,
    "binary": TypeKind.BYTES,
    "varbinary": TypeKind.BYTES,
    "tinyblob": TypeKind.BYTES,
    "blob": TypeKind.BYTES,
    "mediumblob": TypeKind.BYTES,
    "longblob": TypeKind.BYTES,
    "date": TypeKind.DATE,
    "time": TypeKind.TIME,
    "datetime": TypeKind.TIMESTAMP,
    "timestamp": TypeKind.TIMESTAMPTZ,
    "bit": TypeKind.BIT,
    "json": TypeKind.JSON,
    "uuid": TypeKind.UUID,
    "inet4": TypeKind.OPAQUE,
    "inet6": TypeKind.OPAQUE,
}

_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 8, "int": 10, "bigint": 19, "year": 4}
_CLOCKS = (TypeKind.TIME, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ)
_LENGTHS = (TypeKind.TEXT, TypeKind.CHAR, TypeKind.BYTES)


def resolve_type(
    name: str,
    native: str,
    *,
    precision: int | None = None,
    scale: int | None = None,
    length: int | None = None,
    seconds: int | None = None,
    charset: str | None = None,
    is_json: bool = False,
) -> MysqlType:
    """The type of a column as the catalog describes it.

    Args:
        name: without limits, e.g. ``varchar``.
        native: as it was declared, e.g. ``varchar(40)``.
        precision, scale: of a number; the precision of ``bit`` is its length.
        length: characters or bytes.
        seconds: fractional digits.
        is_json: MariaDB keeps JSON as text with a check.
    """
    kind = TypeKind.JSON if is_json else KINDS.get(name, TypeKind.UNKNOWN)
    padded = "zerofill" in native.lower() or name == "year"
    text = charset if kind in (TypeKind.TEXT, TypeKind.CHAR, TypeKind.ENUM, TypeKind.JSON) else None
    if kind is TypeKind.INTEGER:
        precision, scale = _INTEGER_DIGITS.get(name, precision), 0
        if name == "bigint" and "unsigned" in native.lower():
            precision = 20
    elif kind in _CLOCKS:
        precision = None if seconds is None or seconds >= FINEST else seconds
    elif kind is TypeKind.BIT:
        precision, length = None, precision
    elif kind is not TypeKind.DECIMAL:
        precision, scale = None, None
    if kind is not TypeKind.BIT and kind not in _LENGTHS:
        length = None
    return MysqlType(kind, "json" if is_json else native, precision, scale, length, charset=text, padded=padded)
