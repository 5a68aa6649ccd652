"""What Dagster does that the code relies on, one test a fact: an upgrade that changes one fails here, by name."""

import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster.components.core.component_tree import ComponentTree

from reconcile_assets.components import ReconciledTables

KEY = dg.AssetKey("table")
CHECK = dg.AssetCheckKey(KEY, "rows")
DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-06")
RANGE = {"dagster/asset_partition_range_start": "2024-01-01", "dagster/asset_partition_range_end": "2024-01-03"}
KEYS = {"2024-01-01", "2024-01-02", "2024-01-03"}

Body = Callable[[Any], None]


def write_nothing(context: dg.AssetExecutionContext) -> None:
    """An asset's body that is content."""


def define(check: Body | None = None, asset: Body = write_nothing, *, blocking: bool = False) -> dg.Definitions:
    """A partitioned asset, a check step of its own, and an asset downstream."""

    @dg.asset(name="table", partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.multi_run(100))
    def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        asset(context)
        return dg.MaterializeResult()

    @dg.asset(deps=[table], partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def downstream() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    specs = [dg.AssetCheckSpec("rows", asset=KEY, partitions_def=DAYS, blocking=blocking)]

    @dg.multi_asset_check(specs=specs, can_subset=True)
    def check_step(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        found = check(context) if check else None
        if isinstance(found, dg.AssetCheckResult):
            yield found

    return dg.Definitions(assets=[table, downstream], asset_checks=[check_step])


def run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, *, assets: set[dg.AssetKey] | None = None
) -> dg.ExecuteInProcessResult:
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=assets or {KEY})
    return job.execute_in_process(instance=instance, tags=RANGE, raise_on_error=False)


def log(context: dg.AssetCheckExecutionContext, *, passed: bool = True, with_target: bool = True) -> None:
    """Log an evaluation of each partition, as the product does."""
    for key in context.partition_keys:
        records = context.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=KEY, asset_partitions=[key]), limit=1
        ).records
        target = None
        if with_target and records:
            target = AssetCheckEvaluationTargetMaterializationData(
                storage_id=records[0].storage_id,
                run_id=records[0].event_log_entry.run_id,
                timestamp=records[0].timestamp,
            )
        context.op_execution_context.log_event(evaluate(key, passed=passed, target=target))


def evaluate(key: str, *, passed: bool, target: Any = None) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=KEY, check_name="rows", passed=passed, partition=key, target_materialization_data=target
    )


def shown(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    """Partitions by the status that the check's page shows."""
    state = instance.event_log_storage.get_asset_check_state([(CHECK, DAYS)])[CHECK]
    found = {status.name: set(subset.subset_value.get_partition_keys()) for status, subset in state.subsets.items()}
    return {status: keys for status, keys in found.items() if keys}


def bar(instance: dg.DagsterInstance) -> dict[str, str]:
    """The partition bar of the asset."""
    found = instance.get_status_by_partition(KEY, DAYS.get_partition_keys(), DAYS) or {}
    return {key: status.name for key, status in found.items() if status is not None}


def test_fact_1_dagsters_storage_works_with_the_driver_named(dagster_postgres_instance: dg.DagsterInstance) -> None:
    assert dagster_postgres_instance.get_runs() == []


def test_fact_2_a_check_takes_partitions_and_says_that_this_is_a_preview() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dg.AssetCheckSpec("rows", asset=KEY, partitions_def=DAYS)
    assert [warning.category for warning in caught] == [dg.PreviewWarning]


def test_fact_3_a_stock_result_of_a_ranged_run_has_no_partition(dagster_instance: dg.DagsterInstance) -> None:
    def check(context: dg.AssetCheckExecutionContext) -> Any:
        return dg.AssetCheckResult(passed=True)

    assert run(define(check), dagster_instance).success
    assert "SUCCEEDED" not in shown(dagster_instance)


def test_fact_3_an_evaluation_logged_for_each_partition_is_shown(dagster_instance: dg.DagsterInstance) -> None:
    assert run(define(log), dagster_instance).success
    assert shown(dagster_instance) == {"SUCCEEDED": KEYS}


def test_fact_3_without_the_materialization_that_was_judged_nothing_is_shown(
    dagster_instance: dg.DagsterInstance,
) -> None:
    run(define(lambda context: log(context, with_target=False)), dagster_instance)
    assert shown(dagster_instance) == {}


def test_fact_3_a_new_materialization_clears_what_was_shown(dagster_instance: dg.DagsterInstance) -> None:
    run(define(log), dagster_instance)
    dagster_instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition="2024-01-02"))
    assert shown(dagster_instance) == {"SUCCEEDED": KEYS - {"2024-01-02"}}


