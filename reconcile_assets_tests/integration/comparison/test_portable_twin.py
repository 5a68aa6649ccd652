"""The portable form in Python is the twin of the one in PostgreSQL's SQL: every type goes through both."""

import random
import struct
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form
from reconcile_assets.core.canonical_render import renderer
from reconcile_assets.core.row_digest import bucket_of, bucket_of_integer, digest_of, is_long, md5_of, record_text
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.databases.base import Relation, RowsetQuery
from reconcile_assets.databases.postgresql.canonical import column_sql, value_sql
from reconcile_assets.databases.postgresql.connection import connect, parse_url
from reconcile_assets.databases.postgresql.digest import DigestQueries
from reconcile_assets.databases.postgresql.portable import record_sql

random_ = random.Random(7)  # noqa: S311 - a seeded sequence, no secret

TRICKY_DOUBLES = [0.1 + 0.2, 1e23, -1e23, 5e-324, 1.7976931348623157e308, 2.0**53, 2.0**53 + 2, 1e15, 1e-7, 1.0, 0.285]
DOUBLES = TRICKY_DOUBLES + [
    value for value in (struct.unpack("<d", random_.randbytes(8))[0] for _ in range(500)) if value - value == 0
]
DOUBLES += [2.0**exponent for exponent in range(-1074, 1024, 17)] + [random_.uniform(-1e6, 1e6) for _ in range(50)]
SINGLES = [struct.unpack("<f", random_.randbytes(4))[0] for _ in range(1500)]
SINGLES = [value for value in SINGLES if value - value == 0] + [2.0**exponent for exponent in range(-149, 128)]
FLOAT_NAMES = ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "0"]
MOMENTS = [
    "'2024-01-01 00:00:00.1236'", "'2024-02-29 23:59:59.999999'", "'1999-12-31 23:59:59.1006'",
    "'0044-03-15 01:02:03 BC'", "'infinity'",
    "'-infinity'", "'12345-06-07 08:09:10.5'", "'4713-01-01 00:00:00 BC'",
]  # fmt: skip
JSONS = [
    '{"b": 1, "a": [1, 2.50, -0, 1e2, -0.0, 1.5e-7], "aa": null, "B": true, "é": "é\\u00e9\\n\\t\\b\\f\\r\\\\\\""}',
    '{"a":1,"a":2}', "[]", "{}", '"\\u0001\\u001f\\u007f /\\/"', "null", "12345678901234567890.10", "1e999", "[[[]]]",
    '"\\u0000"', '"\\ud83d\\ude00"',
]  # fmt: skip
UUIDS = [
    "A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "{a0eebc999c0b4ef8bb6d6bb9bd380a11}",
    "a0eebc99",
    "",
    "!",
    "{a0ee}",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1\n",
]


def quoted(texts: list[str]) -> list[str]:
    return ["'" + text.replace("'", "''") + "'" for text in texts]


