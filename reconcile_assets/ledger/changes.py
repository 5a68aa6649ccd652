"""What verdicts say of each other over time: what was proved last, and what changed without a batch."""

from collections.abc import Collection

import sqlalchemy as sa

from reconcile_assets.core.changes import Change, Proof
from reconcile_assets.ledger.records import RecordedChange
from reconcile_assets.ledger.schema import ledger_tables

_FEW = 500


def fetch_proofs(
    connection: sa.Connection, *, table: str, checks: Collection[str], partitions: Collection[str]
) -> dict[tuple[str, str], Proof]:
    """What stood on both sides when each check last matched, by check and partition; absent where it never did."""
    state = ledger_tables(connection.dialect.name).verdict_state
    query = sa.select(state.c.check_name, state.c.partition, state.c.proof).where(
        state.c.table_name == table,
        state.c.check_name.in_(sorted(checks)),
        state.c.proof.is_not(None),
        state.c.removed_at.is_(None),
    )
    if len(partitions) <= _FEW:
        query = query.where(state.c.partition.in_(sorted(partitions)))
    wanted = frozenset(partitions)
    return {
        (row.check_name, row.partition): Proof.from_dict(row.proof)
        for row in connection.execute(query)
        if row.partition in wanted
    }


def fetch_changes(connection: sa.Connection, *, tables: Collection[str]) -> tuple[RecordedChange, ...]:
    """Every change that verdicts have told of, the latest first; one that several looks saw is one."""
    history = ledger_tables(connection.dialect.name).verdicts
    key = (history.c.table_name, history.c.check_name, history.c.partition, history.c.change)
    seen_at = sa.func.min(history.c.evaluated_at).label("seen_at")
    query = (
        sa.select(*key, seen_at)
        .where(history.c.table_name.in_(sorted(tables)), history.c.change.is_not(None))
        .group_by(*key)
        .order_by(seen_at.desc(), history.c.table_name, history.c.partition, history.c.check_name)
    )
    return tuple(
        RecordedChange(row.table_name, row.check_name, row.partition, Change.from_dict(row.change), row.seen_at)
        for row in connection.execute(query)
    )
