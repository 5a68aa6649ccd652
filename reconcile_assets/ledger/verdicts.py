"""Verdicts: an append-only history, the latest state, and the outbox rows of each change in one transaction.

An alert must neither be lost (so its row commits with the verdict that causes it) nor repeat
(so runs that record the same check at the same time go one after the other, and only a change
is an alert). A partition is newly bad when it was not known or matched before, or when it is
now proved different after it only could not be verified; being still bad is no news.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reconcile_assets.core.changes import Change, Proof
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger.connection import database_now, lock_transaction
from reconcile_assets.ledger.outbox import insert_alerts
from reconcile_assets.ledger.records import LatestVerdict, RecordedVerdicts, VerdictKey, VerdictSummary
from reconcile_assets.ledger.schema import ledger_tables
from reconcile_assets.ledger.text import clean_text
from reconcile_assets.ledger.transitions import CheckChange, Known, find_change

PAGE = 1_000


def record_verdicts(
    connection: sa.Connection, verdicts: Sequence[CheckVerdict], *, run_id: str, backfill_id: str | None
) -> RecordedVerdicts:
    """Write verdicts, their latest state and the alerts they cause, in the caller's transaction."""
    groups = _group(verdicts)
    for table, check in sorted(groups):  # one order for all writers: no deadlock
        lock_transaction(connection, f"verdicts {table!r} {check!r}")
    now = database_now(connection)
    changes: list[CheckChange] = []
    rows: list[dict[str, Any]] = []
    for (table, check), found in groups.items():
        known = _known(connection, table, check, [verdict.partition for verdict in found])
        change = find_change(found, known, now=now)
        changes.append(change)
        rows.extend(_row(verdict, now, run_id, backfill_id) for verdict in found)
        if change.recovered:
            _forget_alerts(connection, table, check)
        _write_state(connection, change, now, run_id, backfill_id)
    connection.execute(ledger_tables(connection.dialect.name).verdicts.insert(), rows)
    alerts = insert_alerts(connection, changes, run_id=run_id, backfill_id=backfill_id, now=now)
    return RecordedVerdicts(frozenset().union(*(change.changed for change in changes)), alerts)


def fetch_latest_verdicts(
    connection: sa.Connection, *, tables: Collection[str] | None, after: VerdictKey | None, page: int
) -> tuple[LatestVerdict, ...]:
    """One page in the order of table, check and partition, beginning after the key given."""
    state = ledger_tables(connection.dialect.name).verdict_state
    key = (state.c.table_name, state.c.check_name, state.c.partition)
    query = sa.select(state).where(state.c.removed_at.is_(None)).order_by(*key).limit(page)
    if tables is not None:
        query = query.where(state.c.table_name.in_(sorted(tables)))
    if after is not None:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*after))
    return tuple(_latest(row) for row in connection.execute(query).mappings())


def fetch_verdict_summary(connection: sa.Connection) -> tuple[VerdictSummary, ...]:
    """The latest verdicts counted, one entry for each table and check."""
    state = ledger_tables(connection.dialect.name).verdict_state
    counts = [sa.func.count().filter(state.c.verdict == verdict.value).label(verdict.value) for verdict in Verdict]
    query = (
        sa.select(state.c.table_name, state.c.check_name, *counts, sa.func.max(state.c.evaluated_at).label("at"))
        .where(state.c.removed_at.is_(None))
        .group_by(state.c.table_name, state.c.check_name)
        .order_by(state.c.table_name, state.c.check_name)
    )
    return tuple(
        VerdictSummary(row.table_name, row.check_name, row.matched, row.mismatched, row.inconclusive, row.at)
        for row in connection.execute(query)
    )


def fetch_recorded_keys(
    connection: sa.Connection, *, table: str, run_id: str | None, since: datetime
) -> frozenset[tuple[str, str]]:
    """Checks and partitions of a table for which a run has a verdict since an instant; None: any run."""
    history = ledger_tables(connection.dialect.name).verdicts
    # What another run recorded late may be of a look that it took before.
    whose = history.c.evaluated_at >= since if run_id is None else history.c.run_id == run_id
    query = sa.select(history.c.check_name, history.c.partition).where(
        history.c.table_name == table, history.c.recorded_at >= since, whose
    )
    return frozenset((row.check_name, row.partition) for row in connection.execute(query))


def fetch_known_partitions(connection: sa.Connection, *, table: str, target: str) -> frozenset[str]:
    """Partitions of a table that have a verdict, or that the copy of the target's audit chain tells to be written."""
    tables = ledger_tables(connection.dialect.name)
    state, copies = tables.verdict_state, tables.audit_copies
    query = sa.union(
        sa.select(state.c.partition).where(state.c.table_name == table),
        sa.select(copies.c.partition).where(copies.c.target == target, copies.c.table_name == table),
    )
    return frozenset(connection.execute(query).scalars())