K = TypeKind
CASES: list[tuple[str, ColumnType, Canonical, list[str]]] = [
    ("int8", ColumnType(K.INTEGER, "bigint"), Canonical(Form.NUMBER), ["0", "-1", "9223372036854775807"]),
    (
        "numeric", ColumnType(K.DECIMAL, "numeric"), Canonical(Form.NUMBER),
        ["1.10", "100", "-0.00", "0.000", "1e-20", "1e30", "'NaN'", "'Infinity'", "-12.5000", "1200.00"],
    ),
    ("float8", ColumnType(K.FLOAT64, "double precision"), Canonical(Form.NUMBER), [*map(repr, DOUBLES), *FLOAT_NAMES]),
    ("float4", ColumnType(K.FLOAT32, "real"), Canonical(Form.NUMBER), [*map(repr, SINGLES), *FLOAT_NAMES]),
    ("float8", ColumnType(K.FLOAT64, "double precision"), Canonical(Form.FLOAT32), [*map(repr, DOUBLES), *FLOAT_NAMES]),
    ("float4", ColumnType(K.FLOAT32, "real"), Canonical(Form.FLOAT32), [*map(repr, SINGLES), *FLOAT_NAMES]),
    ("boolean", ColumnType(K.BOOLEAN, "boolean"), Canonical(Form.NUMBER), ["true", "false"]),
    ("boolean", ColumnType(K.BOOLEAN, "boolean"), Canonical(Form.BOOLEAN), ["true", "false"]),
    ("bit(8)", ColumnType(K.BIT, "bit(8)", length=8), Canonical(Form.NUMBER), ["b'00000101'", "b'11111111'"]),
    ("bytea", ColumnType(K.BYTES, "bytea"), Canonical(Form.BYTES), ["'\\x'", "'\\x00ff'"]),
    ("bytea", ColumnType(K.BYTES, "bytea"), Canonical(Form.UUID), ["'\\x'", "'\\xa0eebc999c0b4ef8bb6d6bb9bd380a11'"]),
    ("text", ColumnType(K.TEXT, "text"), Canonical(Form.TEXT), quoted(["", "a ", "\U0001f600", "x|y", "NULL"])),
    ("text", ColumnType(K.TEXT, "text"), Canonical(Form.UUID), quoted(UUIDS)),
    ("uuid", ColumnType(K.UUID, "uuid"), Canonical(Form.UUID), quoted(UUIDS[:2])),
    ("jsonb", ColumnType(K.JSON, "jsonb"), Canonical(Form.JSON), quoted(JSONS[:-2])),
    ("json", ColumnType(K.JSON, "json"), Canonical(Form.JSON), quoted(JSONS)),
    ("date", ColumnType(K.DATE, "date"), Canonical(Form.DATE), ["'2024-02-29'", "'0044-03-15 BC'", "'infinity'"]),
    *(
        ("date", ColumnType(K.DATE, "date"), Canonical(Form.TIMESTAMP, digits),
         ["'2024-02-29'", "'0044-03-15 BC'", "'infinity'", "'-infinity'", "'300000-01-01'", "'4713-01-01 BC'"])
        for digits in (None, 3)
    ),
    *(
        (name, ColumnType(kind, name), Canonical(form, digits), MOMENTS)
        for name, kind, form in (
            ("timestamp", K.TIMESTAMP, Form.TIMESTAMP), ("timestamptz", K.TIMESTAMPTZ, Form.TIMESTAMPTZ),
        )
        for digits in (None, 0, 1, 3, 5, 6)
    ),
    *(
        ("time", ColumnType(K.TIME, "time"), Canonical(Form.TIME, digits), ["'00:00'", "'23:59:59.9996'", "'24:00'"])
        for digits in (None, 0, 3)
    ),
    ("timetz", ColumnType(K.TIMETZ, "timetz"), Canonical(Form.TIMETZ), ["'12:00+05:30'", "'00:00:00.5-08'"]),
    ("interval", ColumnType(K.INTERVAL, "interval"), Canonical(Form.INTERVAL), ["'1 mon -2 days'", "'-1.5 s'"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def connection(postgres_server: str) -> Iterator[psycopg.Connection]:
    with connect(parse_url(postgres_server, name="source"), read_only=True, statement_timeout=None) as found:
        yield found


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]} as {case[2].form} {case[2].digits}" for case in CASES])
def test_both_render_alike(connection: psycopg.Connection, case: tuple[str, ColumnType, Canonical, list[str]]) -> None:
    native, column_type, canonical, literals = case
    form = ColumnForm(Column("v", column_type), canonical)
    values = sql.SQL(", ").join(sql.SQL(f"({literal}::{native})") for literal in literals)  # type: ignore[arg-type]
    statement = sql.SQL("SELECT {}, {} FROM (VALUES {}) AS t(v)").format(
        value_sql(form, sql.Identifier("v")), column_sql(form, sql.Identifier("v")), values
    )
    render = renderer(column_type, canonical) or (lambda text: text)
    wrong = [(exact, found, render(exact)) for exact, found in connection.execute(statement) if render(exact) != found]
    assert wrong == []


ROWS = [("1", "a", "61"), ("2", None, None), (None, "", "*"), ("2147483647", "\U0001f600|é", "1,2"), ("-65", "*", "")]
FORMS = [ColumnForm(Column("id", ColumnType(K.INTEGER, "integer")), Canonical(Form.NUMBER))] + [
    ColumnForm(Column(name, ColumnType(K.TEXT, "text")), Canonical(Form.TEXT)) for name in ("v", "w")
]
LONG = [is_long(form.canonical.form) for form in FORMS]


@pytest.mark.parametrize("integer_key", [False, True])
@pytest.mark.parametrize("unique", [False, True])
def test_rows_are_hashed_and_bucketed_alike(connection: psycopg.Connection, *, integer_key: bool, unique: bool) -> None:
    values = ", ".join(
        "({})".format(", ".join("NULL" if text is None else "'" + text.replace("'", "''") + "'" for text in row))
        for row in ROWS
    )
    query = f"SELECT id::int AS id, v, w FROM (VALUES {values}) AS t(id, v, w)"  # noqa: S608 - the test's own SQL
    asked = RowsetQuery(
        Relation(query=query), key=(FORMS[0],), columns=tuple(FORMS[1:]), unique=unique, integer_key=integer_key
    )
    found = [tuple(map(int, row[1:4])) for row in connection.execute(DigestQueries(asked, None).sums(1024)).fetchall()]
    expected: dict[int, tuple[int, int]] = {}
    for row in ROWS:
        bucket = bucket_of(md5_of(record_text(row[:1], LONG[:1])), 1024)
        if integer_key:
            bucket = bucket_of_integer(row[0], 1024)
        rows, total = expected.get(bucket, (0, 0))
        expected[bucket] = rows + 1, total + digest_of(md5_of(record_text(row, LONG)))
    assert sorted(found) == sorted((bucket, *sums) for bucket, sums in expected.items())


def test_a_row_of_many_columns_is_one_text(connection: psycopg.Connection) -> None:
    texts = [None if number % 7 == 0 else "é" * (number % 5) for number in range(250)]
    forms = [
        ColumnForm(
            Column(f"c{number}", ColumnType(K.TEXT if number % 2 else K.BYTES, "text")),
            Canonical(Form.TEXT if number % 2 else Form.BYTES),
        )
        for number in range(250)
    ]
    literals = [
        sql.SQL("{}::text AS {}").format(text, sql.Identifier(f"c{number}")) for number, text in enumerate(texts)
    ]
    rows = sql.SQL("SELECT {}").format(sql.SQL(", ").join(literals))
    for recode in (False, True):
        statement = sql.SQL("SELECT {} FROM ({}) AS t").format(record_sql(forms, recode=recode), rows)
        found = connection.execute(statement).fetchall()[0][0]
        assert found == md5_of(record_text(texts, [is_long(form.canonical.form) for form in forms])).hex()
