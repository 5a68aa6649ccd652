"""One message to one Apprise URL, without the URL ever reaching a log.

Apprise and the HTTP client below it log addresses (a webhook's path is its secret), Apprise even
at level ERROR for a URL that it can't read. So whatever they log while one of our messages is on
its way is held back, and told in our own words: a status code or a kind of trouble.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from pydantic import SecretStr

from reconcile_assets.alerts.message import Message

_CHATTY = (
    "apprise",
    "asyncio",
    "requests",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.util.retry",
)
_STATUS = re.compile(r"\berror=(\d{3})\b")


class SendError(Exception):
    """The destination did not take the message; the text says why, without its address."""


@dataclass
class _Overheard:
    """What was held back of the libraries' log, boiled down to what is safe to tell."""

    status: str | None = None
    unreachable: bool = False
    refused_url: bool = False

    def take(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if (status := _STATUS.search(text)) is not None:
            self.status = status.group(1)
        self.unreachable |= "onnection error" in text
        self.refused_url |= "Unsupported URL" in text or "Unparseable URL" in text

    def reason(self) -> str:
        if self.status is not None:
            return f"the destination answered {self.status}"
        if self.unreachable:
            return "the destination could not be reached"
        return "the destination did not take the message"


_overheard: ContextVar[_Overheard | None] = ContextVar("reconcile_assets_overheard", default=None)


@dataclass(frozen=True)
class _HoldBack:
    """A filter of log records; holds back those made while a message of ours is on its way.

    Known by the context, which Apprise carries into the threads that it sends in, so that the log
    of anyone else who uses the same libraries in this process stays as it is.
    """

    name: str = field(default="reconcile_assets")

    def filter(self, record: logging.LogRecord) -> bool:
        overheard = _overheard.get()
        if overheard is None:
            return True
        overheard.take(record)
        return False


_HOLD_BACK = _HoldBack()


@contextmanager
def _quiet() -> Iterator[_Overheard]:
    for name in _CHATTY:
        logging.getLogger(name).addFilter(_HOLD_BACK)  # added once: logging leaves out a filter it has
    overheard = _Overheard()
    token = _overheard.set(overheard)
    try:
        yield overheard
    finally:
        _overheard.reset(token)


def send_message(url: SecretStr, message: Message) -> None:
    """Send through Apprise and return once the destination has taken the message.

    Raises:
        SendError: when it has not, for whatever reason; nothing of the URL is in the text.
    """
    with _quiet() as overheard:
        try:
            taken = _notify(url, message)
        except Exception as trouble:  # noqa: BLE001 - a plugin may raise anything, and its text may hold the URL
            raise SendError(f"the destination's plugin failed with {type(trouble).__name__}") from None
        if overheard.refused_url:
            raise SendError("its URL is none that Apprise knows; see the list of services in Apprise's documentation")
        if not taken:
            raise SendError(overheard.reason())


def _notify(url: SecretStr, message: Message) -> bool:
    import apprise  # slow to import, and needed only when there is something to send

    kinds = {
        "failed": apprise.NotifyType.FAILURE,
        "recovered": apprise.NotifyType.SUCCESS,
        "test": apprise.NotifyType.INFO,
    }
    # A time-out of Apprise's own would move the sending into its shared pool of threads: what hangs
    # there takes the place of other destinations and keeps the process from ending.
    asset = apprise.AppriseAsset(app_id="reconcile-assets", app_desc="reconcile-assets", service_timeout=0)
    service = apprise.Apprise(asset=asset)
    if not service.add(url.get_secret_value()):
        return False
    return bool(
        service.notify(
            title=message.title,
            body=message.body,
            notify_type=kinds.get(message.kind, apprise.NotifyType.WARNING),
            body_format=apprise.NotifyFormat.TEXT,
        )
    )
