"""PostgreSQL's part of the canonical contract: a column's expression for digests.

Different values never render alike. Where equal values may render differently (JSON
numbers, arrays of decimals), the digests differ, the rows are shipped, and the values
are decided by :mod:`reconcile_assets.core.canonical`.
"""

from collections.abc import Callable

from psycopg import sql

from reconcile_assets.core.canonical import ColumnForm, Form
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.errors import NotComparable

_NATIVE: dict[TypeKind, sql.SQL] = {
    TypeKind.INTEGER: sql.SQL("{x}::int8"),
    TypeKind.DECIMAL: sql.SQL("trim_scale({x})"),
    TypeKind.FLOAT32: sql.SQL("({x} + '0'::float4)"),  # -0.0 becomes 0.0
    TypeKind.FLOAT64: sql.SQL("({x} + '0'::float8)"),
    TypeKind.BOOLEAN: sql.SQL("{x}"),
    TypeKind.BYTES: sql.SQL("{x}"),
    TypeKind.DATE: sql.SQL("{x}"),
    TypeKind.TIME: sql.SQL("{x}::time"),
    TypeKind.TIMETZ: sql.SQL("{x}::timetz"),
    TypeKind.TIMESTAMP: sql.SQL("{x}::timestamp"),
    TypeKind.TIMESTAMPTZ: sql.SQL("{x}::timestamptz"),
    TypeKind.INTERVAL: sql.SQL("{x}::interval"),
    TypeKind.UUID: sql.SQL("{x}"),
}

_FINEST = 6  # digits of a second
_INTEGER = sql.SQL("{x}::text")
_DECIMAL = sql.SQL("trim_scale({x})::text")
_FLOAT = sql.SQL(
    "CASE WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN {x}::text ELSE trim_scale({x}::text::numeric)::text END"
)
# Where the server's own text has no exponent, and is that decimal already.
_DOUBLE = sql.SQL(
    "CASE WHEN abs({x}) >= 1e-4::float8 AND abs({x}) < 1e15::float8 THEN {x}::text"
    " WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN {x}::text ELSE trim_scale({x}::text::numeric)::text END"
)
_BOOLEAN_NUMBER = sql.SQL("{x}::int::text")
_BIT_NUMBER = sql.SQL("CASE WHEN length({x}) = 0 THEN '!' ELSE lpad({x}::text, 64, '0')::bit(64)::int8::text END")
_VERBATIM = sql.SQL("{x}::text")

_NUMBERS: dict[TypeKind, sql.SQL] = {
    TypeKind.INTEGER: _INTEGER,
    TypeKind.DECIMAL: _DECIMAL,
    TypeKind.FLOAT32: _FLOAT,
    TypeKind.FLOAT64: _DOUBLE,
    TypeKind.BOOLEAN: _BOOLEAN_NUMBER,
    TypeKind.BIT: _BIT_NUMBER,
}

# Beyond single precision, or so small that the cast would raise: marked, so that it equals no float4.
_ROUNDED = sql.SQL(
    "CASE WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN {x}::text"
    " WHEN abs({x}) > 3.4028234663852886e38::float8 OR ({x} <> 0 AND abs({x}) < 1.1754943508222875e-38::float8)"
    " THEN '~' || trim_scale({x}::text::numeric)::text ELSE trim_scale({x}::float4::float8::text::numeric)::text END"
)
# As the double that it is: not every engine can tell the shortest text of single precision.
_SINGLE = sql.SQL(
    "CASE WHEN {x} IN ('NaN', 'Infinity', '-Infinity') THEN {x}::text"
    " ELSE trim_scale({x}::float8::text::numeric)::text END"
)

_UUID_TEXT = sql.SQL(
    "CASE WHEN {x}::text ~ ('^(\\{{([0-9A-Fa-f]{{4}}-?){{7}}[0-9A-Fa-f]{{4}}\\}}'"
    " || '|([0-9A-Fa-f]{{4}}-?){{7}}[0-9A-Fa-f]{{4}})$')"
    ' COLLATE "C" THEN {x}::text::uuid::text'
    " ELSE '!' || encode(convert_to({x}::text, 'UTF8'), 'hex') END"
)
_UUID_BYTES = sql.SQL("CASE WHEN octet_length({x}) = 16 THEN encode({x}, 'hex')::uuid::text ELSE '?' || {x}::text END")

