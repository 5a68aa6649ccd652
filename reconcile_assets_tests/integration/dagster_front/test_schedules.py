"""The reconciliation that runs by itself: what a tick asks for, and what its run logs."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_run_for_test

from reconcile_assets.engine.backfill import backfill_partitions
from reconcile_assets.engine.connections import Connections
from reconcile_assets.ledger import open_ledger
from reconcile_assets.resources import ReconcileResource
from reconcile_assets.schedules import SCHEDULED_TAG
from reconcile_assets_tests.dagster_world import ORDERS, World, day


@pytest.fixture
def lasting_world(dagster_postgres_instance: dg.DagsterInstance, urls: dict[str, str]) -> World:
    """The world with an instance that a tick can be evaluated against."""
    return World(dagster_postgres_instance, urls)


def tick(world: World, definitions: dg.Definitions | None = None) -> tuple[Sequence[dg.RunRequest], str | None]:
    chosen = definitions or world.definitions()
    schedule = chosen.resolve_schedule_def("orders_reconciliation_schedule")
    with dg.build_schedule_context(
        instance=world.instance,
        repository_def=chosen.get_repository_def(),
        scheduled_execution_time=datetime(2025, 1, 1, tzinfo=UTC),
        resources={"reconcile_assets": ReconcileResource()},
    ) as context:
        data = schedule.evaluate_tick(context)
    return data.run_requests or [], data.skip_message


def asked_for(requests: Sequence[dg.RunRequest]) -> list[list[str]]:
    return [request.run_config["ops"]["orders_reconcile"]["config"]["partitions"] for request in requests]


def adopt(world: World, numbers: Sequence[int]) -> None:
    for number in numbers:
        world.instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, partition=day(number)))


def test_a_tick_asks_for_the_last_partitions_that_have_ended(lasting_world: World) -> None:
    adopt(lasting_world, [90, 97, 98, 99])
    requests, _ = tick(lasting_world)
    assert asked_for(requests) == [[day(97), day(98), day(99)]]
    assert requests[0].tags[SCHEDULED_TAG] == "1"


def test_partitions_that_were_never_filled_are_gaps_and_not_asked_for(lasting_world: World) -> None:
    adopt(lasting_world, [98])
    requests, _ = tick(lasting_world)
    assert asked_for(requests) == [[day(98)]]


def test_partitions_filled_from_the_command_line_are_asked_for(lasting_world: World) -> None:
    connections = Connections(lasting_world.config, os.environ)
    table = lasting_world.config.tables[0]
    windows = [table.partition.scheme().partition(day(number)) for number in (97, 99)]
    list(backfill_partitions(table, windows, connections=connections, run_id="r", actor="a person"))
    connections.close()
    assert asked_for(tick(lasting_world)[0]) == [[day(97), day(99)]]


def test_partitions_that_somebody_compared_are_asked_for(lasting_world: World) -> None:
    assert lasting_world.reconcile([day(98)]).success
    assert asked_for(tick(lasting_world)[0]) == [[day(98)]]


def test_what_was_written_to_a_target_that_was_made_anew_is_forgotten(lasting_world: World) -> None:
    connections = Connections(lasting_world.config, os.environ)
    table = lasting_world.config.tables[0]
    windows = [table.partition.scheme().partition(day(99))]
    list(backfill_partitions(table, windows, connections=connections, run_id="r", actor="a person"))
    with psycopg.connect(lasting_world.urls["target"], autocommit=True) as target:
        target.execute("DROP SCHEMA reconcile_assets CASCADE")
    with connections.database("target").session() as session:
        connections.ledger().set_aside_audit_copy("target", session.sqlalchemy(), by="a person", reason="made anew")
    connections.close()
    assert tick(lasting_world)[0] == []


def test_partitions_whose_verdicts_are_of_another_configuration_are_asked_for_however_old(lasting_world: World) -> None:
    assert lasting_world.reconcile([day(5), day(98)]).success
    assert asked_for(tick(lasting_world)[0]) == [[day(98)]]
    lasting_world.configure(checks=[{"type": "row_count"}, {"type": "rows"}])  # without its tolerance
    assert asked_for(tick(lasting_world)[0]) == [[day(5), day(98)]]
    assert lasting_world.reconcile([day(5), day(98)]).success
    assert asked_for(tick(lasting_world)[0]) == [[day(98)]]


def test_a_tick_with_nothing_filled_says_so(lasting_world: World) -> None:
    requests, skipped = tick(lasting_world)
    assert requests == []
    assert skipped is not None
    assert "ever filled" in skipped


def test_all_partitions_are_asked_for_where_the_table_says_all(lasting_world: World) -> None:
    lasting_world.configure(reconcile={"partitions": "all"})
    adopt(lasting_world, [0, 1, 50])
    requests, _ = tick(lasting_world)
    assert asked_for(requests) == [[day(0), day(1), day(50)]]


def test_many_partitions_are_split_into_runs_of_a_bounded_size(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile_assets.schedules.PARTITIONS_PER_RUN", 2)
    lasting_world.configure(reconcile={"partitions": "all"})
    adopt(lasting_world, range(5))
    requests, _ = tick(lasting_world)
    assert asked_for(requests) == [[day(0), day(1)], [day(2), day(3)], [day(4)]]
    assert len({request.run_key for request in requests}) == 3


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
def test_a_tick_waits_while_a_run_fills_the_table(lasting_world: World, status: dg.DagsterRunStatus) -> None:
    adopt(lasting_world, [99])
    create_run_for_test(lasting_world.instance, status=status, asset_selection=frozenset({ORDERS}))
    requests, skipped = tick(lasting_world)
    assert requests == []
    assert skipped is not None
    assert "being materialized" in skipped


def test_a_tick_waits_while_a_backfill_of_the_table_is_in_progress(lasting_world: World) -> None:
    adopt(lasting_world, [99])
    lasting_world.instance.add_backfill(backfill_of(lasting_world, ORDERS))
    requests, skipped = tick(lasting_world)
    assert requests == []
    assert skipped is not None
    assert "being backfilled (b1)" in skipped


def test_a_tick_waits_for_the_run_of_the_tick_before(lasting_world: World) -> None:
    adopt(lasting_world, [99])
    tags = {SCHEDULED_TAG: "1", "reconcile_assets/table": "orders"}
    create_run_for_test(lasting_world.instance, status=dg.DagsterRunStatus.STARTED, tags=tags)
    requests, skipped = tick(lasting_world)
    assert requests == []
    assert skipped is not None
    assert "still being reconciled" in skipped


def test_a_tick_waits_while_the_ledger_knows_of_a_writer(lasting_world: World) -> None:
    adopt(lasting_world, [99])
    ledger = open_ledger(lasting_world.urls["project"])
    attempt = ledger.start_attempt("a backfill from the command line", "backfill", "orders", {}, [day(99)])
    requests, skipped = tick(lasting_world)
    assert requests == []
    assert skipped is not None
    assert "being filled by run a backfill from the command line" in skipped
    ledger.finish_attempt(attempt)
    assert asked_for(tick(lasting_world)[0]) == [[day(99)]]
    ledger.close()


def test_a_tick_does_not_need_the_ledger(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(lasting_world, [99])
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nowhere")
    assert asked_for(tick(lasting_world)[0]) == [[day(99)]]


def test_work_on_other_tables_is_no_reason_to_wait(lasting_world: World) -> None:
    adopt(lasting_world, [99])
    other = dg.AssetKey("other")
    create_run_for_test(lasting_world.instance, status=dg.DagsterRunStatus.STARTED, asset_selection=frozenset({other}))
    requests, _ = tick(lasting_world)
    assert asked_for(requests) == [[day(99)]]


def backfill_of(world: World, key: dg.AssetKey) -> PartitionBackfill:
    graph = world.definitions().get_repository_def().asset_graph
    data = AssetBackfillData.empty(_subset(world, key), 0.0, world.instance)
    return PartitionBackfill(
        backfill_id="b1",
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={},
        backfill_timestamp=0.0,
        asset_selection=[key],
        asset_backfill_data=data,
    ).with_asset_backfill_data(data, dynamic_partitions_store=world.instance, asset_graph=graph)


def _subset(world: World, key: dg.AssetKey) -> Any:
    from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset

    subset = world.partitions_def.subset_with_partition_keys([day(99)])
    return AssetGraphSubset(partitions_subsets_by_asset_key={key: subset})


def test_a_run_finds_the_damage_and_turns_exactly_that_partition_red(world: World) -> None:
    world.backfill(0, 4)
    world.execute("DELETE FROM orders WHERE id = 7")
    result = world.reconcile([day(number) for number in range(5)])
    assert result.success
    assert world.checked("rows") == {"SUCCEEDED": {day(0), day(1), day(3), day(4)}, "FAILED": {day(2)}}
    assert world.materialized() == {day(number): "MATERIALIZED" for number in range(5)}


def test_a_run_logs_only_what_dagster_does_not_show_yet(world: World) -> None:
    world.backfill(0, 4)
    keys = [day(number) for number in range(5)]
    assert world.evaluations(world.reconcile(keys).run_id) == []
    world.execute("UPDATE orders SET amount = amount + 1 WHERE id = 7")
    news = world.evaluations(world.reconcile(keys).run_id)
    assert [(each.check_name, each.partition, each.passed) for each in news] == [("rows", day(2), False)]
    assert world.evaluations(world.reconcile(keys).run_id) == []
    world.execute("UPDATE orders SET amount = amount + 1 WHERE id = 8")
    news = world.evaluations(world.reconcile(keys).run_id)
    assert [each.metadata["value differs"].value for each in news] == [2]
    world.execute("UPDATE orders SET amount = amount - 1 WHERE id IN (7, 8)")
    news = world.evaluations(world.reconcile(keys).run_id)
    assert [(each.check_name, each.partition, each.passed) for each in news] == [("rows", day(2), True)]
    assert world.checked("rows") == {"SUCCEEDED": set(keys)}


def test_a_change_within_its_tolerance_is_news_because_of_its_note(world: World) -> None:
    world.backfill(0, 0)
    world.execute("UPDATE orders SET amount = amount + 0.005 WHERE id = 1")
    (news,) = world.evaluations(world.reconcile([day(0)]).run_id)
    assert news.passed
    assert "tolerance" in news.metadata["notes"].value


def test_a_look_taken_before_the_partition_was_filled_again_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.backfill(0, 1)
    world.execute("DELETE FROM orders WHERE id IN (1, 4)")

    def fill_meanwhile(*_: Any) -> dict[str, dict[str, int]]:
        adopt(world, [0])
        return {}

    monkeypatch.setattr("reconcile_assets.checks._fetch_last_writes", fill_meanwhile)
    news = world.evaluations(world.reconcile([day(0), day(1)]).run_id)
    assert {each.partition for each in news} == {day(1)}


def test_the_ledger_gets_every_verdict_also_where_nothing_is_logged(world: World) -> None:
    world.backfill(0, 1)
    before = world.verdicts()[("rows", day(0))].evaluated_at
    world.reconcile([day(0), day(1)])
    after = world.verdicts()[("rows", day(0))].evaluated_at
    assert before is not None
    assert after is not None
    assert after > before


def test_a_run_started_by_hand_takes_what_the_schedule_would(world: World) -> None:
    world.backfill(97, 99)
    world.execute("DELETE FROM orders WHERE id = 299")
    assert world.reconcile().success
    assert world.checked("rows")["FAILED"] == {day(99)}


def test_a_partition_that_is_filled_again_is_judged_anew(world: World) -> None:
    world.backfill(0, 0)
    world.execute("DELETE FROM orders WHERE id = 1")
    world.reconcile([day(0)])
    assert world.checked("rows") == {"FAILED": {day(0)}}
    world.backfill(0, 0)
    assert world.checked("rows") == {"SUCCEEDED": {day(0)}}
    assert world.evaluations(world.reconcile([day(0)]).run_id) == []
