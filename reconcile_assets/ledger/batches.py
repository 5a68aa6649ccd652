"""Batches: one row for each partition written, in the target, in the transaction that wrote it.

A lost reply to COMMIT is settled by looking the batch id up here: the row is there exactly when
the data is.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reconcile_assets.ledger.schema import ledger_tables
from reconcile_assets.ledger.text import require_text

PAGE = 1_000
BatchKey = tuple[str, str]
"""Table and partition."""


@dataclass(frozen=True)
class Batch:
    """One partition written.

    Attributes:
        batch_id: a UUID, made before the write.
        table: the asset's name; target_table is what was written to.
        attempts: how often the write was tried, this time included.
        started_at: aware.
        recorded_at: when the row was written, right before its commit; None before.
        checksum_form: what the checksums are of, when they are of the whole partition as it stands after the write;
            None when they are not, or when it is not known. Written, and read by `fetch_last_batches` alone.

    Raises:
        ValueError: an id that is no UUID, a negative count, a time without zone.
        ConfigurationError: actor or reason holds what cannot be stored as it is.
    """

    batch_id: str
    table: str
    target_table: str
    partition: str
    run_id: str
    backfill_id: str | None
    actor: str
    reason: str | None
    rows_read: int
    rows_deleted: int
    rows_inserted: int
    source_checksum: str | None
    target_checksum: str | None
    started_at: datetime
    attempts: int = 1
    recorded_at: datetime | None = None
    checksum_form: str | None = None

    def __post_init__(self) -> None:
        uuid.UUID(self.batch_id)
        if min(self.rows_read, self.rows_deleted, self.rows_inserted) < 0:
            raise ValueError("a batch's rows are counted from 0")
        if self.attempts < 1:
            raise ValueError("a batch's attempts are counted from 1")
        if self.started_at.tzinfo is None:
            raise ValueError("started_at needs a time zone")
        for name in ("actor", "reason", "table", "target_table", "partition"):
            require_text(name, getattr(self, name))

    @property
    def key(self) -> BatchKey:
        """Where the next page of `fetch_latest_batches` begins after this one."""
        return (self.table, self.partition)


@dataclass(frozen=True)
class BatchTotals:
    """What all batches of one table have written.

    Attributes:
        seconds: from start to record, summed over the batches.
    """

    table: str
    batches: int
    rows_read: int
    rows_deleted: int
    rows_inserted: int
    seconds: float


def batch_row(batch: Batch, recorded_at: datetime) -> dict[str, Any]:
    """The batch as its table's row."""
    row = {name: getattr(batch, name) for name in _stored_fields()}
    row["table_name"] = batch.table
    return row | {"recorded_at": recorded_at}


def find_batch(connection: sa.Connection, batch_id: str) -> Batch | None:
    """The batch of this id if it has been committed: how an unknown outcome is settled."""
    batches = ledger_tables(connection.dialect.name).batches
    row = connection.execute(sa.select(batches).where(batches.c.batch_id == batch_id)).mappings().one_or_none()
    return None if row is None else _batch(row)


def fetch_batches(connection: sa.Connection, batch_ids: Collection[str]) -> dict[str, Batch]:
    """The batches of these ids that are there, by id."""
    batches = ledger_tables(connection.dialect.name).batches
    query = sa.select(batches).where(batches.c.batch_id.in_(sorted(batch_ids)))
    return {row["batch_id"]: _batch(row) for row in connection.execute(query).mappings()}


def count_batches(connection: sa.Connection) -> int:
    """How many batches were ever committed in this target."""
    batches = ledger_tables(connection.dialect.name).batches
    return connection.execute(sa.select(sa.func.count()).select_from(batches)).scalar_one()


def fetch_batch_totals(connection: sa.Connection, *, tables: Collection[str] | None = None) -> tuple[BatchTotals, ...]:
    """Batches, rows and seconds for each table, by name."""
    batches = ledger_tables(connection.dialect.name).batches
    query = sa.select(batches.c.table_name, *_sums(batches, connection.dialect.name)).group_by(batches.c.table_name)
    if tables is not None:
        query = query.where(batches.c.table_name.in_(sorted(tables)))
    return tuple(
        BatchTotals(
            table=row.table_name,
            batches=row.batches,
            rows_read=int(row.rows_read),  # a sum of bigint is numeric
            rows_deleted=int(row.rows_deleted),
            rows_inserted=int(row.rows_inserted),
            seconds=float(row.seconds),
        )
        for row in connection.execute(query.order_by(batches.c.table_name))
    )


