"""Empty the outbox: to each destination what is due, each in a thread of its own.

Prevents two failures of alerting: a receiver that is down holding up the others, and a message
posted again and again because something failed after it was sent. So nothing is raised once a
message is out, its delivery is written down at once, and what hangs is left behind and tried
again later. Wire it by calling ``deliver_due_alerts`` every few seconds, as the alert sensor does.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol

from pydantic import SecretStr

from reconcile_assets.alerts.grouping import AlertGroup, group_alerts
from reconcile_assets.alerts.message import Message, render_message
from reconcile_assets.alerts.routes import find_destinations
from reconcile_assets.alerts.sending import SendError, send_message
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.configuration.environment import secret_variable
from reconcile_assets.errors import ConfigurationError, ReconcileAssetsError
from reconcile_assets.ledger.records import Alert, DueAlert

TIMEOUT = 20.0
"""Seconds that one message may take."""

BUDGET = 25.0
"""Seconds after which no further message is begun; with the last one's time-out below a sensor tick's 60."""

LEASE = timedelta(seconds=60)
_PAGE = 500
_MARK_TRIES = 3
_POLL = 0.05
_log = logging.getLogger(__name__)

Send = Callable[[SecretStr, Message], None]


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
class DestinationReport:
    """What became of the alerts that were due for one destination.

    Attributes:
        messages: messages that arrived; one may tell of several alerts.
        sent: alerts in them.
        failed: alerts to be tried again, with the reason in ``error``.
        pending: alerts not begun for want of time; tried again after their claim ends.
        seconds: from verdict to delivery, one figure for each alert sent.
    """

    destination: str
    messages: int = 0
    sent: int = 0
    failed: int = 0
    pending: int = 0
    error: str | None = None
    seconds: tuple[float, ...] = ()


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
        due = ledger.claim_due_alerts(name, now=clock(), limit=_PAGE, lease=LEASE)
        if due:
            work = _Work(ledger, ui_url, clock, sleep, send, destination.url_env, environ)
            couriers.append(_Courier(name, group_alerts(item.alert for item in due), work))
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


@dataclass(frozen=True)
class _Work:
    """What every courier needs."""

    ledger: Outbox
    ui_url: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    send: Send
    variable: str
    environ: Mapping[str, str] = field(repr=False)

    def send_group(self, group: AlertGroup, destination: str) -> None:
        try:
            url = secret_variable(self.variable, self.environ, needed_by=f"alert destination {destination!r}")
        except ConfigurationError as problem:
            raise SendError(str(problem)) from None
        self.send(url, render_message(group, ui_url=self.ui_url))

    def record(self, group: AlertGroup, destination: str, *, error: str | None = None) -> datetime:
        """Write the outcome down, with patience: a delivery that is not is made again."""
        moment = self.clock()
        for alert in group.alerts:
            for left in reversed(range(_MARK_TRIES)):
                try:
                    self._record_one(alert.alert_id, destination, error, moment)
                    break
                except ReconcileAssetsError as problem:
                    if not left:
                        _log.error("alert %s: its outcome could not be written down: %s", alert.alert_id, problem)
                    self.sleep(0.5)
        return moment

    def _record_one(self, alert_id: str, destination: str, error: str | None, moment: datetime) -> None:
        if error is None:
            self.ledger.record_delivery(alert_id, destination, delivered_at=moment)
        else:
            self.ledger.record_delivery(alert_id, destination, error=error, now=moment)


class _Courier:
    """Brings one destination its messages, in order, in a thread that may be left behind."""

    def __init__(self, destination: str, groups: Sequence[AlertGroup], work: _Work) -> None:
        self._destination = destination
        self._groups = groups
        self._work = work
        self._lock = threading.Lock()
        self._begun_at: float | None = None
        self._current: AlertGroup | None = None
        self._stopped = False
        self._sent: list[AlertGroup] = []
        self._failed: list[AlertGroup] = []
        self._seconds: list[float] = []
        self._error: str | None = None
        self._thread = threading.Thread(target=self._deliver_all, name=f"alerts-{destination}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_busy(self) -> bool:
        return self._thread.is_alive() and not (self._stopped and self._current is None)

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)

    def stop(self) -> None:
        """Begin no further message."""
        with self._lock:
            self._stopped = True

    def leave_behind(self, timeout: float) -> None:
        """Give up the message under way if it has taken too long."""
        with self._lock:
            group = self._current
            if group is None or self._begun_at is None or time.monotonic() - self._begun_at < timeout:
                return
            self._current, self._stopped = None, True
            self._note_failure(group, f"no reply within {timeout:g} s")

    def report(self) -> DestinationReport:
        with self._lock:
            counted = [
                sum(len(group.alerts) for group in groups) for groups in (self._groups, self._sent, self._failed)
            ]
            return DestinationReport(
                destination=self._destination,
                messages=len(self._sent),
                sent=counted[1],
                failed=counted[2],
                pending=counted[0] - counted[1] - counted[2],
                error=self._error,
                seconds=tuple(self._seconds),
            )

    def _deliver_all(self) -> None:
        for group in self._groups:
            with self._lock:
                if self._stopped:
                    return
                self._current, self._begun_at = group, time.monotonic()
            self._deliver(group)

    def _deliver(self, group: AlertGroup) -> None:
        error: str | None = None
        if any((group.table, group.check) == (failed.table, failed.check) for failed in self._failed):
            error = "an earlier alert of the same check has not arrived yet"
        else:
            try:
                self._work.send_group(group, self._destination)
            except SendError as problem:
                error = str(problem)
        with self._lock:
            left_behind = self._current is not group
            self._current = None
            if error is None:
                self._note_success(group, late=left_behind)
            elif not left_behind:
                self._note_failure(group, error)

    def _note_success(self, group: AlertGroup, *, late: bool) -> None:
        moment = self._work.record(group, self._destination)
        if late:
            return
        self._sent.append(group)
        self._seconds.extend((moment - alert.created_at).total_seconds() for alert in group.alerts)

    def _note_failure(self, group: AlertGroup, error: str) -> None:
        _log.warning("alert %s did not reach %r: %s", group.alert_ids[0], self._destination, error)
        self._failed.append(group)
        self._error = error
        self._work.record(group, self._destination, error=error)


def _count(groups: Sequence[AlertGroup]) -> int:
    return sum(len(group.alerts) for group in groups)


def _run(couriers: Sequence[_Courier], *, timeout: float, budget: float) -> tuple[DestinationReport, ...]:
    begun = time.monotonic()
    for courier in couriers:
        courier.start()
    while busy := [courier for courier in couriers if courier.is_busy()]:
        for courier in busy:
            courier.wait(_POLL / len(busy))
            courier.leave_behind(timeout)
        if time.monotonic() - begun > budget:
            for courier in busy:
                courier.stop()
    return tuple(courier.report() for courier in couriers)
