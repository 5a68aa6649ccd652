"""Gaps between two real databases."""

from collections.abc import Callable, Mapping

import pytest

from reconcile_assets.core.gaps import GapKind, GapReport
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.engine.gaps import find_gaps
from reconcile_assets.engine.reconcile import run_and_record
from reconcile_assets.errors import DatabaseUnavailable, MissingObject
from reconcile_assets_tests.engine_world import COLUMNS, World, build_world

Urls = Callable[[str], str]


@pytest.fixture(params=[True, False], ids=["indexed", "unindexed"])
def world(request: pytest.FixtureRequest, postgres_urls: Urls) -> World:
    return build_world(postgres_urls, indexed=request.param)


def _gaps(world: World, *keys: str) -> GapReport:
    with world.connections() as connections:
        return find_gaps(world.orders, world.partitions(*keys), connections=connections)


def _kinds(report: GapReport) -> Mapping[str, GapKind]:
    return {state.key: state.kind for state in report.gaps}


def test_an_empty_target_lacks_every_partition(world: World) -> None:
    report = _gaps(world)
    assert report.counts()[GapKind.MISSING] == 10
    assert report.verdict is Verdict.MISMATCHED
    assert {state.source_rows for state in report.partitions} == {12}


def test_a_filled_target_has_no_gaps(world: World) -> None:
    world.backfill()
    report = _gaps(world)
    assert report.gaps == ()
    assert report.verdict is Verdict.MATCHED
    assert (report.unpartitioned_source, report.unpartitioned_target) == (0, 0)


def test_each_kind_of_gap_is_named(world: World) -> None:
    world.backfill()
    world.run_target(
        "DELETE FROM orders WHERE id BETWEEN 1000 AND 1999",
        "DELETE FROM orders WHERE id = 2003",
        "INSERT INTO orders VALUES (-1, '2024-01-04 05:00+00', 1, '')",
        "UPDATE orders SET amount = amount + 0.01 WHERE id = 4004",
    )
    report = _gaps(world)
    assert _kinds(report) == {
        "2024-01-02": GapKind.MISSING,
        "2024-01-03": GapKind.SHORT,
        "2024-01-04": GapKind.EXTRA,
        "2024-01-05": GapKind.DIFFERENT,
    }
    short = report.partitions[2]
    assert (short.source_rows, short.target_rows) == (12, 11)


def test_a_partition_empty_on_both_sides_matches_with_a_note(world: World) -> None:
    world.run_source("DELETE FROM orders WHERE id BETWEEN 3000 AND 3999")
    world.backfill()
    state = _gaps(world).partitions[3]
    assert state.kind is GapKind.MATCHED
    assert state.notes == ("no rows on either side",)


def test_a_value_exchanged_between_two_rows_is_a_gap(world: World) -> None:
    world.backfill()
    world.run_target(
        "UPDATE orders SET note = CASE id WHEN 4001 THEN 'note 2' ELSE 'note 1' END WHERE id IN (4001, 4002)"
    )
    assert _kinds(_gaps(world)) == {"2024-01-05": GapKind.DIFFERENT}


def test_rows_in_no_partition_are_counted(world: World) -> None:
    world.run_source("INSERT INTO orders VALUES (-1, NULL, 1, ''), (-2, '2023-12-31 23:59:59+00', 1, '')")
    world.run_target("INSERT INTO orders VALUES (-1, '2024-01-11 00:00+00', 1, '')")
    report = _gaps(world)
    assert (report.unpartitioned_source, report.unpartitioned_target) == (2, 1)


def test_rows_after_the_last_ended_partition_are_no_strays_while_time_goes_on(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, partition={"column": "at", "by": "day", "start": "2024-01-01"})
    world.run_source("INSERT INTO orders VALUES (-1, '2199-01-01 00:00+00', 1, '')")
    with world.connections() as connections:
        report = find_gaps(world.orders, world.partitions("2024-01-05"), connections=connections)
    assert report.unpartitioned_source == 0


