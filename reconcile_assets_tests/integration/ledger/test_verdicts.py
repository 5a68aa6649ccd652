"""Verdicts, their latest state, and the alerts that commit with them."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import Ledger, VerdictSummary
from reconcile_assets.ledger import verdicts as verdict_rows
from reconcile_assets_tests.ledger_samples import MINUTE, NOON, inconclusive, matched, mismatched, verdict


def count(ledger: Ledger, table: str) -> int:
    with ledger.database.reading() as connection:
        rows = sa.select(sa.func.count()).select_from(getattr(ledger.database.tables, table))
        return connection.execute(rows).scalar_one()


def alerts(ledger: Ledger) -> list[tuple[str, object]]:
    return [(alert.kind, alert.payload["partitions"]) for alert in ledger.fetch_alerts()]


def test_a_verdict_comes_back_as_it_was_recorded(ledger: Ledger) -> None:
    full = verdict(
        "2013-03-10",
        Verdict.MISMATCHED,
        severity="WARN",
        notes=("3 rows are missing", "ünïcödé 😀"),
        source_rows=2**53 + 1,
        target_rows=0,
        missing_in_target=3,
        missing_in_source=0,
        value_differs=None,
        source_checksum="aa",
        target_checksum="bb",
        measures={"source": "12.50", "target": "12.49"},
        seconds=0.1,
    )
    ledger.record_verdicts([full], run_id="run-1", backfill_id="backfill-1")
    (latest,) = ledger.fetch_latest_verdicts()
    assert latest.verdict == full
    assert (latest.run_id, latest.backfill_id, latest.since) == ("run-1", "backfill-1", NOON)
    assert latest.key == ("flights", "rows", "2013-03-10")


def test_nothing_recorded_is_nothing_changed(ledger: Ledger) -> None:
    assert ledger.record_verdicts([], run_id="run-1").changed == frozenset()
    assert count(ledger, "verdicts") == 0


def test_the_history_keeps_what_the_state_replaces(ledger: Ledger) -> None:
    for found in (mismatched("a"), mismatched("a"), matched("a")):
        ledger.record_verdicts(found, run_id="run-1")
    assert (count(ledger, "verdicts"), count(ledger, "verdict_state")) == (3, 1)


def test_only_changes_are_told_as_changed(ledger: Ledger) -> None:
    first = ledger.record_verdicts([*matched("a"), *mismatched("b")], run_id="run-1")
    again = ledger.record_verdicts([*matched("a"), *mismatched("b")], run_id="run-2")
    other = ledger.record_verdicts([*matched("a", "b")], run_id="run-3")
    assert first.changed == {("flights", "rows", "a"), ("flights", "rows", "b")}
    assert again.changed == frozenset()
    assert other.changed == {("flights", "rows", "b")}


def test_one_alert_tells_of_all_newly_bad_partitions_of_a_check(ledger: Ledger) -> None:
    found = [
        *mismatched("b", missing_in_target=2, value_differs=1, notes=("2 rows are missing",)),
        *mismatched("a", missing_in_target=3, notes=("2 rows are missing",), at=NOON - MINUTE),
        *inconclusive("c", notes=("could not verify: time-out",)),
        *matched("d"),
    ]
    recorded = ledger.record_verdicts(found, run_id="run-1", backfill_id="backfill-1")
    (alert,) = ledger.fetch_alerts()
    assert recorded.alerts == (alert.alert_id,)
    assert (alert.table, alert.check, alert.kind, alert.severity) == ("flights", "rows", "failed", "ERROR")
    assert alert.payload == {
        "alert_id": alert.alert_id,
        "table": "flights",
        "check": "rows",
        "kind": "failed",
        "severity": "ERROR",
        "verdict": "mismatched",
        "wording": "mismatched",
        "partitions": ["a", "b", "c"],
        "partition_count": 3,
        "mismatched": 2,
        "inconclusive": 1,
        "source_rows": None,
        "target_rows": None,
        "missing_in_target": 5,
        "missing_in_source": None,
        "value_differs": 1,
        "notes": ["2 rows are missing", "could not verify: time-out"],
        "changes": [],
        "change_count": 0,
        "verdict_at": "2024-03-31T11:59:00.000000+00:00",
        "run_id": "run-1",
        "backfill_id": "backfill-1",
    }


def test_what_could_not_be_verified_is_worded_so(ledger: Ledger) -> None:
    ledger.record_verdicts(inconclusive("a", severity="WARN"), run_id="run-1")
    (alert,) = ledger.fetch_alerts()
    assert (alert.payload["verdict"], alert.payload["wording"], alert.severity) == (
        "inconclusive",
        "could not verify",
        "WARN",
    )


def test_still_bad_is_no_news_worse_and_recovered_are(ledger: Ledger) -> None:
    for found in (
        inconclusive("a"),
        inconclusive("a"),
        mismatched("a", "b"),
        mismatched("a", "b"),
        matched("a"),
        matched("b"),
        matched("a", "b"),
    ):
        ledger.record_verdicts(found, run_id="run-1")
    assert alerts(ledger) == [("failed", ["a"]), ("failed", ["a", "b"]), ("recovered", ["a", "b"])]


def test_each_table_and_check_alerts_by_itself(ledger: Ledger) -> None:
    found = [
        *mismatched("a", check="rows"),
        *mismatched("a", check="row_count"),
        *mismatched("a", table="weather"),
    ]
    ledger.record_verdicts(found, run_id="run-1")
    told = {(alert.table, alert.check) for alert in ledger.fetch_alerts()}
    assert told == {("flights", "rows"), ("flights", "row_count"), ("weather", "rows")}


def test_a_thousand_partitions_and_more_are_one_alert_with_the_count(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched(*(f"p{number:05}" for number in range(1_500))), run_id="run-1")
    (alert,) = ledger.fetch_alerts()
    assert alert.payload["partition_count"] == 1_500
    assert isinstance(alert.payload["partitions"], list)
    assert len(alert.payload["partitions"]) == 1_000


def test_ten_thousand_verdicts_in_one_call(ledger: Ledger) -> None:
    keys = [f"p{number:05}" for number in range(10_000)]
    began = time.monotonic()
    ledger.record_verdicts(mismatched(*keys), run_id="run-1")
    recorded = ledger.record_verdicts(matched(*keys), run_id="run-2")
    assert time.monotonic() - began < 60
    assert len(recorded.changed) == 10_000
    assert ledger.fetch_verdict_summary() == (VerdictSummary("flights", "rows", 10_000, 0, 0, NOON),)


def test_a_note_that_no_database_can_hold_does_not_lose_its_verdict(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a", notes=("nul \x00 surrogate \ud800",), measures={"x": "\x00"}), run_id="r")
    (latest,) = ledger.fetch_latest_verdicts()
    assert latest.verdict.notes == ("nul \ufffd surrogate \ufffd",)


def test_when_the_alert_cannot_be_written_neither_is_the_verdict(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> tuple[str, ...]:
        raise ReconcileAssetsError("no")

    monkeypatch.setattr(verdict_rows, "insert_alerts", fail)
    with pytest.raises(ReconcileAssetsError, match="no"):
        ledger.record_verdicts(mismatched("a"), run_id="run-1")
    assert (count(ledger, "verdicts"), count(ledger, "verdict_state"), count(ledger, "alerts")) == (0, 0, 0)


def race(ledger: Ledger) -> int:
    """Eight runs find the same partitions bad at once; returns the alerts."""
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ledger.record_verdicts, mismatched("a", "b"), run_id=f"run-{n}") for n in range(8)]:
            done.result()
    return len(ledger.fetch_alerts())


def test_runs_that_record_at_once_give_one_alert(ledger: Ledger) -> None:
    assert race(ledger) == 1
    assert count(ledger, "verdicts") == 16


def test_without_the_lock_runs_that_record_at_once_alert_more_than_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the lock is what makes it one."""
    from reconcile_assets.ledger import open_ledger

    ledger = open_ledger(postgres_url)
    known = verdict_rows._known

    def slow(*args: object) -> object:
        found = known(*args)  # type: ignore[arg-type]
        time.sleep(0.2)
        return found

    monkeypatch.setattr(verdict_rows, "_known", slow)
    monkeypatch.setattr(verdict_rows, "lock_transaction", lambda connection, name: None)
    assert race(ledger) > 1
    ledger.close()


