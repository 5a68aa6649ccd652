"""MySQL's part of the canonical contract: what stands for a column in a row's text, byte for byte as elsewhere.

Different values never render alike. Where equal values may render differently (JSON, a few
doubles beyond 2^53), the digests differ, the rows are shipped, and the values decide.
Every expression gives ASCII or UTF-8, and is evaluated as few times as can be: text of a
double costs more than the hash of a whole row.
"""

from collections.abc import Callable

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.mysql.statements import Sql, fill, identifier, integer_literal, sql, text_literal
from reconcile_assets.databases.mysql.types import FINEST, MysqlType
from reconcile_assets.errors import NotComparable

UNICODE = frozenset({"utf8mb4", "utf8mb3", "utf8", None})
_WHOLE = frozenset({"latin1", "ucs2", "utf16", "utf16le", "utf32", "ascii"})  # each of their characters is in Unicode
_FLOAT32_FROM, _FLOAT32_TO = sql("1.1754943508222875e-38"), sql("3.4028234663852886e38")

# MySQL (not MariaDB) shows a double that is no column of a table in 22 characters, whatever its digits: these fit.
_USUAL = sql("BETWEEN 1e-3 AND 999999999999999e0")
# d.ddde15 or d.ddde-15, as the server writes what is very large or small, without its exponent.
_PLAIN = (
    "CASE WHEN ABS({x}) {usual} THEN {short} WHEN {x} = 0 THEN '0' WHEN LOCATE('e', {s}) = 0 THEN {s}"
    " WHEN {e} < 0 THEN CONCAT({sign}, '0.', REPEAT('0', -{e} - 1), {digits})"
    " WHEN CHAR_LENGTH({digits}) <= {e} + 1 THEN CONCAT({sign}, RPAD({digits}, {e} + 1, '0'))"
    " ELSE CONCAT({sign}, LEFT({digits}, {e} + 1), '.', SUBSTRING({digits}, {e} + 2)) END"
)
_SECONDS = len("0000-00-00 00:00:00")
_USUAL_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\z"
_UUID = "^(\\{([0-9A-Fa-f]{4}-?){7}[0-9A-Fa-f]{4}\\}|([0-9A-Fa-f]{4}-?){7}[0-9A-Fa-f]{4})\\z"


def read_column(form: ColumnForm) -> Sql:
    """A column as it is read: by its name, without the zero date where that stands for NULL."""
    name = identifier(form.column.name)
    if not form.zero_is_null:
        return name
    return fill("IF({x} = '0000-00-00 00:00:00', NULL, {x})", x=name)


def column_sql(form: ColumnForm, name: Sql) -> Sql:
    """What stands for this column in a row's text; NULL only where it is NULL or too long for the server.

    Args:
        name: the column, as it can stand in the query.

    Raises:
        NotComparable: the type has no such form.
    """
    column_type, canonical = form.column.type, form.canonical
    if form.zone is not None:  # the server may not know the zone: marked, so that the row is shipped
        return fill("CONCAT('~', {x})", x=name)
    render = _RENDERERS.get(canonical.form, _verbatim)
    found = render(column_type, canonical, name, form.native)
    if found is None:
        raise NotComparable(f"column {form.column.name}: {column_type.native} has no {canonical.form} form")
    return found


def size_sql(form: ColumnForm, name: Sql, found: Sql) -> Sql:
    """The bytes of what :func:`column_sql` has found; of the column itself, where that has as many."""
    column_type = form.column.type
    charset = column_type.charset if isinstance(column_type, MysqlType) else None
    is_text = column_type.kind in (TypeKind.TEXT, TypeKind.CHAR, TypeKind.ENUM)
    measured = name if is_text and form.canonical.form is Form.TEXT and charset in UNICODE else found
    return fill("LENGTH({x})", x=measured)


def text_bytes(column_type: ColumnType, name: Sql) -> Sql:
    """Text as UTF-8; what has no place in Unicode stays in its own bytes after one that begins no UTF-8."""
    charset = column_type.charset if isinstance(column_type, MysqlType) else None
    if charset in UNICODE:
        return fill("CAST({x} AS BINARY)", x=name)
    if charset in _WHOLE and charset != "ascii":
        return fill("CAST(CONVERT({x} USING utf8mb4) AS BINARY)", x=name)
    return fill(
        "IF(CAST(CONVERT(CONVERT({x} USING utf8mb4) USING {charset}) AS BINARY) <=> CAST({x} AS BINARY),"
        " CAST(CONVERT({x} USING utf8mb4) AS BINARY), CONCAT(_binary x'FF', CAST({x} AS BINARY)))",
        x=name,
        charset=charset_name(charset or ""),
    )


def _text(column_type: ColumnType, name: Sql) -> Sql:
    """As :func:`text_bytes`, without a cast where the column's own bytes are UTF-8."""
    charset = column_type.charset if isinstance(column_type, MysqlType) else None
    return name if charset is not None and charset in UNICODE else text_bytes(column_type, name)


