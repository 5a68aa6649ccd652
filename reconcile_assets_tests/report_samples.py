"""A report with one of everything: a year of days, differences, gaps, alerts and an audit log."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconcile_assets.core.changes import Change
from reconcile_assets.core.report import Report, build_report
from reconcile_assets.core.report_inputs import (
    AlertFigures,
    AuditFigures,
    BatchFigures,
    ChangeFigures,
    DeliveryFigures,
    ReportedTable,
    SetAsideFigures,
    TableGaps,
)
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Every, PartitionScheme

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def sample_table(
    name: str = "flights", *, by: Every = Every.DAY, checks: tuple[str, ...] = ("row_count", "rows")
) -> ReportedTable:
    scheme = PartitionScheme("time_hour", by, datetime(2013, 1, 1), datetime(2014, 1, 1), "America/New_York")
    return ReportedTable(
        name=name,
        source="source",
        target="target",
        source_relation=f"ops.{name}",
        target_relation=f"warehouse.{name}",
        column="time_hour",
        by=by,
        timezone="America/New_York",
        partitions=scheme.partitions(NOW),
        checks=checks,
        cron="*/15 * * * *",
    )


def sample_verdicts(table: ReportedTable, rows: int = 900) -> Iterator[CheckVerdict]:
    for check in table.checks:
        for number, partition in enumerate(table.partitions):
            count = rows + number % 97 if rows else 0
            yield CheckVerdict(
                table.name,
                check,
                partition.key,
                Verdict.MATCHED,
                source_rows=count,
                target_rows=count,
                evaluated_at=NOW - timedelta(minutes=number % 7),
            )


def damage(verdict: CheckVerdict) -> CheckVerdict:
    """A few days as life leaves them."""
    if verdict.partition == "2013-02-13":
        return replace(verdict, verdict=Verdict.MISMATCHED, target_rows=0, missing_in_target=943)
    if verdict.partition in ("2013-06-20", "2013-06-21") and verdict.check == "rows":
        return replace(verdict, verdict=Verdict.MISMATCHED, value_differs=3)
    if verdict.partition == "2013-09-05":
        return replace(
            verdict,
            verdict=Verdict.INCONCLUSIVE,
            severity="WARN",
            notes=("could not verify: source: the connection was lost; run the check again",),
        )
    if verdict.partition == "2013-12-31":
        return replace(verdict, source_rows=0, target_rows=0, notes=("no rows on either side",))
    return verdict


def sample_report() -> Report:
    flights, weather = sample_table(), sample_table("weather", by=Every.MONTH, checks=("row_count", "rows", "schema"))
    verdicts = [damage(verdict) for verdict in sample_verdicts(flights) if verdict.partition != "2013-11-30"]
    verdicts += list(sample_verdicts(weather))
    batches = [
        BatchFigures(table.name, partition.key, 900, 0, 900, NOW - timedelta(hours=2))
        for table in (flights, weather)
        for partition in table.partitions
    ]
    return build_report(
        [flights, weather],
        verdicts,
        generated_at=NOW,
        batches=batches,
        changes=[
            ChangeFigures(
                "flights", "rows", "2013-06-21", Change(NOW - timedelta(days=2), target=("8f" * 16, "0c" * 16)), NOW
            ),
            ChangeFigures(
                "flights", "rows", "2013-06-20", Change(NOW - timedelta(days=2), ("8f" * 16, "1d" * 16)), NOW
            ),
        ],
        gaps={"flights": TableGaps({"2013-02-13": "missing", "2013-06-20": "different"}, 2, 0, ("one note",))},
        alerts=[sample_alert("recovered", 3, 12.5), sample_alert("failed", 4, None), sample_alert("failed", 12, 4.25)],
        audit=[
            AuditFigures(
                "target",
                ok=True,
                entries=377,
                batches=377,
                set_aside=(SetAsideFigures("target 7f1c", "7f1c", 12, NOW, "anna", "restored from a backup"),),
            ),
            AuditFigures("archive", ok=False, entries=12, batches=13, first_bad=7, reason="entry 7 was changed"),
            AuditFigures("reporting", ok=None, reason="could not verify: reporting: the server refused the connection"),
        ],
    )


def sample_alert(kind: str, partitions: int, seconds: float | None) -> AlertFigures:
    delivered = None if seconds is None else NOW + timedelta(seconds=seconds)
    return AlertFigures(
        alert_id="0f6a6f5e-6a1f-4f57-9df3-6a0f4a3b1c2d",
        table="flights",
        check="rows",
        kind=kind,
        severity="ERROR",
        partitions=partitions,
        created_at=NOW,
        deliveries=(DeliveryFigures("ops", delivered, 1),),
        settled=delivered is not None,
    )
