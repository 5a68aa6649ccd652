"""Gaps, found by comparing the two databases: one grouped scan a side, whatever the number of partitions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reconcile_assets.configuration.checks import RowsCheck
from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.compare import Checksum
from reconcile_assets.core.compare_pairs import PairPlan, judge_pair
from reconcile_assets.core.gaps import GapKind, GapReport, PartitionState, SideState, classify_partition
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.postgresql_figures import count_unpartitioned
from reconcile_assets.engine.comparison import compare_tables
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
        plans = [judge_pair(pair) for pair in resolved.pairs]
        here, there = _fetch(resolved, plans, ordered, source, target)
        proved = _fetch_proved(table, connections)
        states = [_state(each, here, there, proved) for each in ordered]
        if not all(plan.renders_alike or plan.is_uncomparable for plan in plans):
            states = _settle(resolved, states, ordered, source, target)
        strays = _count_unpartitioned(resolved, source, target) if unpartitioned else (None, None)
    unclear = [f"column {plan.name} was not compared: {plan.comparison}" for plan in plans if plan.is_uncomparable]
    notes = (*resolved.notes, *(plan.note for plan in plans if plan.note), *unclear)
    return GapReport(table.name, tuple(states), strays[0], strays[1], notes, _verdict(plans, states))


def _fetch(
    table: ResolvedTable, plans: Sequence[PairPlan], partitions: Sequence[Partition], source: Session, target: Session
) -> tuple[Mapping[str | None, Checksum], Mapping[str | None, Checksum]]:
    keys = {pair.source.name for pair in table.key}
    # The key first, as the rows check sums it: the checksums of its verdicts then compare with these.
    ordered = sorted((plan for plan in plans if not plan.is_uncomparable), key=lambda plan: plan.name not in keys)
    fast = source.hash_family == target.hash_family
    return on_both_sides(
        source,
        target,
        lambda: source.fetch_checksums(
            table.source,
            [plan.form(source=True) for plan in ordered],
            table.source_windows(partitions),
            fast=fast,
        ),
        lambda: target.fetch_checksums(
            table.target,
            [plan.form(source=False) for plan in ordered],
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
    """Look into partitions whose checksums differ though their rows may be equal: JSON, coarser types."""
    doubtful = {
        state.key
        for state in states
        if state.source_rows == state.target_rows and state.kind in (GapKind.DIFFERENT, GapKind.STALE)
    }
    found = compare_tables(
        source,
        target,
        source_relation=table.source,
        target_relation=table.target,
        key=[pair.source.name for pair in table.key],
        columns=table.pairs,
        partitions=table.source_windows([each for each in partitions if each.key in doubtful]),
        limit=0,
    )
    return [
        replace(state, kind=GapKind.MATCHED)
        if state.key in doubtful and found[state.key].verdict is not Verdict.MISMATCHED
        else state
        for state in states
    ]


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


def _verdict(plans: Sequence[PairPlan], states: Sequence[PartitionState]) -> Verdict:
    if any(state.kind is not GapKind.MATCHED for state in states):
        return Verdict.MISMATCHED
    rows = any(state.source_rows for state in states)
    if not states or (rows and any(plan.is_uncomparable for plan in plans)):
        return Verdict.INCONCLUSIVE
    return Verdict.MATCHED
