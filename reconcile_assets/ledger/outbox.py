"""The alert outbox: what happened, and for each destination how far the news has come.

Rows are written in the transaction of the verdicts that cause them. Delivery is at least once:
an alert is claimed for a time, sent, and marked; where the sender dies between sending and
marking, it is sent again with the same id. Each destination has its own row, so that one that
fails holds no other up. A ``recovered`` never overtakes the ``failed`` that it answers.

The payload of an alert: ``alert_id``, ``table``, ``check``, ``kind`` (failed, recovered),
``severity``, ``verdict`` (the worst: mismatched, inconclusive, matched), ``wording`` (mismatched,
could not verify, recovered), ``partitions`` (the first `PARTITIONS_LISTED` keys),
``partition_count``, ``mismatched`` and ``inconclusive`` (partitions), ``missing_in_target``,
``missing_in_source`` and ``value_differs`` (rows summed; null where no check counted them),
``notes``, ``run_id``, ``backfill_id``, ``verdict_at`` (the first evaluation among them, ISO, UTC),
``changes`` (of partitions that changed without a batch, the first `CHANGES_LISTED`: ``partition`` and
what `core.changes.Change` says) and ``change_count``.
A ``recovered`` lists all partitions that were bad since the check was last free of them; its other
figures are of the verdicts that ended the last of them. When the check itself is gone, its
``wording`` is `REMOVED` and it has no figures.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from reconcile_assets.core.verdicts import CheckVerdict, Verdict, worst_verdict
from reconcile_assets.ledger.records import Alert, Delivery, DueAlert
from reconcile_assets.ledger.schema import LedgerTables, iso_instant, ledger_tables
from reconcile_assets.ledger.text import clean_text
from reconcile_assets.ledger.transitions import CheckChange

PAGE = 500
PARTITIONS_LISTED = 1_000
NOTES_LISTED = 20
CHANGES_LISTED = 20
REMOVED = "check removed"
LEASE = timedelta(seconds=60)
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=5)
ERROR_LENGTH = 200

_WORDING = {
    Verdict.MATCHED: "recovered",
    Verdict.MISMATCHED: "mismatched",
    Verdict.INCONCLUSIVE: "could not verify",
}


def backoff_delay(tries: int, random: Callable[[], float]) -> timedelta:
    """How long to wait after a number of failed tries: exponential with full jitter, at most 5 minutes.

    Full jitter after Brooker, "Exponential Backoff And Jitter" (AWS, 2015): a uniform share of
    the whole delay, so that many senders do not come back together.

    Args:
        tries: failed tries so far, from 1.
        random: uniform over [0, 1).
    """
    doublings = min(max(tries, 1) - 1, 30)  # beyond that the longest delay holds anyway
    longest: timedelta = min(LONGEST_DELAY, FIRST_DELAY * (1 << doublings))
    return longest * random()


def insert_alerts(
    connection: sa.Connection,
    changes: Sequence[CheckChange],
    *,
    run_id: str,
    backfill_id: str | None,
    now: datetime,
) -> tuple[str, ...]:
    """Write the alerts of these changes in the caller's transaction; returns their ids."""
    rows = [
        _alert_row(kind, verdicts, partitions, run_id=run_id, backfill_id=backfill_id, now=now)
        for change in changes
        for kind, verdicts, partitions in _news(change)
    ]
    if rows:
        connection.execute(ledger_tables(connection.dialect.name).alerts.insert(), rows)
    return tuple(row["alert_id"] for row in rows)


def insert_removal(
    connection: sa.Connection, *, table: str, check: str, severity: str, partitions: Sequence[str], now: datetime
) -> str:
    """Write that a check that was alerted is configured no more; returns the alert's id."""
    note = "the check was removed from the configuration; its last state is closed"
    ended = CheckVerdict(table, check, partitions[0], Verdict.MATCHED, severity, notes=(note,), evaluated_at=now)
    row = _alert_row("recovered", [ended], partitions, run_id="", backfill_id=None, now=now)
    row["payload"]["wording"] = REMOVED
    connection.execute(ledger_tables(connection.dialect.name).alerts.insert(), [row])
    return str(row["alert_id"])


