"""The portable text of a row in PostgreSQL's SQL: see :mod:`reconcile_assets.core.row_digest`."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.row_digest import INTEGER_SHIFTS, NULL, is_long
from reconcile_assets.databases.postgresql.canonical import column_sql

_MOST_ARGUMENTS = 90  # of a function; PostgreSQL takes 100
_FIELD = sql.SQL("coalesce(({text})::text, {null})")
_SIZE = sql.SQL("coalesce(octet_length({text})::text, {null})")
_RECODED = sql.SQL("convert_to({text}, 'UTF8')")


def record_sql(forms: Sequence[ColumnForm], *, recode: bool) -> sql.Composable:
    """The md5 of a row's text, as 32 hex digits; never NULL, also where a column that promises otherwise holds NULL.

    Args:
        recode: the server keeps text in another encoding than UTF-8, of which lengths and digests are.
    """
    fields: list[sql.Composable] = []
    texts: list[sql.Composable] = []
    for form in forms:
        found = column_sql(replace(form, native=False), sql.Identifier(form.column.name))
        if is_long(form.canonical.form):
            text = sql.SQL("({})::text").format(found)
            measured = _RECODED.format(text=text) if recode else text
            fields.append(_SIZE.format(text=measured, null=sql.Literal(NULL)))
            texts.append(text)
        else:
            fields.append(_FIELD.format(text=found, null=sql.Literal(NULL)))
    if texts:
        fields.append(_call(sql.SQL("concat("), texts))
    record = _call(sql.SQL("concat_ws(',', "), fields)
    return sql.SQL("md5({})").format(_RECODED.format(text=record) if recode else record)


def digest_sql(md5: sql.Composable) -> sql.Composable:
    """The number that is summed, of a row's md5."""
    return sql.SQL("('x' || left({}, 16))::bit(64)::int8").format(md5)


def bucket_sql(md5: sql.Composable) -> sql.Composable:
    """A number whose lowest bits are the bucket, of a key's md5."""
    return sql.SQL("('x' || left({}, 8))::bit(32)::int8").format(md5)


def _call(start: sql.SQL, arguments: Sequence[sql.Composable]) -> sql.Composable:
    """A call that joins its arguments, nested where there are many."""
    parts = list(arguments)
    while len(parts) > _MOST_ARGUMENTS:
        groups = [parts[at : at + _MOST_ARGUMENTS] for at in range(0, len(parts), _MOST_ARGUMENTS)]
        parts = [_once(start, group) for group in groups]
    return _once(start, parts)


def _once(start: sql.SQL, arguments: Sequence[sql.Composable]) -> sql.Composable:
    return sql.Composed([start, sql.SQL(", ").join(arguments), sql.SQL(")")])


def integer_sql(form: ColumnForm) -> sql.Composable:
    """A whole number folded, so that its lowest bits tell its bucket; 0 for NULL."""
    number = sql.SQL("({})::int8").format(sql.Identifier(form.column.name))
    shifted = [sql.SQL("({} >> {})").format(number, sql.Literal(shift)) for shift in INTEGER_SHIFTS]
    return sql.SQL("coalesce({}, 0)").format(sql.SQL(" # ").join(shifted))