def test_a_source_that_moved_on_is_stale_and_a_target_that_was_changed_is_not(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, project=True)
    world.backfill()
    with world.connections() as connections:
        run_and_record(world.orders, world.partitions(), connections=connections, run_id="r")
    world.run_source(
        "UPDATE orders SET note = 'late' WHERE id = 1001", "INSERT INTO orders VALUES (-1, '2024-01-03', 1, '')"
    )
    world.run_target("UPDATE orders SET note = 'changed' WHERE id = 5001")
    assert _kinds(_gaps(world)) == {
        "2024-01-02": GapKind.STALE,
        "2024-01-03": GapKind.STALE,
        "2024-01-06": GapKind.DIFFERENT,
    }


def test_a_ledger_that_does_not_answer_only_costs_the_word_stale(world: World) -> None:
    world.backfill()
    world.project = "postgresql://postgres@127.0.0.1:1/none"
    assert _gaps(world).verdict is Verdict.MATCHED


def test_only_the_partitions_asked_for_are_compared(world: World) -> None:
    report = _gaps(world, "2024-01-05")
    assert [state.key for state in report.partitions] == ["2024-01-05"]


def test_a_difference_within_the_declared_tolerance_is_no_gap(world: World) -> None:
    world.table["checks"] = [{"type": "rows", "tolerances": {"amount": {"abs_tol": 0.05}}}]
    world.backfill()
    world.run_target(
        "UPDATE orders SET amount = amount + 0.01 WHERE id = 4004", "UPDATE orders SET amount = 99 WHERE id = 5005"
    )
    report = _gaps(world)
    assert _kinds(report) == {"2024-01-06": GapKind.DIFFERENT}
    assert "within" in " ".join(report.partitions[4].notes)


def test_rounded_copies_at_a_coarser_type_are_no_gap(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS + ", seen timestamp(3)")
    world.run_source("ALTER TABLE orders ADD seen timestamp(6)", "UPDATE orders SET seen = '2024-01-01 00:00:00.1239'")
    world.backfill()
    assert _gaps(world).gaps == ()


def test_columns_that_cannot_be_compared_leave_it_open(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS + ", seen timestamptz")
    world.run_source("ALTER TABLE orders ADD seen timestamp")
    world.run_target("INSERT INTO orders SELECT 1, '2024-01-01 00:00+00', 0, 'x', NULL")
    world.run_source("DELETE FROM orders", "INSERT INTO orders VALUES (1, '2024-01-01 00:00+00', 0, 'x', NULL)")
    report = _gaps(world)
    assert report.gaps == ()
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.partitions[0].kind is GapKind.UNVERIFIED
    assert {state.kind for state in report.partitions[1:]} == {GapKind.MATCHED}  # no rows, nothing left out
    assert any("seen" in note for note in report.notes)


def test_no_partitions_prove_nothing(world: World) -> None:
    with world.connections() as connections:
        report = find_gaps(world.orders, (), connections=connections)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_missing_table_and_a_missing_server_are_errors_not_gaps(world: World) -> None:
    world.run_target("DROP TABLE orders")
    with pytest.raises(MissingObject, match="orders"):
        _gaps(world)
    world.target_through = "postgresql://postgres@127.0.0.1:1/none"
    with pytest.raises(DatabaseUnavailable):
        _gaps(world)


def test_days_of_a_change_of_summer_time_are_whole(postgres_urls: Urls) -> None:
    span = {"column": "at", "by": "day", "start": "2024-03-09", "end": "2024-03-12", "timezone": "America/New_York"}
    world = build_world(postgres_urls, partition=span)
    world.run_source(
        "DELETE FROM orders",
        "INSERT INTO orders SELECT extract(epoch FROM h), h, 1, '' FROM"
        " generate_series(timestamptz '2024-03-09 05:00+00', '2024-03-12 03:59+00', '1 hour') h",
    )
    report = _gaps(world)
    assert [state.source_rows for state in report.partitions] == [24, 23, 24]
    assert report.unpartitioned_source == 0
