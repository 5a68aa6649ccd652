"""DuckDB's SQL sums up what hashing its rows one by one sums up, and its conditions leave no wanted row out."""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form, natural_form
from reconcile_assets.core.tables import Table, TableName, TypeKind
from reconcile_assets.core.windows import PartitionScheme
from reconcile_assets.databases.base import PartitionFilter, Relation, RowsetQuery, ShippedRow
from reconcile_assets.databases.duckdb.session import DuckdbDatabase, DuckdbSession

random_ = random.Random(11)  # noqa: S311 - a seeded sequence, no secret
DOUBLES = [struct.unpack("<d", random_.randbytes(8))[0] for _ in range(300)]
DOUBLES += [random_.uniform(-1e6, 1e6) for _ in range(500)] + [10.0**power for power in range(-30, 30)]
DOUBLES += [random_.uniform(1, 10) * 10.0**power for power in range(-6, 18) for _ in range(40)]
DOUBLES += [0.0, -0.0, 1e-4, 9.999999999999999e-5, 1e15, 999999999999999.9, 2.0**53, float("inf"), float("nan")]
SINGLES = [struct.unpack("<f", random_.randbytes(4))[0] for _ in range(300)]
SINGLES += [struct.unpack("<f", struct.pack("<f", value))[0] for value in DOUBLES if abs(value) < 1e30] + [
    0.1,
    1.5,
    -0.0,
    16777217.0,
]


def quoted(*texts: str) -> list[str]:
    return ["'" + text.replace("'", "''") + "'" for text in texts]


MOMENTS = quoted(
    "2024-01-01 00:00:00.1236", "1969-12-31 23:59:59.9999", "2024-02-29 23:59:59.999999", "0001-01-01 00:00:00",
    "0044-03-15 (BC) 01:02:03", "infinity", "-infinity", "12345-06-07 08:09:10.5", "9999-12-31 23:59:59.999999",
)  # fmt: skip
CASES: list[tuple[str, list[str]]] = [
    ("TINYINT", ["-128", "0", "127"]),
    ("UBIGINT", ["18446744073709551615", "9223372036854775808", "0"]),
    ("BIGINT", ["-9223372036854775808", "9223372036854775807", "-65", "64"]),
    ("HUGEINT", ["-170141183460469231731687303715884105728", "5"]),
    ("DECIMAL(12,2)", ["1.10", "-0.50", "100", "0", "9999999999.99"]),
    ("DECIMAL(38,0)", ["-99999999999999999999999999999999999999", "0"]),
    ("DECIMAL(38,30)", ["0.000000000000000000000000000001", "-1.5"]),
    ("DOUBLE", [f"'{value!r}'" for value in DOUBLES]),
    ("FLOAT", [f"'{value!r}'" for value in SINGLES]),
    ("BOOLEAN", ["true", "false"]),
    ("VARCHAR", [*quoted("", "a ", "\U0001f600", "x|y,z", "*", "NULL", "é", ","), "'a' || chr(0) || 'b'"]),
    ("ENUM('a,b', '', 'é')", quoted("a,b", "", "é")),
    ("BLOB", ["'\\x00\\xFF'::BLOB", "''::BLOB"]),
    ("DATE", quoted("2024-02-29", "0044-03-15 (BC)", "infinity", "-infinity", "12345-01-01", "0001-01-01")),
    ("TIMESTAMP", MOMENTS),
    ("TIMESTAMP_S", quoted("2024-01-01 00:00:00", "1969-12-31 23:59:59")),
    ("TIMESTAMP_MS", quoted("2024-01-01 00:00:00.120", "1969-12-31 23:59:59.999")),
    ("TIMESTAMP_NS", quoted("2024-01-01 00:00:00.123456789")),
    ("TIMESTAMPTZ", [f"{text[:-1]}+00'" if text[1:2].isdigit() and "BC" not in text else text for text in MOMENTS]),
    ("TIME", quoted("00:00:00", "23:59:59.999990", "24:00:00")),
    ("UUID", quoted("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")),
    ("BIT", quoted("0", "101", "1")),
    ("INTERVAL", quoted("1 month -2 days")),
    ("INTEGER[]", ["[1, NULL]", "[]"]),
    ("JSON", quoted('{"a": 1.0}')),
]
OTHER_FORMS = {
    "BOOLEAN": [Canonical(Form.NUMBER)],
    "DATE": [Canonical(Form.TIMESTAMP), Canonical(Form.TIMESTAMP, digits=3)],
    "DOUBLE": [Canonical(Form.FLOAT32)],
    "DECIMAL(12,2)": [Canonical(Form.NUMBER, scale=2)],
    **{
        name: [Canonical(form, digits=digits) for digits in (0, 1, 3, 6)]
        for name, form in (
            ("TIMESTAMP", Form.TIMESTAMP),
            ("TIMESTAMP_NS", Form.TIMESTAMP),
            ("TIMESTAMPTZ", Form.TIMESTAMPTZ),
            ("TIME", Form.TIME),
        )
    },
}
STREAMED = {"TIMESTAMP_NS", "INTERVAL", "INTEGER[]", "JSON"}

