"""Gaps, found by comparing the two databases: one grouped scan a side, whatever the number of partitions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from reconcile_assets.configuration.checks import RowsCheck
from reconcile_assets.configuration.fingerprint import check_fingerprints
from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.changes import ChecksumScope, Proof
from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.compare_plan import ComparisonPlan, plan_comparison
from reconcile_assets.core.compare_sums import WindowSums, sum_windows
from reconcile_assets.core.gaps import GapKind, GapReport, PartitionState, SideState, classify_partition
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import RowsetQuery, Session
from reconcile_assets.engine.changes import LastBatches, ask_last_batches, judge_change
from reconcile_assets.engine.check_rows import compare_resolved, declared_tolerances, shown_notes
from reconcile_assets.engine.checksums import checksum_scope
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.engine.tables import ResolvedTable, resolve_table
from reconcile_assets.errors import ReconcileAssetsError

__all__ = ["GapKind", "GapReport", "PartitionState", "find_gaps"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """What the ledger knows of the partitions asked about.

    Attributes:
        proofs: what stood there when the rows check last matched, by partition.
        outdated: partitions, by check, whose latest verdict was given under another configuration.
    """

    proofs: Mapping[str, Proof] = field(default_factory=dict)
    outdated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sums:
    """Both sides' checksums by partition, those without rows left out, and what they are of."""

    windows: Mapping[str | None, WindowSums]
    scope: ChecksumScope

    def sides(self, partition: Partition) -> tuple[SideState, SideState]:
        """What source and target hold of a partition."""
        found = self.windows.get(partition.key, _NO_ROWS)
        return SideState(found.source.rows, found.source_digest), SideState(found.target.rows, found.target_digest)


_NO_ROWS = WindowSums()


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
        strays = _count_unpartitioned(resolved, source, target) if unpartitioned else (None, None)
        found = _fetch(resolved, plan, ordered, source, target)
        alike = all(pair.renders_alike for pair in (*plan.key, *plan.columns))
        settled = {} if alike else _settle(resolved, found, ordered, source, target)
        batches = ask_last_batches(target, table.name, [each.key for each in ordered])
    known = _fetch_known(table, ordered, connections)
    states = [_settled(_state(each, found, known, batches), settled) for each in ordered]
    if plan.uncomparable:
        states = [_unverified(state, plan) for state in states]
    notes = (*resolved.notes, *plan.type_notes)
    return GapReport(table.name, tuple(states), strays[0], strays[1], notes, _verdict(states), known.outdated)


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
) -> _Sums:
    """One scan a side, by the same query as the rows check's: its checksums and these are of one form."""
    fast = source.hash_family == target.hash_family
    windows = table.source_windows(partitions), table.target_windows(partitions)
    reading, writing = (
        RowsetQuery(
            relation=relation,
            key=tuple(pair.form(source=is_source) for pair in plan.key),
            columns=tuple(pair.form(source=is_source) for pair in plan.columns),
            partitions=filter_,
            fast=fast,
            unique=True,  # how often a key stands there is not asked
        )
        for is_source, relation, filter_ in ((True, table.source, windows[0]), (False, table.target, windows[1]))
    )
    here, there = on_both_sides(
        source, target, lambda: source.fetch_buckets(reading, 1), lambda: target.fetch_buckets(writing, 1)
    )
    return _Sums(sum_windows(here, there), checksum_scope(source, target, (reading, writing)))


def _state(partition: Partition, found: _Sums, known: _Known, batches: LastBatches) -> PartitionState:
    source, target = found.sides(partition)
    change, since = judge_change(
        source.digest,
        target.digest,
        found.scope.form(partition),
        partition=partition.key,
        proof=known.proofs.get(partition.key),
        batches=batches,
    )
    return classify_partition(
        partition.key,
        source,
        target,
        change=change,
        unchanged_since=since,
    )


def _settle(
    table: ResolvedTable, found: _Sums, partitions: Sequence[Partition], source: Session, target: Session
) -> Mapping[str, Comparison]:
    """Look into partitions whose checksums differ though their rows may be equal: JSON, coarser types, tolerances.

    Returns:
        The comparisons of those that do not differ after all, by partition.
    """
    doubtful = []
    for each in partitions:
        here, there = found.sides(each)
        if here.rows == there.rows and here.digest != there.digest:
            doubtful.append(each)
    if not doubtful:
        return {}
    compared = compare_resolved(
        table,
        source,
        target,
        doubtful,
        tolerances=declared_tolerances(table.config),
        uuids=table.config.columns.types,
    )
    return {key: each for key, each in compared.items() if each.verdict is not Verdict.MISMATCHED}


def _settled(state: PartitionState, settled: Mapping[str, Comparison]) -> PartitionState:
    if state.key not in settled:
        return state
    return replace(state, kind=GapKind.MATCHED, notes=(*state.notes, *shown_notes(settled[state.key])))


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
        lambda: source.count_unpartitioned(table.source, table.source_windows(every[:1]), last),
        lambda: target.count_unpartitioned(table.target, table.target_windows(every[:1]), last),
    )


def _fetch_known(table: TableConfig, partitions: Sequence[Partition], connections: Connections) -> _Known:
    """What the ledger knows; nothing where none is at hand."""
    if not connections.has_ledger():
        return _Known()
    rows = [check.check_name for check in table.checks if isinstance(check, RowsCheck) and check.against is None]
    keys = [each.key for each in partitions]
    try:
        ledger = connections.ledger()
        proofs = ledger.fetch_proofs(table.name, checks=rows[:1], partitions=keys)
        outdated = ledger.fetch_outdated(table.name, check_fingerprints(connections.config, table))
    except ReconcileAssetsError as error:
        logger.warning("the ledger could not be read: %s", error, extra={"table": table.name})
        return _Known()
    asked = frozenset(keys)
    mine = {check: tuple(key for key in found if key in asked) for check, found in outdated.items()}
    return _Known(
        proofs={partition: proof for (_, partition), proof in proofs.items()},
        outdated={check: found for check, found in mine.items() if found},
    )


def _verdict(states: Sequence[PartitionState]) -> Verdict:
    kinds = {state.kind for state in states}
    if kinds - {GapKind.MATCHED, GapKind.UNVERIFIED}:
        return Verdict.MISMATCHED
    return Verdict.MATCHED if kinds == {GapKind.MATCHED} else Verdict.INCONCLUSIVE
