"""The states of a circuit breaker and what moves it between them: pure, every clock and chance given.

::

    closed ──(failures reach the threshold)──▶ open ──(cool-down over: one call takes the lease)──▶ half-open
       ▲                                        ▲                                                    │   │
       │                                        └──────────(the probe fails: cool-down grows)────────┘   │
       └───────────────────────────(the probe succeeds)──────────────────────────────────────────────────┘

Each opening has a number, its ``epoch``. A call remembers the epoch in which it began; what it
reports in a later one is ignored, so that a slow call begun before the opening can't close it.
After the pattern of M. Nygard, "Release It!" (2007).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class BreakerState(StrEnum):
    """Calls pass; calls are refused; one call is let through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class BreakerPolicy:
    """When a breaker opens, and for how long.

    Attributes:
        failures: consecutive passing failures that open it.
        rate: in place of a run of failures also this share of failed calls in ``window`` opens it; None: never.
        window: seconds in which calls are counted for the rate.
        least_calls: calls in the window below which the rate says nothing.
        cooldown: seconds that it stays open at first.
        growth: factor by which a failed probe lengthens the next cool-down.
        longest: seconds; cap of the cool-down.
        jitter: a cool-down is lengthened by a chance share of up to this.
        lease: seconds after which a probe that gave no answer is taken for dead.
    """

    failures: int = 5
    rate: float | None = None
    window: float = 60.0
    least_calls: int = 10
    cooldown: float = 30.0
    growth: float = 2.0
    longest: float = 600.0
    jitter: float = 0.2
    lease: float = 60.0

    def __post_init__(self) -> None:
        if self.failures < 1:
            raise ValueError(f"failures is 1 or more, not {self.failures}")
        if self.rate is not None and not 0 < self.rate <= 1:
            raise ValueError(f"rate is above 0 and at most 1, not {self.rate}")
        if not (self.cooldown > 0 and self.longest >= self.cooldown and self.growth >= 1 and self.lease > 0):
            raise ValueError(
                "a cool-down and a lease are above 0 s, a growth is at least 1, and longest no less than them"
            )


@dataclass(frozen=True)
class BreakerRecord:
    """What is kept of a breaker, shared by all who call the same dependency.

    Attributes:
        since: when it came into its state; aware, UTC; None while it never left closed.
        failures: passing failures in a row.
        epoch: how often it has opened.
        cooldown: seconds of the present one, before jitter.
        probe_at: when the next probe may begin.
        owner, lease_until: who probes, and until when that counts.
        window_start, window_calls, window_failures: for a rate.
        reason: the last failure, without values.
    """

    name: str
    state: BreakerState = BreakerState.CLOSED
    since: datetime | None = None
    failures: int = 0
    epoch: int = 0
    cooldown: float = 0.0
    probe_at: datetime | None = None
    owner: str | None = None
    lease_until: datetime | None = None
    window_start: datetime | None = None
    window_calls: int = 0
    window_failures: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Ticket:
    """A call that was let through.

    Attributes:
        epoch: in which it began.
        owner: set for the one probe.
    """

    epoch: int
    owner: str | None = None


def is_idle(record: BreakerRecord, policy: BreakerPolicy) -> bool:
    """Whether a call that begins and succeeds leaves the record as it is: nothing needs to be written."""
    return record.state is BreakerState.CLOSED and record.failures == 0 and policy.rate is None


def seconds_to_probe(record: BreakerRecord, policy: BreakerPolicy, now: datetime) -> float:
    """Seconds until a call may be let through: 0 when one may, now.

    A wait that no policy can have made is a clock that was set back: it has passed.
    """
    if record.state is BreakerState.CLOSED:
        return 0.0
    until = record.lease_until if record.state is BreakerState.HALF_OPEN else record.probe_at
    bound = policy.lease if record.state is BreakerState.HALF_OPEN else policy.longest * (1 + policy.jitter)
    left = (until - now).total_seconds() if until is not None else 0.0
    return left if 0 < left <= bound else 0.0


