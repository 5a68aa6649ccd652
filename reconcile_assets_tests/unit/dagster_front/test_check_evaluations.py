"""Verdicts become evaluations: green only when matched, with the figures and no row values."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from reconcile_assets.check_evaluations import HeldEvaluations, Target, build_evaluation, describe_verdict, is_older
from reconcile_assets.checks import name_partitions
from reconcile_assets.core.changes import Change
from reconcile_assets.core.verdicts import CheckVerdict, Verdict

KEY = dg.AssetKey("orders")
MATCHED = CheckVerdict(
    "orders",
    "rows",
    "2024-01-01",
    Verdict.MATCHED,
    source_rows=3,
    target_rows=3,
    missing_in_target=0,
    missing_in_source=0,
    value_differs=0,
    source_checksum="aa",
    target_checksum="aa",
    seconds=0.12345,
)
TARGET = Target(storage_id=7, run_id="r", timestamp=1.0)


def evaluate(verdict: CheckVerdict = MATCHED, **options: Any) -> dg.AssetCheckEvaluation:
    return build_evaluation(verdict, asset_key=KEY, **({"target": TARGET} | options))


@pytest.mark.parametrize(
    ("verdict", "passed"), [(Verdict.MATCHED, True), (Verdict.MISMATCHED, False), (Verdict.INCONCLUSIVE, False)]
)
def test_only_matched_passes(verdict: Verdict, passed: bool) -> None:
    evaluation = evaluate(replace(MATCHED, verdict=verdict))
    assert evaluation.passed is passed
    assert evaluation.metadata["verdict"].value == verdict.value


def test_an_evaluation_names_its_partition_and_the_materialization_that_was_judged() -> None:
    evaluation = evaluate(blocking=True)
    assert evaluation.partition == "2024-01-01"
    assert evaluation.target_materialization_data == TARGET
    assert evaluation.blocking


def test_an_evaluation_of_a_partition_that_was_never_filled_points_nowhere() -> None:
    assert evaluate(target=None).target_materialization_data is None


def test_metadata_holds_rows_differences_checksums_seconds_and_the_last_write() -> None:
    metadata = {name: value.value for name, value in evaluate(last_write={"rows deleted": 1}).metadata.items()}
    assert metadata == {
        "verdict": "matched",
        "source rows": 3,
        "target rows": 3,
        "missing in target": 0,
        "missing in source": 0,
        "value differs": 0,
        "source checksum": "aa",
        "target checksum": "aa",
        "seconds": 0.123,
        "last write: rows deleted": 1,
    }


def test_what_a_check_does_not_count_is_left_out() -> None:
    bare = CheckVerdict("orders", "schema", "2024-01-01", Verdict.MATCHED)
    assert set(evaluate(bare).metadata) == {"verdict", "seconds"}


def test_a_warning_stays_a_warning() -> None:
    assert evaluate(replace(MATCHED, severity="WARN")).severity is dg.AssetCheckSeverity.WARN


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "matched"),
        ({"notes": ("1 row within its tolerance",)}, "matched; 1 row within its tolerance"),
        (
            {"verdict": Verdict.MISMATCHED, "missing_in_target": 2, "value_differs": 1},
            "2 rows missing in the target; 1 rows with other values",
        ),
        ({"verdict": Verdict.MISMATCHED, "notes": ("sum 3 against 4",)}, "sum 3 against 4"),
        ({"verdict": Verdict.MISMATCHED}, "the target differs from the source"),
        ({"verdict": Verdict.INCONCLUSIVE, "notes": ("it timed out",)}, "could not verify: it timed out"),
        ({"verdict": Verdict.INCONCLUSIVE, "notes": ("could not verify: gone",)}, "could not verify: gone"),
        ({"verdict": Verdict.INCONCLUSIVE}, "could not verify: the comparison gave no result"),
    ],
)
def test_a_verdict_is_described_in_one_line(changes: dict[str, Any], said: str) -> None:
    assert describe_verdict(replace(MATCHED, **changes)) == said


def held(evaluation: dg.AssetCheckEvaluation | None) -> HeldEvaluations:
    return HeldEvaluations({("rows", "2024-01-01"): evaluation})


def test_the_same_verdict_on_the_same_materialization_is_no_news() -> None:
    assert held(evaluate()).say_the_same(evaluate(replace(MATCHED, seconds=9.0)))


@pytest.mark.parametrize(
    "changed",
    [
        evaluate(replace(MATCHED, verdict=Verdict.MISMATCHED)),
        evaluate(replace(MATCHED, target_checksum="bb", source_checksum="bb")),
        evaluate(replace(MATCHED, notes=("1 row within its tolerance",))),
        evaluate(replace(MATCHED, severity="WARN")),
        evaluate(target=Target(storage_id=8, run_id="r", timestamp=2.0)),
        evaluate(target=None),
    ],
)
def test_any_other_verdict_checksum_note_or_materialization_is_news(changed: dg.AssetCheckEvaluation) -> None:
    assert not held(evaluate()).say_the_same(changed)


def test_what_dagster_only_planned_or_never_heard_of_is_news() -> None:
    assert not held(None).say_the_same(evaluate())
    assert not HeldEvaluations({}).say_the_same(evaluate())


def test_a_lag_that_moves_is_no_news_until_its_outcome_changes() -> None:
    before = evaluate(replace(MATCHED, notes=("5 s behind",)))
    assert held(before).say_the_same(evaluate(replace(MATCHED, notes=("9 s behind",))), moving=True)
    late = replace(MATCHED, verdict=Verdict.MISMATCHED, notes=("3 h behind",))
    assert not held(before).say_the_same(evaluate(late), moving=True)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["b"], "1 partition: b"),
        (["b", "a"], "2 partitions: a, b"),
        ([f"{number:02}" for number in range(12)], "12 partitions: 00, 01, 02, 03, 04, 05, 06, 07, 08, 09 and 2 more"),
    ],
)
def test_partitions_are_named_and_a_long_list_is_cut(keys: list[str], said: str) -> None:
    assert name_partitions(keys) == said


@pytest.mark.parametrize(
    ("looked_at", "target", "older"),
    [
        (datetime.fromtimestamp(0.5, UTC), TARGET, True),
        (datetime.fromtimestamp(1.0, UTC), TARGET, False),
        (datetime.fromtimestamp(1.5, UTC), TARGET, False),
        (datetime.fromtimestamp(0.5, UTC), None, False),
        (None, TARGET, False),
    ],
)
def test_a_look_from_before_the_partition_was_written_is_older(
    looked_at: datetime | None, target: Target | None, older: bool
) -> None:
    assert is_older(replace(MATCHED, evaluated_at=looked_at), target) is older


CHANGE = Change(datetime(2024, 1, 2, tzinfo=UTC), target=("before", "now"))


def test_what_changed_without_a_batch_is_told_with_the_checksum_of_before() -> None:
    found = replace(MATCHED, verdict=Verdict.MISMATCHED, value_differs=2, change=CHANGE, notes=(CHANGE.sentence,))
    evaluation = evaluate(found)
    assert evaluation.description == "unaudited change; 2 rows with other values"
    assert evaluation.metadata["change"].value == "unaudited change"
    assert evaluation.metadata["target checksum before"].value == "before"
    assert evaluation.metadata["last proved equal"].value == "2024-01-02 00:00:00 UTC"
    assert "source checksum before" not in evaluation.metadata


def test_a_change_that_left_both_sides_equal_is_told_and_passes() -> None:
    found = replace(MATCHED, change=replace(CHANGE, source=("old", "new")), notes=("a note",))
    evaluation = evaluate(found)
    assert evaluation.passed
    assert evaluation.description == "matched; unaudited change, stale; a note"
    assert evaluation.metadata["source checksum before"].value == "old"


def test_what_is_unchanged_says_since_when_and_stays_no_news() -> None:
    evaluation = evaluate(replace(MATCHED, unchanged_since=datetime(2024, 1, 2, tzinfo=UTC)))
    assert evaluation.metadata["unchanged since"].value == "2024-01-02 00:00:00 UTC"
    held = HeldEvaluations({("rows", "2024-01-01"): evaluation})
    assert held.say_the_same(evaluation)
    assert not held.say_the_same(evaluate(replace(MATCHED, change=CHANGE)))
