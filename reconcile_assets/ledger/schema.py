"""The ledger's tables as the queries see them; `ddl` holds the statements that made them.

Two sets: what lives in the project's own database (verdicts, alert outbox, attempts, the copy
of every audit chain) and what lives in each target, because only there does it commit with the
data (batches, audit entries). Names stand in a schema ``reconcile_assets`` on PostgreSQL and
DuckDB, and behind a prefix on SQLite and MySQL, which have no schemas inside a database. What lives
in the project's own database is kept by PostgreSQL and SQLite only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from reconcile_assets.errors import LedgerCorrupt, UnknownEngine

SCHEMA = "reconcile_assets"
DIALECTS = ("postgresql", "sqlite", "mysql", "duckdb")
WITH_SCHEMA = ("postgresql", "duckdb")


class UtcInstant(TypeDecorator[datetime]):
    """An aware instant to the microsecond.

    timestamptz on PostgreSQL, fixed-width ISO text in UTC on SQLite, and UTC without a zone elsewhere.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        kept: TypeEngine[Any] = sa.DateTime(timezone=dialect.name == "postgresql")
        if dialect.name == "sqlite":
            kept = sa.Text()
        elif dialect.name == "mysql":
            kept = mysql.DATETIME(fsp=6)
        return dialect.type_descriptor(kept)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> object:
        if value is None:
            return None
        instant = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return instant
        return iso_instant(instant) if dialect.name == "sqlite" else instant.replace(tzinfo=None)

    def process_result_value(self, value: object, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        try:
            return datetime.fromisoformat(str(value)).astimezone(UTC)
        except ValueError:
            raise LedgerCorrupt("a time in the ledger is not one: the row was changed by hand") from None


def iso_instant(instant: datetime) -> str:
    """ISO 8601 in UTC with exactly six digits of a second, so that texts sort as instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself for INTEGER only
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_MAYBE_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


@dataclass(frozen=True)
class LedgerTables:
    """The tables of one dialect."""

    metadata: sa.MetaData
    migrations: sa.Table
    verdicts: sa.Table
    verdict_state: sa.Table
    alerts: sa.Table
    alert_deliveries: sa.Table
    attempts: sa.Table
    audit_chains: sa.Table
    audit_copies: sa.Table
    batches: sa.Table
    batch_forms: sa.Table
    applied_writes: sa.Table
    audit_chain: sa.Table
    audit_entries: sa.Table


@cache
def ledger_tables(dialect: str) -> LedgerTables:
    """The tables for one of `DIALECTS`.

    Raises:
        UnknownEngine: for any other dialect.
    """
    if dialect not in DIALECTS:
        raise UnknownEngine(f"the ledger lives in {', '.join(DIALECTS)}, not in {dialect}; give it one of these")
    metadata = sa.MetaData(schema=SCHEMA if dialect in WITH_SCHEMA else None)
    prefix = "" if dialect in WITH_SCHEMA else f"{SCHEMA}_"
    return LedgerTables(
        metadata=metadata,
        migrations=_migrations(metadata, prefix),
        verdicts=_verdicts(metadata, prefix),
        verdict_state=_verdict_state(metadata, prefix),
        alerts=_alerts(metadata, prefix),
        alert_deliveries=_alert_deliveries(metadata, prefix),
        attempts=_attempts(metadata, prefix),
        audit_chains=_audit_chains(metadata, prefix),
        audit_copies=_audit_copies(metadata, prefix),
        batches=_batches(metadata, prefix),
        batch_forms=_batch_forms(metadata, prefix),
        applied_writes=_applied_writes(metadata, prefix),
        audit_chain=_audit_chain(metadata, prefix),
        audit_entries=_audit_entries(metadata, prefix),
    )


# MySQL has no key over a text without a bound.
_KEY_TEXT = sa.Text().with_variant(mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin"), "mysql")


def _text(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, _KEY_TEXT if primary_key else sa.Text(), nullable=nullable, primary_key=primary_key)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcInstant(), nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _migrations(metadata: sa.MetaData, prefix: str) -> sa.Table:
    return sa.Table(f"{prefix}migrations", metadata, _text("name", primary_key=True), _instant("applied_at"))


def _outcome_columns() -> list[sa.Column[Any]]:
    """What one check found on one partition: the same in the history and in the latest state."""
    columns: list[sa.Column[Any]] = [
        _text("verdict"),
        _text("severity"),
        sa.Column("notes", _JSON, nullable=False),
        _count("source_rows", nullable=True),
        _count("target_rows", nullable=True),
        _count("missing_in_target", nullable=True),
        _count("missing_in_source", nullable=True),
        _count("value_differs", nullable=True),
        _text("source_checksum", nullable=True),
        _text("target_checksum", nullable=True),
        sa.Column("measures", _JSON, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        _instant("evaluated_at"),
        _instant("recorded_at"),
        _text("run_id"),
        _text("backfill_id", nullable=True),
    ]
    return columns


def _change_columns() -> list[sa.Column[Any]]:
    """What one look says of earlier ones: the same in the history and in the latest state."""
    columns: list[sa.Column[Any]] = [
        _text("checksum_form", nullable=True),  # what the checksums are of: only like is compared with like
        _text("batch_id", nullable=True),  # the partition's last batch; empty: none, NULL: not asked
        sa.Column("change", _MAYBE_JSON, nullable=True),  # an unaudited change, a source that moved on
        _instant("unchanged_since", nullable=True),
        _text("configuration", nullable=True),  # the fingerprint of what the check was told to do
    ]
    return columns


def _verdicts(metadata: sa.MetaData, prefix: str) -> sa.Table:
    table = sa.Table(
        f"{prefix}verdicts",
        metadata,
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        _text("table_name"),
        _text("check_name"),
        _text("partition"),
        *_outcome_columns(),
        *_change_columns(),
    )
    changed = table.c.change.is_not(None)
    sa.Index(
        f"{prefix}verdicts_changed",
        table.c.table_name,
        table.c.recorded_at,
        postgresql_where=changed,
        sqlite_where=changed,
    )
    sa.Index(f"{prefix}verdicts_by_partition", table.c.table_name, table.c.check_name, table.c.partition, table.c.id)
    sa.Index(f"{prefix}verdicts_by_time", table.c.recorded_at)
    return table


def _verdict_state(metadata: sa.MetaData, prefix: str) -> sa.Table:
    table = sa.Table(
        f"{prefix}verdict_state",
        metadata,
        _text("table_name", primary_key=True),
        _text("check_name", primary_key=True),
        _text("partition", primary_key=True),
        *_outcome_columns(),
        _instant("since"),
        _text("alerted", nullable=True),  # the worst verdict alerted and not yet answered by a recovery
        *_change_columns(),
        sa.Column("proof", _MAYBE_JSON, nullable=True),  # what stood there when it last matched
        _instant("removed_at", nullable=True),  # when the check was found to be configured no more
    )
    alerted = table.c.alerted.is_not(None)
    sa.Index(
        f"{prefix}verdict_state_alerted",
        table.c.table_name,
        table.c.check_name,
        postgresql_where=alerted,
        sqlite_where=alerted,
    )
    return table


def _alerts(metadata: sa.MetaData, prefix: str) -> sa.Table:
    table = sa.Table(
        f"{prefix}alerts",
        metadata,
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("alert_id", sa.Text(), nullable=False, unique=True),
        _text("table_name"),
        _text("check_name"),
        _text("kind"),
        _text("severity"),
        sa.Column("payload", _JSON, nullable=False),
        _instant("created_at"),
        _instant("routed_at", nullable=True),  # when its destinations were worked out
    )
    unrouted = table.c.routed_at.is_(None)
    sa.Index(f"{prefix}alerts_unrouted", table.c.id, postgresql_where=unrouted, sqlite_where=unrouted)
    sa.Index(f"{prefix}alerts_by_check", table.c.table_name, table.c.check_name, table.c.id)
    return table


def _alert_deliveries(metadata: sa.MetaData, prefix: str) -> sa.Table:
    alerts = metadata.tables[f"{SCHEMA}.alerts" if metadata.schema else f"{prefix}alerts"]
    table = sa.Table(
        f"{prefix}alert_deliveries",
        metadata,
        sa.Column("alert_id", sa.Text(), sa.ForeignKey(alerts.c.alert_id, ondelete="CASCADE"), primary_key=True),
        _text("destination", primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        _instant("next_try_at"),
        _instant("claimed_until", nullable=True),
        _instant("delivered_at", nullable=True),
        _text("last_error", nullable=True),
    )
    open_ = table.c.delivered_at.is_(None)
    sa.Index(
        f"{prefix}alert_deliveries_open",
        table.c.destination,
        table.c.next_try_at,
        postgresql_where=open_,
        sqlite_where=open_,
    )
    return table


def _attempts(metadata: sa.MetaData, prefix: str) -> sa.Table:
    table = sa.Table(
        f"{prefix}attempts",
        metadata,
        _text("attempt_id", primary_key=True),
        _text("run_id"),
        _text("step"),
        _text("table_name"),
        sa.Column("checks", _JSON, nullable=False),
        sa.Column("partitions", _JSON, nullable=False),
        _instant("started_at"),
        _instant("heartbeat_at"),
        _instant("finished_at", nullable=True),
        _instant("buried_at", nullable=True),
        _instant("interrupted_at", nullable=True),  # ended by hand: its verdicts stay as they were
    )
    alive = table.c.finished_at.is_(None) & table.c.buried_at.is_(None)
    sa.Index(f"{prefix}attempts_open", table.c.heartbeat_at, postgresql_where=alive, sqlite_where=alive)
    return table


def _audit_chains(metadata: sa.MetaData, prefix: str) -> sa.Table:
    return sa.Table(
        f"{prefix}audit_chains",
        metadata,
        _text("target", primary_key=True),
        _text("chain_id"),
        _count("seq"),  # of the last entry copied: shows a copy that was cut itself
        _instant("first_copied_at"),
        _text("set_aside_from", nullable=True),  # the target whose copy this was until it was set aside
        _instant("set_aside_at", nullable=True),
        _text("set_aside_by", nullable=True),
        _text("set_aside_reason", nullable=True),
    )


def _entry_columns() -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        _text("chain_id"),
        _text("prev_hash"),
        _text("hash"),
        _instant("recorded_at"),
        _text("action"),
        _text("actor"),
        _text("reason", nullable=True),
        _text("run_id"),
        _text("backfill_id", nullable=True),
        _text("table_name"),
        _text("target_table"),
        _text("partition"),
        _count("rows_read"),
        _count("rows_deleted"),
        _count("rows_inserted"),
        _text("source_checksum", nullable=True),
        _text("target_checksum", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
    ]
    return columns


def _audit_copies(metadata: sa.MetaData, prefix: str) -> sa.Table:
    return sa.Table(
        f"{prefix}audit_copies",
        metadata,
        _text("target", primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        _text("batch_id"),
        *_entry_columns(),
    )


def _batches(metadata: sa.MetaData, prefix: str) -> sa.Table:
    table = sa.Table(
        f"{prefix}batches",
        metadata,
        _text("batch_id", primary_key=True),
        _text("table_name"),
        _text("target_table"),
        _text("partition"),
        _text("run_id"),
        _text("backfill_id", nullable=True),
        _text("actor"),
        _text("reason", nullable=True),
        _count("rows_read"),
        _count("rows_deleted"),
        _count("rows_inserted"),
        _text("source_checksum", nullable=True),
        _text("target_checksum", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _instant("started_at"),
        _instant("recorded_at"),
    )
    sa.Index(f"{prefix}batches_by_partition", table.c.table_name, table.c.partition, table.c.recorded_at)
    return table


def _batch_forms(metadata: sa.MetaData, prefix: str) -> sa.Table:
    """What a batch's checksums are of. A table of its own: not every engine can add a column to one with indexes."""
    return sa.Table(f"{prefix}batch_forms", metadata, _text("batch_id", primary_key=True), _text("checksum_form"))


def _applied_writes(metadata: sa.MetaData, prefix: str) -> sa.Table:
    """Queued writes that this target has: each is there once, in the transaction that wrote its row."""
    key = _text("idempotency_key", primary_key=True)
    return sa.Table(f"{prefix}applied_writes", metadata, key, _instant("applied_at"))


def _audit_chain(metadata: sa.MetaData, prefix: str) -> sa.Table:
    return sa.Table(
        f"{prefix}audit_chain",
        metadata,
        sa.Column("one", sa.Integer(), sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
        _text("chain_id"),
        _count("seq"),
        _text("hash"),
        _instant("created_at"),
    )


def _audit_entries(metadata: sa.MetaData, prefix: str) -> sa.Table:
    batches = metadata.tables[f"{SCHEMA}.batches" if metadata.schema else f"{prefix}batches"]
    return sa.Table(
        f"{prefix}audit_entries",
        metadata,
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("batch_id", sa.Text(), sa.ForeignKey(batches.c.batch_id), nullable=False, unique=True),
        *_entry_columns(),
    )
