"""Attempts that fall silent are found, buried once, and what they left becomes "could not verify"."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import Attempt, Ledger, attempts, heartbeat
from reconcile_assets_tests.ledger_samples import MINUTE, NOON, matched, mismatched

STALE = timedelta(seconds=60)


def start(ledger: Ledger, run_id: str = "run-1", **others: object) -> Attempt:
    given = {"checks": {"rows": "ERROR", "row_count": "WARN"}, "partitions": ["a", "b"], "now": NOON, **others}
    return ledger.start_attempt(run_id, "backfill", "flights", **given)  # type: ignore[arg-type]


def test_an_attempt_comes_back_as_it_was_started(ledger: Ledger) -> None:
    started = start(ledger)
    (found,) = ledger.find_dead_attempts(STALE, NOON + 2 * MINUTE)
    assert found == started
    assert (found.step, found.table, found.partitions) == ("backfill", "flights", ("a", "b"))
    assert found.checks == {"rows": "ERROR", "row_count": "WARN"}


def test_names_of_checks_alone_are_errors(ledger: Ledger) -> None:
    assert start(ledger, checks=["rows"]).checks == {"rows": "ERROR"}


def test_dead_is_who_has_been_silent_for_longer(ledger: Ledger) -> None:
    start(ledger)
    assert ledger.find_dead_attempts(STALE, NOON + STALE) == ()
    assert len(ledger.find_dead_attempts(STALE, NOON + STALE + timedelta(microseconds=1))) == 1


def test_who_beats_or_has_finished_is_not_dead(ledger: Ledger) -> None:
    beating, finished = start(ledger, "run-1"), start(ledger, "run-2")
    ledger.beat(beating, now=NOON + 5 * MINUTE)
    assert ledger.finish_attempt(finished, now=NOON)
    assert ledger.find_dead_attempts(STALE, NOON + 5 * MINUTE) == ()


def test_burying_makes_what_is_left_could_not_verify_and_alerts(ledger: Ledger) -> None:
    start(ledger)
    (dead,) = ledger.find_dead_attempts(STALE, NOON + 5 * MINUTE)
    assert ledger.bury_attempt(dead)
    latest = ledger.fetch_latest_verdicts()
    assert {(one.verdict.check, one.verdict.partition, one.verdict.severity) for one in latest} == {
        ("rows", "a", "ERROR"),
        ("rows", "b", "ERROR"),
        ("row_count", "a", "WARN"),
        ("row_count", "b", "WARN"),
    }
    assert {one.verdict.verdict for one in latest} == {Verdict.INCONCLUSIVE}
    assert {one.run_id for one in latest} == {"run-1"}
    assert {alert.payload["wording"] for alert in ledger.fetch_alerts()} == {"could not verify"}


def test_what_the_run_had_recorded_stays(ledger: Ledger) -> None:
    start(ledger, now=None)
    ledger.record_verdicts([*matched("a"), *mismatched("a", check="row_count")], run_id="run-1")
    (dead,) = ledger.find_dead_attempts(-MINUTE)
    assert ledger.bury_attempt(dead)
    found = {(one.verdict.check, one.verdict.partition): one.verdict.verdict for one in ledger.fetch_latest_verdicts()}
    assert found == {
        ("rows", "a"): Verdict.MATCHED,
        ("row_count", "a"): Verdict.MISMATCHED,
        ("rows", "b"): Verdict.INCONCLUSIVE,
        ("row_count", "b"): Verdict.INCONCLUSIVE,
    }


def test_verdicts_of_other_runs_do_not_speak_for_it(ledger: Ledger) -> None:
    start(ledger, now=None, checks=["rows"], partitions=["a"])
    ledger.record_verdicts(matched("a"), run_id="another run")
    (dead,) = ledger.find_dead_attempts(-MINUTE)
    ledger.bury_attempt(dead)
    assert ledger.fetch_latest_verdicts()[0].verdict.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("seconds_after", "left"), [(9, Verdict.INCONCLUSIVE), (11, Verdict.MATCHED)])
def test_who_looked_after_it_fell_silent_has_the_later_word(ledger: Ledger, seconds_after: int, left: Verdict) -> None:
    """A beat is 10 seconds: before that the run may have been at work."""
    start(ledger, checks=["rows"], partitions=["a"])
    looked_at = NOON + timedelta(seconds=seconds_after)
    ledger.record_verdicts(matched("a", at=looked_at), run_id="another run")
    (dead,) = ledger.find_dead_attempts(STALE, NOON + 5 * MINUTE)
    assert ledger.bury_attempt(dead, now=NOON + 5 * MINUTE)
    assert ledger.fetch_latest_verdicts()[0].verdict.verdict is left


def test_one_of_many_buries(ledger: Ledger) -> None:
    start(ledger)
    (dead,) = ledger.find_dead_attempts(STALE, NOON + 5 * MINUTE)
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda _: ledger.bury_attempt(dead), range(6)))
    assert sorted(claims) == [False] * 5 + [True]
    assert len(ledger.fetch_alerts()) == 2
    assert ledger.find_dead_attempts(STALE, NOON + 9 * MINUTE) == ()


def test_who_beats_after_it_was_found_is_not_buried(ledger: Ledger) -> None:
    attempt = start(ledger)
    (dead,) = ledger.find_dead_attempts(STALE, NOON + 5 * MINUTE)
    ledger.beat(attempt, now=NOON + 5 * MINUTE)
    assert not ledger.bury_attempt(dead)
    assert ledger.fetch_latest_verdicts() == ()


def test_who_has_finished_is_not_buried_and_who_is_buried_is_told_so(ledger: Ledger) -> None:
    finished, buried = start(ledger, "run-1"), start(ledger, "run-2")
    ledger.finish_attempt(finished)
    assert not ledger.bury_attempt(finished)
    assert ledger.bury_attempt(buried)
    assert not ledger.finish_attempt(buried)
    assert not ledger.finish_attempt(buried)


def test_when_the_verdicts_cannot_be_recorded_the_claim_falls_too(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ReconcileAssetsError("no")

    start(ledger)
    (dead,) = ledger.find_dead_attempts(STALE, NOON + 5 * MINUTE)
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "record_verdicts", fail)
        with pytest.raises(ReconcileAssetsError, match="no"):
            ledger.bury_attempt(dead)
    assert ledger.bury_attempt(dead)


def test_a_heartbeat_keeps_an_attempt_alive(ledger: Ledger) -> None:
    attempt = start(ledger)
    with heartbeat(ledger, attempt, every=0.02):
        for _ in range(500):
            found = ledger.find_dead_attempts(timedelta(0), NOON + timedelta(days=9_999))
            if found and found[0].heartbeat_at != NOON:
                break
        else:
            pytest.fail("no beat was written")


def test_an_attempt_on_nothing_is_buried_without_verdicts(ledger: Ledger) -> None:
    attempt = start(ledger, checks=[], partitions=[])
    assert ledger.bury_attempt(attempt)
    assert ledger.fetch_alerts() == ()
