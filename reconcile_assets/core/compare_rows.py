"""Matching the rows that share a key: what is missing, what differs, and in which columns.

Keys that occur more than once, and tables without a key, are multisets: equal rows
cancel one by one, then near ones are matched as many as possible, and what is left
over is a difference.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reconcile_assets.core.canonical import Canonical, canonicalize, display_value
from reconcile_assets.core.compare_pairs import PairPlan
from reconcile_assets.core.compare_plan import ComparisonPlan
from reconcile_assets.core.compare_values import Likeness, compare_values, whole_form
from reconcile_assets.core.difference import MASKED, Difference, DifferenceKind, Value

Texts = tuple[str | None, ...]


class Row(NamedTuple):
    """A shipped row: exact texts of its key and of its columns."""

    key: Texts
    columns: Texts


@dataclass
class Tally:
    """What was found so far in one partition.

    Attributes:
        limit: how many differences are listed; all are counted.
    """

    limit: int
    missing_in_target: int = 0
    missing_in_source: int = 0
    value_differs: int = 0
    within_tolerance: int = 0
    differs: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All differences."""
        return self.missing_in_target + self.missing_in_source + self.value_differs

    @property
    def is_full(self) -> bool:
        """Whether no further difference is listed."""
        return len(self.differences) >= self.limit


class RowComparer:
    """Compares groups of rows that share a key, into a tally.

    Args:
        mask: columns, by the source's names, whose values are never shown.

    Attributes:
        texts_tell: two rows that are written alike are the same, as each pair's columns are of one kind.
    """

    def __init__(self, plan: ComparisonPlan, mask: frozenset[str] = frozenset()) -> None:
        self._plan = plan
        self._mask = mask
        self._source_key = [(item.pair.source.type, item.canonical) for item in plan.key]
        self._target_key = [(item.pair.target.type, item.canonical) for item in plan.key]
        self._alike = [item.pair.source.type.kind is item.pair.target.type.kind for item in plan.columns]
        keys_alike = all(item.pair.source.type.kind is item.pair.target.type.kind for item in plan.key)
        self.texts_tell = keys_alike and all(self._alike)

    def identity(self, key: Texts, *, source: bool) -> tuple[Hashable, ...]:
        """A key that equals the other side's key of the same row."""
        forms = self._source_key if source else self._target_key
        return tuple(
            canonicalize(text, column_type, form) if form else text
            for text, (column_type, form) in zip(key, forms, strict=True)
        )

    def compare(self, source: Sequence[Row], target: Sequence[Row], tally: Tally) -> None:
        """Compare all rows of one key."""
        if len(source) == 1 and len(target) == 1:
            self._compare_two(source[0], target[0], tally)
            return
        left, right = _cancel_equal(self._plan.columns, source, target)
        near = _match_near(self._plan.columns, left, right)
        tally.within_tolerance += len(near)
        left = [row for index, row in enumerate(left) if index not in near]
        taken = set(near.values())
        right = [row for index, row in enumerate(right) if index not in taken]
        paired = 0 if self._plan.keyless else min(len(left), len(right))
        for first, second in zip(left[:paired], right[:paired], strict=True):
            self._compare_two(first, second, tally)
        for row in left[paired:]:
            self.add_missing(row, tally, in_target=True)
        for row in right[paired:]:
            self.add_missing(row, tally, in_target=False)

    def add_missing(self, row: Row, tally: Tally, *, in_target: bool) -> None:
        """Count a row that one side lacks, and list it while there is room."""
        if in_target:
            tally.missing_in_target += 1
        else:
            tally.missing_in_source += 1
        if not tally.is_full:
            tally.differences.append(self.missing(row, in_target=in_target))

    def missing(self, row: Row, *, in_target: bool) -> Difference:
        """The difference that a row makes which one side lacks."""
        kind = DifferenceKind.MISSING_IN_TARGET if in_target else DifferenceKind.MISSING_IN_SOURCE
        values = self._show(self._plan.columns, row.columns, source=in_target)
        key = self._show(self._plan.key, row.key, source=in_target)
        if self._plan.keyless:
            values, key = {**key, **values}, {}
        return Difference(kind, key, values if in_target else None, None if in_target else values)

    def _compare_two(self, source: Row, target: Row, tally: Tally) -> None:
        different: list[int] = []
        near = False
        for index, (left, right, alike) in enumerate(zip(source.columns, target.columns, self._alike, strict=True)):
            if alike and left == right:
                continue
            likeness = compare_values(self._plan.columns[index], left, right)
            if likeness is Likeness.DIFFERENT:
                different.append(index)
            near = near or likeness is Likeness.NEAR
        if not different:
            tally.within_tolerance += near
            return
        if self._plan.keyless:
            self.add_missing(source, tally, in_target=True)
            self.add_missing(target, tally, in_target=False)
            return
        tally.value_differs += 1
        tally.differs.update(self._plan.columns[index].name for index in different)
        if not tally.is_full:
            tally.differences.append(self._value_difference(source, target, different))

    def _value_difference(self, source: Row, target: Row, different: Sequence[int]) -> Difference:
        plans = [self._plan.columns[index] for index in different]
        return Difference(
            DifferenceKind.VALUE_DIFFERS,
            self._show(self._plan.key, source.key, source=True),
            self._show(plans, [source.columns[index] for index in different], source=True),
            self._show(plans, [target.columns[index] for index in different], source=False),
        )

    def _show(self, plans: Sequence[PairPlan], texts: Sequence[str | None], *, source: bool) -> dict[str, Value]:
        shown: dict[str, Value] = {}
        for item, text in zip(plans, texts, strict=True):
            column = item.pair.source if source else item.pair.target
            shown[item.name] = MASKED if item.name in self._mask else display_value(text, column.type)
        return shown