Opened = Callable[..., DuckdbSession]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    sessions = []

    def open_file(*statements: str) -> DuckdbSession:
        path = tmp_path / f"{len(sessions)}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for statement in statements:
                connection.execute(statement)
        context = DuckdbDatabase(f"duckdb:///{path}", name="source").session()
        sessions.append(context)
        return context.__enter__()  # type: ignore[return-value]

    yield open_file
    for context in sessions:
        context.__exit__(None, None, None)


def inserting(rows: str) -> str:
    return "".join(("INSERT INTO t VALUES ", rows))


def query_of(session: DuckdbSession, table: Table, canonical: Canonical | None = None) -> RowsetQuery:
    forms = [
        ColumnForm(
            column, canonical if canonical and column.name == "v" else natural_form(column.type) or Canonical(Form.TEXT)
        )
        for column in table.columns
    ]
    return RowsetQuery(Relation(table=table.name), key=(forms[0],), columns=tuple(forms[1:]), unique=True)


@pytest.mark.parametrize(("native", "literals"), CASES, ids=[native for native, _ in CASES])
def test_sql_sums_up_what_rows_sum_up(opened: Opened, native: str, literals: list[str]) -> None:
    rows = ", ".join(f"({number}, ({literal})::{native})" for number, literal in enumerate([*literals, "NULL"]))
    session = opened(f"CREATE TABLE t (id BIGINT PRIMARY KEY, v {native})", inserting(rows))
    table = session.describe(Relation(table=TableName(None, "t")))
    for canonical in (None, *OTHER_FORMS.get(native, ())):
        query = query_of(session, table, canonical)
        queries = session._queries(query)
        assert queries.can_sum is not (native in STREAMED) or canonical is not None
        for buckets, integer_key in ((1, False), (16_384, False), (16_384, True)):
            asked = replace(query, integer_key=integer_key)
            assert session.fetch_buckets(asked, buckets) == session.sum_rows(asked, buckets)
        if native not in STREAMED:
            assert session.fetch_buckets(replace(query, unique=False), 64) == session.sum_rows(
                replace(query, unique=False), 64
            )
            assert session.fetch_buckets(replace(query, key=query.columns, columns=()), 64) == session.sum_rows(
                replace(query, key=query.columns, columns=()), 64
            )


def test_most_doubles_are_summed_up_by_sql(opened: Opened) -> None:
    rows = ", ".join(f"({number}, {literal}::DOUBLE)" for number, literal in enumerate(["1.5", "1e-7", "0", "2"]))
    session = opened("CREATE TABLE t (id BIGINT PRIMARY KEY, v DOUBLE)", inserting(rows))
    query = query_of(session, session.describe(Relation(table=TableName(None, "t"))))
    session.fetch_buckets(query, 1)
    assert session.cost.rows_read == 2 + 2  # the sums of sure and unsure rows, and the two unsure ones: 1e-7 and 0


