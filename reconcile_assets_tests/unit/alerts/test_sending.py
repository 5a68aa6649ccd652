"""What Apprise's answers and logs become; nothing leaves the process."""

import logging
import threading
from typing import Any

import apprise
import pytest
from apprise.plugins.custom_json import NotifyJSON
from pydantic import SecretStr

from reconcile_assets.alerts import sending
from reconcile_assets.alerts.message import Message
from reconcile_assets.alerts.sending import SendError, send_message

CANARY = "canary-77aa"
URL = SecretStr(f"json://user:{CANARY}@127.0.0.1:9/{CANARY}")
MESSAGE = Message("id-1", "failed", "title", "body")


def plug(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[dict[str, Any]]:
    """Put an answer (a value, or an exception to raise) in the place of the sending plugin."""
    calls: list[dict[str, Any]] = []

    def notify(self: apprise.Apprise, **message: Any) -> Any:
        calls.append(message)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    return calls


def test_a_message_is_sent_as_plain_text_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = plug(monkeypatch, True)
    send_message(URL, MESSAGE)
    send_message(URL, Message("id-2", "recovered", "title", "body"))
    assert [call["notify_type"] for call in calls] == [apprise.NotifyType.FAILURE, apprise.NotifyType.SUCCESS]
    assert {call["body_format"] for call in calls} == {apprise.NotifyFormat.TEXT}


@pytest.mark.parametrize(
    ("logged", "reason"),
    [
        ("Failed to send JSON POST notification: Server error, error=503.", "the destination answered 503"),
        (f"A Connection error occurred sending JSON notification to {CANARY}.", "the destination could not be reached"),
        (f"something about {CANARY}", "the destination did not take the message"),
        (None, "the destination did not take the message"),
    ],
)
def test_a_refusal_is_told_in_our_own_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, logged: str | None, reason: str
) -> None:
    def refuse() -> bool:
        if logged:
            logging.getLogger("apprise").warning(logged)
        return False

    plug(monkeypatch, refuse)
    with pytest.raises(SendError) as caught:
        send_message(URL, MESSAGE)
    assert str(caught.value) == reason
    assert CANARY not in caplog.text


def test_an_exception_of_a_plugin_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, RuntimeError(f"could not post to {CANARY}"))
    with pytest.raises(SendError, match="RuntimeError") as caught:
        send_message(URL, MESSAGE)
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", [CANARY, f"nonsense://{CANARY}", "json://"])
def test_a_url_that_is_none_is_told_without_showing_it(caplog: pytest.LogCaptureFixture, url: str) -> None:
    caplog.set_level(1)
    with pytest.raises(SendError) as caught:
        send_message(SecretStr(url), MESSAGE)
    assert CANARY not in str(caught.value) + caplog.text


def test_without_the_filter_the_secret_would_be_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The control of the test above."""
    monkeypatch.setattr(sending, "_CHATTY", ())
    for name in ("apprise", "urllib3.connectionpool"):
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    with pytest.raises(SendError):
        send_message(SecretStr(CANARY), MESSAGE)
    assert CANARY in caplog.text


def test_the_log_of_others_who_use_apprise_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plug(monkeypatch, True)
    send_message(URL, MESSAGE)
    logging.getLogger("apprise").warning("someone else's line")
    assert "someone else's line" in caplog.text


def test_the_message_is_sent_in_the_callers_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Apprise's shared pool, what hangs would take the place of other destinations."""
    threads: list[threading.Thread] = []

    def send(self: NotifyJSON, *args: object, **more: object) -> bool:
        threads.append(threading.current_thread())
        return True

    monkeypatch.setattr(NotifyJSON, "send", send)
    send_message(URL, MESSAGE)
    assert threads == [threading.current_thread()]
