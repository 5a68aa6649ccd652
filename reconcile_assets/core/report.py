"""The report that is shown to someone who must trust the copy: figures in, a frozen result out.

It is built from the ledger alone, so that it can be written while both databases are down, and
it holds names and counts only: no row values, no addresses. ``Report.to_dict`` is the JSON form,
whose keys are stable; ``report_html`` renders the same result as one HTML file.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconcile_assets.core.calendar_grid import PartitionStatus
from reconcile_assets.core.report_inputs import (
    AlertFigures,
    AuditFigures,
    BatchFigures,
    ChangeFigures,
    ReportedTable,
    ReportPeriod,
    TableGaps,
    iso_utc,
)
from reconcile_assets.core.report_tables import TableReport, build_table_report, reason_of
from reconcile_assets.core.verdicts import CheckVerdict, Verdict, worst_verdict

LISTED = 200
"""How many verdicts and alerts a report lists one by one; all are counted."""

DIGEST_BITS = 64


@dataclass(frozen=True)
class AlertSummary:
    """The alerts, and how long they took from verdict to delivery, in seconds."""

    alerts: tuple[AlertFigures, ...]

    @property
    def delivered(self) -> int:
        """Alerts that at least one destination has and none is still to get."""
        return sum(1 for alert in self.alerts if alert.settled and alert.seconds_to_delivery is not None)

    @property
    def pending(self) -> int:
        """Alerts that a destination is still to get, also for want of a destination."""
        return sum(1 for alert in self.alerts if not alert.settled)

    @property
    def unrouted(self) -> int:
        """Alerts that no route wanted."""
        return sum(1 for alert in self.alerts if alert.settled and alert.seconds_to_delivery is None)

    @property
    def seconds(self) -> tuple[float, ...]:
        """Seconds to delivery, rising."""
        return tuple(sorted(found for alert in self.alerts if (found := alert.seconds_to_delivery) is not None))

    def latency(self) -> dict[str, float | None]:
        """Median, 95th percentile (nearest rank) and worst, in seconds; None before any delivery."""
        seconds = self.seconds
        if not seconds:
            return {"median": None, "p95": None, "worst": None}
        p95 = seconds[-(-95 * len(seconds) // 100) - 1]
        figures = {"median": statistics.median(seconds), "p95": p95, "worst": seconds[-1]}
        return {name: round(value, 3) for name, value in figures.items()}


@dataclass(frozen=True)
class Report:
    """The whole report.

    Attributes:
        generated_at: aware, UTC.
        digest_bits: the width of the digest that set checksums sum up.
    """

    generated_at: datetime
    period: ReportPeriod
    tables: tuple[TableReport, ...]
    alerts: AlertSummary
    audit: tuple[AuditFigures, ...]
    digest_bits: int = DIGEST_BITS

    @property
    def verdict(self) -> Verdict:
        """Over all tables and audit chains; a chain that fails is a proven difference."""
        found = [table.verdict for table in self.tables]
        if any(chain.ok is False for chain in self.audit):
            found.append(Verdict.MISMATCHED)
        if any(chain.ok is None for chain in self.audit):
            found.append(Verdict.INCONCLUSIVE)
        return worst_verdict(found if self.tables else [])

    @property
    def exit_code(self) -> int:
        """0 all proved equal, 1 something is proved wrong, 2 something could not be verified."""
        return {Verdict.MATCHED: 0, Verdict.MISMATCHED: 1, Verdict.INCONCLUSIVE: 2}[self.verdict]

    def partitions(self, status: PartitionStatus) -> int:
        """How many partitions of all tables have this status."""
        return sum(table.count(status) for table in self.tables)

    @property
    def total_partitions(self) -> int:
        """How many partitions the report covers."""
        return sum(len(table.statuses) for table in self.tables)

    @property
    def verdicts(self) -> int:
        """Latest verdicts over all partitions and checks."""
        return sum(table.verdicts for table in self.tables)

    @property
    def success_rate(self) -> float | None:
        """Matched among the latest verdicts, 0 to 1; inconclusive counts against it; None without any."""
        return sum(table.matched_verdicts for table in self.tables) / self.verdicts if self.verdicts else None

    @property
    def gaps_found(self) -> int:
        """Partitions that were backfilled or are open now."""
        return sum(table.gaps.found for table in self.tables)

    @property
    def gaps_filled(self) -> int:
        """Those of them that are proved equal now."""
        return sum(table.gaps.filled for table in self.tables)

    @property
    def collision_bound(self) -> float:
        """Chance that any of the verdicts took different sets for equal, were the digest random.

        The union bound: one comparison of two different sets of rows passes by chance with a
        probability of at most 2 to the power of minus the digest's width.
        """
        return self.verdicts / 2.0**self.digest_bits

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; keys are only ever added."""
        return {
            "report": "reconcile_assets",
            "version": 1,
            "generated_at": iso_utc(self.generated_at),
            "period": {"from": self.period.start, "to": self.period.end, "partition": self.period.partition},
            "verdict": self.verdict.value,
            "summary": self._summary(),
            "tables": [_table_dict(table) for table in self.tables],
            "alerts": _alerts_dict(self.alerts),
            "audit": [chain.to_dict() for chain in self.audit],
            "digest": {"bits": self.digest_bits, "comparisons": self.verdicts, "collision_bound": self.collision_bound},
        }

    def _summary(self) -> dict[str, Any]:
        return {
            "tables": len(self.tables),
            "partitions": {
                "total": self.total_partitions,
                **{status.value: self.partitions(status) for status in PartitionStatus},
                "empty": sum(len(table.empty) for table in self.tables),
            },
            "verdicts": {
                "total": self.verdicts,
                "matched": sum(table.matched_verdicts for table in self.tables),
            },
            "success_rate": self.success_rate,
            "gaps": {
                "found": self.gaps_found,
                "filled": self.gaps_filled,
                "filled_rate": self.gaps_filled / self.gaps_found if self.gaps_found else None,
            },
        }


