"""Delivery of alerts: claimed once, tried again, one destination at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from reconcile_assets.ledger import Alert, DueAlert, Ledger
from reconcile_assets_tests.ledger_samples import MINUTE, matched, mismatched

SECOND = timedelta(seconds=1)
LATER = datetime.now(UTC) + timedelta(hours=1)  # after everything that a test writes


def to_both(alert: Alert) -> Sequence[str]:
    return ["ops", "chat", "ops"]


def due(ledger: Ledger, now: datetime = LATER, limit: int = 100) -> list[tuple[str, str]]:
    found = ledger.fetch_due_alerts(now, limit, destinations_for=to_both)
    return [(item.destination, item.alert.kind) for item in found]


def fail_once(ledger: Ledger, destination: str, now: datetime = LATER) -> DueAlert:
    (item,) = ledger.claim_due_alerts(destination, now=now)
    ledger.record_delivery(item.alert.alert_id, destination, error="HTTPError 500", now=now)
    return item


def test_each_destination_gets_each_alert_once(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    assert due(ledger) == [("chat", "failed"), ("ops", "failed")]
    assert due(ledger) == []  # claimed
    (alert,) = ledger.fetch_alerts()
    ledger.record_delivery(alert.alert_id, "ops", delivered_at=LATER)
    ledger.record_delivery(alert.alert_id, "chat", delivered_at=LATER)
    assert due(ledger, LATER + timedelta(days=9)) == []
    assert ledger.fetch_open_destinations() == ()


def test_a_claim_ends_by_itself_when_the_sender_dies(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    assert len(due(ledger)) == 2
    assert due(ledger, LATER + 59 * SECOND) == []
    assert len(due(ledger, LATER + 60 * SECOND)) == 2


def test_a_destination_that_fails_does_not_hold_another_up(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.route_alerts(to_both, now=LATER)
    fail_once(ledger, "chat")
    (item,) = ledger.claim_due_alerts("ops", now=LATER)
    ledger.record_delivery(item.alert.alert_id, "ops", delivered_at=LATER)
    chat, ops = ledger.fetch_deliveries([item.alert.alert_id])
    assert (chat.tries, chat.last_error, chat.delivered_at) == (1, "HTTPError 500", None)
    assert (ops.tries, ops.last_error, ops.delivered_at) == (1, None, LATER)


def test_tries_come_after_longer_and_longer_delays_of_five_minutes_at_most(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.route_alerts(to_both, now=LATER)
    now, delays = LATER, []
    for _ in range(11):
        item = fail_once(ledger, "chat", now)
        delivery = ledger.fetch_deliveries([item.alert.alert_id])[0]
        delays.append((delivery.next_try_at - now).total_seconds())
        assert ledger.claim_due_alerts("chat", now=delivery.next_try_at - timedelta(microseconds=1)) == ()
        now = delivery.next_try_at
    assert delays == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_the_time_of_the_next_try_may_be_given(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.route_alerts(to_both, now=LATER)
    (item,) = ledger.claim_due_alerts("ops", now=LATER)
    ledger.record_delivery(item.alert.alert_id, "ops", error="Timeout", next_try_at=LATER + MINUTE)
    assert ledger.claim_due_alerts("ops", now=LATER + 59 * SECOND) == ()
    (again,) = ledger.claim_due_alerts("ops", now=LATER + MINUTE)
    assert (again.tries, again.alert.alert_id) == (1, item.alert.alert_id)


def test_a_recovery_does_not_overtake_the_failure_it_answers(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.route_alerts(to_both, now=LATER)
    failed = fail_once(ledger, "ops")
    ledger.record_verdicts(matched("a"), run_id="run-2")
    ledger.record_verdicts(mismatched("a", table="weather"), run_id="run-2")
    ledger.route_alerts(to_both, now=LATER)
    (other,) = ledger.claim_due_alerts("ops", now=LATER)
    assert other.alert.table == "weather"  # waits for nothing
    both = ledger.claim_due_alerts("ops", now=LATER + 2 * SECOND)
    assert [item.alert.kind for item in both] == ["failed", "recovered"]
    assert both[0].alert.alert_id == failed.alert.alert_id


def test_a_delivery_that_was_made_stands(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.route_alerts(to_both, now=LATER)
    (item,) = ledger.claim_due_alerts("ops", now=LATER)
    ledger.record_delivery(item.alert.alert_id, "ops", delivered_at=LATER)
    ledger.record_delivery(item.alert.alert_id, "ops", delivered_at=LATER + MINUTE)
    ledger.record_delivery(item.alert.alert_id, "ops", error="Timeout")
    delivery = next(one for one in ledger.fetch_deliveries([item.alert.alert_id]) if one.destination == "ops")
    assert (delivery.delivered_at, delivery.tries, delivery.last_error) == (LATER, 1, None)


def test_an_alert_that_goes_nowhere_is_done_with(ledger: Ledger) -> None:
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    assert ledger.route_alerts(lambda alert: [], now=LATER) == 1
    assert ledger.route_alerts(to_both, now=LATER) == 0
    assert ledger.fetch_open_destinations() == ()


def test_a_router_that_fails_loses_no_alert(ledger: Ledger) -> None:
    def fail(alert: Alert) -> list[str]:
        raise KeyError("no route")

    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    with pytest.raises(KeyError):
        ledger.route_alerts(fail, now=LATER)
    assert len(due(ledger)) == 2


def test_the_limit_is_for_each_destination_and_the_oldest_come_first(ledger: Ledger) -> None:
    for table in "cab":
        ledger.record_verdicts(mismatched("a", table=table), run_id="run-1")
    found = ledger.fetch_due_alerts(LATER, 2, destinations_for=to_both)
    assert [(item.destination, item.alert.table) for item in found] == [
        ("chat", "c"),
        ("chat", "a"),
        ("ops", "c"),
        ("ops", "a"),
    ]


def test_senders_that_look_at_once_never_get_the_same_alert(ledger: Ledger) -> None:
    for number in range(40):
        ledger.record_verdicts(mismatched("a", table=f"table-{number}"), run_id="run-1")
    ledger.route_alerts(lambda alert: ["ops"], now=LATER)
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda _: ledger.claim_due_alerts("ops", now=LATER, limit=10), range(8)))
    claimed = [item.alert.alert_id for claim in claims for item in claim]
    rest = [item.alert.alert_id for item in ledger.claim_due_alerts("ops", now=LATER)]
    assert len(claimed + rest) == len({*claimed, *rest}) == 40


def test_routers_that_look_at_once_never_route_an_alert_twice(ledger: Ledger) -> None:
    for number in range(20):
        ledger.record_verdicts(mismatched("a", table=f"table-{number}"), run_id="run-1")
    with ThreadPoolExecutor(6) as pool:
        routed = list(pool.map(lambda _: ledger.route_alerts(to_both, now=LATER), range(8)))
    assert sum(routed) == 20
    assert len(due(ledger)) == 40


@pytest.mark.parametrize("outcome", [{}, {"delivered_at": LATER, "error": "Timeout"}])
def test_an_outcome_is_delivered_or_an_error(ledger: Ledger, outcome: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="delivered_at or error"):
        ledger.record_delivery("alert", "ops", **outcome)  # type: ignore[arg-type]


def test_a_long_error_is_cut_and_an_unknown_alert_ignored(ledger: Ledger) -> None:
    ledger.record_delivery("no such alert", "ops", error="x")
    ledger.record_verdicts(mismatched("a"), run_id="run-1")
    ledger.route_alerts(to_both, now=LATER)
    (item,) = ledger.claim_due_alerts("ops", now=LATER)
    ledger.record_delivery(item.alert.alert_id, "ops", error="y" * 5_000)
    assert ledger.fetch_deliveries([item.alert.alert_id])[1].last_error == "y" * 200


def test_the_outbox_is_read_in_pages(ledger: Ledger) -> None:
    for table in "abc":
        ledger.record_verdicts(mismatched("a", table=table), run_id="run-1")
    first = ledger.fetch_alerts(limit=2)
    rest = ledger.fetch_alerts(after=first[-1].position)
    assert [alert.table for alert in (*first, *rest)] == ["a", "b", "c"]
