"""The fast digest: what it tells apart and what it must not, on the embedded PostgreSQL and on the machine's own."""

# ruff: noqa: S608 - the SQL of these tests is their own

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from reconcile_assets.core.canonical import ColumnForm, natural_form
from reconcile_assets.core.tables import Column, ColumnType
from reconcile_assets.core.tables import TypeKind as K
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Relation, RowsetQuery
from reconcile_assets.databases.postgresql import fast_hash
from reconcile_assets.databases.postgresql.connection import connect, parse_url
from reconcile_assets.databases.postgresql.digest import DigestQueries
from reconcile_assets_tests.integration.comparison.conftest import Pair

Connection = psycopg.Connection[Any]

KINDS: dict[str, ColumnType] = {
    "bigint": ColumnType(K.INTEGER, "bigint", 19, 0),
    "integer": ColumnType(K.INTEGER, "integer", 10, 0),
    "smallint": ColumnType(K.INTEGER, "smallint", 5, 0),
    "numeric": ColumnType(K.DECIMAL, "numeric"),
    "numeric(12,2)": ColumnType(K.DECIMAL, "numeric(12,2)", 12, 2),
    "real": ColumnType(K.FLOAT32, "real"),
    "double precision": ColumnType(K.FLOAT64, "double precision"),
    "text": ColumnType(K.TEXT, "text"),
    "char(4)": ColumnType(K.CHAR, "char(4)", length=4),
    "boolean": ColumnType(K.BOOLEAN, "boolean"),
    "bytea": ColumnType(K.BYTES, "bytea"),
    "uuid": ColumnType(K.UUID, "uuid"),
    "date": ColumnType(K.DATE, "date"),
    "time": ColumnType(K.TIME, "time"),
    "timetz": ColumnType(K.TIMETZ, "timetz"),
    "timestamp": ColumnType(K.TIMESTAMP, "timestamp"),
    "timestamptz": ColumnType(K.TIMESTAMPTZ, "timestamptz"),
    "interval": ColumnType(K.INTERVAL, "interval"),
    "bit varying": ColumnType(K.BIT, "bit varying"),
    "jsonb": ColumnType(K.JSON, "jsonb"),
}
# What some hash of PostgreSQL's own takes for one: the sign of numeric, NaN and infinity, 30 days and a month, 64 bits
# whose halves are exchanged, 0.0 and NULL.
APART = [
    ("bigint", ["0", "-1", "1", "4294967296", "-4294967297", "12884901893", "21474836483", "9007199254740993"]),
    ("integer", ["0", "1", "-1", "2147483647", "-2147483648"]),
    ("smallint", ["0", "1", "-1", "32767"]),
    ("numeric", ["0", "1", "-1", "10", "10000", "100000000", "1.5", "-1.5", "0.00015", "'NaN'", "'Infinity'"]),
    ("numeric(12,2)", ["0", "1", "-1", "10000", "0.01", "-0.01", "'NaN'"]),
    ("real", ["0", "1", "-1", "'NaN'", "'Infinity'", "'-Infinity'", "1e-45"]),
    ("double precision", ["0", "1", "-1", "0.1", "0.30000000000000004", "0.3", "'NaN'", "'Infinity'", "5e-324"]),
    ("text", ["''", "'a'", "'A'", "'a '", "'NULL'", "'é'", "E'e\\u0301'", "E'\\U0001F600'", "repeat('x', 100000)"]),
    ("char(4)", ["''", "'a'", "'A'", "' a'"]),
    ("boolean", ["true", "false"]),
    ("bytea", ["''", "'\\x00'", "'\\x0000'", "'\\xff'"]),
    ("uuid", ["'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0000-0000-000000000001'"]),
    ("date", ["'2000-01-01'", "'0044-03-15 BC'", "'infinity'", "'-infinity'", "'5874897-12-31'"]),
    ("time", ["'00:00'", "'24:00'", "'00:00:00.000001'", "'01:11:34.967296'"]),
    ("timetz", ["'00:00+00'", "'01:00+01'"]),
    ("timestamp", ["'2000-01-01'", "'2000-01-01 01:11:34.967296'", "'infinity'", "'0044-03-15 BC'"]),
    ("timestamptz", ["'2024-11-03 01:30-04'", "'2024-11-03 01:30-05'", "'-infinity'", "'294276-12-31'"]),
    ("interval", ["'1 mon'", "'30 days'", "'720 hours'", "'0'", "'1 year'", "'360 days'"]),
    ("bit varying", ["''", "'0'", "'00'", "'1'"]),
    ("jsonb", ["'null'", "'{}'", "'[]'", "'\"a\"'", "'1'"]),
]
ALIKE = [
    ("numeric", ["1.1", "1.10", "1.1000"]),
    ("double precision", ["0.0", "'-0.0'"]),
    ("real", ["0.0", "'-0.0'"]),
    ("char(4)", ["'a'", "'a '", "'a   '"]),
    ("timestamptz", ["'2024-11-03 01:30-04'", "'2024-11-03 05:30+00'"]),
    ("uuid", ["'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'"]),
]


