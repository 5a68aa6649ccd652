"""Notices: alerts that are of no table's check, such as a write queue that is full.

They stand in the outbox among the others and are delivered alike. The payload of one has what
`outbox` documents, with no partitions, and beside it ``headline``: the sentence that is told.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reconcile_assets.ledger.schema import iso_instant, ledger_tables
from reconcile_assets.ledger.text import clean_text

_NAMESPACE = uuid.UUID("5f0e3c0a-6a0e-4a57-9d7b-2f6a1d0c7b11")


def insert_notice(
    connection: sa.Connection,
    *,
    subject: str,
    topic: str,
    kind: str,
    severity: str,
    headline: str,
    notes: Sequence[str] = (),
    notice_id: str,
    now: datetime,
) -> str | None:
    """Write a notice in the caller's transaction; returns its alert's id, None where it stood there already.

    Args:
        subject, topic: stand in the places of table and check; routes match them alike.
        kind: ``failed`` or ``recovered``.
        severity: ``ERROR`` or ``WARN``.
        notice_id: the same for the same news; it is told once.
    """
    alerts = ledger_tables(connection.dialect.name).alerts
    alert_id = str(uuid.uuid5(_NAMESPACE, notice_id))
    if connection.execute(sa.select(alerts.c.id).where(alerts.c.alert_id == alert_id)).first() is not None:
        return None
    head = {"alert_id": alert_id, "table": subject, "check": topic, "kind": kind, "severity": severity}
    text = {"headline": clean_text(headline), "notes": [clean_text(note) for note in notes]}
    row: dict[str, Any] = {
        "alert_id": alert_id,
        "table_name": subject,
        "check_name": topic,
        "kind": kind,
        "severity": severity,
        "payload": head | text | _NO_PARTITIONS | {"verdict_at": iso_instant(now)},
        "created_at": now,
    }
    connection.execute(alerts.insert(), [row])
    return alert_id


_NO_PARTITIONS: dict[str, Any] = {
    "partitions": [],
    "partition_count": 0,
    "verdict": None,
    "wording": "notice",
    "mismatched": 0,
    "inconclusive": 0,
    "missing_in_target": None,
    "missing_in_source": None,
    "value_differs": None,
    "run_id": "",
    "backfill_id": None,
    "changes": [],
    "change_count": 0,
}
