"""Runs that ended without a verdict: killed processes, failed starts, cancelled backfills.

What they were to prove becomes "could not verify": in the ledger, so that an alert goes out,
and on the check's page, so that nothing stays green that nobody looked at. Three signs are
read: the run's process is gone, its attempt in the ledger is silent, or Dagster still holds a
check as planned by a run that has ended.

A run that was ended by hand (terminated in the UI, Ctrl-C or SIGTERM) leaves the verdicts as
they were and alerts nobody; on the page each planned check shows its last verdict again.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.events import RunFailureReason
from dagster._core.launcher import DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG

from reconcile_assets.check_evaluations import (
    build_evaluation,
    fetch_planned,
    fetch_targets,
    is_older,
    report_evaluation,
)
from reconcile_assets.checks import BACKFILL_TAG, TABLE_TAG, TableChecks
from reconcile_assets.configuration.fingerprint import check_fingerprints
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger import Attempt, Ledger

STALE_AFTER = timedelta(seconds=60)
SEEN_TWICE_AFTER = timedelta(seconds=15)  # longer than a beat: after a ledger was away, the living beat again
HUNG_AFTER = timedelta(minutes=4)  # a process that is there and silent for so long gives no verdict either
FIRST_LOOK_BACK = timedelta(hours=1)
OVERLAP = timedelta(minutes=1)  # between looks at finished runs, for clocks that differ
RUNS_PER_TICK = 100

_FINISHED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_DIED = "The run's process ended without a word; what it had not verified is marked as such."

Tables = Mapping[str, TableChecks]
"""The checks of each table, by its name."""


@dataclass(frozen=True)
class Suspect:
    """An attempt that looked dead at an earlier tick.

    Attributes:
        heartbeat: its last beat then, ISO.
        seen_at: when it was first seen so.
    """

    heartbeat: str
    seen_at: datetime


def fail_gone_runs(instance: dg.DagsterInstance, *, tables: Tables) -> int:
    """Mark runs of ours as failed whose process is gone, so that they hold no slot; returns how many."""
    failed = 0
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        ours = any(_concerns(instance, run, checks) for checks in tables.values())
        if not ours or _is_alive(instance, run) is not False:
            continue
        after = instance.get_run_by_id(run.run_id)  # it may have ended well a moment before its process did
        if after is not None and not after.is_finished:
            instance.report_run_failed(after, _DIED)
            failed += 1
    return failed


def bury_dead_attempts(
    instance: dg.DagsterInstance,
    ledger: Ledger,
    *,
    tables: Tables,
    suspects: Mapping[str, Suspect],
    now: datetime,
) -> tuple[int, dict[str, Suspect]]:
    """Bury attempts without an end; each is buried by one tick only.

    An attempt is dead when its run has failed without it, or when it has been silent for
    ``STALE_AFTER``, still is at a later tick, and nobody knows its process to be alive.

    Args:
        instance: where the runs are.
        ledger: where the attempts are.
        tables: attempts of other tables are left to other code locations.
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
        if run is None or not run.is_finished or _was_ended_by_hand(run):  # then it may be about to say so
            suspect = _suspect(attempt, suspects.get(attempt.attempt_id), now)
            if suspect is None:
                continue
            if not _is_dead(instance, run, suspect, now):
                remaining[attempt.attempt_id] = suspect
                continue
        if ledger.bury_attempt(attempt):
            buried += 1
            _show_lost(instance, ledger, tables[attempt.table], attempt.run_id)
        if run is not None and not run.is_finished and _is_alive(instance, run) is not True:
            instance.report_run_failed(run, _DIED)
    return buried, remaining


def bury_unfinished_runs(
    instance: dg.DagsterInstance,
    ledger: Ledger,
    *,
    tables: Tables,
    since: datetime | None,
    now: datetime,
) -> tuple[int, datetime]:
    """Give a verdict to what failed or cancelled runs were to check and never did.

    Args:
        instance: where the runs are.
        ledger: where the verdicts go.
        tables: runs of other tables are left alone.
        since: runs that ended before were looked at; None at the first tick.
        now: aware.

    Returns:
        how many verdicts were missing, those of runs ended by hand not counted, and from when to look at the next tick.
    """
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED_BADLY, updated_after=(since or now - FIRST_LOOK_BACK) - OVERLAP),
        limit=RUNS_PER_TICK,
        order_by="update_timestamp",
        ascending=True,
    )
    missing = 0
    for record in records:
        for checks in tables.values():
            if _concerns(instance, record.dagster_run, checks):
                missing += _settle(instance, ledger, checks, record, now)
    looked_at = records[-1].update_timestamp + OVERLAP if len(records) == RUNS_PER_TICK else now
    return missing, looked_at


def _concerns(instance: dg.DagsterInstance, run: dg.DagsterRun, checks: TableChecks) -> bool:
    if run.tags.get(TABLE_TAG) == checks.table.name:
        return True
    if not run.asset_selection and not run.asset_check_selection:  # a job's run: its selection is the job's
        return bool(fetch_planned(instance, checks.check_keys, run.run_id))
    selected = {*(run.asset_selection or ()), *(key.asset_key for key in run.asset_check_selection or ())}
    return checks.asset_key in selected


def _is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool | None:
    """Whether the run's process is there; None when nobody here can tell.

    Dagster's default launcher starts runs beside the code location, where sensors are
    evaluated too: there the process can be looked for by its id.
    """
    launcher = instance.run_launcher
    if launcher.supports_check_run_worker_health:
        return launcher.check_run_worker_health(run).status in (WorkerStatus.RUNNING, WorkerStatus.SUCCESS)
    if not isinstance(launcher, DefaultRunLauncher):
        return None
    starts = instance.event_log_storage.get_logs_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_START, limit=1)
    pid = starts[0].dagster_event.pid if starts and starts[0].dagster_event else None
    if pid is None:
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None  # somebody else's process has the id now, or the run belongs to another user
    return True


