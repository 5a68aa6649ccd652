"""Dagster's partitioned asset checks, the one place that touches their preview interface.

A check result that a step simply returns is stored without a partition when the run covers a
range, and a check's status is cleared as soon as its partition is materialized again. So every
verdict is logged as an evaluation that names its partition and the materialization it judged.

Dagster marks partitioned checks as preview: what may change with a patch release is used here
and nowhere else.
"""

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.events import DagsterEvent
from dagster._core.instance.utils import RUNLESS_JOB_NAME
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from sqlalchemy.exc import IntegrityError

from reconcile_assets.core.changes import show_moment
from reconcile_assets.core.verdicts import CheckVerdict, Verdict

NOTES_SHOWN = 5
_RECORDS_PER_QUERY = 500
_VOLATILE = frozenset({"seconds"})


def partitioned_check_spec(
    name: str,
    *,
    asset_key: dg.AssetKey,
    partitions_def: dg.PartitionsDefinition,
    description: str,
    blocking: bool,
    metadata: Mapping[str, Any],
) -> dg.AssetCheckSpec:
    """A check spec with the asset's partitions."""
    with warnings.catch_warnings():
        # said once in the documentation instead of at each start of the code location
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name,
            asset=asset_key,
            partitions_def=partitions_def,
            description=description,
            blocking=blocking,
            metadata=metadata,
        )


Target = AssetCheckEvaluationTargetMaterializationData


def fetch_targets(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, partitions: Collection[str]
) -> dict[str, Target]:
    """The latest materialization of each partition that has one: what an evaluation points to.

    A few queries, whatever the number of partitions.
    """
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(
        asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION, set(partitions)
    )
    ids = sorted(latest.values())
    targets: dict[str, Target] = {}
    for first in range(0, len(ids), _RECORDS_PER_QUERY):
        chunk = ids[first : first + _RECORDS_PER_QUERY]
        chosen = dg.AssetRecordsFilter(asset_key=asset_key, storage_ids=chunk)
        for record in instance.fetch_materializations(chosen, limit=len(chunk)).records:
            targets[str(record.partition_key)] = Target(
                storage_id=record.storage_id, run_id=record.event_log_entry.run_id, timestamp=record.timestamp
            )
    return targets


def is_older(verdict: CheckVerdict, target: Target | None) -> bool:
    """Whether a verdict is of a look that was taken before its partition was last materialized."""
    if target is None or verdict.evaluated_at is None:
        return False
    return verdict.evaluated_at.timestamp() < target.timestamp


def fetch_planned(
    instance: dg.DagsterInstance, check_keys: Sequence[dg.AssetCheckKey], run_id: str
) -> set[tuple[str, str]]:
    """Checks and partitions that a run planned and that have logged nothing since."""
    return {
        (info.check_key.name, info.partition_key)
        for info in instance.event_log_storage.get_asset_check_partition_info(check_keys)
        if info.latest_execution_status is AssetCheckExecutionRecordStatus.PLANNED
        and info.latest_planned_run_id == run_id
        and info.partition_key is not None
    }


def build_evaluation(
    verdict: CheckVerdict,
    *,
    asset_key: dg.AssetKey,
    target: Target | None,
    blocking: bool = False,
    last_write: Mapping[str, int] | None = None,
) -> dg.AssetCheckEvaluation:
    """The evaluation that tells a verdict: passed only when it is ``matched``.

    Args:
        verdict: what the check found on one partition.
        asset_key: the asset's key in Dagster.
        target: the materialization that was judged; None when the partition was never materialized.
        blocking: whether the check gates what lies downstream.
        last_write: rows deleted and inserted by the partition's last write, by name.
    """
    return dg.AssetCheckEvaluation(
        asset_key=asset_key,
        check_name=verdict.check,
        passed=verdict.verdict is Verdict.MATCHED,
        partition=verdict.partition,
        severity=dg.AssetCheckSeverity(verdict.severity),
        description=describe_verdict(verdict),
        metadata=_metadata(verdict, last_write or {}),
        target_materialization_data=target,
        blocking=blocking,
    )


def log_evaluation(context: dg.OpExecutionContext, evaluation: dg.AssetCheckEvaluation) -> None:
    """Log an evaluation from a running step, whatever partitions the step covers."""
    context.log_event(evaluation)  # type: ignore[arg-type]  # accepted since 1.12, missing in the annotation


