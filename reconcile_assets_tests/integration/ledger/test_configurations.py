"""Verdicts whose check was changed or removed, on each engine that may hold a ledger."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.ledger import Ledger
from reconcile_assets.ledger import configurations as removals
from reconcile_assets_tests.ledger_samples import inconclusive, matched, mismatched

LATER = datetime.now(UTC) + timedelta(hours=1)  # after everything that a test writes
NOW = {"rows": "new", "row_count": "old"}


def alerts(ledger: Ledger) -> list[tuple[str, str, object]]:
    return [(alert.check, alert.kind, alert.payload["wording"]) for alert in ledger.fetch_alerts()]


def checks(ledger: Ledger) -> set[str]:
    return {latest.verdict.check for latest in ledger.iterate_latest_verdicts()}


def test_verdicts_of_another_configuration_are_outdated_until_they_are_given_anew(ledger: Ledger) -> None:
    found = [
        *matched("a", "b", configuration="old"),
        *mismatched("c", configuration="old"),
        *inconclusive("d", configuration="old"),
        *matched("e"),
        *inconclusive("f"),
        *matched("g", configuration="new"),
        *matched("a", check="row_count", configuration="old"),
        *matched("a", check="removed", configuration="old"),
        *matched("a", table="weather", configuration="old"),
    ]
    ledger.record_verdicts(found, run_id="run-1")
    assert ledger.fetch_outdated("flights", NOW) == {"rows": ("a", "b", "c", "d", "e")}
    ledger.record_verdicts(matched("a", "b", "c", "d", "e", configuration="new"), run_id="run-2")
    assert ledger.fetch_outdated("flights", NOW) == {}
    assert ledger.fetch_outdated("flights", {}) == {}


def test_a_removed_check_that_was_bad_is_closed_with_one_notice(ledger: Ledger) -> None:
    ledger.record_verdicts([*mismatched("a", "b"), *matched("a", check="row_count")], run_id="run-1")
    assert ledger.close_removed_checks("flights", ["row_count"], before=LATER) == ("rows",)
    assert ledger.close_removed_checks("flights", ["row_count"], before=LATER) == ()
    failed, closed = ledger.fetch_alerts()
    assert (closed.check, closed.kind, closed.payload["wording"]) == ("rows", "recovered", "check removed")
    assert closed.payload["partitions"] == failed.payload["partitions"] == ["a", "b"]
    assert checks(ledger) == {"row_count"}
    assert [summary.check for summary in ledger.fetch_verdict_summary()] == ["row_count"]
    assert ledger.fetch_known_partitions("flights", target="target") == {"a", "b"}  # they were compared


def test_a_removed_check_that_was_green_is_closed_without_a_word(ledger: Ledger) -> None:
    ledger.record_verdicts(matched("a"), run_id="run-1")
    assert ledger.close_removed_checks("flights", [], before=LATER) == ("rows",)
    assert alerts(ledger) == []
    assert checks(ledger) == set()


def test_a_check_that_comes_back_begins_anew(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a", "b"), run_id="run-1")
    ledger.close_removed_checks("flights", [], before=LATER)
    ledger.record_verdicts(mismatched("a"), run_id="run-2")
    ledger.record_verdicts(matched("a"), run_id="run-3")  # b was closed: it holds the recovery up no more
    assert alerts(ledger) == [
        ("rows", "failed", "mismatched"),
        ("rows", "recovered", "check removed"),
        ("rows", "failed", "mismatched"),
        ("rows", "recovered", "recovered"),
    ]


def test_a_check_with_a_verdict_since_the_configuration_was_read_is_somebody_elses(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    (latest,) = ledger.fetch_latest_verdicts()
    assert ledger.close_removed_checks("flights", [], before=latest.recorded_at) == ()
    assert checks(ledger) == {"rows"}


def test_checks_of_other_tables_are_left_alone(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a", table="weather"), run_id="run-1")
    assert ledger.close_removed_checks("flights", [], before=LATER) == ()


def test_many_that_close_at_once_tell_it_once(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    with ThreadPoolExecutor(8) as pool:
        closed = list(pool.map(lambda _: ledger.close_removed_checks("flights", [], before=LATER), range(8)))
    assert sorted(closed) == [(), (), (), (), (), (), (), ("rows",)]
    assert alerts(ledger) == [("rows", "failed", "mismatched"), ("rows", "recovered", "check removed")]


def test_a_verdict_that_comes_in_between_keeps_its_check(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks whether a check is removed; before it is closed, another gives a verdict of it."""
    ledger.record_verdicts(matched("a"), run_id="run-1")
    (latest,) = ledger.fetch_latest_verdicts()
    before = latest.recorded_at + timedelta(microseconds=1)
    monkeypatch.setattr(removals, "_find_removed", lambda *_: ("rows",))
    ledger.record_verdicts(mismatched("a"), run_id="run-2")
    assert ledger.close_removed_checks("flights", [], before=before) == ()
    assert [each.verdict.verdict for each in ledger.fetch_latest_verdicts()] == [Verdict.MISMATCHED]
