"""The part of a report that tells of one table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconcile_assets.core.calendar_grid import CalendarGrid, PartitionStatus, build_calendar
from reconcile_assets.core.report_inputs import BatchFigures, ChangeFigures, ReportedTable, TableGaps
from reconcile_assets.core.verdicts import CONFIGURATION_CHANGED, CheckVerdict, Verdict, worst_verdict


@dataclass(frozen=True)
class CheckCounts:
    """How one check stands over the partitions; ``unverified`` have no verdict of it.

    Attributes:
        outdated: of the inconclusive, those whose verdict was given under another configuration.
    """

    check: str
    matched: int
    mismatched: int
    inconclusive: int
    unverified: int
    last_evaluated_at: datetime | None
    outdated: int = 0


@dataclass(frozen=True)
class GapCounts:
    """A partition counts as found when it was backfilled or is open now; filled when it was and is proved.

    Only the target beside its own source counts here: what another check says has its place in the success rate.

    Attributes:
        kinds: open gaps by kind, where both databases were compared for the report.
    """

    found: int
    filled: int
    open: int
    kinds: Mapping[str, int]

    @property
    def filled_rate(self) -> float | None:
        """0 to 1; None when there never was a gap."""
        return self.filled / self.found if self.found else None


@dataclass(frozen=True)
class WriteCounts:
    """What backfills committed into the target."""

    batches: int
    partitions: int
    rows_read: int
    rows_deleted: int
    rows_inserted: int
    last_committed_at: datetime | None


@dataclass(frozen=True)
class TableReport:
    """One table.

    Attributes:
        statuses: by partition key, in the order of the partitions.
        not_matched: verdicts other than ``matched``, proven differences first, then by partition.
        empty: keys of matched partitions without rows on both sides.
        changes: partitions that changed though no batch wrote them, the latest first.
        unchanged: partitions whose checksums are as they were proved, by some check.
    """

    table: ReportedTable
    statuses: Mapping[str, PartitionStatus]
    checks: tuple[CheckCounts, ...]
    not_matched: tuple[CheckVerdict, ...]
    empty: tuple[str, ...]
    gaps: GapCounts
    writes: WriteCounts
    calendar: CalendarGrid
    unpartitioned_source: int | None = None
    unpartitioned_target: int | None = None
    notes: tuple[str, ...] = ()
    changes: tuple[ChangeFigures, ...] = ()
    unchanged: int = 0

    def count(self, status: PartitionStatus) -> int:
        """How many partitions have this status."""
        return sum(1 for found in self.statuses.values() if found is status)

    @property
    def verdicts(self) -> int:
        """How many verdicts there are, over partitions and checks."""
        return sum(check.matched + check.mismatched + check.inconclusive for check in self.checks)

    @property
    def matched_verdicts(self) -> int:
        """How many of them say ``matched``."""
        return sum(check.matched for check in self.checks)

    @property
    def verdict(self) -> Verdict:
        """A proven difference or an open gap stands; a partition that is not proved spoils the whole."""
        if self.count(PartitionStatus.MISMATCHED) or any(self.gaps.kinds.values()):
            return Verdict.MISMATCHED
        proved = self.count(PartitionStatus.MATCHED)
        return Verdict.MATCHED if proved == len(self.statuses) > 0 else Verdict.INCONCLUSIVE


_NO_GAP = ("matched", "unverified")


@dataclass
class _Tally:
    latest: dict[tuple[str, str], CheckVerdict] = field(default_factory=dict)

    def of_check(self, check: str, keys: Iterable[str]) -> list[CheckVerdict]:
        return [self.latest[check, key] for key in keys if (check, key) in self.latest]

    def of_partition(self, key: str, checks: Sequence[str]) -> list[CheckVerdict]:
        return [self.latest[check, key] for check in checks if (check, key) in self.latest]


def build_table_report(
    table: ReportedTable,
    verdicts: Iterable[CheckVerdict],
    *,
    batches: Iterable[BatchFigures] = (),
    gaps: TableGaps | None = None,
    changes: Iterable[ChangeFigures] = (),
) -> TableReport:
    """Count one table's latest verdicts, writes and gaps.

    Verdicts of partitions or checks that are no longer configured are left out; those given under another
    configuration of their check are inconclusive.
    """
    keys = [partition.key for partition in table.partitions]
    wanted, tally = set(keys), _Tally()
    for verdict in verdicts:
        if verdict.partition in wanted and verdict.check in table.checks:
            tally.latest[verdict.check, verdict.partition] = _as_of_now(verdict, table)
    kinds = gaps.kinds if gaps else {}
    statuses = {key: _status(tally.of_partition(key, table.checks), len(table.checks), kinds.get(key)) for key in keys}
    empty = tuple(key for key in keys if _is_empty(statuses[key], tally.of_partition(key, table.checks)))
    written = [batch for batch in batches if batch.table == table.name and batch.partition in wanted]
    return TableReport(
        table=table,
        statuses=statuses,
        checks=tuple(_count_check(check, tally.of_check(check, keys), len(keys)) for check in table.checks),
        not_matched=_not_matched(tally.latest.values()),
        empty=empty,
        gaps=_count_gaps(_prove_filled(table, keys, tally, kinds), {batch.partition for batch in written}, gaps),
        writes=_count_writes(written),
        calendar=build_calendar(table.partitions, statuses, by=table.by, empty=frozenset(empty)),
        unpartitioned_source=gaps.unpartitioned_source if gaps else None,
        unpartitioned_target=gaps.unpartitioned_target if gaps else None,
        notes=gaps.notes if gaps else (),
        changes=tuple(each for each in changes if each.table == table.name and each.partition in wanted),
        unchanged=len({each.partition for each in tally.latest.values() if each.unchanged_since is not None}),
    )


def reason_of(verdict: CheckVerdict) -> str:
    """Why a verdict is not ``matched``, in one line, by counts and notes; never by row values."""
    counts = (
        (verdict.missing_in_target, "missing in target"),
        (verdict.missing_in_source, "missing in source"),
        (verdict.value_differs, "with other values"),
    )
    parts = [f"{_rows(number)} {what}" for number, what in counts if number]
    source, target = verdict.source_rows, verdict.target_rows
    if not parts and source is not None and target is not None and source != target:
        parts.append(f"{source:,} rows in source, {target:,} in target")
    parts.extend(verdict.notes)
    if verdict.verdict is Verdict.INCONCLUSIVE and not any("could not verify" in part for part in parts):
        parts.insert(0, "could not verify")
    return "; ".join(parts) or "does not match"


def _as_of_now(verdict: CheckVerdict, table: ReportedTable) -> CheckVerdict:
    """The verdict, or that there is none under the check's present configuration."""
    if verdict.is_of_configuration(table.configurations.get(verdict.check)):
        return verdict
    return replace(verdict, verdict=Verdict.INCONCLUSIVE, notes=(CONFIGURATION_CHANGED,), unchanged_since=None)