def test_columns_of_any_name_are_summed_up_and_rows_counted(opened: Opened) -> None:
    names = ["w", "b", "d", "s", "k", "n", 'a"b', "select", "%s", "{x}", "q"]
    columns = ", ".join('"' + name.replace('"', '""') + '" VARCHAR' for name in names)
    values = ", ".join(f"'{name[:1]}'" for name in names)
    session = opened(
        f"CREATE TABLE t ({columns})",
        inserting(f"({values}), ({values})"),
        "INSERT INTO t (w) VALUES (NULL), ('w')",
    )
    table = session.describe(Relation(table=TableName(None, "t")))
    for query in (query_of(session, table), replace(query_of(session, table), unique=False)):
        for buckets in (1, 8):
            found = session.fetch_buckets(query, buckets)
            assert found == session.sum_rows(query, buckets)
            assert sum(each.rows for each in found.values()) == 4
    assert sum(each.null_keys for each in found.values()) == 1
    assert sum(each.duplicate_keys for each in found.values()) == 2


@pytest.mark.parametrize("native", ["TIMESTAMP", "TIMESTAMPTZ", "DATE"])
def test_windows_are_those_of_rows(opened: Opened, native: str) -> None:
    session = opened(
        f"CREATE TABLE t (id BIGINT PRIMARY KEY, v {native})",
        "INSERT INTO t SELECT g, TIMESTAMPTZ '2024-03-01 00:00:00+00' + g * INTERVAL 7 HOUR FROM range(200) AS s(g)",
        "INSERT INTO t VALUES (900, NULL), (901, 'infinity'), (902, '2024-03-10'), (903, '2024-03-11')",
    )
    table = session.describe(Relation(table=TableName(None, "t")))
    scheme = PartitionScheme("v", "day", datetime(2024, 3, 3), datetime(2024, 4, 2), "America/New_York", 3)
    every = scheme.partitions(datetime(2024, 5, 1, tzinfo=UTC))
    for partitions in (every, every[3:4], [*every[:3], *every[7:20]], []):
        windows = PartitionFilter("v", table.columns[1].type.kind, partitions)
        for buckets in (1, 8):
            query = replace(query_of(session, table), partitions=windows, integer_key=True)
            found = session.fetch_buckets(query, buckets)
            assert found == session.sum_rows(query, buckets)
            assert {window for window, _ in found} == {each.key for each in partitions}


def test_only_the_wanted_buckets_are_read(opened: Opened) -> None:
    session = opened(
        "CREATE TABLE t (id DOUBLE PRIMARY KEY, v VARCHAR)",
        "INSERT INTO t SELECT g + 0.5, 'x' || g FROM range(0, 3000) AS s(g)",
        "INSERT INTO t VALUES (1e-9, 'tiny'), (0, 'zero'), (1e300, 'huge')",
    )
    query = query_of(session, session.describe(Relation(table=TableName(None, "t"))))
    buckets = sorted(session.sum_rows(query, 64))
    before = session.cost.rows_read
    found = list(session.stream_rows(query, 64, buckets[:3], values=False))
    assert session.cost.rows_read - before < 300
    everything: list[ShippedRow] = []
    for bucket in buckets:
        everything += session.stream_rows(query, 64, [bucket], values=True)
    assert len(everything) == 3003
    wanted = {row.key for row in everything if (row.window, row.bucket) in buckets[:3]}
    assert {row.key for row in found} == wanted
    assert list(session.stream_rows(query, 64, [], values=False)) == []


def test_a_float_key_that_is_unsure_is_found_in_its_bucket(opened: Opened) -> None:
    session = opened("CREATE TABLE t (id DOUBLE PRIMARY KEY)", "INSERT INTO t VALUES (1e-9), (0), (1e300), (2)")
    query = query_of(session, session.describe(Relation(table=TableName(None, "t"))))
    sums = session.fetch_buckets(query, 1024)
    for at, found in sums.items():
        assert len(list(session.stream_rows(query, 1024, [at], values=False))) == found.rows
    assert sum(found.rows for found in sums.values()) == 4
    assert query.key[0].column.type.kind is TypeKind.FLOAT64
