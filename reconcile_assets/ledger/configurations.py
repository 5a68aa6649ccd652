"""Verdicts whose check has changed or is gone: they no longer say how things stand."""

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.ledger.connection import LedgerDatabase, database_now, lock_transaction
from reconcile_assets.ledger.outbox import insert_removal
from reconcile_assets.ledger.schema import ledger_tables


def fetch_outdated(
    connection: sa.Connection, *, table: str, configurations: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Partitions, by check, whose latest verdict was given under another configuration than the check's own now.

    What could not be verified, and nobody knows under which configuration, is left out: it is as open as before.

    Args:
        configurations: the fingerprint of each configured check, by its name.
    """
    state = ledger_tables(connection.dialect.name).verdict_state
    known = sa.func.coalesce(state.c.configuration, "")
    other = sa.or_(
        sa.false(),
        *(sa.and_(state.c.check_name == check, known != fingerprint) for check, fingerprint in configurations.items()),
    )
    open_ = sa.and_(state.c.configuration.is_(None), state.c.verdict == Verdict.INCONCLUSIVE.value)
    query = (
        sa.select(state.c.check_name, state.c.partition)
        .where(state.c.table_name == table, state.c.removed_at.is_(None), other, ~open_)
        .order_by(state.c.check_name, state.c.partition)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.check_name, []).append(row.partition)
    return {check: tuple(partitions) for check, partitions in found.items()}


def close_removed_checks(
    database: LedgerDatabase, *, table: str, configured: Collection[str], before: datetime
) -> tuple[str, ...]:
    """Close the state of a table's checks that are configured no more, and tell whoever was told that one is bad.

    The history stays, and a check that comes back begins anew.

    Args:
        configured: the names of the table's checks.
        before: aware; a check with a verdict since then belongs to somebody with another configuration, and stays.

    Returns:
        the names of the checks that were closed.
    """
    with database.reading() as connection:
        removed = _find_removed(connection, table, configured, before)
    closed = []
    for check in removed:
        with database.writing() as connection:
            if _close(connection, table, check, before):
                closed.append(check)
    return tuple(closed)


def _find_removed(
    connection: sa.Connection, table: str, configured: Collection[str], before: datetime
) -> tuple[str, ...]:
    state = ledger_tables(connection.dialect.name).verdict_state
    query = (
        sa.select(state.c.check_name)
        .where(state.c.table_name == table, state.c.removed_at.is_(None), state.c.check_name.not_in(sorted(configured)))
        .group_by(state.c.check_name)
        .having(sa.func.max(state.c.recorded_at) < before)
        .order_by(state.c.check_name)
    )
    return tuple(connection.execute(query).scalars())


def _close(connection: sa.Connection, table: str, check: str, before: datetime) -> bool:
    lock_transaction(connection, f"verdicts {table!r} {check!r}")
    state = ledger_tables(connection.dialect.name).verdict_state
    mine = (state.c.table_name == table, state.c.check_name == check, state.c.removed_at.is_(None))
    columns = (state.c.partition, state.c.alerted, state.c.severity, state.c.recorded_at)
    rows = connection.execute(sa.select(*columns).where(*mine).order_by(state.c.partition)).all()
    if not rows or max(row.recorded_at for row in rows) >= before:
        return False  # another process was first, or has given a verdict since
    now = database_now(connection)
    told = [row for row in rows if row.alerted is not None]
    if told:
        severity = "ERROR" if any(row.severity == "ERROR" for row in told) else "WARN"
        partitions = [row.partition for row in told]
        insert_removal(connection, table=table, check=check, severity=severity, partitions=partitions, now=now)
    connection.execute(state.update().where(*mine).values(removed_at=now, alerted=None))
    return True
