"""Runs that ended without a verdict: killed processes, failed starts, cancelled backfills.

What they were to prove becomes "could not verify": in the ledger, so that an alert goes out,
and on the check's page, so that nothing stays green that nobody looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from reconcile_assets.check_evaluations import Materializations, build_evaluation
from reconcile_assets.checks import BACKFILL_TAG, TableChecks
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger import Ledger
from reconcile_assets.ledger.records import Attempt, LatestVerdict

STALE_AFTER = timedelta(seconds=60)
SEEN_TWICE_AFTER = timedelta(seconds=15)  # longer than a beat: a ledger that was away lets the living beat again
FIRST_LOOK_BACK = timedelta(hours=1)
OVERLAP = timedelta(minutes=1)  # between looks at finished runs, for clocks that differ
RUNS_PER_TICK = 100

_ALIVE = (WorkerStatus.RUNNING, WorkerStatus.SUCCESS)
_FINISHED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class Suspect:
    """An attempt that looked dead at an earlier tick.

    Attributes:
        heartbeat: its last beat then, ISO.
        seen_at: when it was first seen so.
    """

    heartbeat: str
    seen_at: datetime


def bury_dead_attempts(
    instance: dg.DagsterInstance,
    ledger: Ledger,
    *,
    tables: Mapping[str, TableChecks],
    suspects: Mapping[str, Suspect],
    now: datetime,
) -> tuple[int, dict[str, Suspect]]:
    """Bury attempts whose process is gone; each is buried by one tick only.

    An attempt is dead when its run has finished without it, or when it has been silent for
    ``STALE_AFTER`` and still is at a later tick.

    Args:
        instance: where the runs are.
        ledger: where the attempts are.
        tables: by name; attempts of other tables are left to other code locations.
        suspects: by attempt, from the last tick.
        now: aware.

    Returns:
        how many were buried, and the suspects for the next tick.
    """
    buried = 0
    remaining: dict[str, Suspect] = {}
    for attempt in ledger.find_dead_attempts(timedelta(0), now):
        if attempt.table not in tables:
            continue
        run = instance.get_run_by_id(attempt.run_id)
        if not (run is not None and run.is_finished):
            suspect = _suspect(attempt, suspects.get(attempt.attempt_id), now)
            if suspect is None:
                continue
            if now - suspect.seen_at < SEEN_TWICE_AFTER or (run is not None and _is_alive(instance, run)):
                remaining[attempt.attempt_id] = suspect
                continue
        if ledger.bury_attempt(attempt):
            buried += 1
            _show_lost(instance, ledger, tables[attempt.table], attempt.run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "The run's process ended without a word; its partitions were not verified.")
    return buried, remaining


def _suspect(attempt: Attempt, before: Suspect | None, now: datetime) -> Suspect | None:
    if attempt.heartbeat_at is None or now - attempt.heartbeat_at < STALE_AFTER:
        return None
    heartbeat = attempt.heartbeat_at.isoformat()
    return before if before is not None and before.heartbeat == heartbeat else Suspect(heartbeat, now)


def _is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the launcher says so; one that can't tell leaves it to the heartbeat."""
    launcher = instance.run_launcher
    return launcher.supports_check_run_worker_health and launcher.check_run_worker_health(run).status in _ALIVE


def _show_lost(instance: dg.DagsterInstance, ledger: Ledger, checks: TableChecks, run_id: str) -> None:
    lost = [
        latest.verdict
        for latest in latest_verdicts(ledger, checks.table.name)
        if latest.run_id == run_id and latest.verdict.verdict is Verdict.INCONCLUSIVE
    ]
    report_evaluations(instance, checks, lost)


def bury_unfinished_runs(
    instance: dg.DagsterInstance,
    ledger: Ledger,
    *,
    tables: Mapping[str, TableChecks],
    since: datetime | None,
    now: datetime,
) -> tuple[int, datetime]:
    """Give a verdict to what failed or cancelled runs were to check and never did.

    Args:
        instance: where the runs are.
        ledger: where the verdicts go.
        tables: by name.
        since: runs that ended before were looked at; None at the first tick.
        now: aware.

    Returns:
        how many verdicts were missing, and from when to look at the next tick.
    """
    start = (since or now - FIRST_LOOK_BACK) - OVERLAP
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED_BADLY, updated_after=start),
        limit=RUNS_PER_TICK,
        order_by="update_timestamp",
        ascending=True,
    )
    missing = 0
    for record in records:
        for checks in tables.values():
            missing += _give_verdicts(instance, ledger, checks, record.dagster_run, now)
    looked_at = records[-1].update_timestamp if len(records) == RUNS_PER_TICK else now
    return missing, looked_at


def _give_verdicts(
    instance: dg.DagsterInstance, ledger: Ledger, checks: TableChecks, run: dg.DagsterRun, now: datetime
) -> int:
    unchecked = sorted(_unchecked(instance, checks, run))
    if not unchecked:
        return 0
    outcome = "was cancelled" if run.status is dg.DagsterRunStatus.CANCELED else "failed"
    verdicts = [
        CheckVerdict(
            table=checks.table.name,
            check=check,
            partition=partition,
            verdict=Verdict.INCONCLUSIVE,
            severity=checks.table.check(check).severity,
            notes=(f"could not verify: the run {outcome} before this check",),
            evaluated_at=now,
        )
        for check, partition in unchecked
    ]
    ledger.record_verdicts(verdicts, run_id=run.run_id, backfill_id=run.tags.get(BACKFILL_TAG))
    report_evaluations(instance, checks, verdicts)
    return len(verdicts)


def _unchecked(instance: dg.DagsterInstance, checks: TableChecks, run: dg.DagsterRun) -> Iterator[tuple[str, str]]:
    """Checks and partitions that the run planned and Dagster still holds as planned by it."""
    selected = {*(run.asset_selection or ()), *(key.asset_key for key in run.asset_check_selection or ())}
    if checks.asset_key not in selected:
        return
    for info in instance.event_log_storage.get_asset_check_partition_info(checks.check_keys):
        planned = info.latest_execution_status is AssetCheckExecutionRecordStatus.PLANNED
        if planned and info.latest_planned_run_id == run.run_id and info.partition_key is not None:
            yield info.check_key.name, info.partition_key


def latest_verdicts(ledger: Ledger, table: str) -> Iterator[LatestVerdict]:
    """The latest verdict of every check and partition of a table."""
    after = None
    while page := ledger.fetch_latest_verdicts([table], after=after):
        yield from page
        after = page[-1].key


def report_evaluations(instance: dg.DagsterInstance, checks: TableChecks, verdicts: Sequence[CheckVerdict]) -> None:
    """Show verdicts on the checks' pages without a run."""
    found = Materializations.fetch(instance, checks.asset_key, {verdict.partition for verdict in verdicts})
    for verdict in verdicts:
        instance.report_runless_asset_event(
            build_evaluation(
                verdict,
                asset_key=checks.asset_key,
                target=found.targets.get(verdict.partition),
                blocking=checks.table.check(verdict.check).blocking,
            )
        )
