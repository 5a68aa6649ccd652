"""What the ledger hands out: frozen values, aware instants in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconcile_assets.core.changes import Change
from reconcile_assets.core.verdicts import CheckVerdict

VerdictKey = tuple[str, str, str]
"""Table, check and partition: what has one latest verdict."""


@dataclass(frozen=True)
class RecordedVerdicts:
    """What recording has changed.

    Attributes:
        changed: where the verdict is another than the latest before, or the first.
        alerts: ids of the alerts written to the outbox in the same transaction.
    """

    changed: frozenset[VerdictKey] = frozenset()
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class LatestVerdict:
    """The latest verdict of one check on one partition.

    Attributes:
        since: when the verdict became what it is; several evaluations may have confirmed it after.
        recorded_at: when the latest evaluation was written down.
    """

    verdict: CheckVerdict
    since: datetime
    recorded_at: datetime
    run_id: str
    backfill_id: str | None = None

    @property
    def key(self) -> VerdictKey:
        """Where the next page of `Ledger.fetch_latest_verdicts` begins after this one."""
        return (self.verdict.table, self.verdict.check, self.verdict.partition)


@dataclass(frozen=True)
class VerdictSummary:
    """How many partitions of one check have which latest verdict."""

    table: str
    check: str
    matched: int
    mismatched: int
    inconclusive: int
    evaluated_at: datetime

    @property
    def total(self) -> int:
        """All partitions that have a verdict."""
        return self.matched + self.mismatched + self.inconclusive


@dataclass(frozen=True)
class RecordedChange:
    """A change of a partition that a verdict has told of.

    Attributes:
        seen_at: when it was first seen.
    """

    table: str
    check: str
    partition: str
    change: Change
    seen_at: datetime


@dataclass(frozen=True)
class SetAside:
    """The copy of an audit chain that belongs to a target that was made anew.

    Attributes:
        target: what it was the copy of.
        name: what it is kept under.
        entries: how many it has.
        by, reason: who set it aside, and why.
        at: aware, UTC.
    """

    target: str
    name: str
    chain_id: str
    entries: int
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Alert:
    """One row of the outbox: what happened to one check of one table.

    Attributes:
        alert_id: stable; a receiver that sees it twice has seen one alert.
        position: rises in the order of writing.
        kind: ``failed`` or ``recovered``.
        severity: ``ERROR`` or ``WARN``.
        payload: what `outbox` documents; no row values.
    """

    alert_id: str
    position: int
    table: str
    check: str
    kind: str
    severity: str
    payload: Mapping[str, object]
    created_at: datetime


@dataclass(frozen=True)
class DueAlert:
    """An alert claimed for one destination.

    Attributes:
        tries: deliveries tried before this one.
        claimed_until: others leave it alone until then.
    """

    alert: Alert
    destination: str
    tries: int
    claimed_until: datetime


@dataclass(frozen=True)
class Delivery:
    """How far one alert is on its way to one destination."""

    alert_id: str
    destination: str
    tries: int
    next_try_at: datetime
    delivered_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One run's work on one table, known to be alive by its heartbeat.

    Attributes:
        step: ``backfill`` or ``reconcile``.
        checks: severity (``ERROR`` or ``WARN``) by the name of the check.
    """

    attempt_id: str
    run_id: str
    step: str
    table: str
    checks: Mapping[str, str] = field(default_factory=dict)
    partitions: tuple[str, ...] = ()
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None


@dataclass(frozen=True)
class Pruned:
    """Rows that pruning removed."""

    verdicts: int
    alerts: int
    attempts: int
