"""Partitions and queries: windows of MariaDB's own time types, views, queries and conditions."""

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
from reconcile_assets_tests.integration.mysql.conftest import MariadbSide, PostgresSide, Side
from reconcile_assets_tests.integration.mysql.conftest import compare as compare_whole

T = Relation(TableName(None, "t"))
KINDS = {
    "instants": ("timestamptz", "timestamp(6)", TypeKind.TIMESTAMPTZ),
    "zoneless": ("timestamp", "datetime(6)", TypeKind.TIMESTAMP),
    "whole seconds": ("timestamp(0)", "datetime", TypeKind.TIMESTAMP),
    "dates": ("date", "date", TypeKind.DATE),
}


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
    source: Side, target: Side, partitions: Sequence[Partition], kind: TypeKind, limit: int = 100
) -> dict[str | None, Comparison]:
    first = open_database(source.url, name="source")
    second = open_database(target.url, name="target")
    with first.session() as left, second.session() as right:
        return compare_tables(
            left,
            right,
            source_relation=T,
            target_relation=T,
            key=["id"],
            partitions=PartitionFilter("at", kind, partitions),
            limit=limit,
        )


def fill(side: Side, column_type: str, moments: Sequence[str | None], *, keyed: bool = True) -> None:
    primary = " PRIMARY KEY" if keyed else ""
    side.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id int{primary}, at {column_type} NULL, v int)")
    side.many("INSERT INTO t VALUES (%s, %s, 0)", list(enumerate(moments)))


@pytest.mark.parametrize("keyed", [True, False], ids=["unique", "not unique"])
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_partitions_that_differ_are_red(
    postgres: PostgresSide, mariadb: MariadbSide, kind: str, keyed: bool
) -> None:
    moments = [str(datetime(2024, 1, 1) + timedelta(minutes=20 * number)) for number in range(3_600)]
    for side, column_type in ((postgres, KINDS[kind][0]), (mariadb, KINDS[kind][1])):
        fill(side, column_type, moments, keyed=keyed)
    partitions = days(date(2024, 1, 1), 50)
    partitions = (*partitions[:20], *partitions[21:])  # a hole between the windows
    for sides in ((postgres, mariadb), (mariadb, postgres)):
        found = compare(*sides, partitions, KINDS[kind][2])
        assert {item.verdict for item in found.values()} == {"matched"}
        assert {item.source.rows for item in found.values()} == {72}
        assert found["2024-01-01"].target_cost.scans == 1
        assert found["2024-01-01"].source_checksum == found["2024-01-01"].target_checksum
    mariadb.run(
        "DELETE FROM t WHERE id < 72", "UPDATE t SET v = 1 WHERE id IN (80, 81)", "DELETE FROM t WHERE id = 300"
    )
    found = compare(postgres, mariadb, partitions, KINDS[kind][2], limit=10)
    bad = {key: item for key, item in found.items() if item.verdict != "matched"}
    assert set(bad) == {"2024-01-01", "2024-01-02", "2024-01-05"}
    assert (bad["2024-01-01"].missing_in_target, len(bad["2024-01-01"].differences)) == (72, 10)
    assert (bad["2024-01-02"].value_differs, bad["2024-01-05"].missing_in_target) == (2, 1)
    turned = compare(mariadb, postgres, partitions, KINDS[kind][2], limit=10)
    assert (turned["2024-01-01"].missing_in_source, len(turned["2024-01-01"].differences)) == (72, 10)


def test_a_row_at_the_end_belongs_to_the_next_partition(postgres: PostgresSide, mariadb: MariadbSide) -> None:
    moments = ["2024-01-01 23:59:59.999999", "2024-01-02 00:00:00", None]
    fill(postgres, "timestamp", [*moments, "infinity"])
    fill(mariadb, "datetime(6)", [*moments, "0000-00-00 00:00:00"])
    found = compare(postgres, mariadb, days(date(2024, 1, 1), 2), TypeKind.TIMESTAMP)
    assert [item.source.rows for item in found.values()] == [item.target.rows for item in found.values()] == [1, 1]
    assert [item.verdict for item in found.values()] == ["matched", "matched"]


def test_days_of_a_zone_have_23_or_25_hours(postgres: PostgresSide, mariadb: MariadbSide) -> None:
    moments = [str(datetime(2024, 3, 9, 5) + timedelta(hours=number)) for number in range(72)]
    fill(postgres, "timestamptz", [f"{moment}+00" for moment in moments])
    fill(mariadb, "timestamp", moments)
    found = compare(mariadb, postgres, days(date(2024, 3, 9), 3, "America/New_York"), TypeKind.TIMESTAMPTZ)
    assert [item.source.rows for item in found.values()] == [24, 23, 24]
    assert {item.verdict for item in found.values()} == {"matched"}


