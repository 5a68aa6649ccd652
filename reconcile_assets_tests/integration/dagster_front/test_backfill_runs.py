"""Runs that fill partitions: each partition has its own state, metadata and check verdicts."""

import dagster as dg
import pytest

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets_tests.dagster_world import DAYS, ORDERS, ROWS_A_DAY, World, day


def test_a_ranged_run_materializes_every_partition_with_its_own_passed_checks(world: World) -> None:
    result = world.backfill(0, DAYS - 1)
    assert result.success
    assert set(world.materialized().values()) == {"MATERIALIZED"}
    assert len(world.materialized()) == DAYS
    every_day = {day(number) for number in range(DAYS)}
    assert world.checked("row_count") == {"SUCCEEDED": every_day}
    assert world.checked("rows") == {"SUCCEEDED": every_day}
    assert world.count() == DAYS * ROWS_A_DAY
    assert {verdict.verdict for verdict in world.verdicts().values()} == {Verdict.MATCHED}
    assert len(world.verdicts()) == 2 * DAYS


def test_each_partition_of_a_range_keeps_the_figures_of_its_own_write(world: World) -> None:
    world.execute("DELETE FROM orders WHERE id = 4", side="source")
    world.backfill(0, 2)
    records = world.instance.fetch_materializations(ORDERS, limit=10).records
    rows = {record.partition_key: record.asset_materialization.metadata["rows read"].value for record in records}
    assert rows == {day(0): 3, day(1): 2, day(2): 3}
    batches = {record.asset_materialization.metadata["batch"].value for record in records}
    assert len(batches) == 3


def test_one_bad_partition_of_a_hundred_leaves_ninety_nine_green_and_is_the_only_one_failed(world: World) -> None:
    world.execute("UPDATE orders SET amount = 5000000 WHERE id = 90", side="source")
    result = world.backfill(0, DAYS - 1)
    assert not result.success
    status = world.materialized()
    assert [key for key, state in status.items() if state == "FAILED"] == [day(30)]
    assert sum(state == "MATERIALIZED" for state in status.values()) == DAYS - 1
    good = {day(number) for number in range(DAYS) if number != 30}
    assert world.checked("rows") == {"SUCCEEDED": good, "FAILED": {day(30)}}
    assert world.count() == (DAYS - 1) * ROWS_A_DAY
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert day(30) in str(failure.step_failure_data.error)
    assert "5000000" not in str(failure.step_failure_data)


def test_failed_and_missing_selects_the_one_bad_partition_and_its_rerun_is_green(world: World) -> None:
    world.execute("UPDATE orders SET amount = 5000000 WHERE id = 90", side="source")
    world.backfill(0, DAYS - 1)
    status = world.materialized()
    wanted = [day(number) for number in range(DAYS) if status.get(day(number)) != "MATERIALIZED"]
    assert wanted == [day(30)]
    world.execute("UPDATE orders SET amount = 5 WHERE id = 90", side="source")
    assert world.backfill(30, 30).success
    assert set(world.materialized().values()) == {"MATERIALIZED"}
    assert set(world.checked("rows")) == {"SUCCEEDED"}


def test_a_single_partition_run_logs_its_checks_too(world: World) -> None:
    job = world.definitions().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=world.instance, partition_key=day(5), raise_on_error=False)
    assert result.success
    assert world.checked("rows") == {"SUCCEEDED": {day(5)}}
    evaluation = world.evaluations(result.run_id)[0]
    assert evaluation.partition == day(5)
    assert evaluation.metadata["last write: rows inserted"].value == ROWS_A_DAY


def test_checks_run_again_from_the_ui_see_the_truth_and_write_nothing(world: World) -> None:
    world.backfill(0, 4)
    world.execute("DELETE FROM orders WHERE id = 6")
    before = world.count()
    result = world.recheck(day(2), "rows", "row_count")
    assert result.success  # not blocking: the run is green, the check is not
    assert world.count() == before
    assert world.checked("rows")["FAILED"] == {day(2)}
    assert world.checked("rows")["SUCCEEDED"] == {day(0), day(1), day(3), day(4)}
    evaluation = next(each for each in world.evaluations(result.run_id) if each.check_name == "rows")
    assert evaluation.metadata["missing in target"].value == 1
    assert evaluation.metadata["verdict"].value == "mismatched"


