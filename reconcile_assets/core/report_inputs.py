"""What a report is built from: plain figures, read elsewhere and handed in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from reconcile_assets.core.changes import Change
from reconcile_assets.core.windows import Every, Partition


def iso_utc(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second, ending in Z; None stays None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class ReportedTable:
    """A table as it is configured, with the partitions that the report covers.

    Attributes:
        name: the asset's name.
        source, target: connection names, never URLs.
        source_relation, target_relation: table names, or ``a query``.
        column: the partition column.
        timezone: the zone whose wall clock the partitions follow.
        checks: the names of the configured checks; verdicts of others are left out.
        cron: when the scheduled reconciliation runs; None when it doesn't.
        gap_checks: those of the checks by which the target is compared with its own source, row by row where
            there is such a check; empty: all.
        configurations: the fingerprint of each check's configuration; a verdict under another one proves nothing.
    """

    name: str
    source: str
    target: str
    source_relation: str
    target_relation: str
    column: str
    by: Every
    timezone: str
    partitions: tuple[Partition, ...]
    checks: tuple[str, ...]
    cron: str | None = None
    gap_checks: tuple[str, ...] = ()
    configurations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChangeFigures:
    """A partition that changed though no batch wrote it, as a verdict has told.

    Attributes:
        seen_at: when a check first saw it; aware.
    """

    table: str
    check: str
    partition: str
    change: Change
    seen_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; keys are only ever added."""
        return {
            "partition": self.partition,
            "check": self.check,
            **self.change.to_dict(),
            "since": iso_utc(self.change.since),
            "seen_at": iso_utc(self.seen_at),
        }


@dataclass(frozen=True)
class TableGaps:
    """What a comparison of both databases said at the time of the report.

    Attributes:
        kinds: by partition key: ``missing``, ``short``, ``extra``, ``stale``, ``different``,
            ``unverified`` (a column could not be compared) or ``matched``.
        unpartitioned_source, unpartitioned_target: rows that stand in no partition: NULL in the
            partition column, or outside every window that has ended; never compared.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    unpartitioned_source: int | None = None
    unpartitioned_target: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchFigures:
    """One committed write of one partition, from the target's own ledger."""

    table: str
    partition: str
    rows_read: int
    rows_deleted: int
    rows_inserted: int
    committed_at: datetime | None = None
    attempts: int = 1


@dataclass(frozen=True)
class DeliveryFigures:
    """How one alert fared at one destination; ``delivered_at`` is None until it arrived."""

    destination: str
    delivered_at: datetime | None
    tries: int = 0


@dataclass(frozen=True)
class AlertFigures:
    """One alert of the outbox.

    Attributes:
        kind: ``failed`` or ``recovered``.
        partitions: how many partitions it tells of.
        created_at: when the verdict was recorded; aware.
        settled: no destination is still to get it.
    """

    alert_id: str
    table: str
    check: str
    kind: str
    severity: str
    partitions: int
    created_at: datetime
    deliveries: tuple[DeliveryFigures, ...] = ()
    settled: bool = False

    @property
    def seconds_to_delivery(self) -> float | None:
        """Seconds from the verdict until the last destination that has it had it; None before any."""
        times = [delivery.delivered_at for delivery in self.deliveries if delivery.delivered_at is not None]
        return max(0.0, (max(times) - self.created_at).total_seconds()) if times else None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; keys are only ever added."""
        return {
            "id": self.alert_id,
            "table": self.table,
            "check": self.check,
            "kind": self.kind,
            "severity": self.severity,
            "partitions": self.partitions,
            "created_at": iso_utc(self.created_at),
            "settled": self.settled,
            "seconds_to_delivery": self.seconds_to_delivery,
            "destinations": {item.destination: iso_utc(item.delivered_at) for item in self.deliveries},
        }


@dataclass(frozen=True)
class SetAsideFigures:
    """A copy of an earlier audit chain of a target, kept under another name since the target was made anew."""

    name: str
    chain_id: str
    entries: int
    at: datetime
    by: str
    reason: str

    @property
    def sentence(self) -> str:
        """What was set aside, when, by whom and why."""
        entries = "1 entry" if self.entries == 1 else f"{self.entries:,} entries"
        return f"a copy of {entries} was set aside as {self.name!r} at {iso_utc(self.at)} by {self.by}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; keys are only ever added."""
        return asdict(self) | {"at": iso_utc(self.at)}


@dataclass(frozen=True)
class AuditFigures:
    """Whether one target's audit chain verifies.

    Attributes:
        ok: None when it could not be read; the reason says why.
        first_bad: sequence number of the first entry that does not verify.
        batches: committed batches; equal to the entries in a whole chain.
        copied: entries of the copy that is kept outside the target; None when there is none.
        set_aside: copies of earlier chains of this target, oldest first.
    """

    target: str
    ok: bool | None
    entries: int = 0
    batches: int = 0
    first_bad: int | None = None
    reason: str | None = None
    copied: int | None = None
    set_aside: tuple[SetAsideFigures, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; keys are only ever added."""
        return asdict(self) | {"set_aside": [each.to_dict() for each in self.set_aside]}


@dataclass(frozen=True)
class ReportPeriod:
    """What was asked for: half-open ``[start, end)`` in ISO form, or one partition; all when empty."""

    start: str | None = None
    end: str | None = None
    partition: str | None = None
