"""Attempts: a run's word that it is at work, kept alive by a heartbeat.

A run that is killed says nothing: without this its partitions would stay as they were, green or
not, and nobody would be told. A silent attempt is buried once, by one process, and in the same
transaction every check and partition that it left without verdict becomes ``inconclusive``.
"""

import threading
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger.records import Attempt
from reconcile_assets.ledger.schema import ledger_tables
from reconcile_assets.ledger.verdicts import fetch_recorded_keys, record_verdicts

BEAT_SECONDS = 10.0
STOP_SECONDS = 5.0  # how long the end of the work waits for a heartbeat that is under way
DIED = "could not verify: the run ended without a verdict"


class Beats(Protocol):
    """What `heartbeat` needs of a ledger."""

    def beat(self, attempt: Attempt) -> None: ...


@contextmanager
def heartbeat(ledger: Beats, attempt: Attempt, *, every: float = BEAT_SECONDS) -> Iterator[None]:
    """Beat from a thread of its own while the body works.

    A ledger that cannot be reached never disturbs the work: the next beat tries again, and the
    worst outcome is an alert that the attempt could not be verified.

    Args:
        every: seconds between beats.
    """
    stop = threading.Event()

    def beat_until_stopped() -> None:
        while not stop.wait(every):
            try:
                ledger.beat(attempt)
            except (ReconcileAssetsError, SQLAlchemyError, OSError):
                continue

    thread = threading.Thread(target=beat_until_stopped, name=f"heartbeat {attempt.attempt_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)


def insert_attempt(
    connection: sa.Connection,
    *,
    run_id: str,
    step: str,
    table: str,
    checks: Mapping[str, str],
    partitions: Collection[str],
    now: datetime,
) -> Attempt:
    """Write that work begins."""
    attempt = Attempt(str(uuid.uuid4()), run_id, step, table, dict(checks), tuple(partitions), now, now)
    connection.execute(
        ledger_tables(connection.dialect.name)
        .attempts.insert()
        .values(
            attempt_id=attempt.attempt_id,
            run_id=run_id,
            step=step,
            table_name=table,
            checks=dict(checks),
            partitions=list(partitions),
            started_at=now,
            heartbeat_at=now,
        )
    )
    return attempt


def update_heartbeat(connection: sa.Connection, attempt_id: str, now: datetime) -> None:
    """Write that the work goes on."""
    attempts = ledger_tables(connection.dialect.name).attempts
    connection.execute(attempts.update().where(attempts.c.attempt_id == attempt_id).values(heartbeat_at=now))


def update_finished(connection: sa.Connection, attempt_id: str, now: datetime, *, interrupted: bool) -> bool:
    """Write that the work has ended, by itself or by hand; False when it had been buried or was unknown."""
    attempts = ledger_tables(connection.dialect.name).attempts
    statement = (
        attempts.update()
        .where(attempts.c.attempt_id == attempt_id, attempts.c.finished_at.is_(None))
        .values(finished_at=now, interrupted_at=now if interrupted else None)
        .returning(attempts.c.buried_at)
    )
    row = connection.execute(statement).one_or_none()
    return row is not None and row.buried_at is None


def was_interrupted(connection: sa.Connection, run_id: str) -> bool:
    """Whether some work of a run was ended by hand, e.g. by Ctrl-C."""
    attempts = ledger_tables(connection.dialect.name).attempts
    mine = sa.exists().where(attempts.c.run_id == run_id, attempts.c.interrupted_at.is_not(None))
    return bool(connection.execute(sa.select(mine)).scalar_one())


def fetch_dead_attempts(connection: sa.Connection, *, silent_since: datetime) -> tuple[Attempt, ...]:
    """Attempts neither finished nor buried whose last beat is older than an instant, oldest first."""
    attempts = ledger_tables(connection.dialect.name).attempts
    query = (
        sa.select(attempts)
        .where(attempts.c.finished_at.is_(None), attempts.c.buried_at.is_(None), attempts.c.heartbeat_at < silent_since)
        .order_by(attempts.c.heartbeat_at, attempts.c.attempt_id)
    )
    return tuple(_attempt(row) for row in connection.execute(query))


def bury(connection: sa.Connection, attempt: Attempt, *, now: datetime) -> bool:
    """Claim a dead attempt; True for the one process that has it.

    With it, in the same transaction, each of its checks and partitions without a verdict of the
    run becomes ``inconclusive``, so that an alert follows even if the claimer dies next. An
    attempt that has beaten since it was found is alive and stays.
    """
    attempts = ledger_tables(connection.dialect.name).attempts
    conditions = [
        attempts.c.attempt_id == attempt.attempt_id,
        attempts.c.finished_at.is_(None),
        attempts.c.buried_at.is_(None),
    ]
    if attempt.heartbeat_at is not None:
        conditions.append(attempts.c.heartbeat_at == attempt.heartbeat_at)
    row = connection.execute(
        attempts.update().where(*conditions).values(buried_at=now).returning(attempts)
    ).one_or_none()
    if row is None:
        return False
    claimed = _attempt(row)
    if lost := _lost_verdicts(connection, claimed, now):
        record_verdicts(connection, lost, run_id=claimed.run_id, backfill_id=None)
    return True


def _lost_verdicts(connection: sa.Connection, attempt: Attempt, now: datetime) -> list[CheckVerdict]:
    since = attempt.started_at or now
    done = fetch_recorded_keys(connection, table=attempt.table, run_id=attempt.run_id, since=since)
    # Another run that looked after this one can have written its last has the later word.
    silent = (attempt.heartbeat_at or now) + timedelta(seconds=BEAT_SECONDS)
    done |= fetch_recorded_keys(connection, table=attempt.table, run_id=None, since=silent)
    return [
        CheckVerdict(
            table=attempt.table,
            check=check,
            partition=partition,
            verdict=Verdict.INCONCLUSIVE,
            severity=severity,
            notes=(DIED,),
            evaluated_at=now,
        )
        for check, severity in attempt.checks.items()
        for partition in attempt.partitions
        if (check, partition) not in done
    ]


def _attempt(row: Any) -> Attempt:
    return Attempt(
        attempt_id=row.attempt_id,
        run_id=row.run_id,
        step=row.step,
        table=row.table_name,
        checks=dict(row.checks),
        partitions=tuple(row.partitions),
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
    )