@pytest.fixture(scope="module", params=["embedded", "service"])
def connection(request: pytest.FixtureRequest, postgres_server: str) -> Iterator[Connection]:
    from reconcile_assets_tests.conftest import SERVICE_POSTGRES, require_service

    if request.param == "service":
        require_service("postgres")
    url = postgres_server if request.param == "embedded" else SERVICE_POSTGRES
    with connect(parse_url(url, name="source"), read_only=True, statement_timeout=None) as found:
        found.autocommit = True
        yield found


def form_of(native: str, name: str = "v", *, identical: bool = True) -> ColumnForm:
    canonical = natural_form(KINDS[native])
    assert canonical is not None
    return ColumnForm(Column(name, KINDS[native], nullable=False), canonical, native=True, identical=identical)


def digests(connection: Connection, native: str, literals: Sequence[str], *, identical: bool) -> list[int]:
    hashed = fast_hash.digest(fast_hash.row_hash([form_of(native, identical=identical)]))
    bucket = fast_hash.bucket_hash([form_of(native, identical=identical)])
    values = ", ".join(f"({number}, CAST({literal} AS {native}))" for number, literal in enumerate(literals))
    chosen = f"{hashed.as_string()}, {bucket.as_string()}"
    rows = connection.execute(f"SELECT {chosen} FROM (VALUES {values}) AS t(n, v) ORDER BY n".encode()).fetchall()
    assert all(row[1] is not None for row in rows)
    return [row[0] for row in rows]


@pytest.mark.parametrize("identical", [True, False])
@pytest.mark.parametrize(("native", "literals"), APART, ids=[case[0] for case in APART])
def test_values_that_differ_have_digests_that_differ(
    connection: Connection, native: str, literals: list[str], identical: bool
) -> None:
    found = digests(connection, native, ["NULL", *literals], identical=identical)
    assert None not in found
    assert len(set(found)) == len(literals) + 1


@pytest.mark.parametrize(("native", "literals"), ALIKE, ids=[case[0] for case in ALIKE])
def test_values_that_are_equal_have_one_digest(connection: Connection, native: str, literals: list[str]) -> None:
    assert len(set(digests(connection, native, literals, identical=False))) == 1


def test_numbers_of_one_scale_have_one_digest_however_they_were_made(connection: Connection) -> None:
    made = ["1.1", "1.10", "2.2 / 2", "1100 * 0.001"]
    assert len(set(digests(connection, "numeric(12,2)", made, identical=True))) == 1