def admit(
    record: BreakerRecord, policy: BreakerPolicy, now: datetime, owner: str
) -> tuple[BreakerRecord, Ticket | None]:
    """Let a call begin, or refuse it (None); the first after the cool-down becomes the only probe."""
    if record.state is BreakerState.CLOSED:
        return record, Ticket(record.epoch)
    if seconds_to_probe(record, policy, now) > 0:
        return record, None
    since = record.since if record.state is BreakerState.HALF_OPEN else now
    probing = replace(
        record,
        state=BreakerState.HALF_OPEN,
        since=since,
        owner=owner,
        lease_until=now + timedelta(seconds=policy.lease),
    )
    return probing, Ticket(record.epoch, owner)


def succeed(record: BreakerRecord, policy: BreakerPolicy, now: datetime, ticket: Ticket) -> BreakerRecord:
    """A call came back well."""
    if ticket.epoch != record.epoch:
        return record
    if record.state is BreakerState.CLOSED:
        return _counted(replace(record, failures=0), policy, now, failed=False)
    if not _holds_lease(record, ticket):
        return record
    return BreakerRecord(record.name, since=now, epoch=record.epoch)


def fail(
    record: BreakerRecord,
    policy: BreakerPolicy,
    now: datetime,
    ticket: Ticket,
    *,
    reason: str,
    draw: Callable[[float, float], float],
) -> BreakerRecord:
    """A call failed in a way that may pass."""
    if ticket.epoch != record.epoch:
        return record
    if record.state is BreakerState.CLOSED:
        counted = _counted(replace(record, failures=record.failures + 1, reason=reason), policy, now, failed=True)
        if counted.failures >= policy.failures or _is_over_rate(counted, policy):
            return _opened(counted, policy, now, policy.cooldown, draw)
        return counted
    if not _holds_lease(record, ticket):
        return record
    grown = min(policy.longest, record.cooldown * policy.growth)
    return _opened(replace(record, failures=record.failures + 1, reason=reason), policy, now, grown, draw)


def give_up(record: BreakerRecord, ticket: Ticket) -> BreakerRecord:
    """A probe ended without telling anything of the dependency: the next call may probe."""
    return replace(record, owner=None, lease_until=None) if _holds_lease(record, ticket) else record


def reset(record: BreakerRecord, now: datetime) -> BreakerRecord:
    """Closed by a person; calls under way count no longer."""
    return BreakerRecord(record.name, since=now, epoch=record.epoch + 1)


def _holds_lease(record: BreakerRecord, ticket: Ticket) -> bool:
    return (
        record.state is BreakerState.HALF_OPEN
        and ticket.epoch == record.epoch
        and ticket.owner is not None
        and ticket.owner == record.owner
    )


def _opened(
    record: BreakerRecord,
    policy: BreakerPolicy,
    now: datetime,
    cooldown: float,
    draw: Callable[[float, float], float],
) -> BreakerRecord:
    return BreakerRecord(
        record.name,
        state=BreakerState.OPEN,
        since=now,
        failures=record.failures,
        epoch=record.epoch + 1,
        cooldown=cooldown,
        probe_at=now + timedelta(seconds=cooldown * (1 + draw(0.0, policy.jitter))),
        reason=record.reason,
    )


def _counted(record: BreakerRecord, policy: BreakerPolicy, now: datetime, *, failed: bool) -> BreakerRecord:
    if policy.rate is None:
        return record
    start = record.window_start
    age = (now - start).total_seconds() if start is not None else -1.0
    if not 0 <= age < policy.window:
        return replace(record, window_start=now, window_calls=1, window_failures=int(failed))
    return replace(record, window_calls=record.window_calls + 1, window_failures=record.window_failures + int(failed))


def _is_over_rate(record: BreakerRecord, policy: BreakerPolicy) -> bool:
    if policy.rate is None or record.window_calls < policy.least_calls:
        return False
    return record.window_failures / record.window_calls >= policy.rate