def report_evaluation(instance: dg.DagsterInstance, evaluation: dg.AssetCheckEvaluation, *, run_id: str) -> None:
    """Store an evaluation from outside of a step, as the word of a run, which need not be Dagster's.

    Dagster's own way without a run stores one evaluation per check and partition, ever: the second one breaks
    a unique index. Here a later one takes the place of the run's earlier.
    """
    event = DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
        job_name=RUNLESS_JOB_NAME,
        event_specific_data=evaluation,
    )
    try:
        instance.report_dagster_event(event, run_id=run_id)
    except IntegrityError:  # another process has just stored the run's first one
        instance.report_dagster_event(event, run_id=run_id)


def describe_verdict(verdict: CheckVerdict) -> str:
    """One line for people: what was found, without row values."""
    if verdict.verdict is Verdict.INCONCLUSIVE:
        note = verdict.notes[0] if verdict.notes else "the comparison gave no result"
        return note if note.startswith("could not verify") else f"could not verify: {note}"
    counted = {
        "missing in the target": verdict.missing_in_target,
        "only in the target": verdict.missing_in_source,
        "with other values": verdict.value_differs,
    }
    found = [f"{count} rows {what}" for what, count in counted.items() if count]
    changed = [] if verdict.change is None else [verdict.change.name]
    notes = [note for note in verdict.notes if verdict.change is None or note != verdict.change.sentence][:1]
    if verdict.verdict is Verdict.MISMATCHED:
        return "; ".join([*changed, *(found or notes or ["the target differs from the source"])])
    return "; ".join(["matched", *changed, *notes])


def _metadata(verdict: CheckVerdict, last_write: Mapping[str, int]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "verdict": str(verdict.verdict),
        "source rows": verdict.source_rows,
        "target rows": verdict.target_rows,
        "missing in target": verdict.missing_in_target,
        "missing in source": verdict.missing_in_source,
        "value differs": verdict.value_differs,
        "source checksum": verdict.source_checksum,
        "target checksum": verdict.target_checksum,
        **_change(verdict),
        "measures": dict(verdict.measures) or None,
        "notes": "\n".join(verdict.notes[:NOTES_SHOWN]) or None,
        "seconds": round(verdict.seconds, 3),
        **{f"last write: {name}": count for name, count in last_write.items()},
    }
    return {name: value for name, value in known.items() if value is not None}


def _change(verdict: CheckVerdict) -> dict[str, Any]:
    """What changed since the partition was last proved equal, with the checksums of then."""
    change, since = verdict.change, verdict.unchanged_since
    if change is None:
        return {} if since is None else {"unchanged since": show_moment(since)}
    before = {"source": change.source, "target": change.target}
    return {
        "change": change.name,
        "last proved equal": show_moment(change.since),
        **{f"{side} checksum before": pair[0] for side, pair in before.items() if pair is not None},
    }


class HeldEvaluations:
    """What Dagster holds about checks, so that a scheduled run logs only news.

    An event log grows with each evaluation; a verdict that says what the page already
    says is worth none. The ledger keeps every verdict.
    """

    def __init__(self, held: Mapping[tuple[str, str], dg.AssetCheckEvaluation | None]) -> None:
        self._held = held

    @classmethod
    def fetch(
        cls, instance: dg.DagsterInstance, check_keys: Collection[dg.AssetCheckKey], partitions: Collection[str]
    ) -> "HeldEvaluations":
        """Read the latest evaluation of each check and partition, one query a check.

        Only the newest records are read: a partition whose evaluation lies further back
        counts as not held, is logged anew, and so is among the newest next time.
        """
        held: dict[tuple[str, str], dg.AssetCheckEvaluation | None] = {}
        for key in check_keys:
            records = instance.event_log_storage.get_asset_check_execution_history(key, limit=2 * len(partitions) + 20)
            for record in records:  # newest first
                if record.partition is not None:
                    planned = record.status is AssetCheckExecutionRecordStatus.PLANNED
                    held.setdefault((key.name, record.partition), None if planned else record.evaluation)
        return cls(held)

    def say_the_same(self, evaluation: dg.AssetCheckEvaluation, *, moving: bool = False) -> bool:
        """Whether Dagster already shows this about the same materialization.

        Args:
            evaluation: what would be logged.
            moving: the check measures something that moves by itself (a lag): only its
                outcome counts as news.
        """
        held = self._held.get((evaluation.check_name, str(evaluation.partition)))
        if held is None or held.passed != evaluation.passed or held.severity != evaluation.severity:
            return False
        same_text = moving or _lasting(held) == _lasting(evaluation)
        return same_text and _storage_id(held) == _storage_id(evaluation)


def _storage_id(evaluation: dg.AssetCheckEvaluation) -> int | None:
    target = evaluation.target_materialization_data
    return target.storage_id if target else None


def _lasting(evaluation: dg.AssetCheckEvaluation) -> Mapping[str, Any]:
    return {name: value for name, value in evaluation.metadata.items() if name not in _VOLATILE}
