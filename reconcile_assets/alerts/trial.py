"""A test message to each destination, so that a wrong URL shows before the first alert is lost."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from reconcile_assets.alerts.delivery import TIMEOUT
from reconcile_assets.alerts.message import Message
from reconcile_assets.alerts.sending import SendError, send_message
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.configuration.environment import secret_variable
from reconcile_assets.errors import ConfigurationError


@dataclass(frozen=True)
class Trial:
    """How a test message fared; ``error`` is None when it arrived."""

    destination: str
    error: str | None
    seconds: float


def try_destinations(
    alerts: AlertsConfig,
    names: Sequence[str],
    *,
    environ: Mapping[str, str],
    ui_url: str,
    send: Callable[[SecretStr, Message], None] = send_message,
    timeout: float = TIMEOUT,
) -> tuple[Trial, ...]:
    """Send one test message to each of these destinations, all at once.

    Args:
        names: destinations that are configured.
        timeout: seconds after which one that has not answered is given up.
    """
    body = f"If you read this, alerts of reconcile-assets reach you here.\nLook: {ui_url}"
    message = Message("test", "test", "reconcile-assets: a test alert", body)
    runs = [_Run(name, alerts.destinations[name].url_env, environ, message, send) for name in names]
    for run in runs:
        run.thread.start()
    deadline = time.monotonic() + timeout
    for run in runs:
        run.thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(run.trial or Trial(run.name, f"no reply within {timeout:g} s", timeout) for run in runs)


class _Run:
    """One destination's thread, and how it ended."""

    def __init__(
        self,
        name: str,
        variable: str,
        environ: Mapping[str, str],
        message: Message,
        send: Callable[[SecretStr, Message], None],
    ) -> None:
        self.name = name
        self.trial: Trial | None = None
        self.thread = threading.Thread(
            target=self._send, args=(variable, environ, message, send), name=f"trial-{name}", daemon=True
        )

    def _send(
        self,
        variable: str,
        environ: Mapping[str, str],
        message: Message,
        send: Callable[[SecretStr, Message], None],
    ) -> None:
        begun = time.monotonic()
        error = None
        try:
            send(secret_variable(variable, environ, needed_by=f"alert destination {self.name!r}"), message)
        except (SendError, ConfigurationError) as problem:
            error = str(problem)
        self.trial = Trial(self.name, error, round(time.monotonic() - begun, 3))
