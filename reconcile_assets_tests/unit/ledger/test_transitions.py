"""Which verdicts are news."""

from dataclasses import replace
from datetime import datetime

import pytest

from reconcile_assets.core.changes import Proof
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger.transitions import CheckChange, Known, find_change
from reconcile_assets_tests.ledger_samples import MINUTE, NOON, inconclusive, matched, mismatched
from reconcile_assets_tests.ledger_samples import verdict as sample

MATCHED, MISMATCHED, INCONCLUSIVE = Verdict.MATCHED, Verdict.MISMATCHED, Verdict.INCONCLUSIVE


def known(verdict: Verdict, alerted: Verdict | None = None, at: datetime = NOON - MINUTE) -> Known:
    return Known(verdict, alerted or (None if verdict is MATCHED else verdict), at, at)


def news(change: CheckChange) -> list[str]:
    return [verdict.partition for verdict in change.newly_bad]


def after(change: CheckChange, partition: str) -> Known:
    """What the ledger knows once a change is written."""
    latest = next(latest for latest in change.latest if latest.verdict.partition == partition)
    return Known(latest.verdict.verdict, latest.alerted, latest.verdict.evaluated_at or NOON, latest.since)


@pytest.mark.parametrize(
    ("before", "verdicts", "is_news"),
    [
        (None, matched("a"), False),
        (None, mismatched("a"), True),
        (None, inconclusive("a"), True),
        (known(MATCHED), matched("a"), False),
        (known(MATCHED), mismatched("a"), True),
        (known(MATCHED), inconclusive("a"), True),
        (known(MISMATCHED), mismatched("a"), False),
        (known(MISMATCHED), inconclusive("a"), False),
        (known(INCONCLUSIVE), inconclusive("a"), False),
        (known(INCONCLUSIVE), mismatched("a"), True),
        (known(INCONCLUSIVE, alerted=MISMATCHED), mismatched("a"), False),
    ],
)
def test_only_a_turn_for_the_worse_is_news(before: Known | None, verdicts: list[CheckVerdict], is_news: bool) -> None:
    change = find_change(verdicts, {} if before is None else {"a": before}, now=NOON)
    assert news(change) == (["a"] if is_news else [])


def test_a_check_that_times_out_between_two_mismatches_is_not_news_again() -> None:
    state: dict[str, Known] = {}
    told = []
    for verdicts in (mismatched("a"), inconclusive("a"), mismatched("a"), inconclusive("a")):
        change = find_change(verdicts, state, now=NOON)
        told.append(news(change))
        state = {"a": after(change, "a")}
    assert told == [["a"], [], [], []]


def test_a_partition_that_matched_in_between_is_news_again() -> None:
    state: dict[str, Known] = {}
    told = []
    for verdicts in (mismatched("a"), matched("a"), mismatched("a")):
        change = find_change(verdicts, state, now=NOON)
        told.append(news(change))
        state = {"a": after(change, "a")}
    assert told == [["a"], [], ["a"]]


def test_news_lists_only_the_newly_bad_in_the_order_of_their_keys() -> None:
    change = find_change([*mismatched("c", "a"), *inconclusive("b"), *matched("d")], {"c": known(MISMATCHED)}, now=NOON)
    assert news(change) == ["a", "b"]


def test_the_last_bad_partition_to_match_is_a_recovery() -> None:
    change = find_change(matched("a", "b"), {"a": known(MISMATCHED), "b": known(MATCHED)}, now=NOON)
    assert change.recovered == ("a",)


def test_a_recovery_lists_all_that_were_bad_also_those_that_matched_before() -> None:
    state = {"a": known(MISMATCHED), "b": known(MISMATCHED), "c": known(MATCHED)}
    change = find_change(matched("a"), state, now=NOON)
    assert change.recovered == ()
    state["a"] = after(change, "a")
    assert find_change(matched("b", "c"), state, now=NOON).recovered == ("a", "b")


def test_after_a_recovery_nothing_is_left_of_what_was_alerted() -> None:
    change = find_change(matched("a"), {"a": known(MISMATCHED)}, now=NOON)
    assert [latest.alerted for latest in change.latest] == [None]


def test_what_matched_and_turned_bad_before_the_recovery_is_news_again() -> None:
    state = {"a": known(MISMATCHED), "b": known(MISMATCHED)}
    state["a"] = after(find_change(matched("a"), state, now=NOON), "a")
    change = find_change(inconclusive("a"), state, now=NOON)
    assert (news(change), change.latest[0].alerted) == (["a"], INCONCLUSIVE)