# What a json document may hold and jsonb may not is left as it was written, and decided when shipped.
_JSON_TEXT = sql.SQL(
    "CASE WHEN {x}::text ~* '\\\\u(0000|d[89a-f])|[0-9.]e[-+]?[0-9]{{4}}' THEN '!' || {x}::text"
    " ELSE {x}::text::jsonb::text END"
)
# Text that is no json may begin with the same mark: it is doubled, so that it equals no marked document.
_TEXT_AS_JSON = sql.SQL("CASE WHEN starts_with({x}::text, '!') THEN '!' ELSE '' END || {x}::text")
_DATE_AS_TIMESTAMP = sql.SQL(
    "CASE WHEN isfinite({x}) AND ({x} > DATE '294276-12-31' OR {x} < DATE '4713-01-01 BC')"
    " THEN '!' || {x}::text ELSE {x}::timestamp::text END"
)
_CUT_MOMENTS = {0: sql.SQL("date_trunc('second', {x})::text"), 3: sql.SQL("date_trunc('milliseconds', {x})::text")}
_CUT_MOMENT = sql.SQL(
    "CASE WHEN isfinite({x})"
    " THEN ({x} - (extract(microseconds FROM {x})::int8 % {unit}) * interval '1 microsecond')::text ELSE {x}::text END"
)
_CUT_TIME = sql.SQL("to_char({x}, {format})")


def column_sql(form: ColumnForm, name: sql.Composable) -> sql.Composable:
    """The expression that stands for this column in a row's digest.

    Args:
        name: the column, as it can stand in the query.

    Raises:
        NotComparable: the type has no such form.
    """
    column_type, canonical = form.column.type, form.canonical
    name = in_zone(form, name)
    if form.native and canonical.digits is None and column_type.kind in _NATIVE:
        return _NATIVE[column_type.kind].format(x=name)
    render = _RENDERERS.get(canonical.form)
    template = render(column_type, canonical.digits) if render else _VERBATIM
    if canonical.scale is not None:
        template = _VERBATIM
    if template is None:
        raise NotComparable(f"column {form.column.name}: {column_type.native} has no {canonical.form} form")
    if canonical.digits is None:
        return template.format(x=name)
    return template.format(
        x=name, format=sql.Literal(_clock_format(canonical.digits)), unit=sql.Literal(10 ** (6 - canonical.digits))
    )


def in_zone(form: ColumnForm, name: sql.Composable) -> sql.Composable:
    """A zoneless time as an instant, where its zone was declared."""
    if form.zone is None or form.column.type.kind not in (TypeKind.TIMESTAMP, TypeKind.DATE):
        return name
    return sql.SQL("({}::timestamp AT TIME ZONE {})").format(name, sql.Literal(form.zone))


def value_sql(form: ColumnForm, name: sql.Composable) -> sql.Composable:
    """The exact text by which a value is shipped."""
    return sql.SQL("{}::text").format(in_zone(form, name))


def _clock_format(digits: int) -> str:
    return f"HH24:MI:SS.FF{digits}" if digits else "HH24:MI:SS"


def _number(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    return _NUMBERS.get(column_type.kind)


def _float32(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    return {TypeKind.FLOAT32: _SINGLE, TypeKind.FLOAT64: _ROUNDED}.get(column_type.kind)


def _double(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    return {TypeKind.FLOAT32: _SINGLE, TypeKind.FLOAT64: _FLOAT}.get(column_type.kind)


def _uuid(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    if column_type.kind in (TypeKind.TEXT, TypeKind.CHAR):
        return _UUID_TEXT
    return {TypeKind.UUID: _VERBATIM, TypeKind.BYTES: _UUID_BYTES}.get(column_type.kind)


def _json(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    if column_type.kind is TypeKind.JSON:
        return _VERBATIM if column_type.native == "jsonb" else _JSON_TEXT
    return _TEXT_AS_JSON


def _timestamp(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    return _DATE_AS_TIMESTAMP if column_type.kind is TypeKind.DATE else _instant(column_type, digits)


def _instant(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    """Cut off, not rounded; the fraction's zeros at the end are not written."""
    return _VERBATIM if digits is None or digits >= _FINEST else _CUT_MOMENTS.get(digits, _CUT_MOMENT)


def _time(column_type: ColumnType, digits: int | None) -> sql.SQL | None:
    return _VERBATIM if digits is None else _CUT_TIME


_RENDERERS: dict[Form, Callable[[ColumnType, int | None], sql.SQL | None]] = {
    Form.NUMBER: _number,
    Form.FLOAT32: _float32,
    Form.DOUBLE: _double,
    Form.UUID: _uuid,
    Form.JSON: _json,
    Form.TIMESTAMP: _timestamp,
    Form.TIMESTAMPTZ: _instant,
    Form.TIME: _time,
}
