"""Naming what a partition of the target is beside its source."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconcile_assets.core.changes import Change
from reconcile_assets.core.gaps import GapKind, GapReport, SideState, classify_partition
from reconcile_assets.core.verdicts import Verdict

NOTHING = SideState(0, "")


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        (SideState(2, "a"), SideState(2, "a"), GapKind.MATCHED),
        (NOTHING, NOTHING, GapKind.MATCHED),
        (SideState(2, "a"), NOTHING, GapKind.MISSING),
        (SideState(2, "a"), SideState(1, "b"), GapKind.SHORT),
        (SideState(2, "a"), SideState(3, "b"), GapKind.EXTRA),
        (NOTHING, SideState(1, "b"), GapKind.EXTRA),
        (SideState(2, "a"), SideState(2, "b"), GapKind.DIFFERENT),
    ],
)
def test_each_kind_is_told_by_rows_and_checksum(source: SideState, target: SideState, kind: GapKind) -> None:
    state = classify_partition("p", source, target)
    assert (state.kind, state.source_rows, state.target_rows) == (kind, source.rows, target.rows)


def test_nothing_on_either_side_is_said() -> None:
    assert classify_partition("p", NOTHING, NOTHING).notes == ("no rows on either side",)


SINCE = datetime(2024, 1, 2, tzinfo=UTC)
MOVED_ON = Change(SINCE, source=("old", "new"))
WRITTEN_BY_HAND = Change(SINCE, target=("old", "other"))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (MOVED_ON, GapKind.STALE),
        (WRITTEN_BY_HAND, GapKind.SHORT),
        (replace(MOVED_ON, target=("old", "other")), GapKind.SHORT),
        (None, GapKind.SHORT),
    ],
)
def test_stale_needs_a_target_that_stands_as_last_proved(change: Change | None, kind: GapKind) -> None:
    state = classify_partition("p", SideState(3, "new"), SideState(2, "old"), change=change)
    assert state.kind is kind
    assert state.notes == (() if change is None else (change.sentence,))


def test_a_target_that_was_emptied_is_missing_not_stale() -> None:
    assert classify_partition("p", SideState(3, "new"), NOTHING, change=MOVED_ON).kind is GapKind.MISSING


def test_both_sides_changed_alike_match_and_say_so() -> None:
    change = replace(MOVED_ON, target=("old", "new"))
    state = classify_partition("p", SideState(3, "new"), SideState(3, "new"), change=change)
    assert (state.kind, state.notes) == (GapKind.MATCHED, (change.sentence,))


def test_a_report_counts_every_kind_and_lists_the_gaps() -> None:
    states = tuple(
        classify_partition(str(n), SideState(2, "a"), SideState(n, "a" if n == 2 else "b")) for n in (0, 1, 2, 3)
    )
    report = GapReport("orders", states, 0, 0, (), Verdict.MISMATCHED)
    assert [state.key for state in report.gaps] == ["0", "1", "3"]
    assert report.counts() == {
        GapKind.MATCHED: 1,
        GapKind.MISSING: 1,
        GapKind.SHORT: 1,
        GapKind.EXTRA: 1,
        GapKind.STALE: 0,
        GapKind.DIFFERENT: 0,
        GapKind.UNVERIFIED: 0,
    }