ROWS = [
    ("two columns grow ten thousand times", "(1, 5, 7)", "(1, 50000, 70000)"),
    ("two columns change alike", "(1, 5, 5)", "(1, 6, 6)"),
    ("two columns exchange their values", "(1, 5, 7)", "(1, 7, 5)"),
    ("NULL moves", "(1, NULL, 7)", "(1, 7, NULL)"),
    ("zeros become NULL", "(1, 0, 0)", "(1, NULL, NULL)"),
    ("both signs turn", "(1, 5, 7)", "(1, -5, -7)"),
    ("two rows exchange a value", "(1, 5, 7), (2, 6, 8)", "(1, 6, 7), (2, 5, 8)"),
    ("two rows exchange all but the key", "(1, 5, 7), (2, 6, 8)", "(1, 6, 8), (2, 5, 7)"),
    ("another row is doubled", "(1, 5, 7), (1, 5, 7), (2, 6, 8)", "(1, 5, 7), (2, 6, 8), (2, 6, 8)"),
    ("two pairs of rows", "(1, 5, 7), (1, 5, 7)", "(2, 6, 8), (2, 6, 8)"),
    ("a diagonal", "(1, 5, 7), (1, 6, 8), (2, 5, 8), (2, 6, 7)", "(1, 5, 8), (1, 6, 7), (2, 5, 7), (2, 6, 8)"),
]


@pytest.mark.parametrize("native", ["bigint", "numeric", "numeric(12,2)", "double precision", "text", "integer"])
@pytest.mark.parametrize(("name", "here", "there"), ROWS, ids=[row[0] for row in ROWS])
def test_sets_of_rows_that_differ_have_sums_that_differ(
    connection: Connection, native: str, name: str, here: str, there: str
) -> None:
    sums = [_sum(connection, native, rows) for rows in (here, there)]
    assert sums[0] != sums[1]
    turned = ", ".join(reversed(here.split("), "))) if "), " not in here else here
    assert _sum(connection, native, turned) == sums[0]


def _sum(connection: Connection, native: str, rows: str) -> tuple[int, int]:
    query = f"SELECT k, a::text::{native} AS a, b::text::{native} AS b FROM (VALUES {rows}) AS v(k, a, b)"
    forms = form_of("integer", "k"), (form_of(native, "a"), form_of(native, "b"))
    asked = RowsetQuery(Relation(query=query), key=(forms[0],), columns=forms[1], fast=True, unique=True)
    queries = DigestQueries(asked, None)
    ((_, found),) = [queries.read_sums(row) for row in connection.execute(queries.sums(1)).fetchall()]
    return found.rows, found.first


def test_neighbours_differ_in_half_of_the_bits(connection: Connection) -> None:
    """Each bit of the digests is set in half of them, and none is there twice."""
    hashed = fast_hash.digest(fast_hash.row_hash([form_of("bigint"), form_of("integer", "w")]))
    statement = sql.SQL(
        "SELECT count(DISTINCT d), ARRAY(SELECT sum(d >> bit & 1) FROM d, generate_series(0, 63) AS bit GROUP BY bit)"
        " FROM (SELECT 1) AS one, d"
    )
    rows = sql.SQL(
        "WITH d AS MATERIALIZED (SELECT {} AS d FROM (SELECT n AS v, 7 AS w FROM generate_series({}, {}) AS n) AS t)"
    )
    many = 20_000
    found = connection.execute(
        sql.SQL("{} {}").format(rows.format(hashed, sql.SQL("1::bigint"), sql.Literal(many)), statement)
    ).fetchone()
    assert found is not None
    assert found[0] == many
    assert all(abs(float(count) / many - 0.5) < 0.03 for count in found[1])
    assert len(found[1]) == 64


