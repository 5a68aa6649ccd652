"""The reconciliation that runs by itself: one schedule and one job per table.

The job is a plain job, not a selection of asset checks. A run that selects checks first marks
every one of its partitions as planned, and Dagster forgets what it showed about a partition
whose check then logs nothing. With a plain job a run logs only what changed, so a green
partition stays green and an event log does not grow by thousands of rows a day; and one run may
cover partitions that do not stand side by side.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from pydantic import Field

from reconcile_assets.checks import TABLE_TAG, TableChecks, check_partitions, choose_partitions
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.resources import ReconcileResource, pool_of
from reconcile_assets.translator import ReconcileTranslator

SCHEDULED_TAG = "reconcile_assets/scheduled"
PARTITIONS_TAG = "reconcile_assets/partitions"
PARTITIONS_PER_RUN = 1000

RUNNING_BACKFILLS = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class ReconciliationConfig(dg.Config):
    """What a run of the job compares."""

    partitions: list[str] = Field(
        default=[], description="Partition keys. Empty: those that the schedule would choose now."
    )


def build_reconciliation_schedules(
    config: Config, *, translator: ReconcileTranslator | None = None
) -> list[dg.ScheduleDefinition]:
    """A running schedule per table, with the cadence of its ``reconcile``; each brings its job along.

    The cron expression is read on the clock of the table's partition time zone. A tick does
    nothing, and says why, while the table is being backfilled or reconciled, and it leaves out
    partitions that were never filled or compared, through Dagster or the command line: those are
    gaps, not failed checks.

    Needs the resource ``reconcile_assets`` (a ``ReconcileResource``).

    Args:
        config: the loaded configuration.
        translator: pass the one that the assets are built with.
    """
    chosen = translator or ReconcileTranslator()
    return [_build_schedule(config, table, chosen) for table in config.tables]


def _build_schedule(config: Config, table: TableConfig, translator: ReconcileTranslator) -> dg.ScheduleDefinition:
    checks = TableChecks(config, table, translator.get_asset_key(table))

    @dg.schedule(
        name=f"{table.name}_reconciliation_schedule",
        job=_build_job(checks),
        cron_schedule=table.reconcile.cron,
        execution_timezone=table.partition.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Compares {table.reconcile.partitions} partitions of {table.target_table} with their source.",
    )
    def tick(
        context: dg.ScheduleEvaluationContext, reconcile_assets: ReconcileResource
    ) -> dg.SkipReason | list[dg.RunRequest]:
        busy = find_work_in_progress(context.instance, checks) or find_writers(reconcile_assets, checks)
        if busy:
            return dg.SkipReason(busy)
        partitions = choose_partitions(context.instance, reconcile_assets, checks)
        if not partitions:
            return dg.SkipReason(f"no partition of {table.name} that has ended was ever filled or compared")
        return list(_requests(checks, partitions, context.scheduled_execution_time))

    return tick


def _build_job(checks: TableChecks) -> dg.JobDefinition:
    table = checks.table

    @dg.op(name=f"{table.name}_reconcile", pool=pool_of(checks.config, table))
    def reconcile(
        context: dg.OpExecutionContext, config: ReconciliationConfig, reconcile_assets: ReconcileResource
    ) -> None:
        partitions = config.partitions or choose_partitions(context.instance, reconcile_assets, checks)
        if not partitions:
            context.log.info(f"no partition of {table.name} that has ended was ever filled or compared")
            return
        check_partitions(
            context,
            reconcile_assets,
            checks=checks,
            names={check.check_name for check in table.checks},
            partitions=partitions,
            only_news=True,
        )

    @dg.job(
        name=f"{table.name}_reconciliation",
        description=f"Compares partitions of {table.target_table} with their source; writes nothing to either.",
        tags={TABLE_TAG: table.name},
    )
    def reconciliation() -> None:
        reconcile()

    return reconciliation


def find_work_in_progress(instance: dg.DagsterInstance, checks: TableChecks) -> str | None:
    """What is being done to the table right now, as a reason to wait; None when nothing is."""
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=RUNNING_BACKFILLS)):
        if checks.asset_key in (backfill.asset_selection or ()):
            return f"{checks.table.name} is being backfilled ({backfill.backfill_id})"
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=RUNNING)):
        if checks.asset_key in (run.asset_selection or ()):
            return f"{checks.table.name} is being materialized by run {run.run_id}"
        if run.tags.get(SCHEDULED_TAG) and run.tags.get(TABLE_TAG) == checks.table.name:
            return f"{checks.table.name} is still being reconciled by run {run.run_id}"
    return None


def find_writers(resource: ReconcileResource, checks: TableChecks) -> str | None:
    """Whoever writes to the table by the word of the ledger, whether Dagster knows of it or not.

    A ledger that cannot be reached is no reason to wait: the run will say so, and be found.
    """
    try:
        with resource.open(checks.config) as connections:
            open_attempts = connections.ledger().find_dead_attempts(timedelta(0))
    except ReconcileAssetsError:
        return None
    for attempt in open_attempts:
        if attempt.table == checks.table.name and attempt.step == "backfill":
            return f"{checks.table.name} is being filled by run {attempt.run_id}"
    return None


def _requests(checks: TableChecks, partitions: Sequence[str], scheduled: datetime) -> Iterator[dg.RunRequest]:
    op = f"{checks.table.name}_reconcile"
    for first in range(0, len(partitions), PARTITIONS_PER_RUN):
        chosen = list(partitions[first : first + PARTITIONS_PER_RUN])
        yield dg.RunRequest(
            run_key=f"{checks.table.name}:{scheduled.isoformat()}:{first}",
            run_config=dg.RunConfig(ops={op: ReconciliationConfig(partitions=chosen)}),
            tags={SCHEDULED_TAG: "1", PARTITIONS_TAG: f"{len(chosen)}: {chosen[0]}...{chosen[-1]}"},
        )
