"""A ledger and a target on each engine that may hold one."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import psycopg.sql
import pytest
import sqlalchemy as sa

from reconcile_assets.ledger import Ledger, create_ledger_engine, ensure_target_ledger, open_ledger
from reconcile_assets.ledger.connection import LedgerDatabase


class ReusedDatabases:
    """One database for each name, made once and emptied before each use: making one takes longer than most tests."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._made: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        if name not in self._made:
            self._made[name] = self._make(f"reused_{name}_{secrets.token_hex(4)}")
        with psycopg.connect(self._made[name], autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS reconcile_assets, public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self._made[name]

    def _make(self, database: str) -> str:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        return sa.make_url(self._server).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def reused_databases(postgres_server: str) -> ReusedDatabases:
    """The databases of the session's embedded PostgreSQL that tests of the ledger share; they end with it."""
    return ReusedDatabases(postgres_server)


@pytest.fixture(params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """A function from a name to the URL of an empty database of the engine under test."""
    if request.param == "postgresql":
        databases: ReusedDatabases = request.getfixturevalue("reused_databases")
        return databases
    return lambda name: f"sqlite:///{tmp_path}/{name}.db"


@pytest.fixture
def ledger(database_url: Callable[[str], str]) -> Iterator[Ledger]:
    """An empty ledger whose jitter is always the longest."""
    opened = open_ledger(database_url("ledger"))
    ledger = Ledger(opened.database.engine, random=lambda: 1.0)
    yield ledger
    ledger.close()


@pytest.fixture
def target(database_url: Callable[[str], str]) -> Iterator[LedgerDatabase]:
    """A target with empty tables for batches and audit entries."""
    target = LedgerDatabase(create_ledger_engine(database_url("target"), label="target"), label="target")
    with target.writing() as connection:
        ensure_target_ledger(connection)
    yield target
    target.close()
