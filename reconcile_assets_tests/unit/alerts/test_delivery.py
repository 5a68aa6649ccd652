"""Delivery with a ledger and a sender that fail as told."""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from reconcile_assets.alerts.delivery import DeliveryReport, deliver_due_alerts
from reconcile_assets.alerts.message import Message
from reconcile_assets.alerts.sending import SendError
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.errors import ConnectionLost, DatabaseUnavailable
from reconcile_assets.ledger.records import Alert, DueAlert

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
PAYLOAD = {
    "partitions": ["p"],
    "partition_count": 1,
    "mismatched": 1,
    "inconclusive": 0,
    "missing_in_target": 1,
    "missing_in_source": 0,
    "value_differs": None,
    "notes": [],
}


def alert(number: int, *, check: str = "rows", kind: str = "failed") -> Alert:
    return Alert(f"id-{number}", number, "flights", check, kind, "ERROR", PAYLOAD, NOON + timedelta(seconds=number))


class FakeLedger:
    """Remembers what is recorded; ``breaks`` makes that many recordings fail."""

    def __init__(self, *alerts: Alert, breaks: int = 0) -> None:
        self.alerts, self.breaks = alerts, breaks
        self.recorded: list[tuple[str, str, str | None]] = []
        self.open: tuple[str, ...] = ()

    def route_alerts(self, destinations_for: Callable[[Alert], Collection[str]], *, now: datetime, limit: int) -> int:
        return 0

    def fetch_open_destinations(self) -> Sequence[str]:
        return self.open

    def claim_due_alerts(self, destination: str, *, now: datetime, limit: int, lease: timedelta) -> Sequence[DueAlert]:
        return [DueAlert(each, destination, 0, now + lease) for each in self.alerts]

    def record_delivery(
        self,
        alert_id: str,
        destination: str,
        *,
        delivered_at: datetime | None = None,
        error: str | None = None,
        now: datetime | None = None,
    ) -> None:
        if self.breaks:
            self.breaks -= 1
            raise ConnectionLost("DATABASE_URL: the connection was lost; try again")
        self.recorded.append((alert_id, destination, error))


class FakeSender:
    """Remembers what was sent; fails for the kinds and checks it is told."""

    def __init__(self, *fails: str) -> None:
        self.fails = fails
        self.sent: list[str] = []

    def __call__(self, url: SecretStr, message: Message) -> None:
        if any(word in message.title for word in self.fails):
            raise SendError("the destination answered 500")
        self.sent.append(message.message_id)


def deliver(ledger: FakeLedger, send: Callable[[SecretStr, Message], None], *names: str, **more: Any) -> DeliveryReport:
    names = names or ("ops",)
    config = AlertsConfig.model_validate({"destinations": {name: {"url_env": f"{name.upper()}_URL"} for name in names}})
    environ = {f"{name.upper()}_URL": "json://host/" for name in names}
    options: dict[str, Any] = {"environ": environ, "now": NOON + timedelta(seconds=30), "sleep": lambda seconds: None}
    return deliver_due_alerts(ledger, config, ui_url="http://ui", send=send, **(options | more))


def test_what_was_sent_is_recorded_for_each_alert_with_its_seconds() -> None:
    ledger, send = FakeLedger(alert(1), alert(2)), FakeSender()
    report = deliver(ledger, send)
    assert send.sent == ["id-1"]
    assert ledger.recorded == [("id-1", "ops", None), ("id-2", "ops", None)]
    assert (report.messages, report.delivered, report.failed, report.pending) == (1, 2, 0, 0)
    assert report.slowest == pytest.approx(29, abs=1)


def test_a_failure_is_recorded_with_its_reason_and_not_as_delivered() -> None:
    ledger = FakeLedger(alert(1))
    report = deliver(ledger, FakeSender("flights"))
    assert ledger.recorded == [("id-1", "ops", "the destination answered 500")]
    assert (report.delivered, report.failed, report.destinations[0].error) == (0, 1, "the destination answered 500")
    assert report.slowest is None


def test_a_recovery_does_not_overtake_its_failure() -> None:
    ledger, send = FakeLedger(alert(1), alert(2, kind="recovered"), alert(3, check="row_count")), FakeSender("rows: 1")
    deliver(ledger, send)
    assert send.sent == ["id-3"]
    assert [(found, error is None) for found, _, error in ledger.recorded] == [
        ("id-1", False),
        ("id-2", False),
        ("id-3", True),
    ]


