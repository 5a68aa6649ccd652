"""The audit log of a target: one entry for each batch, in a hash chain, and its copy outside the target.

Each entry's hash covers its content, its number and the hash before it; the chain begins at a
value made from a random id, so that a chain from another target cannot be pasted in. The chain
alone shows edits; only the copy in the project's own database shows a chain that was cut,
emptied or rewritten from end to end with valid hashes.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reconcile_assets.ledger.batches import Batch, insert_batches
from reconcile_assets.ledger.connection import database_now, ledger_errors, lock_transaction
from reconcile_assets.ledger.schema import iso_instant, ledger_tables

REPLACED = "partition replaced"
ACTIONS = {"replace": REPLACED, "upsert": "partition upserted", "append": "partition appended"}
PAGE = 1_000
Fetch = Callable[[sa.Select[Any]], Sequence[Mapping[Any, Any]]]


@dataclass(frozen=True)
class AuditEntry:
    """One link: what was done, by whom, why, and the hash that seals it.

    Attributes:
        seq: from 1, without gaps.
        prev_hash, hash: SHA-256, hex.
        recorded_at: aware, UTC, by the target's clock.
        table: the asset's name; target_table is what was written to.
        attempts: how often the write was tried.
    """

    chain_id: str
    seq: int
    prev_hash: str
    hash: str
    batch_id: str
    recorded_at: datetime
    action: str
    actor: str
    reason: str | None
    run_id: str
    backfill_id: str | None
    table: str
    target_table: str
    partition: str
    rows_read: int
    rows_deleted: int
    rows_inserted: int
    source_checksum: str | None
    target_checksum: str | None
    attempts: int

    def to_dict(self) -> dict[str, str | int | None]:
        """The entry as JSON holds it."""
        return asdict(self) | {"recorded_at": iso_instant(self.recorded_at)}

    def compute_hash(self) -> str:
        """What ``hash`` must be: SHA-256 of the canonical JSON of all other fields (sorted keys, no floats)."""
        content = self.to_dict()
        del content["hash"]
        return hashlib.sha256(_canonical(content)).hexdigest()


@dataclass(frozen=True)
class ChainHead:
    """Where a chain stands; seq 0 before the first entry."""

    chain_id: str
    seq: int
    hash: str


def genesis_hash(chain_id: str) -> str:
    """The hash that stands before the first entry of a chain."""
    return hashlib.sha256(_canonical({"reconcile_assets_audit_chain": chain_id})).hexdigest()


def record_batches(
    connection: sa.Connection, batches: Sequence[Batch], *, label: str = "target", action: str = REPLACED
) -> tuple[AuditEntry, ...]:
    """Write batches and their audit entries in the caller's transaction.

    Call it last, right before the commit: from here to its end no other writer of this target
    can append. The rows, the batch and the entry commit together or not at all.

    Args:
        action: what was done, one of `ACTIONS`.

    Raises:
        ConstraintRefused: a batch of this id has been committed before.
        SerializationConflict: the caller's snapshot is older than the last entry; try the whole again.
    """
    if not batches:
        return ()
    with ledger_errors(label):
        head = _lock_head(connection)
        now = database_now(connection)
        entries = _chain(head, batches, now, action)
        insert_batches(connection, batches, now)
        tables = ledger_tables(connection.dialect.name)
        connection.execute(tables.audit_entries.insert(), [_entry_row(entry) for entry in entries])
        connection.execute(tables.audit_chain.update().values(seq=entries[-1].seq, hash=entries[-1].hash))
    return entries


def fetch_audit_entries(connection: sa.Connection, after_seq: int = 0, limit: int = PAGE) -> tuple[AuditEntry, ...]:
    """A page of a target's chain in the order of its numbers, after a number."""
    entries = ledger_tables(connection.dialect.name).audit_entries
    query = sa.select(entries).where(entries.c.seq > after_seq).order_by(entries.c.seq).limit(limit)
    return tuple(read_entry(row) for row in connection.execute(query).mappings())