def test_hours_of_a_date_hold_its_midnight(postgres: PostgresSide, mariadb: MariadbSide) -> None:
    for side in (postgres, mariadb):
        fill(side, "date", ["2024-01-01", "2024-01-02"])
    hours = [
        Partition(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), start, end, str(start.hour))
        for start, end in (
            (datetime(2024, 1, 1), datetime(2024, 1, 1, 1)),
            (datetime(2024, 1, 1, 23), datetime(2024, 1, 2)),
        )
    ]
    found = compare(mariadb, postgres, hours, TypeKind.DATE)
    assert [item.source.rows for item in found.values()] == [item.target.rows for item in found.values()] == [1, 0]


def test_a_query_is_compared_as_the_table_that_it_is(postgres: PostgresSide, mariadb: MariadbSide) -> None:
    for side, types in (
        (postgres, "n numeric(10,2), d float8, f real, t varchar(20), b bytea, at timestamp(3), u bigint, o boolean"),
        (
            mariadb,
            "n decimal(10,2), d double, f float, t varchar(20) CHARACTER SET cp932, b varbinary(9), at datetime(3),"
            " u bigint unsigned, o tinyint(1)",
        ),
    ):
        side.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id int PRIMARY KEY, {types})")
        side.many(
            "INSERT INTO t VALUES (%s, 1.50, 0.1, 0.123456789, '日', 'b', '2024-01-01 00:00:00.125', 9, %s)",
            [(1, True), (2, False), (3, None)],
        )
    query = Relation(query="SELECT * FROM t WHERE id < 3;")
    for source, target in ((postgres, mariadb), (mariadb, postgres), (mariadb, mariadb)):
        first, second = open_database(source.url, name="source"), open_database(target.url, name="target")
        with first.session() as left, second.session() as right:
            found = compare_tables(left, right, source_relation=query, target_relation=query, key=["id"])[None]
            assert (found.verdict, found.source.rows) == ("matched", 2)
            assert found.source_checksum == found.target_checksum
            whole = compare_tables(left, right, source_relation=query, target_relation=T, key=["id"])[None]
            assert whole.missing_in_source == 1


def test_a_view_and_a_condition_are_compared(postgres: PostgresSide, mariadb: MariadbSide) -> None:
    for side in (postgres, mariadb):
        side.run("DROP TABLE IF EXISTS t", "CREATE TABLE t (id int PRIMARY KEY, v int)")
        side.many("INSERT INTO t VALUES (%s, %s)", [(number, number % 7) for number in range(3_000)])
        side.run("DROP VIEW IF EXISTS seen", "CREATE VIEW seen AS SELECT * FROM t WHERE id < 2000")
    mariadb.run("UPDATE t SET v = 9 WHERE id = 2500")
    found = compare_whole(postgres, mariadb, "seen", "seen", key=["id"])
    assert (found.verdict, found.source.rows) == ("matched", 2_000)
    assert compare_whole(mariadb, postgres, where="id < 2500 -- the rest").verdict == "matched"
    found = compare_whole(mariadb, postgres, where_source="id % 2 = 0", where_target="mod(id, 2) = 0")
    assert (found.verdict, found.value_differs, found.source.rows) == ("mismatched", 1, 1_500)
    for side in (postgres, mariadb):
        side.run("DROP VIEW seen")


def test_a_column_of_bytes_as_its_own_sql_names_it(mariadb: MariadbSide) -> None:
    mariadb.run(
        "DROP TABLE IF EXISTS `we``ird %s`",
        'CREATE TABLE `we``ird %s` (`or``der` int PRIMARY KEY, `a"b` int, `%s` int, `a b` int, `Id` int INVISIBLE)',
        'INSERT INTO `we``ird %s` (`or``der`, `a"b`, `%s`, `a b`, `Id`) VALUES (1, 2, 3, 4, 5)',
    )
    found = compare_whole(mariadb, mariadb, "we`ird %s", f"{mariadb.database}.we`ird %s", where="`Id` = 5")
    assert (found.verdict, found.source.rows, set(found.columns)) == ("matched", 1, {'a"b', "%s", "a b", "Id"})
    mariadb.run("DROP TABLE `we``ird %s`")