def test_only_the_check_that_was_asked_for_runs(world: World) -> None:
    world.backfill(0, 0)
    result = world.recheck(day(0), "row_count")
    assert {each.check_name for each in world.evaluations(result.run_id)} == {"row_count"}


def test_a_value_within_its_tolerance_stays_green_with_a_note(world: World) -> None:
    world.backfill(0, 0)
    world.execute("UPDATE orders SET amount = amount + 0.005 WHERE id = 1")
    result = world.recheck(day(0), "rows")
    (evaluation,) = world.evaluations(result.run_id)
    assert evaluation.passed
    assert "tolerance" in evaluation.metadata["notes"].value


def test_execute_all_looks_at_the_partitions_that_the_schedule_would(world: World) -> None:
    world.backfill(97, 99)
    world.execute("DELETE FROM orders WHERE id = 297")
    before = world.count()
    result = world.recheck(None, "rows", "row_count")
    assert result.success
    assert world.count() == before
    assert world.checked("rows") == {"SUCCEEDED": {day(97), day(98)}, "FAILED": {day(99)}}
    summaries = {each.check_name: each for each in world.evaluations(result.run_id) if each.partition is None}
    assert set(summaries) == {"rows", "row_count"}
    assert not summaries["rows"].passed
    assert summaries["rows"].description == f"did not pass for 1 partition: {day(99)} (3 compared)"


def test_execute_all_is_green_where_each_partition_matched(world: World) -> None:
    world.backfill(99, 99)
    (summary,) = [each for each in world.evaluations(world.recheck(None, "rows").run_id) if each.partition is None]
    assert summary.passed
    assert summary.description == "matched (1 compared)"


def test_execute_all_says_so_where_nothing_was_ever_filled(world: World) -> None:
    result = world.recheck(None, "rows")
    assert not result.success
    assert world.verdicts() == {}


def test_a_failed_blocking_check_holds_back_what_lies_downstream(world: World) -> None:
    world.configure(
        checks=[{"type": "sql", "name": "never", "source": "SELECT 1", "target": "SELECT 2", "blocking": True}]
    )

    @dg.asset(deps=[ORDERS], partitions_def=world.partitions_def, backfill_policy=dg.BackfillPolicy.single_run())
    def downstream() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    result = world.backfill(0, 2, dg.Definitions(assets=[downstream]))
    assert not result.success
    assert world.checked("never") == {"FAILED": {day(0), day(1), day(2)}}
    assert world.instance.get_materialized_partitions(dg.AssetKey("downstream")) == set()
    assert world.materialized() == {day(number): "MATERIALIZED" for number in range(3)}


def test_a_source_that_is_down_fails_the_partitions_and_is_never_green(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nowhere")
    result = world.backfill(0, 1)
    assert not result.success
    assert world.materialized() == {day(0): "FAILED", day(1): "FAILED"}
    assert world.checked("rows") == {"FAILED": {day(0), day(1)}}
    evaluation = world.evaluations(result.run_id)[0]
    assert evaluation.description is not None
    assert evaluation.description.startswith("could not verify")


def test_without_a_ledger_nothing_is_green_and_the_reason_is_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres:canary@127.0.0.1:1/nowhere")
    result = world.backfill(0, 0)
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert str(failure.step_failure_data.user_failure_data.description).startswith("could not verify: DATABASE_URL")
    assert "canary" not in str(failure)
    assert world.checked("rows") == {"EXECUTION_FAILED": {day(0)}}


def test_checks_launched_before_anything_was_filled_say_so(world: World) -> None:
    job = world.definitions().resolve_implicit_global_asset_job_def()
    chosen = job.get_subset(asset_selection=set(), asset_check_selection={dg.AssetCheckKey(ORDERS, "rows")})
    result = chosen.execute_in_process(instance=world.instance, raise_on_error=False)
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "was ever filled or compared" in str(failure.step_failure_data.user_failure_data.description)


def test_a_run_on_postgresql_storage_shows_every_partition_of_its_range(
    dagster_postgres_instance: dg.DagsterInstance, urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "DAGSTER_EVENT_BATCH_SIZE", "500"
    )  # events are then written late: not later than the checks look
    world = World(dagster_postgres_instance, urls)
    assert world.backfill(0, 9).success
    ten = {day(number) for number in range(10)}
    assert set(world.materialized()) == ten
    assert world.checked("rows") == {"SUCCEEDED": ten}