def iterate_audit_entries(connection: sa.Connection) -> Iterator[AuditEntry]:
    """A target's whole chain in the order of its numbers, also where a number stands twice."""
    entries = ledger_tables(connection.dialect.name).audit_entries
    return iterate_by_number(
        lambda query: connection.execute(query).mappings().all(), sa.select(entries), entries.c.seq
    )


def iterate_by_number(fetch: Fetch, query: sa.Select[Any], seq: sa.Column[int]) -> Iterator[AuditEntry]:
    """Entries in the order of their numbers, read in ranges of `PAGE` numbers.

    By ranges because a page that is cut by a number of rows could hide a second row of the
    number at its end.

    Args:
        fetch: runs a query and gives all its rows.
        query: entries.
        seq: the column that numbers them.
    """
    first = _lowest(fetch, query, seq)
    while first is not None:
        yield from (read_entry(row) for row in fetch(query.where(seq >= first, seq < first + PAGE).order_by(seq)))
        first = _lowest(fetch, query.where(seq >= first + PAGE), seq)


def _lowest(fetch: Fetch, query: sa.Select[Any], seq: sa.Column[int]) -> int | None:
    (row,) = fetch(query.with_only_columns(sa.func.min(seq).label("lowest")))
    lowest: int | None = row["lowest"]
    return lowest


def copy_row(entry: AuditEntry, target: str) -> dict[str, Any]:
    """The entry as the row of its copy."""
    return _entry_row(entry) | {"target": target}


def _lock_head(connection: sa.Connection) -> ChainHead:
    """The head, for this transaction alone; a chain begins with the first call.

    The lock is what makes writers take turns. The row is locked as well because a transaction
    whose snapshot is older (REPEATABLE READ) then fails instead of reading an old head.
    """
    lock_transaction(connection, "audit chain")
    chain = ledger_tables(connection.dialect.name).audit_chain
    row = connection.execute(sa.select(chain).with_for_update()).first()
    if row is not None:
        return ChainHead(row.chain_id, row.seq, row.hash)
    chain_id = str(uuid.uuid4())
    head = ChainHead(chain_id, 0, genesis_hash(chain_id))
    connection.execute(
        chain.insert().values(one=1, chain_id=chain_id, seq=0, hash=head.hash, created_at=database_now(connection))
    )
    return head


def _chain(head: ChainHead, batches: Sequence[Batch], now: datetime, action: str) -> tuple[AuditEntry, ...]:
    entries: list[AuditEntry] = []
    before = head.hash
    for seq, batch in enumerate(batches, start=head.seq + 1):
        entry = _seal(batch, chain_id=head.chain_id, seq=seq, prev_hash=before, now=now, action=action)
        entries.append(entry)
        before = entry.hash
    return tuple(entries)


def _seal(batch: Batch, *, chain_id: str, seq: int, prev_hash: str, now: datetime, action: str) -> AuditEntry:
    entry = AuditEntry(
        chain_id=chain_id,
        seq=seq,
        prev_hash=prev_hash,
        hash="",
        batch_id=batch.batch_id,
        recorded_at=now,
        action=action,
        actor=batch.actor,
        reason=batch.reason,
        run_id=batch.run_id,
        backfill_id=batch.backfill_id,
        table=batch.table,
        target_table=batch.target_table,
        partition=batch.partition,
        rows_read=batch.rows_read,
        rows_deleted=batch.rows_deleted,
        rows_inserted=batch.rows_inserted,
        source_checksum=batch.source_checksum,
        target_checksum=batch.target_checksum,
        attempts=batch.attempts,
    )
    return replace(entry, hash=entry.compute_hash())


def _canonical(content: Mapping[str, str | int | None]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _entry_row(entry: AuditEntry) -> dict[str, Any]:
    row = asdict(entry)
    row["table_name"] = row.pop("table")
    return row


def read_entry(row: Mapping[Any, Any]) -> AuditEntry:
    """The entry that a row of the chain, or of its copy, holds."""
    names = {field.name for field in fields(AuditEntry)} - {"table"}
    return AuditEntry(table=row["table_name"], **{name: row[name] for name in names})
