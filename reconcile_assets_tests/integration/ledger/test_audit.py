"""The audit chain in a real target, its copy, and everything that somebody may do to it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from reconcile_assets.errors import ConfigurationError, LedgerCorrupt, ReconcileAssetsError, SerializationConflict
from reconcile_assets.ledger import (
    AuditVerification,
    Ledger,
    SetAside,
    audit,
    copy_audit_entries,
    create_ledger_engine,
    ensure_target_ledger,
    fetch_audit_entries,
    iterate_audit_entries,
    record_batches,
)
from reconcile_assets.ledger.audit import AuditEntry, genesis_hash
from reconcile_assets.ledger.connection import LedgerDatabase
from reconcile_assets_tests.ledger_samples import batch, sealed

LENGTH = 6
Tamper = Callable[[sa.Connection, LedgerDatabase], object]


def write(target: LedgerDatabase, partitions: int, *, at_once: int = 1) -> None:
    for start in range(0, partitions, at_once):
        with target.writing() as connection:
            record_batches(connection, [batch(f"p{start + offset:05}") for offset in range(at_once)])


def copy(ledger: Ledger, target: LedgerDatabase) -> int:
    with target.reading() as connection:
        return copy_audit_entries(ledger, "target", connection)


def verify(ledger: Ledger, target: LedgerDatabase) -> AuditVerification:
    with target.reading() as connection:
        return ledger.verify_audit("target", connection)


def set_aside(ledger: Ledger, target: LedgerDatabase) -> SetAside:
    with target.reading() as connection:
        return ledger.set_aside_audit_copy("target", connection, by="me", reason="made anew")


def entries(target: LedgerDatabase) -> list[AuditEntry]:
    with target.reading() as connection:
        return list(iterate_audit_entries(connection))


def test_the_chain_runs_from_one_without_gaps(target: LedgerDatabase) -> None:
    write(target, 6, at_once=2)
    found = entries(target)
    assert [entry.seq for entry in found] == [1, 2, 3, 4, 5, 6]
    assert found[0].prev_hash == genesis_hash(found[0].chain_id)
    assert [entry.prev_hash for entry in found[1:]] == [entry.hash for entry in found[:-1]]
    assert all(entry.hash == entry.compute_hash() for entry in found)


def test_each_target_has_a_chain_of_its_own(target: LedgerDatabase, database_url: Callable[[str], str]) -> None:
    other = LedgerDatabase(create_ledger_engine(database_url("other"), label="other"), label="other")
    with other.writing() as connection:
        ensure_target_ledger(connection)
    write(target, 1)
    write(other, 1)
    assert entries(target)[0].chain_id != entries(other)[0].chain_id
    other.close()


def test_a_sound_chain_is_copied_and_verifies(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, 4)
    assert (copy(ledger, target), copy(ledger, target)) == (4, 0)
    write(target, 2)
    lagging = verify(ledger, target)
    assert (lagging.ok, lagging.entries, lagging.batches, lagging.copied) == (True, 6, 6, 4)
    assert copy(ledger, target) == 2
    assert list(ledger.iterate_audit_copy("target")) == entries(target)


def test_a_target_never_written_to_is_sound(ledger: Ledger, target: LedgerDatabase) -> None:
    assert copy(ledger, target) == 0
    found = verify(ledger, target)
    assert (found.ok, found.entries, found.batches) == (True, 0, 0)


def test_a_target_without_the_tables_is_sound_while_nothing_was_copied(
    ledger: Ledger, database_url: Callable[[str], str]
) -> None:
    bare = LedgerDatabase(create_ledger_engine(database_url("bare"), label="bare"), label="bare")
    assert verify(ledger, bare).ok
    bare.close()


def test_a_chain_of_several_pages_is_copied_and_verified(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, 2_500, at_once=500)
    assert copy(ledger, target) == 2_500
    found = verify(ledger, target)
    assert (found.ok, found.entries, found.copied) == (True, 2_500, 2_500)


def test_entries_are_read_in_pages(target: LedgerDatabase) -> None:
    write(target, 3)
    with target.reading() as connection:
        assert [entry.seq for entry in fetch_audit_entries(connection, 1, 1)] == [2]
        assert fetch_audit_entries(connection, 3) == ()


def test_copies_made_at_once_hold_each_entry_once(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, 30, at_once=10)
    with ThreadPoolExecutor(5) as pool:
        copied = list(pool.map(lambda _: copy(ledger, target), range(5)))
    assert sum(copied) == 30
    assert verify(ledger, target).copied == 30


# --- what somebody may do to it


def change(connection: sa.Connection, target: LedgerDatabase, seq: int, **values: object) -> None:
    table = target.tables.audit_entries
    connection.execute(table.update().where(table.c.seq == seq).values(**values))


def put(connection: sa.Connection, target: LedgerDatabase, entry: AuditEntry) -> None:
    row = audit._entry_row(entry)
    connection.execute(target.tables.audit_entries.insert().values(**row))


def drop_constraints(connection: sa.Connection, target: LedgerDatabase) -> None:
    """The table as an attacker would have it: the same rows, no keys."""
    table = target.tables.audit_entries
    rows = connection.execute(sa.select(table)).mappings().all()
    table.drop(connection)
    columns = [sa.Column(column.name, column.type) for column in table.columns]
    bare = sa.Table(table.name, sa.MetaData(schema=table.schema), *columns)
    bare.create(connection)
    if rows:
        connection.execute(bare.insert(), [dict(row) for row in rows])


def reseal(connection: sa.Connection, target: LedgerDatabase, changed: list[AuditEntry]) -> None:
    """Write a chain anew with valid hashes, batches and head."""
    tables = target.tables
    connection.execute(tables.audit_entries.delete())
    before = genesis_hash(changed[0].chain_id)
    for entry in changed:
        entry = sealed(replace(entry, prev_hash=before))
        put(connection, target, entry)
        before = entry.hash
    connection.execute(tables.audit_chain.update().values(seq=len(changed), hash=before))


def edited(connection: sa.Connection, target: LedgerDatabase) -> None:
    change(connection, target, 3, rows_deleted=0)


def deleted(connection: sa.Connection, target: LedgerDatabase) -> None:
    table = target.tables.audit_entries
    connection.execute(table.delete().where(table.c.seq == 3))


def deleted_with_its_batch(connection: sa.Connection, target: LedgerDatabase) -> None:
    batch_id = list(iterate_audit_entries(connection))[2].batch_id
    deleted(connection, target)
    batches = target.tables.batches
    connection.execute(batches.delete().where(batches.c.batch_id == batch_id))


def swapped(connection: sa.Connection, target: LedgerDatabase) -> None:
    for old, new in ((3, 1_003), (4, 3), (1_003, 4)):
        table = target.tables.audit_entries
        connection.execute(table.update().where(table.c.seq == old).values(seq=new))


def duplicated(connection: sa.Connection, target: LedgerDatabase) -> None:
    third = list(iterate_audit_entries(connection))[2]
    drop_constraints(connection, target)
    put(connection, target, third)


def truncated(connection: sa.Connection, target: LedgerDatabase) -> None:
    table = target.tables.audit_entries
    connection.execute(table.delete().where(table.c.seq > 3))


def truncated_with_batches_and_head(connection: sa.Connection, target: LedgerDatabase) -> None:
    kept = list(iterate_audit_entries(connection))[:3]
    truncated(connection, target)
    batches = target.tables.batches
    connection.execute(batches.delete().where(batches.c.batch_id.not_in([entry.batch_id for entry in kept])))
    connection.execute(target.tables.audit_chain.update().values(seq=3, hash=kept[-1].hash))


def emptied(connection: sa.Connection, target: LedgerDatabase) -> None:
    connection.execute(target.tables.audit_entries.delete())


def emptied_wholly(connection: sa.Connection, target: LedgerDatabase) -> None:
    for table in (target.tables.audit_entries, target.tables.batches, target.tables.audit_chain):
        connection.execute(table.delete())


def restored(connection: sa.Connection, target: LedgerDatabase, length: int) -> None:
    """The target as it was when its chain had so many entries."""
    entries, batches = target.tables.audit_entries, target.tables.batches
    connection.execute(entries.delete().where(entries.c.seq > length))
    connection.execute(batches.delete().where(batches.c.batch_id.not_in(sa.select(entries.c.batch_id))))
    head = connection.execute(sa.select(entries.c.hash).where(entries.c.seq == length)).scalar_one()
    connection.execute(target.tables.audit_chain.update().values(seq=length, hash=head))


def dropped(connection: sa.Connection, target: LedgerDatabase) -> None:
    for table in (target.tables.audit_entries, target.tables.batches, target.tables.audit_chain):
        table.drop(connection)


def rewritten(connection: sa.Connection, target: LedgerDatabase) -> None:
    found = list(iterate_audit_entries(connection))
    batches = target.tables.batches
    connection.execute(batches.update().values(actor="somebody else"))
    reseal(connection, target, [replace(entry, actor="somebody else") for entry in found])


def rewritten_under_another_id(connection: sa.Connection, target: LedgerDatabase) -> None:
    found = list(iterate_audit_entries(connection))
    connection.execute(target.tables.audit_chain.update().values(chain_id="another"))
    reseal(connection, target, [replace(entry, chain_id="another") for entry in found])


def forged(connection: sa.Connection, target: LedgerDatabase) -> None:
    """An entry of a write that never was, with a valid hash and head, but no batch."""
    last = list(iterate_audit_entries(connection))[-1]
    drop_constraints(connection, target)
    entry = sealed(replace(last, seq=last.seq + 1, prev_hash=last.hash, batch_id="no such batch"))
    put(connection, target, entry)
    connection.execute(target.tables.audit_chain.update().values(seq=entry.seq, hash=entry.hash))


def forged_for_a_batch_that_has_one(connection: sa.Connection, target: LedgerDatabase) -> None:
    last = list(iterate_audit_entries(connection))[-1]
    drop_constraints(connection, target)
    entry = sealed(replace(last, seq=last.seq + 1, prev_hash=last.hash))
    put(connection, target, entry)
    connection.execute(target.tables.audit_chain.update().values(seq=entry.seq, hash=entry.hash))


def forged_without_the_head(connection: sa.Connection, target: LedgerDatabase) -> None:
    last = list(iterate_audit_entries(connection))[-1]
    drop_constraints(connection, target)
    put(connection, target, sealed(replace(last, seq=last.seq + 1, prev_hash=last.hash)))


def batch_edited(connection: sa.Connection, target: LedgerDatabase) -> None:
    batch_id = list(iterate_audit_entries(connection))[2].batch_id
    batches = target.tables.batches
    connection.execute(batches.update().where(batches.c.batch_id == batch_id).values(rows_deleted=0))


def batch_without_entry(connection: sa.Connection, target: LedgerDatabase) -> None:
    audit.insert_batches(connection, [batch("in secret")], batch().started_at)


def head_changed(connection: sa.Connection, target: LedgerDatabase) -> None:
    connection.execute(target.tables.audit_chain.update().values(hash="0" * 64))


@pytest.mark.parametrize(
    ("tamper", "first_bad", "word"),
    [
        (edited, 3, "changed"),
        (deleted, 3, "missing"),
        (deleted_with_its_batch, 3, "missing"),
        (swapped, 3, "changed"),
        (duplicated, 4, "twice"),
        (truncated, 4, "cut"),
        (truncated_with_batches_and_head, 4, "cut"),
        (emptied, 1, "empty"),
        (emptied_wholly, 1, "empty"),
        (dropped, 1, "empty"),
        (rewritten, 1, "differs from its copy"),
        (rewritten_under_another_id, 1, "differs from its copy"),
        (forged, 7, "a batch that is not there"),
        (forged_for_a_batch_that_has_one, None, "two audit entries tell of one batch"),
        (forged_without_the_head, 7, "its head says 6"),
        (batch_edited, 3, "the batch of entry 3 was changed"),
        (batch_without_entry, None, "1 of 7 batches have no audit entry"),
        (head_changed, 6, "not the head"),
    ],
)
def test_tampering_is_found_and_the_first_bad_entry_named(
    ledger: Ledger, target: LedgerDatabase, tamper: Tamper, first_bad: int | None, word: str
) -> None:
    write(target, LENGTH)
    copy(ledger, target)
    assert verify(ledger, target).ok
    with target.writing() as connection:
        tamper(connection, target)
    found = verify(ledger, target)
    assert (found.ok, found.first_bad) == (False, first_bad)
    assert word in (found.reason or "")


@pytest.mark.parametrize(
    "tamper", [truncated_with_batches_and_head, emptied_wholly, rewritten, rewritten_under_another_id, dropped]
)
def test_without_its_copy_a_chain_that_is_valid_in_itself_passes(
    ledger: Ledger, target: LedgerDatabase, tamper: Tamper
) -> None:
    """The control: the copy is what finds these."""
    write(target, LENGTH)
    with target.writing() as connection:
        tamper(connection, target)
    assert verify(ledger, target).ok


@pytest.mark.parametrize(
    "tamper",
    [
        truncated,
        truncated_with_batches_and_head,
        emptied,
        emptied_wholly,
        dropped,
        rewritten,
        rewritten_under_another_id,
    ],
)
def test_a_copy_is_not_extended_by_a_chain_that_does_not_continue_it(
    ledger: Ledger, target: LedgerDatabase, tamper: Tamper
) -> None:
    write(target, LENGTH)
    copy(ledger, target)
    kept = list(ledger.iterate_audit_copy("target"))
    with target.writing() as connection:
        tamper(connection, target)
    with pytest.raises(LedgerCorrupt, match=r"^audit chain of target: entry 6"):
        copy(ledger, target)
    assert list(ledger.iterate_audit_copy("target")) == kept


def test_a_copy_is_not_extended_after_a_chain_began_again(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, LENGTH)
    copy(ledger, target)
    with target.writing() as connection:
        emptied_wholly(connection, target)
    write(target, LENGTH + 2)
    with pytest.raises(LedgerCorrupt, match="differs from its copy"):
        copy(ledger, target)


@pytest.mark.parametrize("tamper", [edited, deleted, swapped])
def test_what_is_not_sound_is_not_copied(ledger: Ledger, target: LedgerDatabase, tamper: Tamper) -> None:
    write(target, LENGTH)
    with target.writing() as connection:
        tamper(connection, target)
    with pytest.raises(LedgerCorrupt, match="entry 3"):
        copy(ledger, target)
    assert list(ledger.iterate_audit_copy("target")) == []


def test_a_copy_that_was_cut_is_found_too(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, LENGTH)
    copy(ledger, target)
    copies = ledger.database.tables.audit_copies
    with ledger.database.writing() as connection:
        connection.execute(copies.delete().where(copies.c.seq > 2))
    found = verify(ledger, target)
    assert (found.ok, found.reason) == (False, "the copy of the chain has 2 entries, but 6 were copied: it was changed")


def test_a_target_made_anew_begins_another_copy_once_the_old_is_set_aside(
    ledger: Ledger, target: LedgerDatabase
) -> None:
    write(target, LENGTH)
    copy(ledger, target)
    old = entries(target)
    with target.writing() as connection:
        emptied_wholly(connection, target)
    write(target, 2)
    assert not verify(ledger, target).ok
    kept = set_aside(ledger, target)
    assert (kept.name, kept.entries, kept.by, kept.reason) == (f"target {old[0].chain_id}", LENGTH, "me", "made anew")
    assert copy(ledger, target) == 2
    assert verify(ledger, target).ok
    assert list(ledger.iterate_audit_copy(kept.name)) == old
    assert ledger.fetch_set_aside_copies("target") == (kept,)


def test_a_chain_that_is_whole_and_goes_on_from_its_copy_is_not_set_aside(
    ledger: Ledger, target: LedgerDatabase
) -> None:
    write(target, LENGTH)
    copy(ledger, target)
    write(target, 2)  # beyond the copy
    with pytest.raises(ConfigurationError, match="whole and its copy agrees"):
        set_aside(ledger, target)
    assert len(list(ledger.iterate_audit_copy("target"))) == LENGTH
    assert ledger.fetch_set_aside_copies("target") == ()


def test_what_has_no_copy_is_not_set_aside(ledger: Ledger, target: LedgerDatabase) -> None:
    with pytest.raises(ConfigurationError, match="no copy"):
        set_aside(ledger, target)


def test_a_target_restored_twice_from_one_backup_keeps_both_copies(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, 1)
    copy(ledger, target)
    names = []
    for _ in range(2):
        write(target, 1)
        copy(ledger, target)
        with target.writing() as connection:
            restored(connection, target, 1)
        names.append(set_aside(ledger, target).name)
        copy(ledger, target)
    chain_id = entries(target)[0].chain_id
    assert names == [f"target {chain_id}", f"target {chain_id} 2"]
    assert [len(list(ledger.iterate_audit_copy(name))) for name in names] == [2, 2]


def test_an_entry_with_a_time_that_is_none_does_not_crash_the_verification(tmp_path: Path) -> None:
    """SQLite holds any text in a column of times."""
    target = LedgerDatabase(create_ledger_engine(f"sqlite:///{tmp_path}/t.db", label="target"), label="target")
    with target.writing() as connection:
        ensure_target_ledger(connection)
    write(target, 1)
    with target.writing() as connection:
        connection.exec_driver_sql("UPDATE reconcile_assets_audit_entries SET recorded_at = 'yesterday'")
    with pytest.raises(LedgerCorrupt, match="changed by hand"):
        entries(target)
    target.close()


# --- atomicity and writers at once


def test_when_the_entry_cannot_be_written_neither_are_the_rows(target: LedgerDatabase) -> None:
    with target.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE data (x INTEGER)")
        target.tables.audit_entries.drop(connection)

    def write_both() -> None:
        with target.writing() as connection:
            connection.exec_driver_sql("INSERT INTO data VALUES (1)")
            record_batches(connection, [batch()])

    with pytest.raises(ReconcileAssetsError):
        write_both()
    with target.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM data").scalar_one() == 0


def append_from_twenty(target: LedgerDatabase) -> list[str]:
    """Twenty writers, three transactions of two batches each; returns the errors."""

    def append(writer: int) -> str | None:
        try:
            for turn in range(3):
                with target.writing() as connection:
                    record_batches(connection, [batch(f"w{writer}-{turn}-{which}") for which in range(2)])
        except ReconcileAssetsError as error:
            return type(error).__name__
        return None

    with ThreadPoolExecutor(20) as pool:
        return [error for error in pool.map(append, range(20)) if error]


def test_twenty_writers_make_no_fork_and_no_gap(ledger: Ledger, target: LedgerDatabase) -> None:
    assert append_from_twenty(target) == []
    assert [entry.seq for entry in entries(target)] == list(range(1, 121))
    assert copy(ledger, target) == 120
    assert verify(ledger, target).ok


def _unlocked_head(connection: sa.Connection) -> audit.ChainHead:
    chain = audit.ledger_tables(connection.dialect.name).audit_chain
    row = connection.execute(sa.select(chain)).one()
    time.sleep(0.02)
    return audit.ChainHead(row.chain_id, row.seq, row.hash)


def test_without_the_lock_twenty_writers_fork_the_chain(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with neither lock nor keys, numbers and hashes are given twice."""
    target = LedgerDatabase(create_ledger_engine(postgres_url, label="target"), label="target")
    with target.writing() as connection:
        ensure_target_ledger(connection)
    write(target, 1)
    with target.writing() as connection:
        drop_constraints(connection, target)
    monkeypatch.setattr(audit, "_lock_head", _unlocked_head)
    append_from_twenty(target)
    with target.reading() as connection:
        before = connection.execute(sa.select(target.tables.audit_entries.c.prev_hash)).scalars().all()
    assert len(before) > len(set(before))
    target.close()


def test_an_older_snapshot_fails_instead_of_forking(postgres_url: str) -> None:
    target = LedgerDatabase(create_ledger_engine(postgres_url, label="target"), label="target")
    with target.writing() as connection:
        ensure_target_ledger(connection)
    write(target, 1)
    older = target.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with older.begin():
        older.exec_driver_sql("SELECT 1")  # the snapshot is of now
        write(target, 1)
        with pytest.raises(SerializationConflict):
            record_batches(older, [batch()])
    older.close()
    assert [entry.seq for entry in entries(target)] == [1, 2]
    target.close()


def test_verification_among_writers_raises_no_false_alarm(ledger: Ledger, target: LedgerDatabase) -> None:
    write(target, 1)
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, target, 15) for _ in range(2)]
        copier = pool.submit(lambda: [copy(ledger, target) for _ in range(10)])
        found = []
        while not all(one.done() for one in (*writers, copier)):
            found.append(verify(ledger, target))
        for one in (*writers, copier):
            one.result()
    assert [one for one in found if not one.ok] == []
