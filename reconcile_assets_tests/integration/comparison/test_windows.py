"""Partitions: one scan a side for all of them, half-open, and a comparison for each."""

# ruff: noqa: S608 - the SQL of these tests is their own

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.tables import TableName, TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import PartitionFilter, Relation
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.errors import MissingObject, NotComparable
from reconcile_assets_tests.integration.comparison.conftest import Pair

T = Relation(TableName(None, "t"))


def days(first: date, count: int, zone: str = "UTC") -> tuple[Partition, ...]:
    """Days on the wall clock of a zone."""
    made = []
    for index in range(count):
        start = datetime(first.year, first.month, first.day) + timedelta(days=index)
        end = start + timedelta(days=1)
        instants = [moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in (start, end)]
        made.append(Partition(instants[0], instants[1], start, end, start.date().isoformat()))
    return tuple(made)


def compare(
    pair: Pair, partitions: Sequence[Partition], *, kind: TypeKind, column: str = "at", limit: int = 100
) -> dict[str | None, Comparison]:
    source = open_database(pair.urls[0], name="source")
    target = open_database(pair.urls[1], name="target")
    with source.session() as first, target.session() as second:
        return compare_tables(
            first,
            second,
            source_relation=T,
            target_relation=T,
            key=["id"],
            partitions=PartitionFilter(column, kind, partitions),
            limit=limit,
        )


def test_only_the_partitions_that_differ_are_red(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, v int);"
        "INSERT INTO t SELECT g, '2024-01-01+00'::timestamptz + g * interval '10 minutes', g"
        " FROM generate_series(0, 14399) g; ANALYZE t"
    )
    partitions = days(date(2024, 1, 1), 100)
    found = compare(pair, partitions, kind=TypeKind.TIMESTAMPTZ)
    assert {item.verdict for item in found.values()} == {"matched"}
    assert {item.source.rows for item in found.values()} == {144}
    assert found["2024-01-01"].source_cost.scans == 1
    pair.connections[1].execute("DELETE FROM t WHERE at < '2024-01-02+00'; UPDATE t SET v = 0 WHERE id IN (150, 151)")
    pair.connections[0].execute("INSERT INTO t VALUES (-1, '2024-01-05 12:00+00', 0)")
    found = compare(pair, partitions, kind=TypeKind.TIMESTAMPTZ, limit=10)
    bad = {key: item for key, item in found.items() if item.verdict != "matched"}
    assert set(bad) == {"2024-01-01", "2024-01-02", "2024-01-05"}
    assert (bad["2024-01-01"].missing_in_target, len(bad["2024-01-01"].differences)) == (144, 10)
    assert bad["2024-01-02"].value_differs == 2
    assert bad["2024-01-05"].missing_in_target == 1
    assert found["2024-01-03"].source_checksum == found["2024-01-03"].target_checksum != "0" * 32


def test_a_row_at_the_end_belongs_to_the_next_partition(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz);"
        "INSERT INTO t VALUES (1, '2024-01-01 23:59:59.999999+00'), (2, '2024-01-02+00'), (3, NULL), (4, 'infinity')"
    )
    found = compare(pair, days(date(2024, 1, 1), 2), kind=TypeKind.TIMESTAMPTZ)
    assert [item.source.rows for item in found.values()] == [1, 1]


def test_days_of_a_zone_have_23_or_25_hours(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz);"
        "INSERT INTO t SELECT g, '2024-03-09 05:00+00'::timestamptz + g * interval '1 hour'"
        " FROM generate_series(0, 71) g"
    )
    found = compare(pair, days(date(2024, 3, 9), 3, "America/New_York"), kind=TypeKind.TIMESTAMPTZ)
    assert [item.source.rows for item in found.values()] == [24, 23, 24]


@pytest.mark.parametrize(("column_type", "kind"), [("date", TypeKind.DATE), ("timestamp", TypeKind.TIMESTAMP)])
def test_columns_without_a_zone_are_read_on_the_wall_clock(pair: Pair, column_type: str, kind: TypeKind) -> None:
    pair.run(
        f"CREATE TABLE t (id int PRIMARY KEY, at {column_type});"
        "INSERT INTO t SELECT g, DATE '2024-03-09' + g FROM generate_series(0, 3) g;"
        "INSERT INTO t VALUES (9, 'infinity')"
    )
    found = compare(pair, days(date(2024, 3, 9), 3, "America/New_York"), kind=kind)
    assert [item.source.rows for item in found.values()] == [1, 1, 1]


def test_a_row_that_moved_to_another_partition_is_missing_here_and_extra_there(pair: Pair) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY, at date); INSERT INTO t VALUES (1, '2024-01-01'), (2, '2024-01-02')")
    pair.connections[1].execute("UPDATE t SET at = '2024-01-02' WHERE id = 1")
    found = compare(pair, days(date(2024, 1, 1), 2), kind=TypeKind.DATE)
    assert (found["2024-01-01"].missing_in_target, found["2024-01-02"].missing_in_source) == (1, 1)