def route_alerts(
    connection: sa.Connection, *, now: datetime, limit: int, destinations_for: Callable[[Alert], Collection[str]]
) -> int:
    """Work out where alerts that are new have to go; returns how many were new."""
    tables = ledger_tables(connection.dialect.name)
    alerts = tables.alerts
    query = sa.select(alerts).where(alerts.c.routed_at.is_(None)).order_by(alerts.c.id).limit(limit)
    found = [_alert(row) for row in connection.execute(query.with_for_update(skip_locked=True))]
    rows = [
        {"alert_id": alert.alert_id, "destination": name, "tries": 0, "next_try_at": now}
        for alert in found
        for name in sorted(set(destinations_for(alert)))
    ]
    if rows:
        connection.execute(tables.alert_deliveries.insert(), rows)
    if found:
        ids = [alert.position for alert in found]
        connection.execute(alerts.update().where(alerts.c.id.in_(ids)).values(routed_at=now))
    return len(found)


def claim_due(
    connection: sa.Connection, *, destination: str, now: datetime, limit: int, lease: timedelta
) -> tuple[DueAlert, ...]:
    """Claim what is due for one destination, oldest first."""
    tables = ledger_tables(connection.dialect.name)
    due = tables.alert_deliveries
    query = (
        sa.select(due.c.alert_id)
        .join(tables.alerts, tables.alerts.c.alert_id == due.c.alert_id)
        .where(due.c.destination == destination, *_is_due(due, now), ~_is_held_up(tables, now))
        .order_by(tables.alerts.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=due)
    )
    ids = connection.execute(query).scalars().all()
    if not ids:
        return ()
    until = now + lease
    mine = (due.c.destination == destination, due.c.alert_id.in_(ids))
    connection.execute(due.update().where(*mine).values(claimed_until=until))
    rows = connection.execute(
        sa.select(tables.alerts, due.c.tries)
        .join(due, due.c.alert_id == tables.alerts.c.alert_id)
        .where(*mine)
        .order_by(tables.alerts.c.id)
    )
    return tuple(DueAlert(_alert(row), destination, row.tries, until) for row in rows)


def fetch_open_destinations(connection: sa.Connection) -> tuple[str, ...]:
    """Destinations that still have to be told something."""
    due = ledger_tables(connection.dialect.name).alert_deliveries
    query = sa.select(due.c.destination).where(due.c.delivered_at.is_(None)).distinct().order_by(due.c.destination)
    return tuple(connection.execute(query).scalars())


def mark_delivered(connection: sa.Connection, alert_id: str, destination: str, delivered_at: datetime) -> None:
    """Note a delivery; the first one stands when two were made."""
    due = ledger_tables(connection.dialect.name).alert_deliveries
    connection.execute(
        due.update()
        .where(due.c.alert_id == alert_id, due.c.destination == destination, due.c.delivered_at.is_(None))
        .values(delivered_at=delivered_at, tries=due.c.tries + 1, claimed_until=None, last_error=None)
    )


def mark_failed(
    connection: sa.Connection,
    alert_id: str,
    destination: str,
    *,
    error: str,
    now: datetime,
    next_try_at: datetime | None,
    random: Callable[[], float],
) -> None:
    """Note a delivery that failed and when to try again; a delivery that was made stands."""
    due = ledger_tables(connection.dialect.name).alert_deliveries
    mine = (due.c.alert_id == alert_id, due.c.destination == destination, due.c.delivered_at.is_(None))
    tries = connection.execute(sa.select(due.c.tries).where(*mine).with_for_update()).scalar_one_or_none()
    if tries is None:
        return
    when = next_try_at or now + backoff_delay(tries + 1, random)
    text = clean_text(error)[:ERROR_LENGTH]
    connection.execute(
        due.update().where(*mine).values(tries=tries + 1, next_try_at=when, claimed_until=None, last_error=text)
    )


def fetch_alerts(connection: sa.Connection, *, after: int, limit: int) -> tuple[Alert, ...]:
    """A page of the outbox in the order of writing, after a position."""
    alerts = ledger_tables(connection.dialect.name).alerts
    query = sa.select(alerts).where(alerts.c.id > after).order_by(alerts.c.id).limit(limit)
    return tuple(_alert(row) for row in connection.execute(query))


def fetch_deliveries(connection: sa.Connection, alert_ids: Collection[str]) -> tuple[Delivery, ...]:
    """How far these alerts have come, by alert and destination."""
    due = ledger_tables(connection.dialect.name).alert_deliveries
    query = sa.select(due).where(due.c.alert_id.in_(sorted(alert_ids))).order_by(due.c.alert_id, due.c.destination)
    return tuple(
        Delivery(row.alert_id, row.destination, row.tries, row.next_try_at, row.delivered_at, row.last_error)
        for row in connection.execute(query)
    )


