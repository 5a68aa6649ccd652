"""A circuit breaker: a dependency that is down is left alone, then asked once, by one caller of all.

Prevents the outage that callers make worse: everybody waiting for time-outs, and everybody
coming back at once. Wire it around each call of one database, HTTP service or destination.
"""

import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from reconcile_assets.core.breakers import (
    BreakerPolicy,
    BreakerRecord,
    BreakerState,
    Ticket,
    admit,
    fail,
    give_up,
    is_idle,
    reset,
    seconds_to_probe,
    succeed,
)
from reconcile_assets.errors import (
    CircuitOpen,
    ConfigurationError,
    PermanentError,
    SerializationConflict,
    StatementTimeout,
    TransientError,
    UnknownEngine,
)
from reconcile_assets.resilience.breaker_stores import BreakerStore

T = TypeVar("T")
logger = logging.getLogger(__name__)

DEFAULT = BreakerPolicy()
# Trouble of a statement or between transactions: the server that tells of it is up.
_OF_A_STATEMENT = (SerializationConflict, StatementTimeout)
# Raised before the dependency is reached: they tell nothing of it.
_OF_OURS = (ConfigurationError, UnknownEngine)


class CircuitBreaker:
    """The breaker of one dependency.

    Args:
        name: of the dependency, the same in every process that shares the store.
        store: where its state is kept.
        draw: the jitter of a cool-down between two bounds; for tests.
    """

    def __init__(
        self,
        name: str,
        store: BreakerStore,
        policy: BreakerPolicy = DEFAULT,
        *,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.name = name
        self._store = store
        self._policy = policy
        self._draw = draw

    def call(self, function: Callable[[], T]) -> T:
        """Call, unless the breaker is open.

        Raises:
            CircuitOpen: at once, without a call; it carries the seconds until the next probe may begin.
        """
        with self.guard():
            return function()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """As :meth:`call`, for a body: how it ends tells of the dependency.

        A passing error counts as a failure, unless it is of a statement (deadlock, time limit);
        a permanent one shows that the dependency answers.

        Raises:
            CircuitOpen: at once, without running the body.
        """
        ticket, idle = self._admit()
        try:
            yield
        except TransientError as error:
            if isinstance(error, _OF_A_STATEMENT):
                self._answered(ticket)
            else:
                self._failed(ticket, error)
            raise
        except PermanentError as error:
            if isinstance(error, _OF_OURS):
                self._give_up(ticket)
            else:
                self._answered(ticket)
            raise
        except BaseException:
            self._give_up(ticket)
            raise
        if not idle:
            self._change(lambda record, now: succeed(record, self._policy, now, ticket))

    def fetch(self) -> BreakerRecord:
        """The present state."""
        return self._store.fetch_breaker(self.name)[0]

    def check(self) -> None:
        """Raise where a call would be refused now; takes no lease.

        Raises:
            CircuitOpen
        """
        record, now = self._store.fetch_breaker(self.name)
        left = seconds_to_probe(record, self._policy, now)
        if left > 0:
            raise self._refusal(record, left)

    def reset(self) -> BreakerRecord:
        """Close it by hand."""
        return self._change(reset)

    def _admit(self) -> tuple[Ticket, bool]:
        """The ticket of a call; whether its success needs not be written."""
        record, now = self._store.fetch_breaker(self.name)
        if record.state is BreakerState.CLOSED:
            return Ticket(record.epoch), is_idle(record, self._policy)
        left = seconds_to_probe(record, self._policy, now)
        if left > 0:
            raise self._refusal(record, left)
        taken: list[Ticket | None] = []
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

        def take(found: BreakerRecord, at: datetime) -> BreakerRecord:
            changed, ticket = admit(found, self._policy, at, owner)
            taken[:] = [ticket]
            return changed

        record = self._store.change_breaker(self.name, take)
        ticket = taken[0]
        if ticket is None:
            record, now = self._store.fetch_breaker(self.name)
            raise self._refusal(record, seconds_to_probe(record, self._policy, now))
        if ticket.owner is not None:
            logger.info("breaker %s: one probe is let through", self.name)
        return ticket, False

    def _answered(self, ticket: Ticket) -> None:
        """The dependency is there, though the call failed: this closes after a probe and counts for nothing else."""
        if ticket.owner is not None:
            self._change(lambda record, now: succeed(record, self._policy, now, ticket))

    def _give_up(self, ticket: Ticket) -> None:
        if ticket.owner is not None:
            self._change(lambda record, now: give_up(record, ticket))

    def _failed(self, ticket: Ticket, error: TransientError) -> None:
        self._change(lambda record, now: fail(record, self._policy, now, ticket, reason=str(error), draw=self._draw))

    def _change(self, change: Callable[[BreakerRecord, datetime], BreakerRecord]) -> BreakerRecord:
        before: list[BreakerState] = []

        def remember(record: BreakerRecord, now: datetime) -> BreakerRecord:
            before[:] = [record.state]
            return change(record, now)

        record = self._store.change_breaker(self.name, remember)
        if record.state is not before[0]:
            reason = f": {record.reason}" if record.reason else ""
            logger.warning("breaker %s is %s, was %s%s", self.name, record.state, before[0], reason)
        return record

    def _refusal(self, record: BreakerRecord, left: float) -> CircuitOpen:
        reason = f"; the last failure: {record.reason}" if record.reason else ""
        when = (
            "a probe is under way" if record.state is BreakerState.HALF_OPEN else f"the next probe is in {left:.0f} s"
        )
        return CircuitOpen(
            f"{self.name}: its circuit breaker is {record.state}, {when}{reason}", retry_after=max(left, 0.0)
        )
