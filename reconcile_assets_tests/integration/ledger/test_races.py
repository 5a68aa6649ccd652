"""Writers of verdicts, senders of alerts and buriers of dead runs, all at work on one PostgreSQL ledger at once."""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.ledger import Alert, Ledger, open_ledger
from reconcile_assets_tests.ledger_samples import verdict

CHECKS = ("rows", "row_count", "revenue")
DESTINATIONS = ("chat", "ops")
ROUNDS = 12
LATER = datetime.now(UTC) + timedelta(hours=1)  # after everything that a test writes

Sent = list[tuple[str, str, int]]
"""Destination, alert and its position, in the order of sending."""


def both(_: Alert) -> tuple[str, ...]:
    return DESTINATIONS


def write(ledger: Ledger, seed: int) -> None:
    """A run that finds partitions bad and good again, of checks that others write too."""
    chosen = random.Random(seed)  # noqa: S311 - a test's own dice
    for number in range(ROUNDS):
        found = chosen.choice((Verdict.MATCHED, Verdict.MISMATCHED, Verdict.INCONCLUSIVE))
        looked_at = datetime.now(UTC)
        verdicts = [
            verdict(partition, found, check=check, at=looked_at, configuration="now")
            for check in chosen.sample(CHECKS, 2)
            for partition in ("a", "b")
        ]
        ledger.record_verdicts(verdicts, run_id=f"run-{seed}-{number}")


def send(ledger: Ledger, _: int) -> Sent:
    """A sensor that routes, claims and marks, as fast as it can."""
    sent: Sent = []
    for _round in range(2 * ROUNDS):
        for due in ledger.fetch_due_alerts(LATER, destinations_for=both):
            sent.append((due.destination, due.alert.alert_id, due.alert.position))
            ledger.record_delivery(due.alert.alert_id, due.destination, delivered_at=LATER)
    return sent


def bury(ledger: Ledger, seed: int) -> int:
    """A run that dies at once, and a sensor that buries whatever is dead."""
    buried = 0
    for number in range(ROUNDS):
        ledger.start_attempt(f"dead-{seed}-{number}", "reconcile", "flights", CHECKS, ["a", "c"])
        for attempt in ledger.find_dead_attempts(timedelta(0), LATER):
            buried += ledger.bury_attempt(attempt)
    return buried


def at_once(url: str, *jobs: Callable[[Ledger, int], object]) -> list[object]:
    """Each job with a ledger of its own, as in a process of its own; raises what any of them raises."""
    ledgers = [open_ledger(url) for _ in jobs]
    try:
        with ThreadPoolExecutor(len(jobs)) as pool:
            return [done.result() for done in map(pool.submit, jobs, ledgers, itertools.count())]
    finally:
        for ledger in ledgers:
            ledger.close()


def test_writers_senders_and_buriers_at_once_lose_nothing_and_say_nothing_twice(postgres_url: str) -> None:
    found = at_once(postgres_url, write, write, write, send, send, send, bury, bury)
    ledger = open_ledger(postgres_url)
    rest = send(ledger, 0)
    sent = [each for part in found if isinstance(part, list) for each in part] + rest
    alerts = ledger.fetch_alerts(limit=10_000)
    assert Counter((destination, alert) for destination, alert, _ in sent) == Counter(
        (destination, alert.alert_id) for destination in DESTINATIONS for alert in alerts
    )
    assert sum(part for part in found if isinstance(part, int)) == 2 * ROUNDS  # each attempt is buried once
    for check in CHECKS:
        kinds = [alert.kind for alert in alerts if alert.check == check]
        assert kinds[0] == "failed"
        assert not any(pair == ("recovered", "recovered") for pair in itertools.pairwise(kinds))
        bad = any(
            latest.verdict.verdict is not Verdict.MATCHED
            for latest in ledger.iterate_latest_verdicts()
            if latest.verdict.check == check
        )
        assert (kinds[-1] == "failed") is bad
    ledger.close()


def test_without_claims_senders_at_once_would_send_twice(postgres_url: str) -> None:
    """The control: a claim that ends at once is none."""
    ledger = open_ledger(postgres_url)
    ledger.record_verdicts([verdict("a", Verdict.MISMATCHED)], run_id="r")
    found = [
        {due.alert.alert_id for due in ledger.fetch_due_alerts(LATER, destinations_for=both, lease=timedelta(0))}
        for _ in range(2)
    ]
    assert found[0] == found[1] != set()
    ledger.close()