def build_report(
    tables: Sequence[ReportedTable],
    verdicts: Iterable[CheckVerdict],
    *,
    generated_at: datetime,
    period: ReportPeriod | None = None,
    batches: Iterable[BatchFigures] = (),
    gaps: Mapping[str, TableGaps] | None = None,
    changes: Iterable[ChangeFigures] = (),
    alerts: Iterable[AlertFigures] = (),
    audit: Iterable[AuditFigures] = (),
    digest_bits: int = DIGEST_BITS,
) -> Report:
    """Build the report.

    Args:
        tables: configured tables with the partitions to report on.
        verdicts: the latest verdict of each table, check and partition, in any order.
        generated_at: aware.
        batches: committed writes, of any table.
        gaps: by table name, when both databases were compared for this report.
        changes: partitions of any table that changed though no batch wrote them, the latest first.
        alerts: newest first.

    Raises:
        ValueError: when ``generated_at`` has no zone.
    """
    if generated_at.tzinfo is None:
        raise ValueError("generated_at needs a time zone")
    by_table: dict[str, list[CheckVerdict]] = {table.name: [] for table in tables}
    for verdict in verdicts:
        if verdict.table in by_table:
            by_table[verdict.table].append(verdict)
    written, changed = tuple(batches), tuple(changes)
    return Report(
        generated_at=generated_at.astimezone(UTC),
        period=period or ReportPeriod(),
        tables=tuple(
            build_table_report(
                table, by_table[table.name], batches=written, gaps=(gaps or {}).get(table.name), changes=changed
            )
            for table in tables
        ),
        alerts=AlertSummary(tuple(alert for alert in alerts if alert.table in by_table)),
        audit=tuple(audit),
        digest_bits=digest_bits,
    )


def _table_dict(report: TableReport) -> dict[str, Any]:
    table = report.table
    return {
        "table": table.name,
        "verdict": report.verdict.value,
        "source": {"connection": table.source, "relation": table.source_relation},
        "target": {"connection": table.target, "relation": table.target_relation},
        "partition": {"column": table.column, "by": table.by.value, "timezone": table.timezone},
        "cron": table.cron,
        "partitions": {
            "total": len(report.statuses),
            **{status.value: report.count(status) for status in PartitionStatus},
            "empty": len(report.empty),
        },
        "success_rate": report.matched_verdicts / report.verdicts if report.verdicts else None,
        "checks": [
            {
                "check": check.check,
                "matched": check.matched,
                "mismatched": check.mismatched,
                "inconclusive": check.inconclusive,
                "unverified": check.unverified,
                "configuration_changed": check.outdated,
                "last_evaluated_at": iso_utc(check.last_evaluated_at),
            }
            for check in report.checks
        ],
        "gaps": {
            "found": report.gaps.found,
            "filled": report.gaps.filled,
            "open": report.gaps.open,
            "filled_rate": report.gaps.filled_rate,
            "kinds": dict(report.gaps.kinds),
        },
        "writes": {
            "batches": report.writes.batches,
            "partitions": report.writes.partitions,
            "rows_read": report.writes.rows_read,
            "rows_deleted": report.writes.rows_deleted,
            "rows_inserted": report.writes.rows_inserted,
            "last_committed_at": iso_utc(report.writes.last_committed_at),
        },
        "not_matched_total": len(report.not_matched),
        "not_matched": [_verdict_dict(verdict) for verdict in report.not_matched[:LISTED]],
        "changes_total": len(report.changes),
        "changes": [each.to_dict() for each in report.changes[:LISTED]],
        "unchanged_partitions": report.unchanged,
        "empty_partitions": list(report.empty),
        "unpartitioned": {"source": report.unpartitioned_source, "target": report.unpartitioned_target},
        "notes": list(report.notes),
        "partition_statuses": {key: status.value for key, status in report.statuses.items()},
    }


def _verdict_dict(verdict: CheckVerdict) -> dict[str, Any]:
    return {
        "partition": verdict.partition,
        "check": verdict.check,
        "verdict": verdict.verdict.value,
        "severity": verdict.severity,
        "reason": reason_of(verdict),
        "source_rows": verdict.source_rows,
        "target_rows": verdict.target_rows,
        "missing_in_target": verdict.missing_in_target,
        "missing_in_source": verdict.missing_in_source,
        "value_differs": verdict.value_differs,
        "change": None if verdict.change is None else verdict.change.to_dict(),
        "evaluated_at": iso_utc(verdict.evaluated_at),
    }


def _alerts_dict(summary: AlertSummary) -> dict[str, Any]:
    return {
        "total": len(summary.alerts),
        "delivered": summary.delivered,
        "pending": summary.pending,
        "unrouted": summary.unrouted,
        "seconds_to_delivery": summary.latency(),
        "alerts": [alert.to_dict() for alert in summary.alerts[:LISTED]],
    }
