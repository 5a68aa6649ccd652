"""``alerts``: the outbox, and a test of each destination, against real receivers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconcile_assets.alerts.trial import try_destinations
from reconcile_assets.cli import main
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger import open_ledger

CONFIG = """\
tables:
- name: flights
  source_table: flights
  target_table: warehouse.flights
  key: [id]
  partition: {column: at, by: day, start: 2013-01-01, end: 2013-02-01}
alerts:
  destinations: {ops: {url_env: ALERT_OPS_URL}, page: {url_env: ALERT_PAGE_URL}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with two destinations, and a ledger with two alerts."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    monkeypatch.setenv("RECONCILE_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("DATABASE_URL", url)
    for name in ("SOURCE_DATABASE_URL", "TARGET_DATABASE_URL"):
        monkeypatch.setenv(name, "postgresql://127.0.0.1:1/unused")
    for name in ("ALERT_OPS_URL", "ALERT_PAGE_URL"):
        monkeypatch.setenv(name, "json://127.0.0.1:1/")
    ledger = open_ledger(url)
    for verdict in (Verdict.MISMATCHED, Verdict.MATCHED):
        ledger.record_verdicts([CheckVerdict("flights", "rows", "2013-01-05", verdict)], run_id="run")
    ledger.close()
    return tmp_path


def test_the_outbox_lists_alerts_newest_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "outbox", "--json"]) == 0
    alerts = json.loads(capsys.readouterr().out)["alerts"]
    assert [alert["kind"] for alert in alerts] == ["recovered", "failed"]
    assert {alert["settled"] for alert in alerts} == {False}
    assert main(["alerts", "outbox", "--pending", "--limit", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "recovered" in lines[1]
    assert "pending" in lines[1]


def test_a_test_message_reaches_each_destination(
    folder: Path,
    receivers: Callable[[], Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ops, page = receivers(), receivers()
    monkeypatch.setenv("ALERT_OPS_URL", ops.url)
    monkeypatch.setenv("ALERT_PAGE_URL", page.url)
    assert main(["alerts", "test"]) == 0
    assert ops.titles == page.titles == ["reconcile-assets: a test alert"]
    assert "ops: arrived after" in capsys.readouterr().err


def test_a_destination_that_fails_is_named_with_the_reason_and_exit_2(
    folder: Path,
    receivers: Callable[[], Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ops = receivers()
    ops.answer = 403
    monkeypatch.setenv("ALERT_OPS_URL", ops.url)
    assert main(["alerts", "test", "--json"]) == 2
    found = {each["destination"]: each["error"] for each in json.loads(capsys.readouterr().out)["destinations"]}
    assert found["ops"] == "the destination answered 403"
    assert found["page"] == "the destination could not be reached"


def test_a_destination_that_hangs_is_given_up(receivers: Callable[[], Any]) -> None:
    stuck, ops = receivers(), receivers()
    stuck.released.clear()
    names = ("stuck", "ops")
    config = AlertsConfig.model_validate({"destinations": {name: {"url_env": name.upper()} for name in names}})
    environ = {"STUCK": stuck.url, "OPS": ops.url}
    found = try_destinations(config, names, environ=environ, ui_url="http://ui", timeout=1.0)
    assert [(each.destination, each.error) for each in found] == [("stuck", "no reply within 1 s"), ("ops", None)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], "PART"), (["test", "nosuch"], "name one of ops, page"), (["outbox", "--limit", "-1"], "limit")],
)
def test_bad_arguments_are_one_line_and_exit_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["alerts", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_without_destinations_there_is_nothing_to_test(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.yaml").write_text(CONFIG.split("alerts:")[0])
    assert main(["alerts", "test"]) == 2
    assert "no alert destination is configured" in capsys.readouterr().err
