"""Batches: committed with the data, found again by their id, summed for the report."""

import uuid
from datetime import timedelta

import pytest

from reconcile_assets.errors import ConstraintRefused, ReconcileAssetsError
from reconcile_assets.ledger import (
    BatchTotals,
    count_batches,
    fetch_batch_totals,
    fetch_last_batches,
    fetch_latest_batches,
    find_batch,
    record_batches,
)
from reconcile_assets.ledger.batches import fetch_batches
from reconcile_assets.ledger.connection import LedgerDatabase, database_now
from reconcile_assets_tests.ledger_samples import batch


def test_a_batch_is_found_by_its_id_once_it_is_committed(target: LedgerDatabase) -> None:
    written = batch(reason="asked for", backfill_id="backfill-1", attempts=2)
    with target.writing() as connection:
        (entry,) = record_batches(connection, [written])
    with target.reading() as connection:
        found = find_batch(connection, written.batch_id)
    assert found is not None
    assert found.recorded_at == entry.recorded_at
    assert found == batch(**{**vars(written), "recorded_at": entry.recorded_at})


def test_a_batch_that_was_rolled_back_is_not_there(target: LedgerDatabase) -> None:
    written = batch()
    with target.engine.connect() as connection:
        transaction = connection.begin()
        record_batches(connection, [written])
        transaction.rollback()
    with target.reading() as connection:
        assert find_batch(connection, written.batch_id) is None
        assert count_batches(connection) == 0


def test_an_unknown_batch_is_none(target: LedgerDatabase) -> None:
    with target.reading() as connection:
        assert find_batch(connection, str(uuid.uuid4())) is None
        assert fetch_batches(connection, []) == {}


def test_a_batch_is_committed_once_only(target: LedgerDatabase) -> None:
    written = batch()
    with target.writing() as connection:
        record_batches(connection, [written])
    with pytest.raises(ConstraintRefused, match=r"^warehouse: "), target.writing() as connection:
        record_batches(connection, [batch(), written], label="warehouse")
    with target.reading() as connection:
        assert count_batches(connection) == 1


def test_no_batches_are_no_entries(target: LedgerDatabase) -> None:
    with target.writing() as connection:
        assert record_batches(connection, []) == ()


def test_a_target_without_the_tables_is_one_clear_line(target: LedgerDatabase) -> None:
    with target.writing() as connection:
        target.tables.audit_entries.drop(connection)
    with pytest.raises(ReconcileAssetsError, match="warehouse"), target.writing() as connection:
        record_batches(connection, [batch()], label="warehouse")


def test_totals_are_those_of_each_table(target: LedgerDatabase) -> None:
    with target.writing() as connection:
        start = database_now(connection) - timedelta(seconds=10)
        record_batches(connection, [batch("a", started_at=start), batch("b", started_at=start)])
        record_batches(connection, [batch("a", table="weather", rows_read=2**40, rows_inserted=2**40)])
    with target.reading() as connection:
        flights, weather = fetch_batch_totals(connection)
        assert fetch_batch_totals(connection, tables=["weather"]) == (weather,)
        assert fetch_batch_totals(connection, tables=[]) == ()
    assert (flights.batches, flights.rows_read, flights.rows_deleted, flights.rows_inserted) == (2, 6, 2, 6)
    assert 20 <= flights.seconds < 40
    assert weather == BatchTotals("weather", 1, 2**40, 1, 2**40, weather.seconds)


def test_the_latest_batch_of_each_partition_comes_in_pages(target: LedgerDatabase) -> None:
    for rows in (1, 2, 3):
        with target.writing() as connection:
            record_batches(connection, [batch(key, rows_read=rows) for key in "bac"])
    with target.writing() as connection:
        record_batches(connection, [batch("a", table="airports", rows_read=9)])
    with target.reading() as connection:
        first = fetch_latest_batches(connection, limit=2)
        rest = fetch_latest_batches(connection, after=first[-1].key)
        only = fetch_latest_batches(connection, tables=["airports"])
    assert [(one.table, one.partition, one.rows_read) for one in (*first, *rest)] == [
        ("airports", "a", 9),
        ("flights", "a", 3),
        ("flights", "b", 3),
        ("flights", "c", 3),
    ]
    assert [one.table for one in only] == ["airports"]


def test_the_last_batch_of_each_partition_is_the_one_whose_entry_comes_last(target: LedgerDatabase) -> None:
    """Also where the clock was set back in between."""
    first, second = batch("a", checksum_form="form 1"), batch("a", checksum_form="form 2")
    for written in (first, second, batch("b"), batch("a", table="airports")):
        with target.writing() as connection:
            record_batches(connection, [written])
    batches = target.tables.batches
    with target.writing() as connection:
        later = database_now(connection) + timedelta(hours=1)
        connection.execute(batches.update().where(batches.c.batch_id == first.batch_id).values(recorded_at=later))
    with target.reading() as connection:
        found = fetch_last_batches(connection, table="flights")
        only = fetch_last_batches(connection, table="flights", partitions=["b", "c"])
        many = fetch_last_batches(connection, table="flights", partitions=[f"{n}" for n in range(5_000)] + ["a"])
    assert {key: (each.batch_id, each.checksum_form) for key, each in found.items()}["a"] == (
        second.batch_id,
        "form 2",
    )
    assert found["b"].checksum_form is None
    assert only.keys() == {"b"}
    assert many["a"] == found["a"]


def test_a_target_that_was_never_written_to_or_by_an_older_version_has_no_forms(target: LedgerDatabase) -> None:
    with target.writing() as connection:
        record_batches(connection, [batch("a", checksum_form="form")])
        target.tables.batch_forms.drop(connection)
    with target.reading() as connection:
        assert fetch_last_batches(connection, table="flights")["a"].checksum_form is None
    with target.writing() as connection:
        for table in (target.tables.audit_entries, target.tables.batches):
            table.drop(connection)
    with target.reading() as connection:
        assert fetch_last_batches(connection, table="flights") == {}
