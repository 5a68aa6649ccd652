"""Named migrations, each in one transaction with its own record.

Safe when many processes start at once: one at a time goes on under a lock of the database, and
each finds what the one before has recorded. A ledger that a newer version has migrated is
refused, because an older version would write rows the newer one misreads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema, CreateTable

from reconcile_assets.errors import ConfigurationError
from reconcile_assets.ledger.connection import LedgerDatabase, database_now, ledger_errors, lock_transaction
from reconcile_assets.ledger.ddl_applied_writes import TARGET_THIRD
from reconcile_assets.ledger.ddl_changes import LEDGER_SECOND, TARGET_SECOND
from reconcile_assets.ledger.ddl_ledger import LEDGER_FIRST
from reconcile_assets.ledger.ddl_target import TARGET_FIRST
from reconcile_assets.ledger.schema import SCHEMA, ledger_tables


@dataclass(frozen=True)
class Migration:
    """One step: a name that is never used again, and its statements for each dialect."""

    name: str
    statements: Mapping[str, tuple[str, ...]]


LEDGER_MIGRATIONS = (
    Migration("ledger/0001_first", LEDGER_FIRST),
    Migration("ledger/0002_changes", LEDGER_SECOND),
)
TARGET_MIGRATIONS = (
    Migration("target/0001_first", TARGET_FIRST),
    Migration("target/0002_batch_forms", TARGET_SECOND),
    Migration("target/0003_applied_writes", TARGET_THIRD),
)


def migrate_ledger(database: LedgerDatabase, migrations: Sequence[Migration] = LEDGER_MIGRATIONS) -> None:
    """Bring the project's own database up to this version; does nothing when it is.

    Raises:
        ConfigurationError: a newer version has migrated it.
        PermissionDenied: the role may not create the schema or its tables.
    """
    with database.reading() as connection:
        missing = _missing(connection, migrations)
    for migration in missing:
        with database.writing() as connection:
            _apply(connection, migration, migrations)


def ensure_target_ledger(
    connection: sa.Connection, *, label: str = "target", migrations: Sequence[Migration] = TARGET_MIGRATIONS
) -> None:
    """Make the tables for batches and audit entries in a target, where they are missing.

    Inside the caller's transaction when one is open (other processes then wait for its end: give
    it a short one of its own, before the work), else in its own, committed.

    Raises:
        ConfigurationError: a newer version has migrated it.
        PermissionDenied: the role may not create the schema or its tables.
    """
    with ledger_errors(label):
        if connection.in_transaction():
            _apply_missing(connection, migrations)
        else:
            with connection.begin():
                _apply_missing(connection, migrations)


def _apply_missing(connection: sa.Connection, migrations: Sequence[Migration]) -> None:
    for migration in _missing(connection, migrations):
        _apply(connection, migration, migrations)


def _missing(connection: sa.Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied, without taking a lock: the usual answer is nothing."""
    table = ledger_tables(connection.dialect.name).migrations
    if not sa.inspect(connection).has_table(table.name, schema=table.schema):
        return list(migrations)
    family = migrations[0].name.split("/")[0]
    applied = set(connection.execute(sa.select(table.c.name).where(table.c.name.startswith(f"{family}/"))).scalars())
    unknown = sorted(applied - {migration.name for migration in migrations})
    if unknown:
        raise ConfigurationError(
            f"the {family} tables were made by a newer reconcile-assets (migration {unknown[-1]} is not known here);"
            " install that version"
        )
    return [migration for migration in migrations if migration.name not in applied]


def _apply(connection: sa.Connection, migration: Migration, migrations: Sequence[Migration]) -> None:
    lock_transaction(connection, "migrations")
    table = ledger_tables(connection.dialect.name).migrations
    inspector = sa.inspect(connection)
    if table.schema and not inspector.has_schema(SCHEMA):
        connection.execute(CreateSchema(SCHEMA))
    if not inspector.has_table(table.name, schema=table.schema):
        connection.execute(CreateTable(table))
    if migration not in _missing(connection, migrations):
        return  # another process was first
    for statement in migration.statements[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    connection.execute(table.insert().values(name=migration.name, applied_at=database_now(connection)))