def test_fact_4_a_ranged_run_has_partition_keys_but_no_partition_key(dagster_instance: dg.DagsterInstance) -> None:
    seen: list[Any] = []

    def body(context: dg.AssetExecutionContext) -> None:
        seen.append(set(context.partition_keys))
        with pytest.raises(Exception, match="partition"):
            _ = context.partition_key

    assert run(define(asset=body), dagster_instance).success
    assert seen == [KEYS]


def test_fact_4_checks_of_one_partition_run_again_without_the_asset(dagster_instance: dg.DagsterInstance) -> None:
    run(define(lambda context: log(context, passed=False)), dagster_instance)
    job = define(log).resolve_implicit_global_asset_job_def()
    again = job.get_subset(asset_selection=set(), asset_check_selection={CHECK})
    again.execute_in_process(instance=dagster_instance, partition_key="2024-01-02")
    assert shown(dagster_instance) == {"SUCCEEDED": {"2024-01-02"}, "FAILED": KEYS - {"2024-01-02"}}
    assert len(dagster_instance.fetch_materializations(KEY, limit=10).records) == 3


def test_fact_5_a_blocking_check_that_only_logs_holds_nothing_back(dagster_instance: dg.DagsterInstance) -> None:
    definitions = define(lambda context: log(context, passed=False), blocking=True)
    both = {KEY, dg.AssetKey("downstream")}
    assert run(definitions, dagster_instance, assets=both).success
    assert dagster_instance.get_materialized_partitions(dg.AssetKey("downstream")) == KEYS


def test_fact_5_one_that_logs_and_fails_does(dagster_instance: dg.DagsterInstance) -> None:
    def check(context: dg.AssetCheckExecutionContext) -> None:
        log(context, passed=False)
        raise dg.Failure("blocked")

    both = {KEY, dg.AssetKey("downstream")}
    assert not run(define(check, blocking=True), dagster_instance, assets=both).success
    assert dagster_instance.get_materialized_partitions(dg.AssetKey("downstream")) == set()
    assert shown(dagster_instance) == {"FAILED": KEYS}


def test_fact_6_what_was_logged_before_a_failure_is_materialized_and_the_rest_failed(
    dagster_instance: dg.DagsterInstance,
) -> None:
    def body(context: dg.AssetExecutionContext) -> None:
        context.log_event(dg.AssetMaterialization(KEY, partition="2024-01-01"))
        context.log_event(dg.AssetMaterialization(KEY, partition="2024-01-03"))
        raise dg.Failure("one is bad")

    assert not run(define(asset=body), dagster_instance).success
    assert bar(dagster_instance) == {
        "2024-01-01": "MATERIALIZED",
        "2024-01-02": "FAILED",
        "2024-01-03": "MATERIALIZED",
    }


def test_fact_6_metadata_of_one_partition_survives_the_implicit_output(dagster_instance: dg.DagsterInstance) -> None:
    def body(context: dg.AssetExecutionContext) -> None:
        for number, key in enumerate(context.partition_keys):
            context.add_asset_metadata({"number": number}, partition_key=key)

    run(define(asset=body), dagster_instance)
    records = dagster_instance.fetch_materializations(KEY, limit=10).records
    found = {record.partition_key: record.asset_materialization.metadata["number"].value for record in records}
    assert found == {"2024-01-01": 0, "2024-01-02": 1, "2024-01-03": 2}


def test_fact_7_a_failed_check_leaves_its_run_green(dagster_instance: dg.DagsterInstance) -> None:
    assert run(define(lambda context: log(context, passed=False)), dagster_instance).success
    assert shown(dagster_instance) == {"FAILED": KEYS}


