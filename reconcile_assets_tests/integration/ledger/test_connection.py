"""A ledger in a real server: lost connections come back, and errors show no value."""

import psycopg
import pytest
import sqlalchemy as sa

from reconcile_assets.errors import ConnectionLost, ConstraintRefused, DatabaseUnavailable, StatementTimeout
from reconcile_assets.ledger import Ledger, open_ledger
from reconcile_assets.ledger.connection import lock_transaction
from reconcile_assets_tests.ledger_samples import matched, mismatched

CANARY = "canary@example.com"


def cut_all(url: str) -> None:
    """End every other connection to the database, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_cut_between_two_calls_is_not_noticed(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    ledger.record_verdicts(matched("a"), run_id="run-1")
    cut_all(postgres_url)
    ledger.record_verdicts(mismatched("a"), run_id="run-2")
    assert len(ledger.fetch_alerts()) == 1
    ledger.close()


def test_a_connection_cut_in_the_middle_leaves_nothing_and_says_so(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)

    def cut_in_the_middle() -> None:
        with ledger.database.writing() as connection:
            connection.execute(
                ledger.database.tables.audit_chains.insert().values(
                    target="t", chain_id="c", seq=0, first_copied_at=sa.func.now()
                )
            )
            cut_all(postgres_url)
            connection.execute(sa.select(1))

    with pytest.raises(ConnectionLost, match="try again"):
        cut_in_the_middle()
    with ledger.database.reading() as connection:
        assert connection.execute(sa.select(ledger.database.tables.audit_chains)).all() == []
    ledger.close()


def test_a_server_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"^DATABASE_URL: .*cannot be reached") as refused:
        open_ledger("postgresql://user:canary-pa55@127.0.0.1:1/ledger")
    assert "canary" not in str(refused.value)


def test_an_unknown_host_is_one_clear_line() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"^DATABASE_URL: ") as refused:
        open_ledger("postgresql://user:canary-pa55@no-such-host.invalid/ledger")
    assert "canary" not in str(refused.value)


def test_a_row_that_is_refused_does_not_show_in_the_error(ledger: Ledger) -> None:
    chains = ledger.database.tables.audit_chains

    def insert_twice() -> None:
        with ledger.database.writing() as connection:
            for _ in range(2):
                connection.execute(
                    chains.insert().values(
                        target=CANARY, chain_id=CANARY, seq=0, first_copied_at=sa.func.current_timestamp()
                    )
                )

    with pytest.raises(ConstraintRefused) as refused:
        insert_twice()
    assert CANARY not in str(refused.value)
    assert refused.value.__suppress_context__


def test_locks_of_one_name_wait_and_of_others_do_not(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    with ledger.database.writing() as first, ledger.database.writing() as second:
        second.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
        lock_transaction(first, "one")
        lock_transaction(second, "other")
        with pytest.raises(sa.exc.OperationalError):
            lock_transaction(second, "one")
        second.rollback()
    ledger.close()


def test_a_lock_that_is_not_given_in_time_is_worth_another_try(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)

    def wait_for_it() -> None:
        with ledger.database.writing() as second:
            second.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            lock_transaction(second, "one")

    with ledger.database.writing() as first:
        lock_transaction(first, "one")
        with pytest.raises(StatementTimeout, match="try again"):
            wait_for_it()
    ledger.close()