def test_a_record_that_fails_after_a_send_is_tried_again_and_the_message_is_not() -> None:
    ledger, send = FakeLedger(alert(1), breaks=2), FakeSender()
    report = deliver(ledger, send)
    assert (send.sent, ledger.recorded) == (["id-1"], [("id-1", "ops", None)])
    assert report.delivered == 1


def test_nothing_is_raised_after_a_send_even_when_it_cannot_be_recorded(caplog: pytest.LogCaptureFixture) -> None:
    ledger, send = FakeLedger(alert(1), breaks=99), FakeSender()
    assert deliver(ledger, send).delivered == 1
    assert "alert id-1: its outcome could not be written down" in caplog.text


def test_what_hangs_is_left_behind_and_counts_once_it_arrives_after_all() -> None:
    ledger, release, arrived = FakeLedger(alert(1)), threading.Event(), threading.Event()

    def hang(url: SecretStr, message: Message) -> None:
        release.wait(10)

    def note(alert_id: str, destination: str, **outcome: Any) -> None:
        recorded.append(outcome.get("error"))
        if outcome.get("delivered_at"):
            arrived.set()

    recorded: list[str | None] = []
    ledger.record_delivery = note  # type: ignore[method-assign]  # the fake's own record, watched
    report = deliver(ledger, hang, "slow", timeout=0.2)
    assert (report.delivered, report.failed) == (0, 1)
    assert recorded == ["no reply within 0.2 s"]
    assert deliver(ledger, hang, "slow", timeout=0.2) == DeliveryReport()  # not sent again while it is under way
    release.set()
    assert arrived.wait(5)
    assert recorded == ["no reply within 0.2 s", None]


def test_one_that_hangs_holds_no_other_up() -> None:
    ledger, release, sent = FakeLedger(alert(1)), threading.Event(), []

    def send(url: SecretStr, message: Message) -> None:
        if threading.current_thread().name == "alerts-stuck":
            release.wait(10)
        else:
            sent.append(message.message_id)

    report = deliver(ledger, send, "stuck", "ops", timeout=0.3)
    release.set()
    assert sent == ["id-1"]
    assert (report.delivered, report.failed) == (1, 1)


def test_a_destination_that_was_left_behind_gets_its_messages_once_it_is_free_again() -> None:
    ledger, release, sent = FakeLedger(alert(1)), threading.Event(), []

    def send(url: SecretStr, message: Message) -> None:
        release.wait(10)
        sent.append(message.message_id)

    deliver(ledger, send, "freed", timeout=0.1)
    release.set()
    [thread] = [each for each in threading.enumerate() if each.name == "alerts-freed"] or [threading.Thread()]
    if thread.ident:
        thread.join(5)
    assert deliver(ledger, send, "freed").delivered == 1
    assert sent == ["id-1", "id-1"]


def test_when_time_is_up_no_further_message_is_begun() -> None:
    ledger, sent = FakeLedger(alert(1), alert(2, check="b"), alert(3, check="c")), []

    def slow(url: SecretStr, message: Message) -> None:
        sent.append(message.message_id)
        threading.Event().wait(0.4)

    report = deliver(ledger, slow, budget=0.1)
    assert sent == ["id-1"]
    assert (report.delivered, report.failed, report.pending) == (1, 0, 2)


def test_a_ledger_that_does_not_answer_is_raised_before_anything_is_sent() -> None:
    ledger, send = FakeLedger(alert(1)), FakeSender()

    def refuse() -> Sequence[str]:
        raise DatabaseUnavailable("DATABASE_URL: refused; start it")

    ledger.fetch_open_destinations = refuse  # type: ignore[method-assign]  # as a ledger that is down
    with pytest.raises(DatabaseUnavailable):
        deliver(ledger, send)
    assert send.sent == []


def test_alerts_for_a_destination_that_is_no_longer_configured_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    ledger = FakeLedger()
    ledger.open = ("retired-destination",)
    for _ in range(3):
        deliver(ledger, FakeSender())
    assert caplog.text.count("'retired-destination'") == 1


def test_an_unset_variable_is_a_failure_that_names_it() -> None:
    ledger = FakeLedger(alert(1))
    report = deliver(ledger, FakeSender(), environ={"OPS_URL": "  "})
    assert "OPS_URL is not set" in str(report.destinations[0].error)


def test_nothing_due_sends_nothing() -> None:
    assert deliver(FakeLedger(), FakeSender()) == DeliveryReport()
