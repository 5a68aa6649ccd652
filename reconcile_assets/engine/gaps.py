"""Gaps, found by comparing the two databases: one grouped scan a side, whatever the number of partitions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reconcile_assets.configuration.checks import RowsCheck
from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.compare import Checksum
from reconcile_assets.core.compare_plan import ComparisonPlan, plan_comparison
from reconcile_assets.core.gaps import GapKind, GapReport, PartitionState, SideState, classify_partition
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.postgresql_figures import count_unpartitioned
from reconcile_assets.engine.check_rows import compare_resolved, declared_tolerances, shown_notes
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.engine.tables import ResolvedTable, resolve_table
from reconcile_assets.errors import ReconcileAssetsError

__all__ = ["GapKind", "GapReport", "PartitionState", "find_gaps"]

logger = logging.getLogger(__name__)

Proved = Mapping[str, tuple[str, str]]


def find_gaps(
    table: TableConfig,
    partitions: Sequence[Partition],
    *,
    connections: Connections,
    unpartitioned: bool = True,
) -> GapReport:
    """Compare every partition of the target with its source, by one grouped checksum a side.

    Args:
        partitions: those asked about.
        unpartitioned: also count the rows that stand in no partition of the table at all.

    Raises:
        ReconcileAssetsError: a database could not be asked, or the table can't be compared.
    """
    config = connections.config
    ordered = sorted(set(partitions))
    source_db = connections.database(config.source_of(table))
    target_db = connections.database(config.target_of(table))
    with source_db.session() as source, target_db.session() as target:
        resolved = resolve_table(table, source, target)
        plan = _plan(resolved, source, target)
        here, there = _fetch(resolved, plan, ordered, source, target)
        proved = _fetch_proved(table, connections)
        states = [_state(each, here, there, proved) for each in ordered]
        if not all(pair.renders_alike for pair in (*plan.key, *plan.columns)):
            states = _settle(resolved, states, ordered, source, target)
        if plan.uncomparable:
            states = [_unverified(state, plan) for state in states]
        strays = _count_unpartitioned(resolved, source, target) if unpartitioned else (None, None)
    notes = (*resolved.notes, *plan.type_notes)
    return GapReport(table.name, tuple(states), strays[0], strays[1], notes, _verdict(states))


def _plan(table: ResolvedTable, source: Session, target: Session) -> ComparisonPlan:
    """As the rows check plans it: the checksums of its verdicts then compare with these."""
    return plan_comparison(
        table.pairs,
        table.key_names,
        tolerances=declared_tolerances(table.config),
        uuids=table.config.columns.types,
        same_engine=source.engine == target.engine,
    )


def _fetch(
    table: ResolvedTable, plan: ComparisonPlan, partitions: Sequence[Partition], source: Session, target: Session
) -> tuple[Mapping[str | None, Checksum], Mapping[str | None, Checksum]]:
    ordered = (*plan.key, *plan.columns)
    fast = source.hash_family == target.hash_family
    return on_both_sides(
        source,
        target,
        lambda: source.fetch_checksums(
            table.source,
            [pair.form(source=True) for pair in ordered],
            table.source_windows(partitions),
            fast=fast,
        ),
        lambda: target.fetch_checksums(
            table.target,
            [pair.form(source=False) for pair in ordered],
            table.target_windows(partitions),
            fast=fast,
        ),
    )


def _state(
    partition: Partition, here: Mapping[str | None, Checksum], there: Mapping[str | None, Checksum], proved: Proved
) -> PartitionState:
    source, target = here[partition.key], there[partition.key]
    return classify_partition(
        partition.key,
        SideState(source.rows, source.digest),
        SideState(target.rows, target.digest),
        proved=proved.get(partition.key),
    )


def _settle(
    table: ResolvedTable,
    states: Sequence[PartitionState],
    partitions: Sequence[Partition],
    source: Session,
    target: Session,
) -> list[PartitionState]:
    """Look into partitions whose checksums differ though their rows may be equal: JSON, coarser types, tolerances."""
    doubtful = {
        state.key
        for state in states
        if state.source_rows == state.target_rows and state.kind in (GapKind.DIFFERENT, GapKind.STALE)
    }
    if not doubtful:
        return list(states)
    found = compare_resolved(
        table,
        source,
        target,
        [each for each in partitions if each.key in doubtful],
        tolerances=declared_tolerances(table.config),
        uuids=table.config.columns.types,
    )
    return [
        replace(state, kind=GapKind.MATCHED, notes=shown_notes(found[state.key]))
        if state.key in doubtful and found[state.key].verdict is not Verdict.MISMATCHED
        else state
        for state in states
    ]


def _unverified(state: PartitionState, plan: ComparisonPlan) -> PartitionState:
    """A partition with rows is not called matched while one of their columns was not compared."""
    if state.kind is not GapKind.MATCHED or not state.source_rows:
        return state
    names = ", ".join(pair.name for pair in plan.uncomparable)
    return replace(state, kind=GapKind.UNVERIFIED, notes=(*state.notes, f"not compared: {names}"))


def _count_unpartitioned(table: ResolvedTable, source: Session, target: Session) -> tuple[int, int] | tuple[None, None]:
    scheme = table.config.partition.scheme()
    every = scheme.partitions(datetime.now(UTC) if scheme.end is None else datetime.max.replace(tzinfo=UTC))
    if not every:
        return None, None
    last = None if scheme.end is None else every[-1]  # rows of a partition that has not ended yet are no strays
    return on_both_sides(
        source,
        target,
        lambda: count_unpartitioned(source, table.source, table.source_windows(every[:1]), last),
        lambda: count_unpartitioned(target, table.target, table.target_windows(every[:1]), last),
    )


def _fetch_proved(table: TableConfig, connections: Connections) -> Proved:
    """The checksums of the latest rows verdicts, by partition; none where no ledger is at hand."""
    names = {check.check_name for check in table.checks if isinstance(check, RowsCheck) and check.against is None}
    if not names or not connections.has_ledger():
        return {}
    try:
        latest = connections.ledger().iterate_latest_verdicts([table.name])
        verdicts = [each.verdict for each in latest if each.verdict.check in names]
    except ReconcileAssetsError as error:
        logger.warning("the ledger could not be read: %s", error, extra={"table": table.name})
        return {}
    return {
        verdict.partition: (verdict.source_checksum, verdict.target_checksum)
        for verdict in verdicts
        if verdict.source_checksum and verdict.target_checksum
    }


def _verdict(states: Sequence[PartitionState]) -> Verdict:
    kinds = {state.kind for state in states}
    if kinds - {GapKind.MATCHED, GapKind.UNVERIFIED}:
        return Verdict.MISMATCHED
    return Verdict.MATCHED if kinds == {GapKind.MATCHED} else Verdict.INCONCLUSIVE