def _is_due(due: sa.Table, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        due.c.delivered_at.is_(None),
        due.c.next_try_at <= now,
        sa.or_(due.c.claimed_until.is_(None), due.c.claimed_until <= now),
    )


def _is_held_up(tables: LedgerTables, now: datetime) -> sa.ColumnElement[bool]:
    """An earlier alert of the same check has yet to reach the same destination, and is not due now."""
    alerts, due = tables.alerts, tables.alert_deliveries
    earlier, waiting = alerts.alias("earlier"), due.alias("waiting")
    return (
        sa.exists()
        .where(
            waiting.c.destination == due.c.destination,
            waiting.c.delivered_at.is_(None),
            sa.or_(waiting.c.next_try_at > now, waiting.c.claimed_until > now),
            earlier.c.alert_id == waiting.c.alert_id,
            earlier.c.table_name == alerts.c.table_name,
            earlier.c.check_name == alerts.c.check_name,
            earlier.c.id < alerts.c.id,
        )
        .correlate(alerts, due)
    )


def _news(change: CheckChange) -> Iterator[tuple[str, Sequence[CheckVerdict], Sequence[str]]]:
    """Kind, verdicts and partitions of each alert that a change asks for."""
    if change.newly_bad:
        yield "failed", change.newly_bad, [verdict.partition for verdict in change.newly_bad]
    if change.recovered:
        keys = set(change.recovered)
        ended = [latest.verdict for latest in change.latest if latest.verdict.partition in keys]
        yield "recovered", ended, change.recovered


def _alert_row(
    kind: str,
    verdicts: Sequence[CheckVerdict],
    partitions: Sequence[str],
    *,
    run_id: str,
    backfill_id: str | None,
    now: datetime,
) -> dict[str, Any]:
    alert_id = str(uuid.uuid4())
    first = verdicts[0]
    severity = "ERROR" if any(verdict.severity == "ERROR" for verdict in verdicts) else first.severity
    summary = {"alert_id": alert_id, "table": first.table, "check": first.check, "kind": kind, "severity": severity}
    listed = {"partitions": list(partitions[:PARTITIONS_LISTED]), "partition_count": len(partitions)}
    run = {"run_id": run_id, "backfill_id": backfill_id}
    return {
        "alert_id": alert_id,
        "table_name": first.table,
        "check_name": first.check,
        "kind": kind,
        "severity": severity,
        "payload": summary | listed | _found(verdicts, now) | run,
        "created_at": now,
    }


def _found(verdicts: Sequence[CheckVerdict], now: datetime) -> dict[str, Any]:
    worst = worst_verdict(verdict.verdict for verdict in verdicts)
    counted = [verdict for verdict in verdicts if verdict.source_rows is not None and verdict.target_rows is not None]
    told = {each.partition: each.change for each in verdicts if each.change is not None}
    changes = [{"partition": partition, **change.to_dict()} for partition, change in sorted(told.items())]
    sentences = {change.sentence for change in told.values()}  # told with their partitions
    notes = dict.fromkeys(clean_text(note) for verdict in verdicts for note in verdict.notes if note not in sentences)
    return {
        "verdict": worst.value,
        "wording": _WORDING[worst],
        "mismatched": sum(verdict.verdict is Verdict.MISMATCHED for verdict in verdicts),
        "inconclusive": sum(verdict.verdict is Verdict.INCONCLUSIVE for verdict in verdicts),
        "missing_in_target": _sum(verdict.missing_in_target for verdict in verdicts),
        "missing_in_source": _sum(verdict.missing_in_source for verdict in verdicts),
        "value_differs": _sum(verdict.value_differs for verdict in verdicts),
        "source_rows": _sum(verdict.source_rows for verdict in counted),
        "target_rows": _sum(verdict.target_rows for verdict in counted),
        "notes": list(notes)[:NOTES_LISTED],
        "verdict_at": iso_instant(min(verdict.evaluated_at or now for verdict in verdicts)),
        "changes": changes[:CHANGES_LISTED],
        "change_count": len(changes),
    }


def _sum(counts: Any) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _alert(row: Any) -> Alert:
    return Alert(
        alert_id=row.alert_id,
        position=row.id,
        table=row.table_name,
        check=row.check_name,
        kind=row.kind,
        severity=row.severity,
        payload=row.payload,
        created_at=row.created_at,
    )
