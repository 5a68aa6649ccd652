"""Empty the outbox: to each destination what is due, each in a thread of its own.

Prevents two failures of alerting: a receiver that is down holding up the others, and a message
posted again and again because something failed after it was sent. So nothing is raised once a
message is out, its delivery is written down at once, and what hangs is left behind and tried
again later. Wire it by calling ``deliver_due_alerts`` every few seconds, as the alert sensor does.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol

from reconcile_assets.alerts.courier import Courier, DestinationReport, Send, Work, is_left_behind
from reconcile_assets.alerts.grouping import group_alerts
from reconcile_assets.alerts.routes import find_destinations
from reconcile_assets.alerts.sending import send_message
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.ledger.records import Alert, DueAlert

TIMEOUT = 20.0
"""Seconds that one message may take."""

BUDGET = 25.0
"""Seconds after which no further message is begun; with the last one's time-out below a sensor tick's 60."""

LEASE = timedelta(seconds=60)
_PAGE = 500
_POLL = 0.05
_log = logging.getLogger(__name__)


class Outbox(Protocol):
    """What delivery needs of the ledger."""

    def route_alerts(
        self, destinations_for: Callable[[Alert], Collection[str]], *, now: datetime, limit: int
    ) -> int: ...
    def claim_due_alerts(
        self, destination: str, *, now: datetime, limit: int, lease: timedelta
    ) -> Sequence[DueAlert]: ...
    def fetch_open_destinations(self) -> Sequence[str]: ...
    def record_delivery(
        self,
        alert_id: str,
        destination: str,
        *,
        delivered_at: datetime | None = None,
        error: str | None = None,
        now: datetime | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class DeliveryReport:
    """What one emptying of the outbox has done."""

    destinations: tuple[DestinationReport, ...] = ()

    @property
    def messages(self) -> int:
        """Messages that arrived."""
        return sum(found.messages for found in self.destinations)

    @property
    def delivered(self) -> int:
        """Alerts that arrived, counted once for each destination."""
        return sum(found.sent for found in self.destinations)

    @property
    def failed(self) -> int:
        """Alerts that did not, and will be tried again."""
        return sum(found.failed for found in self.destinations)

    @property
    def pending(self) -> int:
        """Alerts that were due and not begun."""
        return sum(found.pending for found in self.destinations)

    @property
    def slowest(self) -> float | None:
        """The longest time from verdict to delivery, in seconds; None when nothing was sent."""
        return max((seconds for found in self.destinations for seconds in found.seconds), default=None)


def deliver_due_alerts(
    ledger: Outbox,
    alerts: AlertsConfig,
    *,
    environ: Mapping[str, str],
    ui_url: str,
    now: datetime | None = None,
    sleep: Callable[[float], None] = time.sleep,
    send: Send = send_message,
    timeout: float = TIMEOUT,
    budget: float = BUDGET,
) -> DeliveryReport:
    """Route what is new, send what is due, write down what arrived and what did not.

    Args:
        environ: where the destinations' URLs stand.
        ui_url: what the links in messages point to.
        now: the present, aware; None: by this machine's clock.
        timeout: seconds for one message; what takes longer is left behind and tried again.
        budget: seconds after which no further message is begun.

    Raises:
        ReconcileAssetsError: when the ledger cannot be read; only before anything was sent.
    """
    if not alerts.destinations:
        _say_once("no alert destination is configured: alerts stay in the outbox; add one under alerts.destinations")
        return DeliveryReport()
    clock = _clock(now)
    while ledger.route_alerts(lambda alert: _route(alerts, alert), now=clock(), limit=_PAGE) >= _PAGE:
        pass
    for name in set(ledger.fetch_open_destinations()) - set(alerts.destinations):
        _say_once(f"alerts wait for destination {name!r}, which is not configured any more")
    couriers = []
    for name, destination in alerts.destinations.items():
        work = Work(ledger, name, destination.url_env, environ, ui_url, clock, sleep, send)
        if is_left_behind(work.address):
            continue
        due = ledger.claim_due_alerts(name, now=clock(), limit=_PAGE, lease=LEASE)
        if due:
            couriers.append(Courier(group_alerts(item.alert for item in due), work))
    return DeliveryReport(_run(couriers, timeout=timeout, budget=budget))


def _clock(now: datetime | None) -> Callable[[], datetime]:
    start, begun = now or datetime.now(UTC), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - begun)


@cache
def _say_once(text: str) -> None:
    _log.warning(text)


def _route(alerts: AlertsConfig, alert: Alert) -> tuple[str, ...]:
    found = find_destinations(alerts, alert)
    if not found:
        _log.info("no route wants alert %s (%s / %s, %s)", alert.alert_id, alert.table, alert.check, alert.severity)
    return found


def _run(couriers: Sequence[Courier], *, timeout: float, budget: float) -> tuple[DestinationReport, ...]:
    begun = time.monotonic()
    for courier in couriers:
        courier.start()
    while busy := [courier for courier in couriers if courier.is_busy()]:
        elapsed = time.monotonic() - begun
        for courier in busy:
            courier.wait(_POLL / len(busy))
            courier.leave_if_stuck(timeout)
            if elapsed > budget:
                courier.stop()
            if elapsed > budget + timeout:
                courier.leave_behind("no time was left")
    return tuple(courier.report() for courier in couriers)
