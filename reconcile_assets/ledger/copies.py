"""The copy of every target's audit chain in the project's own database.

A chain that was cut or rewritten from end to end is valid in itself: only a copy that its
writer cannot reach shows it. So a copy is only ever extended, and only by a chain that goes on
where the copy ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa

from reconcile_assets.errors import ConfigurationError, LedgerCorrupt
from reconcile_assets.ledger.audit import (
    AuditEntry,
    copy_row,
    fetch_audit_entries,
    iterate_audit_entries,
    iterate_by_number,
    read_entry,
)
from reconcile_assets.ledger.batches import Batch, fetch_batches
from reconcile_assets.ledger.connection import LedgerDatabase, database_now, ledger_errors, lock_transaction
from reconcile_assets.ledger.records import SetAside
from reconcile_assets.ledger.schema import ledger_tables
from reconcile_assets.ledger.verification import AuditVerification, find_fault, verify_chain

_NEXT = "write nothing to this target before `reconcile-assets audit verify` is clean"


def copy_entries(database: LedgerDatabase, target: str, connection: sa.Connection) -> int:
    """Extend the copy of a target's chain up to the chain's end; returns how many entries were new."""
    with database.writing() as own:
        lock_transaction(own, f"audit copy {target!r}")  # before the chain is read: copies never run ahead of it
        last = _last_copied(own, target)
        with ledger_errors(target):
            _require_continued(connection, target, last)
        copied = 0
        while page := _read_page(connection, target, last):
            _require_sound(target, last, page)
            if last is None:
                _begin_copy(own, target, page[0])
            own.execute(database.tables.audit_copies.insert(), [copy_row(entry, target) for entry in page])
            chains = database.tables.audit_chains
            own.execute(chains.update().where(chains.c.target == target).values(seq=page[-1].seq))
            copied += len(page)
            last = page[-1]
        return copied


def verify_target(database: LedgerDatabase, target: str, connection: sa.Connection) -> AuditVerification:
    """Verify a target's chain against itself, its copy, its head and the batches committed beside it."""
    with database.reading() as own:
        reason = _copy_fault(own, target)
    if reason:
        return AuditVerification(ok=False, entries=0, reason=reason)
    return _verify(connection, target, iterate_copy(database, target))


def set_aside(database: LedgerDatabase, target: str, connection: sa.Connection, *, by: str, reason: str) -> SetAside:
    """Keep the copy of a target's chain under another name, so that a target made anew begins another.

    Raises:
        ConfigurationError: there is no copy, or the target's chain is sound and goes on from it.
    """
    with database.reading() as own:
        if _find_chain(own, target) is None:
            raise ConfigurationError(f"audit chain of {target}: it has no copy, so there is nothing to set aside")
    if verify_target(database, target, connection).ok:
        raise ConfigurationError(
            f"audit chain of {target}: it is whole and its copy agrees, so nothing is set aside;"
            " that is for a target that was made anew"
        )
    with database.writing() as own:
        lock_transaction(own, f"audit copy {target!r}")
        row = _find_chain(own, target)
        if row is None:
            raise ConfigurationError(f"audit chain of {target}: another process has just set its copy aside")
        tables = ledger_tables(own.dialect.name)
        kept = SetAside(
            target, _free_name(own, f"{target} {row.chain_id}"), row.chain_id, row.seq, database_now(own), by, reason
        )
        own.execute(tables.audit_copies.update().where(tables.audit_copies.c.target == target).values(target=kept.name))
        own.execute(
            tables.audit_chains.update()
            .where(tables.audit_chains.c.target == target)
            .values(
                target=kept.name,
                set_aside_from=target,
                set_aside_at=kept.at,
                set_aside_by=by,
                set_aside_reason=reason,
            )
        )
    return kept