def _group(verdicts: Sequence[CheckVerdict]) -> Mapping[tuple[str, str], list[CheckVerdict]]:
    groups: dict[tuple[str, str], list[CheckVerdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.table, verdict.check].append(verdict)
    return groups


def _known(connection: sa.Connection, table: str, check: str, partitions: Sequence[str]) -> dict[str, Known]:
    """The latest state of these partitions, and of all that were alerted (to know when the last one recovers)."""
    state = ledger_tables(connection.dialect.name).verdict_state
    known = _read_known(connection, table, check, state.c.alerted.is_not(None))
    others = [partition for partition in partitions if partition not in known]
    if len(others) > PAGE:  # one look at all that the check has costs less than many lists of keys
        return _read_known(connection, table, check, sa.true())
    return known | _read_known(connection, table, check, state.c.partition.in_(others))


def _read_known(
    connection: sa.Connection, table: str, check: str, condition: sa.ColumnElement[bool]
) -> dict[str, Known]:
    state = ledger_tables(connection.dialect.name).verdict_state
    columns = (state.c.partition, state.c.verdict, state.c.alerted, state.c.evaluated_at, state.c.recorded_at)
    mine = (state.c.table_name == table, state.c.check_name == check, state.c.removed_at.is_(None))
    query = sa.select(*columns, state.c.since, state.c.proof).where(*mine, condition)
    return {
        row.partition: Known(
            verdict=Verdict(row.verdict),
            alerted=None if row.alerted is None else Verdict(row.alerted),
            evaluated_at=min(row.evaluated_at, row.recorded_at),  # a clock ahead of the database's is not believed
            since=row.since,
            proof=None if row.proof is None else Proof.from_dict(row.proof),
        )
        for row in connection.execute(query)
    }


def _forget_alerts(connection: sa.Connection, table: str, check: str) -> None:
    state = ledger_tables(connection.dialect.name).verdict_state
    mine = (state.c.table_name == table, state.c.check_name == check, state.c.alerted.is_not(None))
    connection.execute(state.update().where(*mine).values(alerted=None))


def _write_state(
    connection: sa.Connection, change: CheckChange, now: datetime, run_id: str, backfill_id: str | None
) -> None:
    rows = [
        _row(latest.verdict, now, run_id, backfill_id)
        | {
            "since": latest.since,
            "alerted": None if latest.alerted is None else latest.alerted.value,
            "proof": None if latest.proof is None else latest.proof.to_dict(),
            "removed_at": None,
        }
        for latest in change.latest
    ]
    if not rows:
        return
    state = ledger_tables(connection.dialect.name).verdict_state
    keys = [column.name for column in state.primary_key]
    # Both are executemany, which psycopg sends through one pipeline: 16 times as fast as VALUES lists.
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(state)
    updates = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=updates), rows)


def _row(verdict: CheckVerdict, now: datetime, run_id: str, backfill_id: str | None) -> dict[str, Any]:
    return {
        "table_name": verdict.table,
        "check_name": verdict.check,
        "partition": verdict.partition,
        "verdict": verdict.verdict.value,
        "severity": verdict.severity,
        "notes": [clean_text(note) for note in verdict.notes],
        "source_rows": verdict.source_rows,
        "target_rows": verdict.target_rows,
        "missing_in_target": verdict.missing_in_target,
        "missing_in_source": verdict.missing_in_source,
        "value_differs": verdict.value_differs,
        "source_checksum": verdict.source_checksum,
        "target_checksum": verdict.target_checksum,
        "checksum_form": verdict.checksum_form,
        "batch_id": verdict.batch_id,
        "change": None if verdict.change is None else verdict.change.to_dict(),
        "unchanged_since": verdict.unchanged_since,
        "configuration": verdict.configuration,
        "measures": {name: clean_text(text) for name, text in verdict.measures.items()},
        "seconds": verdict.seconds,
        "evaluated_at": verdict.evaluated_at or now,
        "recorded_at": now,
        "run_id": run_id,
        "backfill_id": backfill_id,
    }


def _latest(row: Mapping[Any, Any]) -> LatestVerdict:
    verdict = CheckVerdict(
        table=row["table_name"],
        check=row["check_name"],
        partition=row["partition"],
        verdict=Verdict(row["verdict"]),
        severity=row["severity"],
        notes=tuple(row["notes"]),
        source_rows=row["source_rows"],
        target_rows=row["target_rows"],
        missing_in_target=row["missing_in_target"],
        missing_in_source=row["missing_in_source"],
        value_differs=row["value_differs"],
        source_checksum=row["source_checksum"],
        target_checksum=row["target_checksum"],
        checksum_form=row["checksum_form"],
        batch_id=row["batch_id"],
        change=None if row["change"] is None else Change.from_dict(row["change"]),
        unchanged_since=row["unchanged_since"],
        configuration=row["configuration"],
        measures=dict(row["measures"]),
        seconds=row["seconds"],
        evaluated_at=row["evaluated_at"],
    )
    return LatestVerdict(verdict, row["since"], row["recorded_at"], row["run_id"], row["backfill_id"])
