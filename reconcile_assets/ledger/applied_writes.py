"""Which queued writes a target has: what makes a write that is tried again, by whomever, happen once.

The key of a write is put down in the transaction that writes its row. Where a process was killed
between COMMIT and settling, or the reply to COMMIT was lost, the next one finds it here.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from reconcile_assets.errors import ConstraintRefused, SerializationConflict
from reconcile_assets.ledger.connection import database_now, ledger_errors
from reconcile_assets.ledger.schema import ledger_tables


def claim_writes(connection: sa.Connection, keys: Sequence[str], *, label: str) -> frozenset[str]:
    """Put these writes down as applied, in the caller's transaction; returns those that were so already.

    Those are not to be applied again. One that another transaction is just applying is waited for.

    Args:
        keys: idempotency keys, each once.
        label: what messages call the target.

    Raises:
        SerializationConflict: another transaction has applied some of them meanwhile: try again.
        ReconcileAssetsError: the target failed.
    """
    table = ledger_tables(connection.dialect.name).applied_writes
    with ledger_errors(label):
        # Where another transaction has put one down and not committed yet, MySQL waits here, PostgreSQL below.
        query = sa.select(table.c.idempotency_key).where(table.c.idempotency_key.in_(keys)).with_for_update()
        known = frozenset(connection.execute(query).scalars())
        now = database_now(connection)
        rows = [{"idempotency_key": key, "applied_at": now} for key in keys if key not in known]
        if rows:
            _insert(connection, table, rows, label)
    return known


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, object]], label: str) -> None:
    try:
        with ledger_errors(label):
            connection.execute(table.insert(), rows)
    except ConstraintRefused:
        raise SerializationConflict(f"{label}: another process has applied the same writes meanwhile") from None
