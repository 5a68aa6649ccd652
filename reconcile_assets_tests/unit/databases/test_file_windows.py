"""Partitions as conditions on SQLite's texts and DuckDB's moments."""

import sqlite3
from datetime import UTC, datetime

import duckdb
import pytest

from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.core.windows import Every, Partition, PartitionScheme
from reconcile_assets.databases.base import PartitionFilter
from reconcile_assets.databases.duckdb.windows import window_condition as duckdb_condition
from reconcile_assets.databases.sqlite.windows import window_condition as sqlite_condition
from reconcile_assets.databases.streaming_rows import RowWindows

K = TypeKind
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def days(*keys: str, zone: str = "UTC", by: Every = Every.DAY) -> tuple[Partition, ...]:
    scheme = PartitionScheme("seen", by, datetime(2024, 1, 1), datetime(2025, 1, 1), zone)
    return scheme.select(NOW, keys=keys or None)


def column(kind: TypeKind) -> Column:
    return Column('s"een', ColumnType(kind, kind.value))


MOMENTS = {
    K.DATE: ["2023-12-31", "2024-01-02", "2024-01-03", "infinity", "0044-03-15 BC", None],
    K.TIMESTAMP: [
        "2024-01-01 23:59:59.999999",
        "2024-01-02 00:00:00",
        "2024-01-02T12:00",
        "2024-01-02 23:59:59.999999",
        "2024-01-03 00:00:00",
        "2024-01-04",
        "12024-01-02 00:00:00",
        None,
    ],
}


@pytest.mark.parametrize("kind", [K.DATE, K.TIMESTAMP])
@pytest.mark.parametrize("keys", [("2024-01-02",), ("2024-01-02", "2024-01-03"), ("2024-01-02", "2024-01-04")])
def test_sqlites_condition_leaves_no_row_of_a_window_out(kind: TypeKind, keys: tuple[str, ...]) -> None:
    windows = PartitionFilter('s"een', kind, days(*keys))
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE TABLE t ("s""een" TIMESTAMP)')
    connection.executemany("INSERT INTO t VALUES (?)", [(moment,) for moment in MOMENTS[kind]])
    near = [row[0] for row in connection.execute(f"SELECT * FROM t WHERE {sqlite_condition(column(kind), windows)}")]  # noqa: S608
    inside = [moment for moment in MOMENTS[kind] if RowWindows(windows).key_of(moment) is not None]
    assert set(inside) <= set(near)
    assert len(near) <= 5
    assert None not in near


def test_an_instant_with_any_offset_is_near_its_window() -> None:
    windows = PartitionFilter('s"een', K.TIMESTAMPTZ, days("2024-01-02", zone="Pacific/Kiritimati"))
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE TABLE t ("s""een" TIMESTAMPTZ)')
    texts = ["2024-01-01 10:00:00+00:00", "2024-01-02 01:00:00+14:00", "2023-12-31 22:01:00-12:00"]
    connection.executemany("INSERT INTO t VALUES (?)", [(text,) for text in texts])
    found = connection.execute(f"SELECT count(*) FROM t WHERE {sqlite_condition(column(K.TIMESTAMPTZ), windows)}")  # noqa: S608
    assert found.fetchone() == (3,)


def test_an_index_serves_sqlites_condition() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript('CREATE TABLE t ("s""een" DATETIME); CREATE INDEX i ON t ("s""een")')
    condition = sqlite_condition(column(K.TIMESTAMP), PartitionFilter('s"een', K.TIMESTAMP, days("2024-01-02")))
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM t WHERE {condition}").fetchall()  # noqa: S608
    assert "USING INDEX i" in plan[0][3].replace("COVERING ", "")


@pytest.mark.parametrize("every", [1, 2])
def test_sqlite_takes_hundreds_of_windows_in_one_condition(every: int) -> None:
    windows = PartitionFilter('s"een', K.TIMESTAMP, days()[::every])
    connection = sqlite3.connect(":memory:")
    connection.executescript('CREATE TABLE t ("s""een" DATETIME); INSERT INTO t VALUES (\'2024-06-03 12:00:00\')')
    query = f"SELECT count(*) FROM t WHERE {sqlite_condition(column(K.TIMESTAMP), windows)}"  # noqa: S608
    assert connection.execute(query).fetchone() == (1,)


@pytest.mark.parametrize("kind", [K.DATE, K.TIMESTAMP, K.TIMESTAMPTZ])
def test_duckdbs_condition_is_true_exactly_within_the_windows(kind: TypeKind) -> None:
    windows = PartitionFilter('s"een', kind, days("2024-01-02", "2024-01-03", "2024-02-01"))
    native = {K.DATE: "DATE", K.TIMESTAMP: "TIMESTAMP", K.TIMESTAMPTZ: "TIMESTAMPTZ"}[kind]
    moments = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-02-01", "infinity", "-infinity"]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f'CREATE TABLE t ("s""een" {native})')
        connection.executemany("INSERT INTO t VALUES (?)", [(moment,) for moment in (*moments, None)])
        condition = duckdb_condition(column(kind), windows)
        found = connection.execute(f'SELECT strftime("s""een", \'%Y-%m-%d\') FROM t WHERE {condition}').fetchall()  # noqa: S608
    assert [row[0] for row in found] == ["2024-01-02", "2024-01-03", "2024-02-01"]


def test_no_windows_have_no_rows() -> None:
    nothing = PartitionFilter("seen", K.TIMESTAMP, ())
    assert sqlite_condition(column(K.TIMESTAMP), nothing) == "(0)"
    assert duckdb_condition(column(K.TIMESTAMP), nothing) == "(false)"