def charset_name(charset: str) -> Sql:
    """A character set by its name.

    Raises:
        NotComparable: that is no such name.
    """
    if not charset.isascii() or not charset.isalnum():
        raise NotComparable(f"there is no character set {charset}")
    return Sql(charset)


def number_text(column_type: ColumnType, name: Sql) -> Sql:
    """A number, its scale and all, in the server's exact text."""
    if column_type.kind in (TypeKind.FLOAT32, TypeKind.FLOAT64):
        double = _as_double(column_type, name)
        return fill(
            "CASE WHEN ABS({x}) {usual} THEN CAST({double} AS CHAR) WHEN {x} IS NOT NULL THEN {all} END",
            x=name,
            usual=_USUAL,
            double=double,
            all=_all_digits(double),
        )
    if isinstance(column_type, MysqlType) and column_type.padded:
        return fill("CAST({x} + 0 AS CHAR)", x=name)
    return fill("CAST({x} AS CHAR)", x=name)


def bits_text(column_type: ColumnType, name: Sql) -> Sql:
    """All bits of a bit string."""
    return fill("LPAD(BIN({x} + 0), {length}, '0')", x=name, length=integer_literal(column_type.length or 1))


def _verbatim(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    kind = column_type.kind
    if kind in (TypeKind.TEXT, TypeKind.CHAR, TypeKind.ENUM):
        return _text(column_type, name)
    if kind is TypeKind.BYTES:
        return fill("CONCAT('\\\\x', LOWER(HEX({x})))", x=name)
    if kind is TypeKind.BIT:
        return bits_text(column_type, name)
    return name if kind is TypeKind.DATE else fill("CAST({x} AS CHAR)", x=name)


def _number(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    kind = column_type.kind
    padded = isinstance(column_type, MysqlType) and column_type.padded
    if kind is TypeKind.BIT or (kind is TypeKind.INTEGER and padded):
        return fill("{x} + 0", x=name)
    if kind is TypeKind.INTEGER:
        return name
    if kind is TypeKind.DECIMAL:
        return _decimal(column_type, canonical, fill("{x} + 0", x=name) if padded else name)
    text = number_text(column_type, name)
    if native:
        return text
    if kind is TypeKind.FLOAT32:
        return _shortest_single(column_type, name)
    if kind is not TypeKind.FLOAT64:
        return None
    return _plain(_as_double(column_type, name), name)


def _decimal(column_type: ColumnType, canonical: Canonical, text: Sql) -> Sql:
    """Without the zeros at its end, unless both sides have as many; decimals have no negative zero."""
    if column_type.scale == 0 or canonical.scale is not None:
        return text
    trimmed = fill("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))", text=text)
    if column_type.scale is not None:
        return trimmed
    return fill("IF(LOCATE('.', {text}) = 0, {text}, {trimmed})", text=text, trimmed=trimmed)


def _as_double(column_type: ColumnType, name: Sql) -> Sql:
    """The number itself; a column as it is would be rounded to 6 digits, or to those declared."""
    return (
        name if column_type.kind is TypeKind.FLOAT64 and "(" not in column_type.native else fill("({x} + 0e0)", x=name)
    )


def _all_digits(double: Sql) -> Sql:
    """A double's shortest text, also where the server would cut it: JSON is never cut; a whole number gets ``.0``."""
    return fill(
        "TRIM(TRAILING '.0' FROM TRIM(TRAILING ']' FROM TRIM(LEADING '[' FROM CAST(JSON_ARRAY({x}) AS CHAR))))",
        x=double,
    )


def _plain(double: Sql, value: Sql, text: Sql | None = None) -> Sql:
    """A float's text without exponent.

    Args:
        double: what is written.
        value: what tells its sign and size, more cheaply.
        text: of the double, where it is not the shortest.
    """
    text = text or _all_digits(double)
    mantissa = fill("SUBSTRING_INDEX({s}, 'e', 1)", s=text)
    return fill(
        _PLAIN,
        x=value,
        s=text,
        usual=_USUAL,
        short=double,
        sign=fill("IF({x} < 0, '-', '')", x=value),
        e=fill("CAST(SUBSTRING_INDEX({s}, 'e', -1) AS SIGNED)", s=text),
        digits=fill("REPLACE(REPLACE({m}, '-', ''), '.', '')", m=mantissa),
    )


def _shortest_single(column_type: ColumnType, name: Sql) -> Sql:
    """Six digits where they are the float, which makes them the shortest; else marked, so that the row is shipped.

    Beyond 2^24 they may lie halfway between two floats, which PostgreSQL does not count as the float.
    """
    marked = fill("CONCAT('~', {text})", text=number_text(column_type, name))
    if "(" in column_type.native:
        return marked
    text = fill("CAST({x} AS CHAR)", x=name)
    return fill(
        "CASE WHEN {x} = 0 THEN '0' WHEN ABS({x}) BETWEEN {least} AND 16777216 AND CAST({text} AS FLOAT) = {x}"
        " THEN {plain} ELSE {marked} END",
        x=name,
        least=_FLOAT32_FROM,
        text=text,
        plain=_plain(name, name, text),
        marked=marked,
    )


def _float32(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    """A single-precision float as the double that it is."""
    text = number_text(column_type, name)
    if column_type.kind is TypeKind.FLOAT32:
        return text if native else _plain(_as_double(column_type, name), name)
    if column_type.kind is not TypeKind.FLOAT64:
        return None
    rounded = fill("(CAST({x} AS FLOAT) + 0e0)", x=name)
    return fill(
        "CASE WHEN ABS({x}) > {most} OR ({x} <> 0 AND ABS({x}) < {least}) THEN CONCAT('~', {text}) ELSE {plain} END",
        x=name,
        most=_FLOAT32_TO,
        least=_FLOAT32_FROM,
        text=text,
        plain=_plain(rounded, name),
    )


def _double(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    """A float of either precision as the double that it is."""
    return (
        _float32(column_type, canonical, name, native)
        if column_type.kind is TypeKind.FLOAT32
        else _number(column_type, canonical, name, native)
    )


def _uuid(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    if column_type.kind is TypeKind.UUID:
        return fill("CAST({x} AS CHAR)", x=name)  # of a UUID and a text the server makes a UUID
    if column_type.kind is TypeKind.BYTES:
        return fill(
            "IF(LENGTH({x}) = 16, {dashed}, CONCAT('?\\\\x', LOWER(HEX({x}))))",
            x=name,
            dashed=_dashed(fill("LOWER(HEX({x}))", x=name)),
        )
    if column_type.kind not in (TypeKind.TEXT, TypeKind.CHAR):
        return None
    charset = column_type.charset if isinstance(column_type, MysqlType) else None
    text = fill("{x} COLLATE utf8mb4_bin", x=name)
    if charset != "utf8mb4":
        text = fill("CONVERT({x} USING utf8mb4) COLLATE utf8mb4_bin", x=name)
    return fill(
        "CASE WHEN {text} REGEXP {usual} THEN {x} WHEN {text} REGEXP {pattern} THEN {dashed}"
        " ELSE CONCAT('!', LOWER(HEX({bytes}))) END",
        x=name,
        text=text,
        dashed=_dashed(fill("LOWER(REPLACE(REPLACE(REPLACE({text}, '{{', ''), '}}', ''), '-', ''))", text=text)),
        usual=text_literal(_USUAL_UUID),
        pattern=text_literal(_UUID),
        bytes=text_bytes(column_type, name),
    )


def _dashed(digits: Sql) -> Sql:
    for place in (9, 14, 19, 24):
        digits = fill("INSERT({digits}, {place}, 0, '-')", digits=digits, place=integer_literal(place))
    return digits


def _json(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    """As it is written; a leading ``!`` is doubled, as one alone marks a document that jsonb can't hold."""
    text = text_bytes(column_type, name)
    return fill("IF(LEFT({text}, 1) = _binary '!', CONCAT(_binary '!', {text}), {text})", text=text)


def _moment(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    """Cut off to the digits that are asked for; without zeros at the end of its fraction."""
    if column_type.kind is TypeKind.DATE:
        text = fill("CONCAT({x}, ' 00:00:00')", x=name)
    else:
        own = FINEST if column_type.precision is None else column_type.precision
        kept = own if canonical.digits is None else min(own, canonical.digits)
        text = name
        if kept < own:
            text = fill("LEFT({x}, {size})", x=name, size=integer_literal(_SECONDS + (kept + 1 if kept else 0)))
        if kept:
            text = fill("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))", text=text)
    return fill("CONCAT({text}, '+00')", text=text) if canonical.form is Form.TIMESTAMPTZ else text


def _time(column_type: ColumnType, canonical: Canonical, name: Sql, native: bool) -> Sql | None:
    """As :func:`_moment`; where digits are asked for, there are as many. Hours have two digits or three, and a sign."""
    own = FINEST if column_type.precision is None else column_type.precision
    text = fill("CAST({x} AS CHAR)", x=name)
    if canonical.digits is None:
        return fill("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))", text=text) if own else text
    dropped = own - canonical.digits + (1 if own and not canonical.digits else 0)
    return fill("LEFT({text}, CHAR_LENGTH({text}) - {dropped})", text=text, dropped=integer_literal(max(dropped, 0)))


_RENDERERS: dict[Form, Callable[[ColumnType, Canonical, Sql, bool], Sql | None]] = {
    Form.NUMBER: _number,
    Form.FLOAT32: _float32,
    Form.DOUBLE: _double,
    Form.UUID: _uuid,
    Form.JSON: _json,
    Form.TIMESTAMP: _moment,
    Form.TIMESTAMPTZ: _moment,
    Form.TIME: _time,
}
