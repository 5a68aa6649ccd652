"""Alerts from the ledger through Apprise to real receivers on this machine."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from reconcile_assets.alerts.delivery import DeliveryReport, deliver_due_alerts
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger import Ledger

UI = "http://127.0.0.1:3000"
CANARY = "canary-51b7e0"


def config(*names: str, routes: Iterable[dict[str, Any]] = ()) -> AlertsConfig:
    destinations = {name: {"url_env": f"ALERT_{name.upper()}_URL"} for name in names}
    return AlertsConfig.model_validate({"destinations": destinations, "routes": list(routes)})


def record(
    ledger: Ledger, keys: Iterable[str], *, check: str = "rows", verdict: Verdict = Verdict.MISMATCHED, **more: Any
) -> None:
    ledger.record_verdicts([CheckVerdict("flights", check, key, verdict, **more) for key in keys], run_id="run")


def deliver(ledger: Ledger, alerts: AlertsConfig, *, after: float = 0, **environ_and_more: Any) -> DeliveryReport:
    """Deliver as a tick does, ``after`` seconds from now."""
    environ = {name: value for name, value in environ_and_more.items() if name.isupper()}
    more = {name: value for name, value in environ_and_more.items() if not name.isupper()}
    now = datetime.now(UTC) + timedelta(seconds=after)
    return deliver_due_alerts(ledger, alerts, environ=environ, ui_url=UI, now=now, **more)


def test_a_failed_check_reaches_its_destination_with_partitions_counts_and_link(
    ledger: Ledger, receivers: Callable[[], Any]
) -> None:
    ops = receivers()
    record(ledger, ["2013-01-01", "2013-01-02"], missing_in_target=3, value_differs=1)
    report = deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url)
    assert (report.messages, report.delivered, report.failed, report.pending) == (1, 1, 0, 0)
    [message] = ops.received
    assert message["title"] == "flights / rows: 2 partitions do not match"
    assert "2013-01-01, 2013-01-02" in message["message"]
    assert "6 rows missing in target, 2 rows with other values" in message["message"]
    assert f"{UI}/assets/flights?view=checks&checkDetail=rows" in message["message"]
    assert message["type"] == "failure"
    assert report.slowest is not None
    assert report.slowest < 60


def test_a_delivered_alert_is_not_sent_again(ledger: Ledger, receivers: Callable[[], Any]) -> None:
    ops = receivers()
    record(ledger, ["2013-01-01"])
    deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url)
    for _ in range(3):
        assert deliver(ledger, config("ops"), after=600, ALERT_OPS_URL=ops.url).messages == 0
    assert len(ops.received) == 1


def test_a_thousand_partitions_that_fail_one_by_one_are_one_message_for_each_check(
    ledger: Ledger, receivers: Callable[[], Any]
) -> None:
    ops = receivers()
    for chunk in range(10):
        keys = [f"p{chunk:02d}{number:03d}" for number in range(100)]
        record(ledger, keys)
        record(ledger, keys, check="row_count")
    deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url)
    assert sorted(ops.titles) == [
        "flights / row_count: 1,000 partitions do not match",
        "flights / rows: 1,000 partitions do not match",
    ]
    assert "and 980 more" in ops.received[0]["message"]


def test_a_destination_that_answers_500_holds_up_no_other_and_gets_its_message_later(
    ledger: Ledger, receivers: Callable[[], Any]
) -> None:
    down, up = receivers(), receivers()
    down.answer = 500
    record(ledger, ["2013-01-01"])
    urls = {"ALERT_DOWN_URL": down.url, "ALERT_UP_URL": up.url}
    report = deliver(ledger, config("down", "up"), **urls)
    assert (report.delivered, report.failed) == (1, 1)
    assert len(up.received) == 1
    for minutes in range(1, 10):
        deliver(ledger, config("down", "up"), after=minutes * 60, **urls)
    down.answer = 200
    deliver(ledger, config("down", "up"), after=1_200, **urls)
    assert len(down.received) == len(up.received) == 1
    assert down.received[0]["message"] == up.received[0]["message"]


def test_a_destination_that_hangs_holds_up_no_other(ledger: Ledger, receivers: Callable[[], Any]) -> None:
    stuck, up = receivers(), receivers()
    stuck.released.clear()
    record(ledger, ["2013-01-01"])
    urls = {"ALERT_STUCK_URL": stuck.url, "ALERT_UP_URL": up.url}
    begun = datetime.now(UTC)
    report = deliver(ledger, config("stuck", "up"), timeout=1.5, **urls)
    assert (datetime.now(UTC) - begun).total_seconds() < 6
    assert (report.delivered, report.failed) == (1, 1)
    assert next(found.error for found in report.destinations if found.destination == "stuck") == "no reply within 1.5 s"
    assert len(up.received) == 1


def test_a_recovery_follows_its_failure_also_where_the_failure_arrived_late(
    ledger: Ledger, receivers: Callable[[], Any]
) -> None:
    ops = receivers()
    ops.answer = 503
    record(ledger, ["2013-01-01"])
    deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url)
    record(ledger, ["2013-01-01"], verdict=Verdict.MATCHED)
    deliver(ledger, config("ops"), after=60, ALERT_OPS_URL=ops.url)
    ops.answer = 200
    deliver(ledger, config("ops"), after=900, ALERT_OPS_URL=ops.url)
    assert ops.titles == [
        "flights / rows: 1 partition does not match",
        "flights / rows: recovered, no partition is wrong any more",
    ]


def test_what_could_not_be_verified_says_so(ledger: Ledger, receivers: Callable[[], Any]) -> None:
    ops = receivers()
    record(ledger, ["2013-01-01"], verdict=Verdict.INCONCLUSIVE, notes=("could not verify: the connection was lost",))
    deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url)
    assert ops.titles == ["flights / rows: could not verify 1 partition"]
    assert "the connection was lost" in ops.received[0]["message"]


def test_an_alert_that_no_route_wants_is_settled_and_told_in_the_log(
    ledger: Ledger, receivers: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ops = receivers()
    only_errors = config("ops", routes=[{"match": {"severity": "ERROR"}, "to": ["ops"]}])
    record(ledger, ["2013-01-01"], severity="WARN")
    assert deliver(ledger, only_errors, ALERT_OPS_URL=ops.url) == DeliveryReport()
    assert "no route wants alert" in caplog.text
    caplog.clear()
    deliver(ledger, only_errors, after=60, ALERT_OPS_URL=ops.url)
    assert "no route wants alert" not in caplog.text
    assert ops.received == []


def test_alerts_wait_in_the_outbox_until_there_is_a_destination(ledger: Ledger, receivers: Callable[[], Any]) -> None:
    ops = receivers()
    record(ledger, ["2013-01-01"])
    assert deliver(ledger, config()) == DeliveryReport()
    assert deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url).delivered == 1


def test_an_unset_variable_is_named_and_the_alert_is_sent_once_it_is_set(
    ledger: Ledger, receivers: Callable[[], Any]
) -> None:
    ops = receivers()
    record(ledger, ["2013-01-01"])
    [found] = deliver(ledger, config("ops")).destinations
    assert found.error is not None
    assert "ALERT_OPS_URL is not set" in found.error
    assert deliver(ledger, config("ops"), after=60, ALERT_OPS_URL=ops.url).delivered == 1


@pytest.mark.parametrize("kind", ["refuses", "answers 500", "no such service", "no URL", "arrives"])
def test_the_secret_of_a_destination_is_in_no_log_and_not_in_the_ledger(
    ledger: Ledger,
    receivers: Callable[[], Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    ops = receivers()
    ops.answer = 500 if kind == "answers 500" else 200
    address = ops.url.removeprefix("json://").rstrip("/")
    url = {
        "refuses": f"json://user:{CANARY}@127.0.0.1:1/{CANARY}?token={CANARY}",
        "answers 500": f"json://user:{CANARY}@{address}/{CANARY}?token={CANARY}",
        "arrives": f"json://user:{CANARY}@{address}/{CANARY}?token={CANARY}",
        "no such service": f"nonsense://user:{CANARY}@{address}",
        "no URL": CANARY,
    }[kind]
    record(ledger, ["2013-01-01"])
    for name in ("", "apprise", "urllib3", "urllib3.connectionpool"):
        caplog.set_level(1, logger=name)
    report = deliver(ledger, config("ops"), ALERT_OPS_URL=url)
    assert report.delivered == (1 if kind == "arrives" else 0)
    assert caplog.records or kind == "arrives"
    printed = capsys.readouterr()
    assert CANARY not in caplog.text + printed.out + printed.err + repr(report)
    with ledger.database.reading() as connection:
        name = (
            "reconcile_assets_alert_deliveries"
            if connection.dialect.name == "sqlite"
            else "reconcile_assets.alert_deliveries"
        )
        rows = connection.execute(text("SELECT * FROM " + name)).all()  # noqa: S608 - one of two names above
    assert rows
    assert CANARY not in repr(rows)


def test_a_sender_that_dies_between_send_and_mark_causes_one_repeat_with_the_same_id(
    ledger: Ledger, receivers: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = receivers()
    record(ledger, ["2013-01-01"])
    with monkeypatch.context() as dying:
        dying.setattr(Ledger, "record_delivery", lambda *args, **more: None)
        deliver(ledger, config("ops"), ALERT_OPS_URL=ops.url)
    assert deliver(ledger, config("ops"), after=30, ALERT_OPS_URL=ops.url).messages == 0
    for minutes in range(2, 6):
        deliver(ledger, config("ops"), after=minutes * 60, ALERT_OPS_URL=ops.url)
    assert len(ops.received) == 2
    assert ops.received[0]["message"] == ops.received[1]["message"]
