"""The columns of a query, out of what the server says about its result."""

from typing import TYPE_CHECKING, Any

from pymysql.constants import FIELD_TYPE, FLAG

from reconcile_assets.core.tables import Column
from reconcile_assets.databases.mysql.connection import execute
from reconcile_assets.databases.mysql.statements import Sql, fill, identifier, join
from reconcile_assets.databases.mysql.types import MysqlType, resolve_type

if TYPE_CHECKING:
    from pymysql.connections import Connection

_BINARY = 63  # the character set of bytes
_MOST_DECIMALS = 31  # a float without declared digits

_NAMES = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.DECIMAL: "decimal",
    FIELD_TYPE.NEWDECIMAL: "decimal",
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.BIT: "bit",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.TIME: "time",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.ENUM: "enum",
    FIELD_TYPE.SET: "set",
    FIELD_TYPE.GEOMETRY: "geometry",
}
_TEXTS = {
    FIELD_TYPE.STRING: ("char", "binary"),
    FIELD_TYPE.VAR_STRING: ("varchar", "varbinary"),
    FIELD_TYPE.VARCHAR: ("varchar", "varbinary"),
    FIELD_TYPE.TINY_BLOB: ("tinytext", "tinyblob"),
    FIELD_TYPE.BLOB: ("text", "blob"),
    FIELD_TYPE.MEDIUM_BLOB: ("mediumtext", "mediumblob"),
    FIELD_TYPE.LONG_BLOB: ("longtext", "longblob"),
}


def describe_fields(connection: "Connection[Any]", source: Sql) -> tuple[Column, ...]:
    """The columns of what stands after FROM; no row of it is read."""
    with connection.cursor() as cursor:
        cursor.execute(fill("SELECT * FROM {source} LIMIT 0", source=source))
        fields = list(cursor._result.fields)
    if not fields:
        return ()
    names = [str(field.name) for field in fields]
    charsets = join(", ", [fill("CHARSET({x})", x=identifier("s", name)) for name in names])
    probe = fill(
        "SELECT {charsets} FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM {source}) AS s ON FALSE",
        charsets=charsets,
        source=source,
    )
    found = execute(connection, probe)[0]
    return tuple(
        Column(name, type_of_field(field, str(charset)), nullable=not field.flags & FLAG.NOT_NULL)
        for name, field, charset in zip(names, fields, found, strict=True)
    )


def type_of_field(field: Any, charset: str = "utf8mb4") -> MysqlType:
    """The type of a result's column, as the server describes it.

    Args:
        charset: of its text.
    """
    code, flags = field.type_code, field.flags
    if code in _TEXTS:
        name = _TEXTS[code][1 if field.charsetnr == _BINARY else 0]
        name = "enum" if flags & FLAG.ENUM else "set" if flags & FLAG.SET else name
        return resolve_type(name, name, charset=charset)
    name = _NAMES.get(code, "unknown")
    native = f"{name} unsigned" if flags & FLAG.UNSIGNED and name not in ("year", "bit") else name
    if flags & FLAG.ZEROFILL and name != "year":
        native = f"{native} zerofill"
    if name in ("float", "double"):
        native = name if field.scale >= _MOST_DECIMALS else f"{name}({field.length},{field.scale})"
    return resolve_type(
        name,
        native,
        precision=field.length if name == "bit" else None,
        scale=field.scale if name == "decimal" else None,
        seconds=min(field.scale, 6),
    )
