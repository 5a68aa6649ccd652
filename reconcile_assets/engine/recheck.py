"""Looking again, after a while, at the rows that differed: what was on its way has settled, a difference stays.

The first look keeps, of each key that differs, where it stands and a fingerprint of its rows on
both sides; the second reads the same buckets from new snapshots and takes those keys out of them.
Nothing is matched by guess: a key whose rows differ in another way than before has not settled.
"""

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconcile_assets.core.compare import ColumnComparison, Comparison, Differences, SideCost
from reconcile_assets.core.compare_plan import ComparisonPlan
from reconcile_assets.core.compare_rows import RowComparer, Tally
from reconcile_assets.core.compare_sums import choose_buckets, differing_buckets
from reconcile_assets.core.difference import by_key
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.databases.base import Bucket, PartitionFilter, Session
from reconcile_assets.engine.progress import UNHEARD, Progress
from reconcile_assets.engine.row_groups import Place, Queries, Rows, Window, row_groups
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.errors import CouldNotVerify, NotComparable

MOST_KEYS = 10_000
"""Keys that are looked at again in one comparison; more stay as they were found."""
TOO_MANY = f"more than {MOST_KEYS:,} keys differ: they were not looked at again"
LONGEST_WAIT = 86_400.0  # seconds
_MOST_CHARACTERS = 64_000_000  # of the keys that are kept between the two looks


@dataclass(frozen=True, slots=True)
class _Seen:
    """A key that differed at the first look: its bucket, its rows on both sides, and a fingerprint of these."""

    bucket: int
    rows: tuple[int, int]
    fingerprint: bytes


@dataclass
class _Outcome:
    """What the second look found of a window."""

    tally: Tally
    keys: int = 0
    settled: int = 0
    unsettled: int = 0
    change: Counter[int] = field(default_factory=Counter)  # of the rows of each side
    surplus: int = 0  # rows that the source has more of the keys that did not settle


