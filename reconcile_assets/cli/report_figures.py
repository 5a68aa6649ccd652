"""Gather what a report is built from: the configuration, the ledger, and each target's own ledger.

The two databases' rows are read only when the report is asked to compare them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reconcile_assets.alerts.routes import find_destinations
from reconcile_assets.configuration.fingerprint import check_fingerprints
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.core.report import Report, build_report
from reconcile_assets.core.report_inputs import (
    AlertFigures,
    AuditFigures,
    BatchFigures,
    ChangeFigures,
    DeliveryFigures,
    ReportedTable,
    ReportPeriod,
    SetAsideFigures,
    TableGaps,
)
from reconcile_assets.core.windows import Partition
from reconcile_assets.engine.connections import Connections
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import Alert, Delivery, Ledger, iterate_audit_entries

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PAGE = 500

Selection = Sequence[tuple[TableConfig, tuple[Partition, ...]]]


def collect_report(
    selection: Selection,
    *,
    connections: Connections,
    now: datetime,
    period: ReportPeriod | None = None,
    compare: bool = False,
) -> Report:
    """Build the report on these partitions.

    A target that does not answer leaves its audit log "could not verify"; the report says so.

    Args:
        selection: tables with the partitions to report on.
        now: aware.
        period: what was asked for, as it is shown.
        compare: also compare both databases now, for the kinds of the gaps.

    Raises:
        ReconcileAssetsError: the ledger cannot be read, or the comparison that was asked for failed.
    """
    config, ledger = connections.config, connections.ledger()
    names = [table.name for table, _ in selection]
    audit, batches = read_targets(connections, dict.fromkeys(config.target_of(table) for table, _ in selection))
    return build_report(
        [_reported(config, table, partitions) for table, partitions in selection],
        (latest.verdict for latest in ledger.iterate_latest_verdicts(names)),
        generated_at=now,
        period=period,
        batches=batches,
        gaps=_compare(selection, connections) if compare else None,
        changes=(
            ChangeFigures(each.table, each.check, each.partition, each.change, each.seen_at)
            for each in ledger.fetch_changes(names)
        ),
        alerts=read_alerts(ledger, config, tables=names),
        audit=audit,
    )


def read_targets(
    connections: Connections, targets: Iterable[str]
) -> tuple[tuple[AuditFigures, ...], list[BatchFigures]]:
    """Verify each target's audit chain and read the writes that it tells of."""
    figures: list[AuditFigures] = []
    batches: list[BatchFigures] = []
    for target in targets:
        found = verify_audit(connections, target)
        if found.entries:
            try:
                with connections.database(target).session() as session:
                    batches.extend(list(_read_batches(session.sqlalchemy())))
            except ReconcileAssetsError as error:
                found = replace(found, ok=None, reason=f"could not verify: {error}")
        figures.append(found)
    return tuple(figures), batches


def verify_audit(connections: Connections, target: str) -> AuditFigures:
    """Verify one target's audit chain; what could not be read is ``ok=None`` with the reason.

    Raises:
        ReconcileAssetsError: the project's own ledger, with the copy, cannot be opened.
    """
    ledger = connections.ledger()
    try:
        with connections.database(target).session() as session:
            found = ledger.verify_audit(target, session.sqlalchemy())
    except ReconcileAssetsError as error:
        return AuditFigures(
            target, ok=None, reason=f"could not verify: {error}", set_aside=set_aside_figures(ledger, target)
        )
    return AuditFigures(
        target,
        ok=found.ok,
        entries=found.entries,
        batches=found.batches or 0,
        first_bad=found.first_bad,
        reason=found.reason,
        copied=found.copied,
        set_aside=set_aside_figures(ledger, target),
    )


def set_aside_figures(ledger: Ledger, target: str) -> tuple[SetAsideFigures, ...]:
    """The copies of earlier chains of a target, oldest first."""
    return tuple(
        SetAsideFigures(each.name, each.chain_id, each.entries, each.at, each.by, each.reason)
        for each in ledger.fetch_set_aside_copies(target)
    )


def _reported(config: Config, table: TableConfig, partitions: tuple[Partition, ...]) -> ReportedTable:
    return ReportedTable(
        name=table.name,
        source=config.source_of(table),
        target=config.target_of(table),
        source_relation=table.source_table or "a query",
        target_relation=table.target_table,
        column=table.partition.column,
        by=table.partition.by,
        timezone=table.partition.timezone,
        partitions=partitions,
        checks=tuple(check.check_name for check in table.checks),
        cron=table.reconcile.cron,
        gap_checks=_gap_checks(table),
        configurations=check_fingerprints(config, table),
    )


def _gap_checks(table: TableConfig) -> tuple[str, ...]:
    """Checks that tell whether the target equals its own source: of rows where there is one, else all of them."""
    own = [check for check in table.checks if check.against is None]
    rows = [check for check in own if check.type == "rows"]
    return tuple(check.check_name for check in rows or own)


def _read_batches(connection: "Connection") -> Iterator[BatchFigures]:
    for entry in iterate_audit_entries(connection):
        yield BatchFigures(
            table=entry.table,
            partition=entry.partition,
            rows_read=entry.rows_read,
            rows_deleted=entry.rows_deleted,
            rows_inserted=entry.rows_inserted,
            committed_at=entry.recorded_at,
            attempts=entry.attempts,
        )


def read_alerts(ledger: Ledger, config: Config, *, tables: Sequence[str] | None = None) -> list[AlertFigures]:
    """The outbox, newest first, with how far each alert has come; of these tables only when given."""
    found: list[AlertFigures] = []
    after = 0
    while page := ledger.fetch_alerts(after=after, limit=_PAGE):
        after = page[-1].position
        mine = [alert for alert in page if tables is None or alert.table in tables]
        deliveries: dict[str, list[Delivery]] = {alert.alert_id: [] for alert in mine}
        for delivery in ledger.fetch_deliveries(list(deliveries)):
            deliveries[delivery.alert_id].append(delivery)
        found.extend(_alert_figures(alert, deliveries[alert.alert_id], config) for alert in mine)
    return found[::-1]


def _alert_figures(alert: Alert, deliveries: Sequence[Delivery], config: Config) -> AlertFigures:
    unwanted = bool(config.alerts.destinations) and not find_destinations(config.alerts, alert)
    partitions = alert.payload["partition_count"]
    return AlertFigures(
        alert_id=alert.alert_id,
        table=alert.table,
        check=alert.check,
        kind=alert.kind,
        severity=alert.severity,
        partitions=partitions if isinstance(partitions, int) else 0,
        created_at=alert.created_at,
        deliveries=tuple(DeliveryFigures(each.destination, each.delivered_at, each.tries) for each in deliveries),
        settled=all(each.delivered_at is not None for each in deliveries) if deliveries else unwanted,
    )


def _compare(selection: Selection, connections: Connections) -> Mapping[str, TableGaps]:
    from reconcile_assets.engine.gaps import find_gaps  # only --compare needs it

    gaps: dict[str, TableGaps] = {}
    for table, partitions in selection:
        found = find_gaps(table, partitions, connections=connections)
        gaps[table.name] = TableGaps(
            kinds={state.key: state.kind.value for state in found.partitions},
            unpartitioned_source=found.unpartitioned_source,
            unpartitioned_target=found.unpartitioned_target,
            notes=tuple(found.notes),
        )
    return gaps
