"""Verdicts, batches and chains for tests of the ledger."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger.audit import REPLACED, AuditEntry, genesis_hash
from reconcile_assets.ledger.batches import Batch

NOON = datetime(2024, 3, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def verdict(
    partition: str,
    found: Verdict = Verdict.MATCHED,
    *,
    table: str = "flights",
    check: str = "rows",
    at: datetime | None = NOON,
    **others: object,
) -> CheckVerdict:
    return replace(CheckVerdict(table, check, partition, found, evaluated_at=at), **others)  # type: ignore[arg-type]


def matched(*partitions: str, **others: object) -> list[CheckVerdict]:
    return [verdict(partition, Verdict.MATCHED, **others) for partition in partitions]  # type: ignore[arg-type]


def mismatched(*partitions: str, **others: object) -> list[CheckVerdict]:
    return [verdict(partition, Verdict.MISMATCHED, **others) for partition in partitions]  # type: ignore[arg-type]


def inconclusive(*partitions: str, **others: object) -> list[CheckVerdict]:
    return [verdict(partition, Verdict.INCONCLUSIVE, **others) for partition in partitions]  # type: ignore[arg-type]


def batch(partition: str = "2013-03-10", **others: object) -> Batch:
    sample = Batch(
        batch_id=str(uuid.uuid4()),
        table="flights",
        target_table="warehouse.flights",
        partition=partition,
        run_id="run-1",
        backfill_id=None,
        actor="operator",
        reason=None,
        rows_read=3,
        rows_deleted=1,
        rows_inserted=3,
        source_checksum="aa",
        target_checksum="aa",
        started_at=NOON,
    )
    return replace(sample, **others)  # type: ignore[arg-type]


def sealed(entry: AuditEntry) -> AuditEntry:
    """The entry with the hash that its content asks for."""
    return replace(entry, hash=entry.compute_hash())


def chain(
    length: int, *, chain_id: str = "7f1c5a52-0d43-4f1e-9f0a-3c1c1d3c1b6e", actor: str = "operator"
) -> list[AuditEntry]:
    """A sound chain."""
    entries: list[AuditEntry] = []
    before = genesis_hash(chain_id)
    for seq in range(1, length + 1):
        entry = sealed(
            AuditEntry(
                chain_id=chain_id,
                seq=seq,
                prev_hash=before,
                hash="",
                batch_id=f"batch-{seq}",
                recorded_at=NOON + seq * MINUTE,
                action=REPLACED,
                actor=actor,
                reason=None,
                run_id="run-1",
                backfill_id=None,
                table="flights",
                target_table="warehouse.flights",
                partition=f"2013-01-{seq:02}",
                rows_read=seq,
                rows_deleted=0,
                rows_inserted=seq,
                source_checksum="aa",
                target_checksum="aa",
                attempts=1,
            )
        )
        entries.append(entry)
        before = entry.hash
    return entries
