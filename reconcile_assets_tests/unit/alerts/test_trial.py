"""A test message to each destination."""

import threading

import pytest
from pydantic import SecretStr

from reconcile_assets.alerts.message import Message
from reconcile_assets.alerts.sending import SendError
from reconcile_assets.alerts.trial import try_destinations
from reconcile_assets.configuration.alerts import AlertsConfig

CONFIG = AlertsConfig.model_validate({"destinations": {name: {"url_env": name.upper()} for name in ("ops", "page")}})
ENVIRON = {"OPS": "json://ops/", "PAGE": "json://page/"}


def test_each_destination_named_gets_one_message() -> None:
    sent: list[str] = []

    def send(url: SecretStr, message: Message) -> None:
        sent.append(url.get_secret_value())

    trials = try_destinations(CONFIG, ["ops", "page"], environ=ENVIRON, ui_url="http://ui", send=send)
    assert sorted(sent) == ["json://ops/", "json://page/"]
    assert [trial.error for trial in trials] == [None, None]


def test_a_destination_that_refuses_is_told_with_its_reason_and_the_other_arrives() -> None:
    def send(url: SecretStr, message: Message) -> None:
        if "ops" in url.get_secret_value():
            raise SendError("the destination answered 403")

    trials = try_destinations(CONFIG, ["ops", "page"], environ=ENVIRON, ui_url="http://ui", send=send)
    assert [(trial.destination, trial.error) for trial in trials] == [
        ("ops", "the destination answered 403"),
        ("page", None),
    ]


def test_an_unset_variable_is_named() -> None:
    [trial] = try_destinations(CONFIG, ["ops"], environ={}, ui_url="http://ui", send=lambda url, message: None)
    assert "OPS is not set" in str(trial.error)


def test_one_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def send(url: SecretStr, message: Message) -> None:
        release.wait(10)

    [trial] = try_destinations(CONFIG, ["ops"], environ=ENVIRON, ui_url="http://ui", send=send, timeout=0.2)
    release.set()
    assert (trial.error, trial.seconds) == ("no reply within 0.2 s", pytest.approx(0.2))


def test_no_destination_named_is_nothing_sent() -> None:
    assert try_destinations(CONFIG, [], environ=ENVIRON, ui_url="http://ui") == ()
