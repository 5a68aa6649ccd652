"""The rows check: every row of a partition, column by column."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from reconcile_assets.configuration.checks import RowsCheck
from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Session
from reconcile_assets.engine.changes import LastBatches, ask_last_batches, tell_change
from reconcile_assets.engine.checking import Sides
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.recheck import Recheck
from reconcile_assets.engine.tables import ResolvedTable


@dataclass(frozen=True)
class RowsLook:
    """What the rows check saw, all in one snapshot of each side; rows that it looked at again in a later one.

    Attributes:
        comparisons: by partition.
        batches: the last batch of each partition that has one; None when the target could not be asked.
    """

    comparisons: Mapping[str, Comparison]
    batches: LastBatches


def compare_rows(check: RowsCheck, sides: Sides, *, sleep: Callable[[float], None] = time.sleep) -> RowsLook:
    """Compare every partition in one scan a side; only those that differ are looked into, and again after a while.

    Args:
        sleep: waits for the second look, where the check asks for one; injected by tests.
    """
    recheck = None if check.recheck_after is None else Recheck(check.recheck_after.total_seconds(), sleep=sleep)
    with sides.open() as opened:
        found = compare_resolved(
            opened.table,
            opened.source,
            opened.target,
            sides.partitions,
            tolerances=_tolerances(check),
            uuids=sides.table.columns.types,
            recheck=recheck,
        )
        look = RowsLook(
            found, ask_last_batches(opened.target, sides.table.name, [each.key for each in sides.partitions])
        )
    if recheck is None or not recheck.is_needed:
        return look
    recheck.wait()
    first: dict[str | None, Comparison] = dict(found.items())
    with sides.open() as opened:
        return replace(look, comparisons=_by_partition(recheck.settle(opened.source, opened.target, first)))


def compare_resolved(
    table: ResolvedTable,
    source: Session,
    target: Session,
    partitions: Sequence[Partition],
    *,
    tolerances: Mapping[str, Tolerance],
    uuids: Collection[str] = (),
    recheck: Recheck | None = None,
) -> Mapping[str, Comparison]:
    """The comparison of each partition by its key; differences are counted, not listed."""
    found = compare_tables(
        source,
        target,
        source_relation=table.source,
        target_relation=table.target,
        key=table.key_names,
        columns=table.pairs,
        tolerances=tolerances,
        uuids=uuids,
        partitions=table.source_windows(partitions),
        target_partitions=table.target_windows(partitions),
        limit=0,
        recheck=recheck,
    )
    return _by_partition(found)


def _by_partition(found: Mapping[str | None, Comparison]) -> Mapping[str, Comparison]:
    return {key: comparison for key, comparison in found.items() if key is not None}


def declared_tolerances(table: TableConfig) -> Mapping[str, Tolerance]:
    """What still counts as equal in this table: the tolerances of its first rows check against its own source."""
    for check in table.checks:
        if isinstance(check, RowsCheck) and check.against is None:
            return _tolerances(check)
    return {}


def _tolerances(check: RowsCheck) -> Mapping[str, Tolerance]:
    return {name: Tolerance(**each.model_dump()) for name, each in check.tolerances.items()}


def rows_verdicts(check: RowsCheck, sides: Sides, found: RowsLook) -> tuple[CheckVerdict, ...]:
    """The verdict of each partition, with the differences by kind and what changed since it was last proved equal."""
    verdicts = []
    for partition in sides.partitions:
        comparison = found.comparisons[partition.key]
        verdict, notes = _judge(check, comparison)
        bare = replace(
            sides.verdict(check, partition, verdict),
            notes=notes,
            source_rows=comparison.source.rows,
            target_rows=comparison.target.rows,
            missing_in_target=comparison.missing_in_target,
            missing_in_source=comparison.missing_in_source,
            value_differs=comparison.value_differs,
            source_checksum=comparison.source_checksum,
            target_checksum=comparison.target_checksum,
            checksum_form=comparison.checksum_form,
            measures=_measures(comparison),
        )
        proof = sides.proofs.get((check.check_name, partition.key))
        verdicts.append(tell_change(bare, partition.key, proof, found.batches))
    return tuple(verdicts)


def _judge(check: RowsCheck, comparison: Comparison) -> tuple[Verdict, tuple[str, ...]]:
    notes = shown_notes(comparison)
    differing = comparison.missing_in_target + comparison.missing_in_source + comparison.value_differs
    if comparison.verdict is not Verdict.MISMATCHED or differing > check.max_differences:
        return comparison.verdict, notes
    notes = (*notes, f"{differing} rows differ; up to {check.max_differences} are allowed (max_differences)")
    if any(column.comparison.startswith("uncomparable") for column in comparison.columns.values()):
        return Verdict.INCONCLUSIVE, notes
    return Verdict.MATCHED, notes


def shown_notes(comparison: Comparison) -> tuple[str, ...]:
    """A comparison's notes, without the one that none of the differences is listed: none was to be."""
    return tuple(note for note in comparison.notes if not note.startswith("0 of "))


def _measures(comparison: Comparison) -> dict[str, str]:
    columns = comparison.columns.items()
    measures = {f"differs: {name}": str(column.differs) for name, column in columns if column.differs}
    if comparison.within_tolerance:
        measures["within_tolerance"] = str(comparison.within_tolerance)
    return measures