def test_there_is_no_recovery_while_another_partition_is_bad() -> None:
    change = find_change(matched("a"), {"a": known(MISMATCHED), "b": known(INCONCLUSIVE)}, now=NOON)
    assert change.recovered == ()


def test_there_is_no_recovery_when_another_partition_turns_bad_in_the_same_run() -> None:
    change = find_change([*matched("a"), *mismatched("b")], {"a": known(MISMATCHED)}, now=NOON)
    assert (change.recovered, news(change)) == ((), ["b"])


def test_there_is_no_recovery_where_nothing_was_bad() -> None:
    assert find_change(matched("a"), {"a": known(MATCHED)}, now=NOON).recovered == ()


def test_changed_are_first_and_other_verdicts_only() -> None:
    before = {"a": known(MATCHED), "b": known(MATCHED), "c": known(MISMATCHED)}
    change = find_change([*matched("a", "new"), *mismatched("b"), *inconclusive("c")], before, now=NOON)
    assert change.changed == {("flights", "rows", key) for key in ("new", "b", "c")}


def test_since_stays_while_the_verdict_does() -> None:
    earlier = NOON - 5 * MINUTE
    before = {"a": known(MATCHED, at=earlier), "b": known(MATCHED, at=earlier)}
    change = find_change([*matched("a"), *mismatched("b")], before, now=NOON)
    assert {latest.verdict.partition: latest.since for latest in change.latest} == {"a": earlier, "b": NOON}


def test_of_two_verdicts_for_one_partition_the_worst_counts() -> None:
    change = find_change([*mismatched("a"), *matched("a"), *inconclusive("a")], {}, now=NOON)
    assert [latest.verdict.verdict for latest in change.latest] == [MISMATCHED]


def test_a_match_looked_at_before_the_mismatch_does_not_turn_it_green() -> None:
    change = find_change(matched("a", at=NOON - 2 * MINUTE), {"a": known(MISMATCHED, at=NOON - MINUTE)}, now=NOON)
    assert (change.latest, change.changed, change.recovered) == ((), frozenset(), ())


def test_a_mismatch_counts_whatever_its_time() -> None:
    change = find_change(mismatched("a", at=NOON - 2 * MINUTE), {"a": known(MATCHED, at=NOON - MINUTE)}, now=NOON)
    assert news(change) == ["a"]


def test_a_verdict_without_time_is_of_now() -> None:
    change = find_change(matched("a", at=None), {"a": known(MISMATCHED)}, now=NOON)
    assert change.latest[0].since == NOON


# --- what stood there when it last matched


def proved(found: CheckChange) -> Proof | None:
    (latest,) = found.latest
    return latest.proof


def looked(verdict: Verdict, source: str, target: str, **others: object) -> list[CheckVerdict]:
    sums = {"source_checksum": source, "target_checksum": target, "checksum_form": "form", "batch_id": "b"}
    return [sample("a", verdict, **(sums | others))]


PROOF = Proof("s", "t", "form", NOON - MINUTE, "b")
KNOWN = replace(known(MATCHED), proof=PROOF)


def test_a_matched_verdict_with_checksums_is_a_proof_from_now_on() -> None:
    assert proved(find_change(looked(MATCHED, "s", "t"), {}, now=NOON)) == replace(PROOF, at=NOON)


def test_what_is_unchanged_is_proved_since_then() -> None:
    again = looked(MATCHED, "s", "t", unchanged_since=NOON - MINUTE)
    assert proved(find_change(again, {"a": KNOWN}, now=NOON)) == PROOF


@pytest.mark.parametrize(
    "verdicts",
    [
        looked(MISMATCHED, "s", "t2"),
        looked(INCONCLUSIVE, "s", "t2"),
        matched("a"),
        looked(MATCHED, "s2", "t2", evaluated_at=NOON - 2 * MINUTE),
    ],
    ids=["mismatched", "inconclusive", "without checksums", "an older look, recorded late"],
)
def test_what_proves_nothing_newer_leaves_the_proof_as_it_was(verdicts: list[CheckVerdict]) -> None:
    assert proved(find_change(verdicts, {"a": KNOWN}, now=NOON)) == PROOF


def test_a_matched_verdict_on_other_rows_is_the_proof_instead() -> None:
    assert proved(find_change(looked(MATCHED, "n", "n"), {"a": KNOWN}, now=NOON)) == Proof("n", "n", "form", NOON, "b")
