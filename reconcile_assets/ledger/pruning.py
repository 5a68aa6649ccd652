"""Pruning: what grows without bound is cut by age; what still matters never is."""

from datetime import datetime

import sqlalchemy as sa

from reconcile_assets.ledger.records import Pruned
from reconcile_assets.ledger.schema import ledger_tables


def prune(connection: sa.Connection, before: datetime) -> Pruned:
    """Remove verdict history, alerts delivered everywhere and ended attempts older than an instant.

    The latest verdicts stand in a table of their own and stay, as do alerts not yet routed or
    not yet delivered to each of their destinations.
    """
    tables = ledger_tables(connection.dialect.name)
    history, alerts, due, attempts = tables.verdicts, tables.alerts, tables.alert_deliveries, tables.attempts
    waiting = sa.exists().where(due.c.alert_id == alerts.c.alert_id, due.c.delivered_at.is_(None))
    ended = sa.or_(attempts.c.finished_at < before, attempts.c.buried_at < before)
    return Pruned(
        verdicts=connection.execute(history.delete().where(history.c.recorded_at < before)).rowcount,
        alerts=connection.execute(
            alerts.delete().where(alerts.c.created_at < before, alerts.c.routed_at.is_not(None), ~waiting)
        ).rowcount,
        attempts=connection.execute(attempts.delete().where(ended)).rowcount,
    )