def fetch_set_aside(own: sa.Connection, target: str) -> tuple[SetAside, ...]:
    """The copies that were set aside for a target, oldest first."""
    chains = ledger_tables(own.dialect.name).audit_chains
    query = sa.select(chains).where(chains.c.set_aside_from == target).order_by(chains.c.set_aside_at)
    return tuple(
        SetAside(
            target,
            row.target,
            row.chain_id,
            row.seq,
            row.set_aside_at,
            row.set_aside_by,
            row.set_aside_reason,
        )
        for row in own.execute(query)
    )


def _find_chain(own: sa.Connection, target: str) -> Any:
    chains = ledger_tables(own.dialect.name).audit_chains
    return own.execute(sa.select(chains).where(chains.c.target == target)).one_or_none()


def _free_name(own: sa.Connection, name: str) -> str:
    """The name, or with a number where a copy of the same chain was set aside before."""
    chains = ledger_tables(own.dialect.name).audit_chains
    taken = set(
        own.execute(sa.select(chains.c.target).where(chains.c.target.startswith(name, autoescape=True))).scalars()
    )
    return next(
        each for each in (name, *(f"{name} {number}" for number in range(2, len(taken) + 3))) if each not in taken
    )


def iterate_copy(database: LedgerDatabase, target: str) -> Iterator[AuditEntry]:
    """The copy of a target's chain in the order of its numbers, as far as it went at the first look.

    Each page is a transaction of its own: a copy is only ever extended, and whoever verifies a
    long chain holds up nobody.
    """
    copies = database.tables.audit_copies
    mine = sa.select(copies).where(copies.c.target == target)

    def fetch(query: sa.Select[Any]) -> Sequence[Mapping[Any, Any]]:
        with database.reading() as own:
            return own.execute(query).mappings().all()

    end = fetch(mine.with_only_columns(sa.func.max(copies.c.seq).label("end")))[0]["end"] or 0
    return iterate_by_number(fetch, mine.where(copies.c.seq <= end), copies.c.seq)


def _verify(connection: sa.Connection, target: str, copy: Iterator[AuditEntry]) -> AuditVerification:
    with ledger_errors(target):
        if not has_chain(connection):
            return verify_chain((), copy)
        found = verify_chain(iterate_audit_entries(connection), copy)
        if found.ok:
            found = _verify_batches(connection, found)
        return _verify_totals(connection, found)


def _copy_fault(own: sa.Connection, target: str) -> str | None:
    """Why the copy itself cannot be believed; None when it can."""
    tables = ledger_tables(own.dialect.name)
    chains, copies = tables.audit_chains, tables.audit_copies
    found = sa.select(sa.func.count()).select_from(copies).where(copies.c.target == target).scalar_subquery()
    kept = sa.select(chains.c.seq).where(chains.c.target == target).scalar_subquery()
    row = own.execute(sa.select(found.label("found"), sa.func.coalesce(kept, 0).label("kept"))).one()  # at one moment
    if row.found == row.kept:
        return None
    return f"the copy of the chain has {row.found} entries, but {row.kept} were copied: it was changed"


def has_chain(connection: sa.Connection) -> bool:
    """Whether the target has an audit log at all; it begins with the first write."""
    table = ledger_tables(connection.dialect.name).audit_entries
    return sa.inspect(connection).has_table(table.name, schema=table.schema)


def _verify_batches(connection: sa.Connection, found: AuditVerification) -> AuditVerification:
    """Each entry has the batch that it tells of, and the batch says the same."""
    after = 0
    while page := fetch_audit_entries(connection, after):
        batches = fetch_batches(connection, [entry.batch_id for entry in page])
        for entry in page:
            if reason := _batch_fault(entry, batches.get(entry.batch_id)):
                return replace(found, ok=False, first_bad=entry.seq, reason=reason)
        after = page[-1].seq
    return found


def _batch_fault(entry: AuditEntry, batch: Batch | None) -> str | None:
    if batch is None:
        return f"entry {entry.seq} tells of a batch that is not there"
    both = {field.name for field in fields(Batch)} & {field.name for field in fields(AuditEntry)}
    if any(getattr(entry, name) != getattr(batch, name) for name in both):
        return f"the batch of entry {entry.seq} was changed: it does not say what the entry says"
    return None


