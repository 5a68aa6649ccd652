"""The fast digest of a row: 64 bits, for two sides that hash alike.

Each column is hashed by itself, by a 64-bit hash of its own type, with seeds that belong to
its place alone; NULL is a constant of that place. The hashes are joined by XOR: as no two
places share a function, a value that moves to another column, or changes alike in two, is
as good as any other change ("tabulation hashing"). The joint 64 bits are hashed once more,
so that their sum over rows is linear over nothing: values exchanged between rows show.

Why not the shorter ``hash_record_extended(row)``: it multiplies by 31 from column to column,
by which up to 12 bits are lost where two columns exchange values; NULL and 0.0 may be one to
it; and it takes each type's own hash, in which ``numeric`` has no sign (5 is -5) and NaN is
infinity, ``interval`` takes 30 days for a month, and 64-bit integers and times keep 32 bits.

Only functions that PostgreSQL has had since 13 serve. Both sides are asked what these answer
for some values (:func:`probe`): those that answer alike hash alike.
"""

import hashlib
from collections.abc import Sequence
from functools import cache

from psycopg import sql

from reconcile_assets.core.canonical import NATURAL, ColumnForm
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.postgresql.canonical import column_sql

BITS = 64
"""The digest's width."""

# Where the seeds of each purpose begin; a place takes up to 4 of them.
_ROW, _BUCKET, _END = 0, 1 << 20, 1 << 21
_A_PLACE = 4
_LUMP = sql.SQL("({} >> 3)")  # 8 integers in a row: a bucket stays in the processor's cache while they are read

_TEXT = sql.SQL('hashtextextended(({value})::text COLLATE "C", {s0})')
# SQL can't call the hash of bytea before PostgreSQL 18; that of its hex digits it can.
_BYTES = sql.SQL("hashtextextended(encode({value}, 'hex') COLLATE \"C\", {s0})")
# hashint8 folds its 64 bits to 32 by XOR: with the upper half hashed beside it, all of them count.
_INT8 = sql.SQL("hashint8extended(({value})::int8, {s0}) # hashint4extended((({value})::int8 >> 32)::int4, {s1})")

_HASHES: dict[TypeKind, sql.SQL] = {
    TypeKind.INTEGER: _INT8,
    TypeKind.FLOAT32: sql.SQL("hashfloat4extended({value}, {s0})"),  # -0 = 0, NaN = NaN
    TypeKind.FLOAT64: sql.SQL("hashfloat8extended({value}, {s0})"),
    TypeKind.TEXT: _TEXT,
    TypeKind.CHAR: sql.SQL('hashbpcharextended(({value})::bpchar COLLATE "C", {s0})'),  # without the padding
    TypeKind.BOOLEAN: sql.SQL("CASE WHEN {value} THEN {s0} WHEN NOT {value} THEN {s1} END"),
    TypeKind.UUID: sql.SQL("uuid_hash_extended({value}, {s0})"),
}
_SENT: dict[TypeKind, sql.SQL] = {
    TypeKind.DECIMAL: sql.SQL("numeric_send(trim_scale({value}))"),
    TypeKind.BYTES: sql.SQL("{value}"),
    TypeKind.DATE: sql.SQL("date_send({value})"),
    TypeKind.TIME: sql.SQL("time_send({value})"),
    TypeKind.TIMETZ: sql.SQL("timetz_send({value})"),
    TypeKind.TIMESTAMP: sql.SQL("timestamp_send({value})"),
    TypeKind.TIMESTAMPTZ: sql.SQL("timestamptz_send({value})"),
    TypeKind.INTERVAL: sql.SQL("interval_send({value})"),  # months, days and microseconds apart
}
# Shorter ways, where both columns are of one type.
_NARROW: dict[str, sql.SQL] = {
    "integer": sql.SQL("hashint4extended({value}, {s0})"),
    "smallint": sql.SQL("hashint2extended({value}, {s0})"),
}
_SCALED = sql.SQL("numeric_send({value})")  # of one scale: equal values have equal digits

_SAMPLES: dict[TypeKind, sql.SQL] = {
    TypeKind.INTEGER: sql.SQL("-9007199254740993::int8"),
    TypeKind.FLOAT32: sql.SQL("'NaN'::float4"),
    TypeKind.FLOAT64: sql.SQL("0.1::float8"),
    TypeKind.TEXT: sql.SQL("'reconcile_assets compares'"),
    TypeKind.CHAR: sql.SQL("'ab '::char(4)"),
    TypeKind.BOOLEAN: sql.SQL("true"),
    TypeKind.UUID: sql.SQL("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid"),
    TypeKind.DECIMAL: sql.SQL("-1234567.8900"),
    TypeKind.BYTES: sql.SQL("'\\x00ff'::bytea"),
    TypeKind.DATE: sql.SQL("'0044-03-15 BC'::date"),
    TypeKind.TIME: sql.SQL("'23:59:59.999999'::time"),
    TypeKind.TIMETZ: sql.SQL("'23:59:59.999999-04:30'::timetz"),
    TypeKind.TIMESTAMP: sql.SQL("'infinity'::timestamp"),
    TypeKind.TIMESTAMPTZ: sql.SQL("'2024-11-03 01:30:00.000001-04'::timestamptz"),
    TypeKind.INTERVAL: sql.SQL("'1 mon -2 days 3.000004 s'::interval"),
}