class Recheck:
    """The second look of one comparison.

    ::

        recheck = Recheck(10.0)
        with sessions() as (source, target):
            found = compare_tables(source, target, ..., recheck=recheck)
        if recheck.is_needed:
            recheck.wait()
            with sessions() as (source, target):
                found = recheck.settle(source, target, found)

    Args:
        after: seconds between the two looks.
        snapshot: each look reads one snapshot, so that what it finds must add up.
        sleep: waits; injected by tests.

    Raises:
        NotComparable: that is no time to wait.
    """

    def __init__(
        self,
        after: float,
        *,
        snapshot: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        progress: Progress = UNHEARD,
    ) -> None:
        if not math.isfinite(after) or not 0 <= after <= LONGEST_WAIT:
            raise NotComparable(f"rows are looked at again after 0 to {LONGEST_WAIT:.0f} seconds, not {after}")
        self._after = after
        self._snapshot = snapshot
        self._sleep = sleep
        self._progress = progress
        self._queries: Queries | None = None
        self._seen: dict[Place, _Seen] = {}
        self._chosen: frozenset[Window] = frozenset()
        self._buckets = 1
        self._remembered = 0.0

    def prepare(self, queries: Queries, plan: ComparisonPlan, comparer: RowComparer, limit: int) -> None:
        """Take over what a comparison reads, before it reads.

        Raises:
            NotComparable: no row could be found again.
        """
        if plan.keyless and not plan.key:
            raise NotComparable(
                "rows without a key and a column that all engines write alike can't be looked at again; name a key"
            )
        self._queries, self._plan, self._comparer, self._limit = queries, plan, comparer, limit

    @property
    def is_needed(self) -> bool:
        """Whether anything differed that can be looked at again."""
        return bool(self._chosen)

    def remember(
        self, source: Session, target: Session, found: Mapping[Window, Comparison]
    ) -> dict[Window, Comparison]:
        """Keep which keys differ, in the snapshots that were compared.

        Returns:
            The comparisons, with a note where too many keys differ to look at them again.

        Raises:
            CouldNotVerify: other rows differ now than were found: a side does not hold still.
        """
        started = time.monotonic()
        differing = {window: each for window, each in found.items() if each.verdict is Verdict.MISMATCHED}
        chosen = _choose_windows(differing)
        if chosen:
            self._progress.phase("finding the keys that differ")
            if self._keep((source, target), chosen):
                self._chosen = frozenset(chosen)
        noted = {
            window: replace(each, notes=(*each.notes, TOO_MANY))
            if window in differing and window not in self._chosen
            else each
            for window, each in found.items()
        }
        self._remembered = time.monotonic()
        costs = source.cost.charge(), target.cost.charge()
        return {window: _charge(each, costs, self._remembered - started) for window, each in noted.items()}

    def wait(self) -> None:
        """Wait for what is on its way."""
        self._progress.phase(f"waiting {self._after:g} s for rows that are on their way")
        self._sleep(self._after)

    def settle(self, source: Session, target: Session, found: Mapping[Window, Comparison]) -> dict[Window, Comparison]:
        """The comparisons after a second look, in sessions that were opened after the wait."""
        outcomes = self._look((source, target))
        costs = source.cost.charge(), target.cost.charge()
        seconds = time.monotonic() - self._remembered
        judged = {
            window: self._judge(first, outcomes[window]) if window in outcomes else first
            for window, first in found.items()
        }
        return {window: _charge(each, costs, seconds) for window, each in judged.items()}

    def _keep(self, sessions: tuple[Session, Session], windows: Mapping[Window, Comparison]) -> bool:
        """Whether there is room for all keys that differ."""
        queries = self._narrowed(set(windows))
        rows = max(max(each.source.rows, each.target.rows) for each in windows.values()) * len(windows)
        self._buckets = choose_buckets(rows, len(windows))
        wanted: Sequence[Bucket] = [(window, 0) for window in windows]
        if self._buckets > 1:
            sums = on_both_sides(
                *sessions,
                lambda: sessions[0].fetch_buckets(queries[0], self._buckets),
                lambda: sessions[1].fetch_buckets(queries[1], self._buckets),
            )
            wanted = list(differing_buckets(*sums))
        totals: Counter[Window] = Counter()
        characters = 0
        for place, bucket, rows_ in row_groups(sessions, queries, self._comparer, self._buckets, wanted):
            tally = Tally(0)
            self._comparer.compare(*rows_, tally)
            if not tally.total:
                continue
            totals[place[0]] += tally.total
            characters += sum(len(text or "") for side in rows_ for row in side[:1] for text in row.key)
            if len(self._seen) >= MOST_KEYS or characters > _MOST_CHARACTERS:
                self._seen.clear()
                return False
            self._seen[place] = _Seen(bucket, (len(rows_[0]), len(rows_[1])), _fingerprint(rows_))
        for window, comparison in windows.items():
            if self._snapshot and totals[window] != _total(comparison):
                raise CouldNotVerify("other rows differ than a moment before: a side does not hold still")
        return True

    def _look(self, sessions: tuple[Session, Session]) -> dict[Window, _Outcome]:
        self._progress.phase("looking again", len(self._seen), unit="keys")
        outcomes = {window: _Outcome(Tally(self._limit)) for window in self._chosen}
        left = dict(self._seen)
        wanted = list(dict.fromkeys((place[0], seen.bucket) for place, seen in left.items()))
        queries = self._narrowed({window for window, _ in wanted})
        for place, _, rows in row_groups(sessions, queries, self._comparer, self._buckets, wanted):
            seen = left.pop(place, None)
            if seen is not None:
                self._judge_key(outcomes[place[0]], seen, rows)
        for place, seen in left.items():  # gone on both sides
            self._judge_key(outcomes[place[0]], seen, ([], []))
        return outcomes

    def _judge_key(self, outcome: _Outcome, seen: _Seen, rows: Rows) -> None:
        outcome.keys += 1
        for side in (0, 1):
            outcome.change[side] += len(rows[side]) - seen.rows[side]
        trial = Tally(0)
        self._comparer.compare(*rows, trial)
        if not trial.total:
            outcome.settled += 1
            outcome.tally.within_tolerance += trial.within_tolerance
        elif _fingerprint(rows) == seen.fingerprint:
            self._comparer.compare(*rows, outcome.tally)
        else:
            outcome.unsettled += 1
            outcome.surplus += len(rows[0]) - len(rows[1])
        self._progress.advance()

    def _judge(self, first: Comparison, outcome: _Outcome) -> Comparison:
        tally = outcome.tally
        columns = {
            name: ColumnComparison(column.comparison, tally.differs.get(name, 0))
            for name, column in first.columns.items()
        }
        source = replace(first.source, rows=first.source.rows + outcome.change[0])
        target = replace(first.target, rows=first.target.rows + outcome.change[1])
        surplus = tally.missing_in_target - tally.missing_in_source + outcome.surplus
        verdict = Verdict.MISMATCHED
        if not tally.total:
            if source.rows - target.rows != surplus:  # only without a snapshot
                raise CouldNotVerify("the rows that were looked at again don't add up to those counted; compare again")
            uncomparable = any(column.comparison.startswith("uncomparable") for column in columns.values())
            verdict = Verdict.INCONCLUSIVE if outcome.unsettled or uncomparable else Verdict.MATCHED
        return replace(
            first,
            verdict=verdict,
            source=source,
            target=target,
            missing_in_target=tally.missing_in_target,
            missing_in_source=tally.missing_in_source,
            value_differs=tally.value_differs,
            columns=columns,
            differences=Differences(sorted(tally.differences, key=by_key)),
            notes=(*(note for note in first.notes if " are listed; " not in note), *self._notes(outcome)),
            # They are of the first look, and prove nothing of the second.
            source_checksum="",
            target_checksum="",
            within_tolerance=first.within_tolerance + tally.within_tolerance,
            unsettled=outcome.unsettled,
        )

    def _notes(self, outcome: _Outcome) -> Iterator[str]:
        what = "rows" if self._plan.keyless else "keys"
        stayed = outcome.keys - outcome.settled - outcome.unsettled
        yield (
            f"{what} that differed were looked at again after {self._after:g} s: of {outcome.keys:,},"
            f" {outcome.settled:,} settled, {stayed:,} differ as before, {outcome.unsettled:,} did not settle"
        )
        if outcome.unsettled:
            yield (
                f"could not verify: {outcome.unsettled:,} {what} did not settle, they went on changing between the two"
                " looks; wait longer"
            )
        total, listed = outcome.tally.total, len(outcome.tally.differences)
        if total > listed:
            yield f"{listed} of {total} differences are listed; all are counted"

    def _narrowed(self, windows: set[Window]) -> Queries:
        if self._queries is None:
            raise RuntimeError("nothing was compared before")
        left, right = (replace(query, partitions=_only(query.partitions, windows)) for query in self._queries)
        return left, right