def test_a_partition_column_of_another_name_or_kind_is_found_through_the_pairs(pair: Pair) -> None:
    pair.run('CREATE TABLE t (id int PRIMARY KEY, "At" date)', "CREATE TABLE t (id int PRIMARY KEY, at timestamp)")
    pair.run("INSERT INTO t VALUES (1, '2024-01-01')")
    found = compare(pair, days(date(2024, 1, 1), 1), kind=TypeKind.DATE, column="At")
    assert found["2024-01-01"].verdict == "matched"
    assert found["2024-01-01"].target.rows == 1


def test_text_and_missing_partition_columns_are_refused(pair: Pair) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY, at text)")
    with pytest.raises(NotComparable, match="must be timestamptz, timestamp or date"):
        compare(pair, days(date(2024, 1, 1), 1), kind=TypeKind.TEXT)
    with pytest.raises(MissingObject, match="no partition column"):
        compare(pair, days(date(2024, 1, 1), 1), kind=TypeKind.DATE, column="day")


def test_no_partitions_give_no_comparisons(pair: Pair) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY, at date); INSERT INTO t VALUES (1, '2024-01-01')")
    assert compare(pair, (), kind=TypeKind.DATE) == {}


def test_partitions_with_a_hole_between_them_leave_its_rows_out(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, at date);"
        "INSERT INTO t SELECT g, DATE '2024-01-01' + g FROM generate_series(0, 4) g"
    )
    chosen = [item for index, item in enumerate(days(date(2024, 1, 1), 5)) if index in (0, 3)]
    found = compare(pair, chosen, kind=TypeKind.DATE)
    assert {key: item.source.rows for key, item in found.items()} == {"2024-01-01": 1, "2024-01-04": 1}


@pytest.mark.parametrize("kind", [TypeKind.DATE, TypeKind.TIMESTAMPTZ])
def test_many_partitions_with_holes_between_them_leave_the_holes_out(pair: Pair, kind: TypeKind) -> None:
    pair.run(
        f"CREATE TABLE t (id int PRIMARY KEY, at {kind.value});"
        "INSERT INTO t SELECT g, DATE '2024-01-01' + g FROM generate_series(0, 199) g;"
        "INSERT INTO t VALUES (-1, 'infinity'), (-2, '-infinity'), (-3, NULL)"
    )
    pair.connections[1].execute("UPDATE t SET id = id + 1000 WHERE id IN (50, 51, 52)")
    found = compare(pair, days(date(2024, 1, 1), 200)[::2], kind=kind)
    assert {item.source.rows for item in found.values()} == {1}
    assert {key for key, item in found.items() if item.verdict != "matched"} == {"2024-02-20", "2024-02-22"}


@pytest.mark.parametrize("share", [3, 20_000], ids=["many differ", "few differ"])
def test_large_partitions_are_divided_in_the_first_scan(pair: Pair, share: int) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, v int);"
        "INSERT INTO t SELECT g, '2024-01-01+00'::timestamptz + g * interval '4 seconds', g"
        " FROM generate_series(0, 43199) g;"
        "ANALYZE t"
    )
    pair.connections[1].execute(f"UPDATE t SET v = -1 WHERE id < 21600 AND id % {share} = 1".encode())
    found = compare(pair, days(date(2024, 1, 1), 2), kind=TypeKind.TIMESTAMPTZ)
    assert found["2024-01-01"].value_differs == len(range(1, 21_600, share))
    assert found["2024-01-02"].verdict == "matched"
    assert found["2024-01-01"].source_cost.scans == 2
    assert (found["2024-01-01"].source_cost.rows_read < 2_000) is (share > 3)


def scans(pair: Pair, side: int) -> int:
    """How many whole scans of t the server has begun; it tells a little late."""
    pair.connections[side].execute("SELECT pg_stat_force_next_flush()")  # those of the test's own statements
    until = time.monotonic() + 5
    asked = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'"
    found = -1
    while time.monotonic() < until:
        before, found = found, pair.connections[side].execute(asked).fetchone()[0]
        if before == found:
            break
        time.sleep(0.3)
    return found


def test_partitions_of_every_kind_take_two_scans_at_most_as_the_server_counts(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, v int);"
        "INSERT INTO t SELECT g, '2024-01-01+00'::timestamptz + g * interval '30 seconds', g"
        " FROM generate_series(0, 86399) g;"
        "ANALYZE t"
    )
    pair.connections[1].execute("UPDATE t SET v = -1 WHERE id % 9000 = 1; DELETE FROM t WHERE id BETWEEN 5760 AND 8639")
    before = scans(pair, 0), scans(pair, 1)
    found = compare(pair, days(date(2024, 1, 1), 30), kind=TypeKind.TIMESTAMPTZ)
    assert found["2024-01-03"].missing_in_target == 2880
    assert sum(item.value_differs for item in found.values()) == 10
    told = found["2024-01-01"].source_cost.scans, found["2024-01-01"].target_cost.scans
    assert (scans(pair, 0) - before[0], scans(pair, 1) - before[1]) == told == (2, 2)