def probe() -> sql.Composed:
    """A query of one text: what every hash that may serve here answers for some value."""
    answers = [_of_kind(kind, sample, place) for place, (kind, sample) in enumerate(_SAMPLES.items())]
    narrow = {"integer": sql.SQL("-5::int4"), "smallint": sql.SQL("-5::int2")}
    answers += [_NARROW[name].format(value=sample, **_seeds(_ROW, 0)) for name, sample in narrow.items()]
    return sql.SQL("SELECT concat_ws(' ', {})").format(sql.SQL(", ").join(answers))


def row_hash(forms: Sequence[ColumnForm], *, first: int = 0) -> sql.Composable:
    """The joint hash of columns, in the places from `first` on: never NULL."""
    return _joined([_hash(form, place) for place, form in enumerate(forms, start=first)])


def digest(joint: sql.Composable) -> sql.Composable:
    """The row's digest, from the joint hash of all its columns."""
    return sql.SQL('hashtextextended(({})::text COLLATE "C", {})').format(joint, _seed(_END))


def bucket_hash(key: Sequence[ColumnForm]) -> sql.Composable:
    """A number whose lowest bits are a row's bucket; only of the key, never NULL.

    Neighbours among integers share a bucket, eight by eight.
    """
    last = max((place for place, form in enumerate(key) if _is_integer(form)), default=None)
    return _joined([_of_bucket(form, place, lump=place == last) for place, form in enumerate(key)])


def _hash(form: ColumnForm, place: int) -> sql.Composable:
    value: sql.Composable = sql.Identifier(form.column.name)
    kind = form.column.type.kind
    if not _is_native(form):
        return _or_null(_TEXT.format(value=column_sql(form, value), **_seeds(_ROW, place)), _ROW, place)
    if form.identical and kind is TypeKind.INTEGER and form.column.type.native in _NARROW:
        found: sql.Composable = _NARROW[form.column.type.native].format(value=value, **_seeds(_ROW, place))
    elif form.identical and kind is TypeKind.DECIMAL and form.column.type.scale is not None:
        found = _BYTES.format(value=_SCALED.format(value=value), **_seeds(_ROW, place))
    else:
        found = _of_kind(kind, value, place)
    return _or_null(found, _ROW, place)


def _of_bucket(form: ColumnForm, place: int, *, lump: bool) -> sql.Composable:
    value: sql.Composable = sql.Identifier(form.column.name)
    if not _is_native(form):
        found: sql.Composable = _TEXT.format(value=column_sql(form, value), **_seeds(_BUCKET, place))
    elif _is_integer(form):
        whole = sql.SQL("({})::int8").format(value)
        found = sql.SQL("hashint8extended({}, {})").format(
            _LUMP.format(whole) if lump else whole, _seed(_BUCKET + place * _A_PLACE)
        )
    else:
        found = _of_kind(form.column.type.kind, value, place, _BUCKET)
    return _or_null(found, _BUCKET, place)


def _is_native(form: ColumnForm) -> bool:
    kind = form.column.type.kind
    known = kind in _HASHES or kind in _SENT
    return known and form.native and form.canonical.digits is None and form.canonical.form is NATURAL[kind]


def _is_integer(form: ColumnForm) -> bool:
    return _is_native(form) and form.column.type.kind is TypeKind.INTEGER


def _of_kind(kind: TypeKind, value: sql.Composable, place: int, purpose: int = _ROW) -> sql.Composable:
    seeds = _seeds(purpose, place)
    if kind in _SENT:
        return _BYTES.format(value=_SENT[kind].format(value=value), **seeds)
    return _HASHES[kind].format(value=value, **seeds)


def _or_null(found: sql.Composable, purpose: int, place: int) -> sql.Composable:
    """Whatever the catalog says: a NULL that it denies would hide the whole row."""
    return sql.SQL("coalesce({}, {})").format(found, _seed(purpose + place * _A_PLACE + 3))


def _joined(hashes: Sequence[sql.Composable]) -> sql.Composable:
    """All joined by XOR, as a balanced tree: a table may have 1,600 columns."""
    if not hashes:
        return sql.SQL("0::int8")
    if len(hashes) == 1:
        return hashes[0]
    half = len(hashes) // 2
    return sql.SQL("({} # {})").format(_joined(hashes[:half]), _joined(hashes[half:]))


def _seeds(purpose: int, place: int) -> dict[str, sql.Composable]:
    return {f"s{each}": _seed(purpose + place * _A_PLACE + each) for each in (0, 1)}


@cache
def _seed(number: int) -> sql.Composable:
    """A number of 63 bits that nobody chose; the same always, as checksums are kept."""
    digest = hashlib.md5(f"reconcile_assets {number}".encode(), usedforsecurity=False).digest()
    return sql.Literal(int.from_bytes(digest[:8], "big") >> 1 | 1 << 40)