def test_many_columns_in_the_key_share_its_hash(connection: Connection) -> None:
    """More than a few: the bucket comes from what the digest is made of, and the digest is the same."""
    names = [f"c{number}" for number in range(5)]
    query = (
        "SELECT n AS c0, n % 7 AS c1, 'x' || n AS c2, NULL::integer AS c3, -n AS c4 FROM generate_series(1, 500) AS n"
    )
    kinds = ["integer", "integer", "text", "integer", "integer"]
    forms = tuple(form_of(kind, name) for kind, name in zip(kinds, names, strict=True))
    sums = []
    for width in (1, 3, 4, 5):
        asked = RowsetQuery(Relation(query=query), key=forms[:width], columns=forms[width:], fast=True, unique=True)
        queries = DigestQueries(asked, None)
        found = [queries.read_sums(row) for row in connection.execute(queries.sums(16)).fetchall()]
        assert len(found) == 16
        assert {row[1] for row in connection.execute(queries.shipped(16, [(None, 3)], values=False)).fetchall()} == {3}
        sums.append((sum(each.rows for _, each in found), sum(each.first for _, each in found)))
    assert len(set(sums)) == 1


def test_a_sum_is_one_whether_in_one_bucket_or_in_many(connection: Connection) -> None:
    forms = form_of("bigint", "id"), form_of("text", "v")
    query = "SELECT n AS id, md5(n::text) AS v FROM generate_series(1, 3000) AS n"
    queries = DigestQueries(RowsetQuery(Relation(query=query), forms[:1], forms[1:], fast=True, unique=True), None)
    whole, divided = (
        [queries.read_sums(row)[1] for row in connection.execute(queries.sums(buckets)).fetchall()]
        for buckets in (1, 64)
    )
    assert (whole[0].rows, whole[0].first) == (3000, sum(each.first for each in divided))
    assert max(each.rows for each in divided) < 200


def test_servers_that_hash_alike_are_of_one_family_and_those_of_two_encodings_are_not(
    postgres_urls: Callable[[str], str], service_postgres: str
) -> None:
    families = []
    for url in (postgres_urls("one"), postgres_urls("two"), service_postgres):
        with open_database(url, name="source").session() as session:
            families.append(session.hash_family)
    assert len(set(families)) == 1
    assert families[0].endswith("-UTF8")


def test_a_null_that_the_catalog_denies_hides_no_row(pair: Pair) -> None:
    """PostgreSQL 18 lets a column be NOT NULL while rows from before hold NULL."""
    version = pair.connections[0].info.server_version
    if version < 180000:
        pytest.skip("NOT NULL NOT VALID is there since PostgreSQL 18")
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, NULL FROM generate_series(1, 3000) g;"
        "ALTER TABLE t ADD CONSTRAINT filled NOT NULL v NOT VALID; ANALYZE t"
    )
    assert pair.diff().verdict == "matched"
    pair.run("ALTER TABLE t DROP CONSTRAINT filled; UPDATE t SET v = 0 WHERE id = 1700", "SELECT 1")
    pair.run("ALTER TABLE t ADD CONSTRAINT filled NOT NULL v NOT VALID", "SELECT 1")
    found = pair.diff()
    assert (found.source.rows, found.value_differs) == (3000, 1)


def test_a_table_of_1600_columns_is_compared(pair: Pair) -> None:
    columns = ", ".join(f"c{number} int" for number in range(1, 1600))
    pair.run(f"CREATE TABLE t (id int PRIMARY KEY, {columns}); INSERT INTO t (id, c1599) VALUES (1, 5), (2, 6)")
    assert pair.diff().verdict == "matched"
    pair.connections[1].execute("UPDATE t SET c1599 = 6 WHERE id = 1")
    assert [item.source for item in pair.diff().differences] == [{"c1599": 5}]


def test_a_different_type_of_one_kind_goes_the_longer_way() -> None:
    wide, narrow = form_of("bigint", identical=False), replace(form_of("integer"), identical=False)
    texts = [fast_hash.row_hash([form]).as_string() for form in (wide, narrow)]
    assert texts[0] == texts[1]
    assert fast_hash.row_hash([form_of("integer")]).as_string() != texts[1]
