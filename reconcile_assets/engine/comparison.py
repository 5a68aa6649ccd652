"""Comparing two tables: one grouped scan a side, then only what differs.

1. Both sides sum up, at the same time, the digests of each window and of each bucket of
   keys within it.
2. Only buckets whose sums differ are shipped, ordered, and merged bucket by bucket, so that
   memory stays flat: keys and digests where few differ, else the values themselves.
3. Values of the keys whose digests differ are fetched by key, many at a time.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from reconcile_assets.core.changes import ChecksumScope
from reconcile_assets.core.compare import Comparison, Differences, SideCost
from reconcile_assets.core.compare_pairs import ColumnPair, pair_columns
from reconcile_assets.core.compare_plan import ComparisonPlan, plan_comparison
from reconcile_assets.core.compare_rows import RowComparer, Tally
from reconcile_assets.core.compare_sums import WindowSums, choose_buckets, differing_buckets, sum_windows
from reconcile_assets.core.difference import by_key
from reconcile_assets.core.tables import Table, TypeKind
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.databases.base import PartitionFilter, Relation, RowsetQuery, Session
from reconcile_assets.engine.checksums import checksum_scope
from reconcile_assets.engine.comparison_rows import RowSearch
from reconcile_assets.engine.progress import UNHEARD, Progress, count_scan
from reconcile_assets.engine.recheck import Recheck
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.errors import CouldNotVerify, MissingObject, NotComparable

_WINDOWED = frozenset({TypeKind.TIMESTAMPTZ, TypeKind.TIMESTAMP, TypeKind.DATE})


def compare_tables(
    source: Session,
    target: Session,
    *,
    source_relation: Relation,
    target_relation: Relation,
    key: Sequence[str],
    columns: Sequence[ColumnPair] | None = None,
    tolerances: Mapping[str, Tolerance] | None = None,
    partitions: PartitionFilter | None = None,
    target_partitions: PartitionFilter | None = None,
    limit: int = 100,
    strict: bool = False,
    mask: Sequence[str] = (),
    zones: Mapping[str, str] | None = None,
    uuids: Collection[str] = (),
    zero_date_as_null: bool = False,
    notes: Sequence[str] = (),
    progress: Progress = UNHEARD,
    recheck: Recheck | None = None,
) -> dict[str | None, Comparison]:
    """Compare two tables, views or queries.

    Args:
        key: by the source's names; empty compares rows as a multiset.
        columns: the pairs that are compared, the key's among them; None pairs all columns by name.
        tolerances: by the source's names.
        partitions: the windows, by the source's partition column; None compares everything as one.
        target_partitions: the same windows by the target's column; None finds it through the pairs.
        limit: differences listed for each partition; all are counted.
        strict: a coarser type on one side is a difference.
        mask: the source's names of columns whose values are never shown.
        zones: IANA zone by column name, for zoneless times beside instants.
        uuids: the source's names of columns whose texts and bytes are UUIDs, in whatever spelling.
        zero_date_as_null: MySQL's ``0000-00-00`` is read as NULL.
        notes: sentences that each comparison carries.
        progress: hears how far the comparison is.
        recheck: keeps which keys differ, for a second look.

    Returns:
        A comparison for each partition, by its key; by None without partitions.

    Raises:
        NotComparable: what was asked for is not defined.
        CouldNotVerify: a side did not hold still, as a view over random values does not.
        TransientError, PermanentError: a database failed: nothing is known then.
    """
    started = time.monotonic()
    tables = source.describe(source_relation), target.describe(target_relation)
    pairs, pair_notes = _pairs(tables, columns, key)
    same_engine = source.engine == target.engine
    plan = plan_comparison(
        pairs,
        key,
        tolerances=tolerances,
        strict=strict,
        same_engine=same_engine,
        zones=zones,
        uuids=uuids,
        zero_date_as_null=zero_date_as_null,
    )
    _refuse_unknown_masks(mask, pairs)
    filters = partitions, target_partitions or _target_filter(partitions, pairs, tables[1])
    _refuse_filter(filters[0], tables[0])
    _refuse_filter(filters[1], tables[1])
    fast = source.hash_family == target.hash_family
    queries = (
        _query(plan, tables[0], source_relation, filters[0], fast=fast, source=True),
        _query(plan, tables[1], target_relation, filters[1], fast=fast, source=False),
    )
    comparer = RowComparer(plan, frozenset(mask))
    if recheck is not None:
        recheck.prepare(queries, plan, comparer, limit)
    search = RowSearch((source, target), queries, comparer, limit, progress)
    scope = checksum_scope(source, target, queries)
    found = _Outcome(plan, (*notes, *pair_notes, *plan.type_notes), filters[0], scope)
    windows, tallies = _compare(source, target, queries, tables, search, filters[0], progress)
    costs = source.cost.charge(), target.cost.charge()
    comparisons = found.comparisons(windows, tallies, costs, time.monotonic() - started)
    return comparisons if recheck is None else recheck.remember(source, target, comparisons)


def _compare(
    source: Session,
    target: Session,
    queries: tuple[RowsetQuery, RowsetQuery],
    tables: tuple[Table, Table],
    search: RowSearch,
    partitions: PartitionFilter | None,
    progress: Progress,
) -> tuple[dict[str | None, WindowSums], dict[str | None, Tally]]:
    progress.phase("estimating the rows")
    estimates = on_both_sides(
        source, target, lambda: _estimate(source, queries[0]), lambda: _estimate(target, queries[1])
    )
    many = choose_buckets(max(estimates), 1 if partitions is None else len(partitions.partitions))
    buckets = many if queries[0].key else 1  # nothing tells rows apart that hold only JSON, say
    progress.phase("scanning source and target", sum(estimates) or None, unit="rows")
    sums = on_both_sides(
        source,
        target,
        lambda: count_scan(progress, source, estimates[0], lambda: source.fetch_buckets(queries[0], buckets)),
        lambda: count_scan(progress, target, estimates[1], lambda: target.fetch_buckets(queries[1], buckets)),
    )
    windows = sum_windows(sums[0], sums[1])
    different = differing_buckets(sums[0], sums[1])
    return windows, search.search(different, buckets, windows)


def _estimate(session: Session, query: RowsetQuery) -> int:
    if query.partitions is None:
        return session.estimate_rows(query.relation)
    return session.estimate_window_rows(query.relation, query.partitions)


def _pairs(
    tables: tuple[Table, Table], columns: Sequence[ColumnPair] | None, key: Sequence[str]
) -> tuple[tuple[ColumnPair, ...], tuple[str, ...]]:
    if columns is None:
        return pair_columns(*tables)
    named = {pair.source.name for pair in columns}
    extra = [name for name in key if name not in named]
    if not extra:
        return tuple(columns), ()
    paired = {pair.source.name: pair for pair in pair_columns(*tables)[0]}
    for name in extra:
        if name not in paired:
            raise NotComparable(f"the key column {name} is not among the columns of both sides")
    return (*(paired[name] for name in extra), *columns), ()


def _refuse_unknown_masks(mask: Sequence[str], pairs: Sequence[ColumnPair]) -> None:
    names = {pair.source.name for pair in pairs}
    for name in mask:
        if name not in names:
            raise NotComparable(
                f"the masked column {name} is not compared; columns are {', '.join(sorted(names)[:20])}"
            )


def _target_filter(
    partitions: PartitionFilter | None, pairs: Sequence[ColumnPair], target: Table
) -> PartitionFilter | None:
    if partitions is None:
        return None
    for pair in pairs:
        if pair.source.name == partitions.column:
            return replace(partitions, column=pair.target.name, kind=pair.target.type.kind)
    found = next((column for column in target.columns if column.name == partitions.column), None)
    if found is None:
        raise MissingObject(f"there is no partition column {partitions.column} in the target {target.name}")
    return replace(partitions, kind=found.type.kind)


def _refuse_filter(partitions: PartitionFilter | None, table: Table) -> None:
    if partitions is None:
        return
    found = next((column for column in table.columns if column.name == partitions.column), None)
    if found is None:
        raise MissingObject(f"there is no partition column {partitions.column} in {table.name}")
    if found.type.kind not in _WINDOWED:
        raise NotComparable(
            f"the partition column {partitions.column} of {table.name} is {found.type.native};"
            " it must be timestamptz, timestamp or date"
        )


def _query(
    plan: ComparisonPlan,
    table: Table,
    relation: Relation,
    partitions: PartitionFilter | None,
    *,
    fast: bool,
    source: bool,
) -> RowsetQuery:
    return RowsetQuery(
        relation=relation,
        key=tuple(item.form(source=source) for item in plan.key),
        columns=tuple(item.form(source=source) for item in plan.columns),
        partitions=partitions,
        fast=fast,
        unique=plan.is_unique(table, source=source),
        integer_key=plan.has_integer_key,
    )


class _Outcome:
    """Puts sums and tallies together into comparisons."""

    def __init__(
        self, plan: ComparisonPlan, notes: Sequence[str], partitions: PartitionFilter | None, scope: ChecksumScope
    ) -> None:
        self._plan = plan
        self._notes = tuple(dict.fromkeys(notes))
        windows = () if partitions is None else partitions.partitions
        self._forms: dict[str | None, str] = {each.key: scope.form(each) for each in windows}
        if partitions is None:
            self._forms[None] = scope.form(None)

    def comparisons(
        self,
        windows: Mapping[str | None, WindowSums],
        tallies: Mapping[str | None, Tally],
        costs: tuple[SideCost, SideCost],
        seconds: float,
    ) -> dict[str | None, Comparison]:
        """A comparison for each window asked for, those without rows too."""
        return {
            key: replace(
                self._comparison(windows.get(key, WindowSums()), tallies.get(key, Tally(0))),
                checksum_form=form,
                source_cost=costs[0],
                target_cost=costs[1],
                seconds=seconds,
            )
            for key, form in self._forms.items()
        }

    def _comparison(self, sums: WindowSums, tally: Tally) -> Comparison:
        surplus = tally.missing_in_target - tally.missing_in_source
        if sums.source.rows - sums.target.rows != surplus:
            raise CouldNotVerify("the rows that were read don't add up to those counted: a side does not hold still")
        return Comparison(
            verdict=self._verdict(sums, tally),
            source=sums.source,
            target=sums.target,
            missing_in_target=tally.missing_in_target,
            missing_in_source=tally.missing_in_source,
            value_differs=tally.value_differs,
            columns=self._plan.column_comparisons(tally.differs),
            differences=Differences(sorted(tally.differences, key=by_key)),
            notes=(*self._notes, *_row_notes(sums, tally, keyless=self._plan.keyless)),
            source_checksum=sums.source_digest,
            target_checksum=sums.target_digest,
            within_tolerance=tally.within_tolerance,
        )

    def _verdict(self, sums: WindowSums, tally: Tally) -> Verdict:
        if tally.total:
            return Verdict.MISMATCHED
        if self._plan.uncomparable and (sums.source.rows or sums.target.rows):
            return Verdict.INCONCLUSIVE
        return Verdict.MATCHED


def _row_notes(sums: WindowSums, tally: Tally, *, keyless: bool) -> list[str]:
    notes: list[str] = []
    if not sums.source.rows and not sums.target.rows:
        notes.append("both sides are empty")
    if tally.within_tolerance:
        notes.append(f"{tally.within_tolerance} rows differ within the tolerances or the coarser type")
    for side, counts in (("source", sums.source), ("target", sums.target)):
        if counts.null_keys:
            notes.append(f"{counts.null_keys} rows of the {side} have NULL in the key")
        if counts.duplicate_keys:
            notes.append(f"the key is not unique in the {side}: {counts.duplicate_keys} rows more than keys")
    if sums.source.duplicate_keys or sums.target.duplicate_keys:
        notes.append("rows that share a key were compared as a multiset")
    if keyless:
        notes.append("compared without a key, as a multiset of rows")
    if tally.total > len(tally.differences):
        notes.append(f"{len(tally.differences)} of {tally.total} differences are listed; all are counted")
    return notes