def test_runs_that_record_the_same_checks_in_another_order_do_not_block_each_other(ledger: Ledger) -> None:
    checks = [f"check-{number}" for number in range(6)]

    def record(number: int) -> None:
        order = checks if number % 2 else checks[::-1]
        found = [one for check in order for one in mismatched("a", "b", check=check)]
        ledger.record_verdicts(found, run_id=f"run-{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(record, range(12)))
    assert len(ledger.fetch_alerts()) == 6


def test_latest_verdicts_come_in_pages_by_key(ledger: Ledger) -> None:
    found = [
        *matched("b", "a", "c"),
        *matched("b", "a", check="row_count"),
        *matched("z", table="airports"),
        *matched("a", table="weather"),
    ]
    ledger.record_verdicts(found, run_id="run-1")
    seen = []
    after = None
    while page := ledger.fetch_latest_verdicts(after=after, page=2):
        assert len(page) <= 2
        seen.extend(latest.key for latest in page)
        after = page[-1].key
    assert seen == sorted((one.table, one.check, one.partition) for one in found)
    assert [latest.key for latest in ledger.iterate_latest_verdicts(["weather", "airports"])] == [
        ("airports", "rows", "z"),
        ("weather", "rows", "a"),
    ]
    assert ledger.fetch_latest_verdicts([]) == ()


def test_the_summary_counts_each_verdict(ledger: Ledger) -> None:
    ledger.record_verdicts([*matched("a", "b"), *mismatched("c"), *inconclusive("d")], run_id="run-1")
    (summary,) = ledger.fetch_verdict_summary()
    assert (summary.matched, summary.mismatched, summary.inconclusive, summary.total) == (2, 1, 1, 4)


def test_pruning_cuts_history_and_keeps_what_matters(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.record_verdicts(matched("a"), run_id="run-2")
    finished = ledger.start_attempt("run-1", "backfill", "flights", ["rows"], ["a"], now=NOON)
    ledger.finish_attempt(finished, now=NOON)
    running = ledger.start_attempt("run-2", "backfill", "flights", ["rows"], ["a"], now=NOON)
    failed, recovered = ledger.fetch_alerts()
    later = recovered.created_at + MINUTE
    ledger.route_alerts(lambda alert: ["ops", "chat"] if alert.kind == "failed" else [], now=later)
    ledger.record_delivery(failed.alert_id, "ops", delivered_at=later)

    nothing = ledger.prune(NOON - 999 * MINUTE)
    assert (nothing.verdicts, nothing.alerts, nothing.attempts) == (0, 0, 0)

    pruned = ledger.prune(later)
    assert (pruned.verdicts, pruned.alerts, pruned.attempts) == (2, 1, 1)
    assert [alert.kind for alert in ledger.fetch_alerts()] == ["failed"]  # chat has yet to hear of it
    assert [latest.verdict.verdict for latest in ledger.fetch_latest_verdicts()] == [Verdict.MATCHED]
    assert [one.attempt_id for one in ledger.find_dead_attempts(MINUTE, later)] == [running.attempt_id]

    ledger.record_delivery(failed.alert_id, "chat", delivered_at=later)
    assert ledger.prune(later).alerts == 1
    assert ledger.fetch_deliveries([failed.alert_id]) == ()


def test_pruning_keeps_alerts_that_have_not_been_routed(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    (alert,) = ledger.fetch_alerts()
    assert ledger.prune(alert.created_at + MINUTE).alerts == 0