def _cancel_equal(
    plans: Sequence[PairPlan], source: Sequence[Row], target: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    """Take equal rows away, one for one."""
    right_values = [_values(plans, row, source=False) for row in target]
    available = Counter(right_values)
    left: list[Row] = []
    for row in source:
        values = _values(plans, row, source=True)
        if available[values] > 0:
            available[values] -= 1
        else:
            left.append(row)
    right: list[Row] = []
    for row, values in zip(target, right_values, strict=True):
        if available[values] > 0:
            available[values] -= 1
            right.append(row)
    return left, right


def _values(plans: Sequence[PairPlan], row: Row, *, source: bool) -> tuple[Hashable, ...]:
    return tuple(
        canonicalize(text, (item.pair.source if source else item.pair.target).type, _whole(item))
        for text, item in zip(row.columns, plans, strict=True)
    )


def _whole(item: PairPlan) -> Canonical:
    if item.canonical is None:
        raise ValueError("an uncomparable column was shipped")
    return whole_form(item.canonical)


_MOST_PAIRS = 4_000_000  # tried for near rows in one group; beyond it rows match only when equal


def _match_near(plans: Sequence[PairPlan], left: Sequence[Row], right: Sequence[Row]) -> dict[int, int]:
    """As many pairs of near rows as can be made: index on the left -> index on the right.

    Kuhn's augmenting paths; the walk is a loop, as a group may be as large as the table.
    """
    if all(item.is_exact for item in plans) or len(left) * len(right) > _MOST_PAIRS:
        return {}
    near = [[at for at, other in enumerate(right) if _all_near(plans, row, other)] for row in left]
    owner: dict[int, int] = {}
    for start in range(len(left)):
        _augment(start, near, owner)
    return {row: at for at, row in owner.items()}


def _augment(start: int, near: Sequence[Sequence[int]], owner: dict[int, int]) -> None:
    came_from: dict[int, int] = {}
    queue = [start]
    while queue:
        row = queue.pop()
        for at in near[row]:
            if at in came_from:
                continue
            came_from[at] = row
            if at not in owner:
                _claim(at, start, came_from, owner)
                return
            queue.append(owner[at])


def _claim(at: int, start: int, came_from: dict[int, int], owner: dict[int, int]) -> None:
    while True:
        row = came_from[at]
        previous = next((held for held, by in owner.items() if by == row), None)
        owner[at] = row
        if row == start or previous is None:
            return
        at = previous


def _all_near(plans: Sequence[PairPlan], source: Row, target: Row) -> bool:
    return all(
        compare_values(item, left, right) is not Likeness.DIFFERENT
        for item, left, right in zip(plans, source.columns, target.columns, strict=True)
    )