def _suspect(attempt: Attempt, before: Suspect | None, now: datetime) -> Suspect | None:
    if attempt.heartbeat_at is None or now - attempt.heartbeat_at < STALE_AFTER:
        return None
    heartbeat = attempt.heartbeat_at.isoformat()
    return before if before is not None and before.heartbeat == heartbeat else Suspect(heartbeat, now)


def _is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun | None, suspect: Suspect, now: datetime) -> bool:
    if now - suspect.seen_at < SEEN_TWICE_AFTER:
        return False
    alive = _is_alive(instance, run) if run is not None else None
    return alive is not True or now - datetime.fromisoformat(suspect.heartbeat) >= HUNG_AFTER


def _show_lost(instance: dg.DagsterInstance, ledger: Ledger, checks: TableChecks, run_id: str) -> None:
    lost = [
        latest.verdict
        for latest in ledger.iterate_latest_verdicts([checks.table.name])
        if latest.run_id == run_id and latest.verdict.verdict is Verdict.INCONCLUSIVE
    ]
    _report_evaluations(instance, checks, lost, run_id=run_id)


def _settle(
    instance: dg.DagsterInstance, ledger: Ledger, checks: TableChecks, record: dg.RunRecord, now: datetime
) -> int:
    """Record what is missing, and show every verdict that the run's end kept from the checks' pages."""
    run = record.dagster_run
    planned = fetch_planned(instance, checks.check_keys, run.run_id)
    if _was_ended_by_hand(run) or ledger.was_interrupted(run.run_id):
        _show_again(instance, ledger, checks, run, planned)
        return 0
    wanted = planned | _asked_for(run, checks)
    if not wanted:
        return 0
    known = {
        (latest.verdict.check, latest.verdict.partition): latest.verdict
        for latest in ledger.iterate_latest_verdicts([checks.table.name])
        if latest.run_id == run.run_id or latest.recorded_at > record.update_timestamp  # its own, or after its end
    }
    missing = [
        _unverified(checks, check, partition, now, why="the run failed before this check")
        for check, partition in sorted(wanted - known.keys())
    ]
    ledger.record_verdicts(missing, run_id=run.run_id, backfill_id=run.tags.get(BACKFILL_TAG))
    shown = [*missing, *(known[each] for each in sorted(planned & known.keys()))]
    _report_evaluations(instance, checks, shown, run_id=run.run_id)
    return len(missing)


def _was_ended_by_hand(run: dg.DagsterRun) -> bool:
    """Whether somebody told the run to end, by Dagster's word: terminated, or its process asked to by a signal."""
    if run.status is dg.DagsterRunStatus.CANCELED:
        return True
    reason = run.tags.get(RUN_FAILURE_REASON_TAG)
    return run.status is dg.DagsterRunStatus.FAILURE and reason == RunFailureReason.UNEXPECTED_TERMINATION.value


def _show_again(
    instance: dg.DagsterInstance,
    ledger: Ledger,
    checks: TableChecks,
    run: dg.DagsterRun,
    planned: Collection[tuple[str, str]],
) -> None:
    """Show what was known before a run that was ended by hand planned these checks; nothing is recorded."""
    if not planned:
        return
    known = {
        (latest.verdict.check, latest.verdict.partition): latest.verdict
        for latest in ledger.iterate_latest_verdicts([checks.table.name])
    }
    targets = fetch_targets(instance, checks.asset_key, {partition for _, partition in planned})
    fingerprints = check_fingerprints(checks.config, checks.table)
    shown = []
    for check, partition in sorted(planned):
        verdict = known.get((check, partition))
        outdated = verdict is not None and not verdict.is_of_configuration(fingerprints[check])
        if verdict is None or outdated or is_older(verdict, targets.get(partition)):
            verdict = _unverified(checks, check, partition, None, why="the run was ended by hand before this check")
        shown.append(verdict)
    _report_evaluations(instance, checks, shown, run_id=run.run_id)


def _unverified(checks: TableChecks, check: str, partition: str, now: datetime | None, *, why: str) -> CheckVerdict:
    return CheckVerdict(
        table=checks.table.name,
        check=check,
        partition=partition,
        verdict=Verdict.INCONCLUSIVE,
        severity=checks.table.check(check).severity,
        notes=(f"could not verify: {why}",),
        evaluated_at=now,
    )


def _asked_for(run: dg.DagsterRun, checks: TableChecks) -> set[tuple[str, str]]:
    """What a run of the table's own reconciliation job was to check."""
    if run.tags.get(TABLE_TAG) != checks.table.name:
        return set()
    ops: Any = run.run_config.get("ops", {})
    partitions = ops.get(f"{checks.table.name}_reconcile", {}).get("config", {}).get("partitions", [])
    return {(check.check_name, partition) for check in checks.table.checks for partition in partitions}


def _report_evaluations(
    instance: dg.DagsterInstance, checks: TableChecks, verdicts: Sequence[CheckVerdict], *, run_id: str
) -> None:
    """Show verdicts on the checks' pages, of checks that are there still, as the word of a run that has ended."""
    configured = {check.check_name for check in checks.table.checks}
    verdicts = [verdict for verdict in verdicts if verdict.check in configured]
    targets = fetch_targets(instance, checks.asset_key, {verdict.partition for verdict in verdicts})
    for verdict in verdicts:
        evaluation = build_evaluation(
            verdict,
            asset_key=checks.asset_key,
            target=targets.get(verdict.partition),
            blocking=checks.table.check(verdict.check).blocking,
        )
        report_evaluation(instance, evaluation, run_id=run_id)