def _prove_filled(
    table: ReportedTable, keys: Sequence[str], tally: _Tally, kinds: Mapping[str, str]
) -> Mapping[str, bool]:
    """Whether each partition of the target is proved equal to its source, by a comparison of now if there is one."""
    checks = table.gap_checks or table.checks
    return {
        key: kinds[key] == "matched"
        if key in kinds
        else _checked(tally.of_partition(key, checks), len(checks)) is PartitionStatus.MATCHED
        for key in keys
    }


def _rows(number: int) -> str:
    return f"{number:,} row" if number == 1 else f"{number:,} rows"


def _status(verdicts: Sequence[CheckVerdict], checks: int, kind: str | None) -> PartitionStatus:
    """What the checks said last; where a comparison made for this report (``kind``) says worse, it is not green."""
    found = _checked(verdicts, checks)
    if found is not PartitionStatus.MATCHED or kind in (None, "matched"):
        return found
    return PartitionStatus.INCONCLUSIVE if kind == "unverified" else PartitionStatus.MISMATCHED


def _checked(verdicts: Sequence[CheckVerdict], checks: int) -> PartitionStatus:
    if not verdicts:
        return PartitionStatus.UNVERIFIED
    worst = worst_verdict(verdict.verdict for verdict in verdicts)
    if worst is Verdict.MATCHED and len(verdicts) < checks:
        return PartitionStatus.UNVERIFIED
    return PartitionStatus(worst.value)


def _is_empty(status: PartitionStatus, verdicts: Sequence[CheckVerdict]) -> bool:
    counted = [verdict for verdict in verdicts if verdict.source_rows is not None and verdict.target_rows is not None]
    no_rows = all(verdict.source_rows == verdict.target_rows == 0 for verdict in counted)
    return status is PartitionStatus.MATCHED and bool(counted) and no_rows


def _count_check(check: str, verdicts: Sequence[CheckVerdict], partitions: int) -> CheckCounts:
    counts = Counter(verdict.verdict for verdict in verdicts)
    return CheckCounts(
        check=check,
        matched=counts[Verdict.MATCHED],
        mismatched=counts[Verdict.MISMATCHED],
        inconclusive=counts[Verdict.INCONCLUSIVE],
        unverified=partitions - len(verdicts),
        last_evaluated_at=max((at for verdict in verdicts if (at := verdict.evaluated_at) is not None), default=None),
        outdated=sum(CONFIGURATION_CHANGED in verdict.notes for verdict in verdicts),
    )


def _not_matched(verdicts: Iterable[CheckVerdict]) -> tuple[CheckVerdict, ...]:
    bad = (verdict for verdict in verdicts if verdict.verdict is not Verdict.MATCHED)
    return tuple(sorted(bad, key=lambda v: (v.verdict is not Verdict.MISMATCHED, v.partition, v.check)))


def _count_gaps(filled: Mapping[str, bool], written: set[str], gaps: TableGaps | None) -> GapCounts:
    kinds = {key: kind for key, kind in gaps.kinds.items() if key in filled and kind not in _NO_GAP} if gaps else {}
    proved = {key for key, is_proved in filled.items() if is_proved}
    open_now = set(filled) - proved
    return GapCounts(
        found=len(written | open_now),
        filled=len(written & proved),
        open=len(open_now),
        kinds=dict(sorted(Counter(kinds.values()).items())),
    )


def _count_writes(batches: Sequence[BatchFigures]) -> WriteCounts:
    return WriteCounts(
        batches=len(batches),
        partitions=len({batch.partition for batch in batches}),
        rows_read=sum(batch.rows_read for batch in batches),
        rows_deleted=sum(batch.rows_deleted for batch in batches),
        rows_inserted=sum(batch.rows_inserted for batch in batches),
        last_committed_at=max((at for batch in batches if (at := batch.committed_at) is not None), default=None),
    )