def _only(partitions: PartitionFilter | None, windows: set[Window]) -> PartitionFilter | None:
    if partitions is None:
        return None
    return replace(partitions, partitions=[each for each in partitions.partitions if each.key in windows])


def _choose_windows(differing: Mapping[Window, Comparison]) -> dict[Window, Comparison]:
    """As many windows as have not too many keys together."""
    chosen: dict[Window, Comparison] = {}
    room = MOST_KEYS
    for window, comparison in differing.items():
        if _total(comparison) <= room:
            room -= _total(comparison)
            chosen[window] = comparison
    return chosen


def _charge(comparison: Comparison, costs: tuple[SideCost, SideCost], seconds: float) -> Comparison:
    return replace(
        comparison,
        source_cost=comparison.source_cost + costs[0],
        target_cost=comparison.target_cost + costs[1],
        seconds=comparison.seconds + seconds,
    )


def _total(comparison: Comparison) -> int:
    return comparison.missing_in_target + comparison.missing_in_source + comparison.value_differs


def _fingerprint(rows: Rows) -> bytes:
    """Of the values of a key's rows on both sides, whatever their order."""
    sides = [sorted(repr(row.columns) for row in side) for side in rows]
    return hashlib.sha256(repr(sides).encode("utf-8", "surrogatepass")).digest()