def _verify_totals(connection: sa.Connection, found: AuditVerification) -> AuditVerification:
    """Entries, batches and head agree, seen by one statement so that writers at work do not matter."""
    tables = ledger_tables(connection.dialect.name)
    entries, batches, chain = tables.audit_entries, tables.batches, tables.audit_chain
    told = sa.exists().where(entries.c.batch_id == batches.c.batch_id)
    query = sa.select(
        sa.select(sa.func.count()).select_from(batches).scalar_subquery().label("batches"),
        sa.select(sa.func.count()).select_from(batches).where(~told).scalar_subquery().label("untold"),
        sa.select(sa.func.count()).select_from(entries).scalar_subquery().label("entries"),
        sa.select(sa.func.count(entries.c.batch_id.distinct())).scalar_subquery().label("distinct"),
        sa.select(sa.func.max(entries.c.seq)).scalar_subquery().label("last"),
        sa.select(chain.c.seq).scalar_subquery().label("head"),
        sa.select(entries.c.hash)
        .where(entries.c.seq == chain.c.seq, entries.c.hash == chain.c.hash)
        .scalar_subquery()
        .label("head_hash"),
    )
    row = connection.execute(query).one()
    found = replace(found, batches=row.batches)
    if not found.ok:
        return found
    if row.head != row.entries and (row.head or row.entries):
        reason = f"the chain has {row.entries} entries, but its head says {row.head or 0}: entries were cut or added"
        return replace(found, ok=False, first_bad=min(row.head or 0, row.entries) + 1, reason=reason)
    if row.entries and row.head_hash is None:
        return replace(found, ok=False, first_bad=row.last, reason=f"entry {row.last} is not the head of the chain")
    if row.untold:
        return replace(found, ok=False, reason=f"{row.untold} of {row.batches} batches have no audit entry")
    if row.distinct != row.entries:
        return replace(found, ok=False, reason="two audit entries tell of one batch")
    return found


def _last_copied(own: sa.Connection, target: str) -> AuditEntry | None:
    copies = ledger_tables(own.dialect.name).audit_copies
    mine = sa.select(copies).where(copies.c.target == target).order_by(copies.c.seq.desc()).limit(1)
    row = own.execute(mine).mappings().one_or_none()
    return None if row is None else read_entry(row)


def _require_continued(connection: sa.Connection, target: str, last: AuditEntry | None) -> None:
    """The chain still has, as it was, the entry at which the copy ends."""
    if last is None:
        return
    here = fetch_audit_entries(connection, last.seq - 1, 1) if has_chain(connection) else ()
    if not here or here[0].seq != last.seq:
        raise LedgerCorrupt(f"audit chain of {target}: entry {last.seq}, which its copy has, is missing; {_NEXT}")
    if here[0] != last:
        raise LedgerCorrupt(f"audit chain of {target}: entry {last.seq} differs from its copy; {_NEXT}")


def _read_page(connection: sa.Connection, target: str, last: AuditEntry | None) -> tuple[AuditEntry, ...]:
    with ledger_errors(target):
        return fetch_audit_entries(connection, 0 if last is None else last.seq)


def _require_sound(target: str, last: AuditEntry | None, page: Sequence[AuditEntry]) -> None:
    previous = last
    for entry in page:
        seq = 1 if previous is None else previous.seq + 1
        if fault := find_fault(entry, previous, seq):
            raise LedgerCorrupt(f"audit chain of {target}: {fault}; {_NEXT}")
        previous = entry


def _begin_copy(own: sa.Connection, target: str, first: AuditEntry) -> None:
    chains = ledger_tables(own.dialect.name).audit_chains
    own.execute(
        chains.insert().values(target=target, chain_id=first.chain_id, seq=0, first_copied_at=database_now(own))
    )