def fetch_latest_batches(
    connection: sa.Connection,
    *,
    tables: Collection[str] | None = None,
    partitions: Collection[str] | None = None,
    after: BatchKey | None = None,
    limit: int = PAGE,
) -> tuple[Batch, ...]:
    """The last batch of each table and partition: one page in that order, beginning after the key given."""
    batches = ledger_tables(connection.dialect.name).batches
    key = (batches.c.table_name, batches.c.partition)
    rank = sa.func.row_number().over(partition_by=key, order_by=(batches.c.recorded_at.desc(), batches.c.batch_id))
    inner = sa.select(batches, rank.label("rank"))
    if tables is not None:
        inner = inner.where(batches.c.table_name.in_(sorted(tables)))
    if partitions is not None:
        inner = inner.where(batches.c.partition.in_(sorted(partitions)))
    if after is not None:
        inner = inner.where(sa.tuple_(*key) > sa.tuple_(*after))
    ranked = inner.subquery()
    query = sa.select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.table_name, ranked.c.partition).limit(limit)
    return tuple(_batch(row) for row in connection.execute(query).mappings())


def fetch_last_batches(
    connection: sa.Connection, *, table: str, partitions: Collection[str] | None = None
) -> dict[str, Batch]:
    """The last batch of each partition of a table, with the form of its checksums; none in a target never written to.

    Args:
        partitions: keys; None for all.
    """
    tables = ledger_tables(connection.dialect.name)
    batches, entries = tables.batches, tables.audit_entries
    inspector = sa.inspect(connection)
    if not all(inspector.has_table(each.name, schema=each.schema) for each in (batches, entries)):
        return {}
    # By the number of its audit entry: a clock that is set back does not exchange two batches.
    rank = sa.func.row_number().over(partition_by=batches.c.partition, order_by=entries.c.seq.desc())
    inner = sa.select(batches, rank.label("rank")).join(entries, entries.c.batch_id == batches.c.batch_id)
    inner = inner.where(batches.c.table_name == table)
    if partitions is not None and len(partitions) <= PAGE:
        inner = inner.where(batches.c.partition.in_(sorted(partitions)))
    ranked = inner.subquery()
    query = sa.select(ranked).where(ranked.c.rank == 1)
    found = {row["partition"]: _batch(row) for row in connection.execute(query).mappings()}
    if inspector.has_table(tables.batch_forms.name, schema=tables.batch_forms.schema):  # an older version has none
        forms = _fetch_forms(connection, [batch.batch_id for batch in found.values()])
        found = {key: replace(batch, checksum_form=forms.get(batch.batch_id)) for key, batch in found.items()}
    return found


def _fetch_forms(connection: sa.Connection, batch_ids: Sequence[str]) -> dict[str, str]:
    forms = ledger_tables(connection.dialect.name).batch_forms
    found: dict[str, str] = {}
    for first in range(0, len(batch_ids), PAGE):
        query = sa.select(forms).where(forms.c.batch_id.in_(batch_ids[first : first + PAGE]))
        found.update((row.batch_id, row.checksum_form) for row in connection.execute(query))
    return found


def insert_batches(connection: sa.Connection, batches: Iterable[Batch], recorded_at: datetime) -> None:
    """Write batch rows in the caller's transaction; `audit.record_batches` adds their entries."""
    batches = tuple(batches)
    tables = ledger_tables(connection.dialect.name)
    connection.execute(tables.batches.insert(), [batch_row(batch, recorded_at) for batch in batches])
    forms = [{"batch_id": each.batch_id, "checksum_form": each.checksum_form} for each in batches if each.checksum_form]
    if forms:
        connection.execute(tables.batch_forms.insert(), forms)


def _sums(batches: sa.Table, dialect: str) -> Sequence[sa.ColumnElement[Any]]:
    seconds: sa.ColumnElement[Any]
    if dialect == "postgresql":
        seconds = sa.func.extract("epoch", batches.c.recorded_at - batches.c.started_at)
    elif dialect == "mysql":
        taken = sa.func.timestampdiff(sa.text("MICROSECOND"), batches.c.started_at, batches.c.recorded_at)
        seconds = taken / 1_000_000
    elif dialect == "duckdb":
        seconds = sa.func.date_diff("microsecond", batches.c.started_at, batches.c.recorded_at) / 1_000_000
    else:
        days = sa.func.julianday(batches.c.recorded_at) - sa.func.julianday(batches.c.started_at)
        seconds = days * 86_400
    return (
        sa.func.count().label("batches"),
        sa.func.sum(batches.c.rows_read).label("rows_read"),
        sa.func.sum(batches.c.rows_deleted).label("rows_deleted"),
        sa.func.sum(batches.c.rows_inserted).label("rows_inserted"),
        sa.func.sum(seconds).label("seconds"),
    )


def _batch(row: Mapping[Any, Any]) -> Batch:
    names = _stored_fields()
    return Batch(table=row["table_name"], **{name: row[name] for name in names})


def _stored_fields() -> frozenset[str]:
    """The fields that are columns of the same name."""
    return frozenset(field.name for field in fields(Batch)) - {"table", "checksum_form"}