def test_fact_9_events_without_a_run_set_both_statuses(dagster_instance: dg.DagsterInstance) -> None:
    dagster_instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition="2024-01-04"))
    (record,) = dagster_instance.fetch_materializations(KEY, limit=1).records
    target = AssetCheckEvaluationTargetMaterializationData(
        storage_id=record.storage_id, run_id=record.event_log_entry.run_id, timestamp=record.timestamp
    )
    dagster_instance.report_runless_asset_event(evaluate("2024-01-04", passed=True, target=target))
    assert bar(dagster_instance) == {"2024-01-04": "MATERIALIZED"}
    assert shown(dagster_instance) == {"SUCCEEDED": {"2024-01-04"}}


def test_fact_14_the_component_is_registered_by_an_entry_point() -> None:
    (found,) = [each for each in entry_points(group="dagster_dg_cli.registry_modules") if "reconcile" in each.name]
    assert found.load().ReconciledTables is ReconciledTables


def test_fact_16_a_component_builds_its_definitions_in_a_test() -> None:
    definitions = ReconciledTables().build_defs(ComponentTree.for_test().load_context)
    assert definitions.resolve_all_asset_specs() == []


def test_a_check_that_was_planned_and_not_logged_loses_what_was_shown(dagster_instance: dg.DagsterInstance) -> None:
    """Why the scheduled reconciliation is a plain job: it logs only news, and must plan no checks."""
    run(define(log), dagster_instance)
    job = define().resolve_implicit_global_asset_job_def()
    job.get_subset(asset_selection=set(), asset_check_selection={CHECK}).execute_in_process(
        instance=dagster_instance, partition_key="2024-01-02"
    )
    assert "2024-01-02" in shown(dagster_instance)["SKIPPED"]


def test_a_plain_job_shows_verdicts_and_leaves_others_as_they_were(dagster_instance: dg.DagsterInstance) -> None:
    run(define(log), dagster_instance)
    record = dagster_instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=KEY, asset_partitions=["2024-01-02"]), limit=1
    ).records[0]

    @dg.op
    def judge(context: dg.OpExecutionContext) -> None:
        target = AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.event_log_entry.run_id, timestamp=record.timestamp
        )
        context.log_event(evaluate("2024-01-02", passed=False, target=target))

    @dg.job
    def reconciliation() -> None:
        judge()

    reconciliation.execute_in_process(instance=dagster_instance)
    assert shown(dagster_instance) == {"FAILED": {"2024-01-02"}, "SUCCEEDED": KEYS - {"2024-01-02"}}


def test_fact_17_the_executor_of_the_definitions_runs_all_steps_in_one_process() -> None:
    definitions = dg.Definitions.merge(define(log), dg.Definitions(executor=dg.in_process_executor))
    assert definitions.resolve_implicit_global_asset_job_def().executor_def is dg.in_process_executor


def test_fact_18_selecting_the_asset_selects_its_separate_checks() -> None:
    job = define(log).resolve_implicit_global_asset_job_def().get_subset(asset_selection={KEY})
    assert {node.name for node in job.nodes} == {"table", "check_step"}


def test_fact_19_a_partition_cannot_be_wiped(dagster_instance: dg.DagsterInstance) -> None:
    dagster_instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition="2024-01-01"))
    with pytest.raises(NotImplementedError):
        dagster_instance.wipe_asset_partitions(KEY, ["2024-01-01"])


def test_fact_19_a_failed_check_leaves_the_bar_and_a_failed_run_marks_it(dagster_instance: dg.DagsterInstance) -> None:
    for key in KEYS:
        dagster_instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=key))
    dagster_instance.report_runless_asset_event(evaluate("2024-01-01", passed=False))
    assert set(bar(dagster_instance).values()) == {"MATERIALIZED"}

    def body(context: dg.AssetExecutionContext) -> None:
        raise dg.Failure("these do not hold what the source holds")

    run(define(asset=body), dagster_instance)
    assert set(bar(dagster_instance).values()) == {"FAILED"}
