"""A courier: one destination's messages, in order, in a thread that may be left behind.

A destination that hangs must not hold up the tick, and a thread can't be ended from outside. So
the courier is left behind, what it was sending counts as failed for now, and the destination is
left alone until the thread has ended: a message that arrives after all is then not sent twice.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from reconcile_assets.alerts.grouping import AlertGroup
from reconcile_assets.alerts.message import Message, render_message
from reconcile_assets.alerts.sending import SendError
from reconcile_assets.configuration.environment import secret_variable
from reconcile_assets.errors import ConfigurationError, ReconcileAssetsError

_RECORD_TRIES = 3
_SECONDS_BETWEEN_RECORDS = 0.5
_log = logging.getLogger(__name__)

Send = Callable[[SecretStr, Message], None]
Address = tuple[str, str]
"""A destination's name and what its variable holds; kept in memory only."""

_left_behind: dict[Address, threading.Thread] = {}


def is_left_behind(address: Address) -> bool:
    """Whether a courier to this destination has not come back yet, in this process."""
    thread = _left_behind.get(address)
    if thread is not None and not thread.is_alive():
        _left_behind.pop(address, None)
        return False
    return thread is not None


class Record(Protocol):
    """Where outcomes are written down: the ledger."""

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
class Work:
    """What a courier needs.

    Attributes:
        variable: the environment variable that holds the destination's URL.
        clock: gives the present, aware.
    """

    ledger: Record
    destination: str
    variable: str
    environ: Mapping[str, str] = field(repr=False)
    ui_url: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    send: Send

    @property
    def address(self) -> Address:
        """What tells this destination from others in this process."""
        return (self.destination, self.environ.get(self.variable, ""))

    def send_group(self, group: AlertGroup) -> None:
        """Send one message.

        Raises:
            SendError: it did not arrive.
        """
        try:
            url = secret_variable(self.variable, self.environ, needed_by=f"alert destination {self.destination!r}")
        except ConfigurationError as problem:
            raise SendError(str(problem)) from None
        self.send(url, render_message(group, ui_url=self.ui_url))

    def record(self, group: AlertGroup, error: str | None = None) -> datetime:
        """Write the outcome down, with patience: a delivery that is not is made again."""
        moment = self.clock()
        for alert in group.alerts:
            for left in reversed(range(_RECORD_TRIES)):
                try:
                    self._record_one(alert.alert_id, error, moment)
                    break
                except ReconcileAssetsError as problem:
                    if not left:
                        _log.error("alert %s: its outcome could not be written down: %s", alert.alert_id, problem)
                    self.sleep(_SECONDS_BETWEEN_RECORDS)
        return moment

    def _record_one(self, alert_id: str, error: str | None, moment: datetime) -> None:
        if error is None:
            self.ledger.record_delivery(alert_id, self.destination, delivered_at=moment)
        else:
            self.ledger.record_delivery(alert_id, self.destination, error=error, now=moment)


class Courier:
    """Brings one destination its messages, in order."""

    def __init__(self, groups: Sequence[AlertGroup], work: Work) -> None:
        self._groups = groups
        self._work = work
        self._lock = threading.Lock()  # guards what follows; never held while something is sent or written
        self._current: AlertGroup | None = None
        self._begun_at = 0.0
        self._stopped = self._left = False
        self._sent: list[AlertGroup] = []
        self._failed: list[AlertGroup] = []
        self._seconds: list[float] = []
        self._error: str | None = None
        self._thread = threading.Thread(target=self._deliver_all, name=f"alerts-{work.destination}", daemon=True)

    def start(self) -> None:
        """Set out."""
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for its return, but no longer."""
        self._thread.join(seconds)

    def is_busy(self) -> bool:
        """Whether it is still on its way and waited for."""
        return self._thread.is_alive() and not self._left

    def stop(self) -> None:
        """Let it begin no further message."""
        with self._lock:
            self._stopped = True

    def leave_if_stuck(self, timeout: float) -> None:
        """Leave it behind if its message has taken longer than so many seconds."""
        with self._lock:
            group = self._current
            if group is None or time.monotonic() - self._begun_at < timeout:
                return
        self.leave_behind(f"no reply within {timeout:g} s")

    def leave_behind(self, error: str) -> None:
        """Wait for it no longer; what it is sending counts as failed until it arrives after all."""
        with self._lock:
            group, self._current = self._current, None
            self._stopped = self._left = True
        _left_behind[self._work.address] = self._thread
        if group is not None:
            self._note_failure(group, error)

    def report(self) -> DestinationReport:
        """What has become of its messages so far."""
        with self._lock:
            sent, failed = _count(self._sent), _count(self._failed)
            return DestinationReport(
                destination=self._work.destination,
                messages=len(self._sent),
                sent=sent,
                failed=failed,
                pending=_count(self._groups) - sent - failed,
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
                self._work.send_group(group)
            except SendError as problem:
                error = str(problem)
        with self._lock:
            late, self._current = self._left, None
        if error is None:
            self._note_success(group, late=late)
        elif not late:
            self._note_failure(group, error)

    def _note_success(self, group: AlertGroup, *, late: bool) -> None:
        moment = self._work.record(group)
        if late:
            return
        with self._lock:
            self._sent.append(group)
            self._seconds.extend(max(0.0, (moment - alert.created_at).total_seconds()) for alert in group.alerts)

    def _note_failure(self, group: AlertGroup, error: str) -> None:
        _log.warning("alert %s did not reach %r: %s", group.alert_ids[0], self._work.destination, error)
        with self._lock:
            self._failed.append(group)
            self._error = error
        self._work.record(group, error)


def _count(groups: Sequence[AlertGroup]) -> int:
    return sum(len(group.alerts) for group in groups)
