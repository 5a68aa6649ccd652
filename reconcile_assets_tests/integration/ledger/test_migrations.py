"""Migrations: named, recorded, safe when many start at once, refused when newer."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.errors import AuthenticationFailed, ConfigurationError, MissingObject, PermissionDenied
from reconcile_assets.ledger import create_ledger_engine, ensure_target_ledger, open_ledger
from reconcile_assets.ledger.connection import LedgerDatabase
from reconcile_assets.ledger.migrations import (
    LEDGER_MIGRATIONS,
    TARGET_MIGRATIONS,
    Migration,
    migrate_ledger,
)
from reconcile_assets.ledger.schema import ledger_tables


def open_plain(url: str) -> LedgerDatabase:
    return LedgerDatabase(create_ledger_engine(url, label="DATABASE_URL"), label="DATABASE_URL")


def describe(engine: sa.Engine, schema: str | None) -> dict[str, object]:
    """What the catalog says: columns, keys and indexes of each table."""
    inspector = sa.inspect(engine)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name, schema=schema)],
            inspector.get_pk_constraint(name, schema=schema)["constrained_columns"],
            sorted(str(u["column_names"]) for u in inspector.get_unique_constraints(name, schema=schema)),
            sorted(str(f["constrained_columns"]) for f in inspector.get_foreign_keys(name, schema=schema)),
            sorted((str(i["name"]), str(i["column_names"])) for i in inspector.get_indexes(name, schema=schema)),
        )
        for name in sorted(inspector.get_table_names(schema=schema))
    }


def test_what_the_migrations_make_is_what_the_queries_expect(database_url: Callable[[str], str]) -> None:
    migrated, declared = open_plain(database_url("migrated")), open_plain(database_url("declared"))
    migrate_ledger(migrated)
    with migrated.writing() as connection:
        ensure_target_ledger(connection)
    tables = ledger_tables(declared.engine.dialect.name)
    with declared.writing() as connection:
        if tables.metadata.schema:
            connection.exec_driver_sql("CREATE SCHEMA reconcile_assets")
        tables.metadata.create_all(connection)
    schema = tables.metadata.schema
    assert describe(migrated.engine, schema) == describe(declared.engine, schema)
    migrated.close()
    declared.close()


def test_opening_again_changes_nothing(database_url: Callable[[str], str]) -> None:
    url = database_url("ledger")
    first = open_ledger(url)
    with first.database.reading() as connection:
        before = connection.execute(sa.select(first.database.tables.migrations)).all()
    first.close()
    second = open_ledger(url)
    with second.database.reading() as connection:
        assert connection.execute(sa.select(second.database.tables.migrations)).all() == before
    second.close()
    assert [row.name for row in before] == [migration.name for migration in LEDGER_MIGRATIONS]


TWENTY_PROCESSES = """
import os, sys
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import open_ledger

gate, opener = os.pipe()
children = []
for _ in range(20):
    child = os.fork()
    if not child:
        os.close(opener)
        os.read(gate, 1)  # ends for all at once, when the parent closes its end
        try:
            ledger = open_ledger(sys.argv[1])
            os._exit(0 if ledger.fetch_verdict_summary() == () else 3)
        except ReconcileAssetsError as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(2)
        finally:
            os._exit(1)
    children.append(child)
os.close(opener)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


# Each stays in its transaction for a while, so that they meet there also on a machine that is slow to start them.
WITHOUT_THE_LOCK = """
import time
from reconcile_assets.ledger import migrations
now = migrations.database_now
migrations.lock_transaction = lambda *_: None
migrations.database_now = lambda connection: time.sleep(2) or now(connection)
"""


def test_twenty_processes_that_start_at_once_migrate_once(database_url: Callable[[str], str]) -> None:
    url = database_url("ledger")
    done = subprocess.run(
        [sys.executable, "-c", TWENTY_PROCESSES, url], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    ledger = open_plain(url)
    with ledger.reading() as connection:
        names = connection.execute(sa.select(ledger.tables.migrations.c.name)).scalars().all()
    ledger.close()
    assert names == [migration.name for migration in LEDGER_MIGRATIONS]


def test_without_the_lock_processes_that_start_at_once_fail(postgres_url: str) -> None:
    """The control: the lock is what lets them start together."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_LOCK + TWENTY_PROCESSES, postgres_url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2


def test_a_ledger_of_a_newer_version_is_refused(database_url: Callable[[str], str]) -> None:
    database = open_plain(database_url("ledger"))
    dialect = database.engine.dialect.name
    later = Migration("ledger/9999_later", {dialect: ()})
    migrate_ledger(database, (*LEDGER_MIGRATIONS, later))
    with pytest.raises(ConfigurationError, match=r"newer reconcile-assets .*9999_later.* install that version"):
        migrate_ledger(database)
    database.close()


def test_a_target_of_a_newer_version_is_refused(target: LedgerDatabase) -> None:
    later = Migration("target/9999_later", {target.engine.dialect.name: ()})
    with target.writing() as connection:
        ensure_target_ledger(connection, migrations=(*TARGET_MIGRATIONS, later))
    with pytest.raises(ConfigurationError, match="9999_later"), target.writing() as connection:
        ensure_target_ledger(connection)


def test_a_ledger_of_an_older_version_keeps_what_it_has_and_says_it_proves_nothing_now(
    database_url: Callable[[str], str],
) -> None:
    url = database_url("ledger")
    database = open_plain(url)
    migrate_ledger(database, LEDGER_MIGRATIONS[:1])
    state = database.tables.verdict_state
    then = datetime(2024, 1, 1, tzinfo=UTC)
    old = {"table_name": "flights", "check_name": "rows", "partition": "a", "verdict": "matched", "severity": "ERROR"}
    more = {"notes": [], "measures": {}, "seconds": 0.0, "evaluated_at": then, "recorded_at": then, "since": then}
    with database.writing() as connection:
        connection.execute(state.insert().values(**old, **more, run_id="r"))
    database.close()
    ledger = open_ledger(url)
    (latest,) = ledger.fetch_latest_verdicts()
    assert (latest.verdict.verdict, latest.verdict.change, latest.verdict.configuration) == (
        Verdict.MATCHED,
        None,
        None,
    )
    assert ledger.fetch_outdated("flights", {"rows": "now"}) == {"rows": ("a",)}
    assert ledger.fetch_proofs("flights", checks=["rows"], partitions=["a"]) == {}
    ledger.close()


def test_a_migration_that_fails_leaves_nothing(database_url: Callable[[str], str]) -> None:
    database = open_plain(database_url("ledger"))
    dialect = database.engine.dialect.name
    half = Migration("ledger/0002_half", {dialect: ("CREATE TABLE half_done (x INTEGER)", "CREATE NONSENSE")})
    with pytest.raises(Exception, match="DATABASE_URL"):
        migrate_ledger(database, (*LEDGER_MIGRATIONS, half))
    with database.reading() as connection:
        assert not sa.inspect(connection).has_table("half_done")
        names = connection.execute(sa.select(database.tables.migrations.c.name)).scalars().all()
    assert names == [migration.name for migration in LEDGER_MIGRATIONS]
    database.close()


def test_a_ledger_and_a_target_may_share_one_database(database_url: Callable[[str], str]) -> None:
    url = database_url("both")
    ledger = open_ledger(url)
    with ledger.database.writing() as connection:
        ensure_target_ledger(connection)
    ledger.close()
    again = open_ledger(url)
    assert again.fetch_verdict_summary() == ()
    again.close()


def test_ensuring_a_target_outside_a_transaction_commits(
    target: LedgerDatabase, database_url: Callable[[str], str]
) -> None:
    fresh = open_plain(database_url("fresh"))
    with fresh.engine.connect() as connection:
        ensure_target_ledger(connection)
        assert not connection.in_transaction()
    name = fresh.tables.batches.name
    with fresh.reading() as connection:
        assert sa.inspect(connection).has_table(name, schema=fresh.tables.batches.schema)
    fresh.close()


def test_ensuring_a_target_inside_a_transaction_leaves_the_commit_to_the_caller(
    database_url: Callable[[str], str],
) -> None:
    fresh = open_plain(database_url("fresh"))
    with fresh.engine.connect() as connection:
        transaction = connection.begin()
        ensure_target_ledger(connection)
        transaction.rollback()
    with fresh.reading() as connection:
        assert not sa.inspect(connection).has_table(fresh.tables.batches.name, schema=fresh.tables.batches.schema)
    fresh.close()


def test_a_role_without_privileges_gets_one_clear_line(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS ledger_reader")
        connection.execute("CREATE ROLE ledger_reader")
        database = create_ledger_engine(postgres_url, label="target")
        with database.connect() as restricted:
            restricted.exec_driver_sql("SET ROLE ledger_reader")
            with pytest.raises(PermissionDenied, match=r"^warehouse: .*grant it CREATE"):
                ensure_target_ledger(restricted, label="warehouse")
        database.dispose()
        connection.execute("DROP ROLE ledger_reader")


def test_a_role_that_may_use_but_not_create_works_on_a_migrated_ledger(postgres_url: str) -> None:
    open_ledger(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS ledger_user")
        connection.execute("CREATE ROLE ledger_user")
        connection.execute("GRANT USAGE ON SCHEMA reconcile_assets TO ledger_user")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA reconcile_assets TO ledger_user")
        database = open_plain(postgres_url)
        with database.engine.connect() as restricted:
            restricted.exec_driver_sql("SET ROLE ledger_user")
            assert sa.inspect(restricted).has_table("verdicts", schema="reconcile_assets")
        database.close()
        connection.execute("DROP OWNED BY ledger_user")
        connection.execute("DROP ROLE ledger_user")


def test_a_database_that_is_not_there_is_one_clear_line(postgres_url: str) -> None:
    missing = sa.make_url(postgres_url).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(MissingObject, match="the database does not exist"):
        open_ledger(missing)


def test_a_wrong_user_is_one_clear_line(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(username="nobody_here", password="canary-pa55")
    with pytest.raises(AuthenticationFailed) as refused:
        open_ledger(url.render_as_string(hide_password=False))
    assert "canary" not in str(refused.value)


def test_the_migrations_table_is_made_once(database_url: Callable[[str], str]) -> None:
    """The record of a migration is in the transaction of its statements: a rollback takes both."""
    database = open_plain(database_url("ledger"))
    with database.writing() as connection:
        if database.tables.metadata.schema:
            connection.exec_driver_sql("CREATE SCHEMA reconcile_assets")
        connection.execute(CreateTable(database.tables.migrations))
    migrate_ledger(database)
    with database.reading() as connection:
        assert len(connection.execute(sa.select(database.tables.migrations)).all()) == len(LEDGER_MIGRATIONS)
    database.close()
