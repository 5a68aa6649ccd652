"""A ledger and a target on each engine that may hold one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile_assets.ledger import Ledger, create_ledger_engine, ensure_target_ledger, open_ledger
from reconcile_assets.ledger.connection import LedgerDatabase


@pytest.fixture(params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """A function from a name to the URL of a fresh database of the engine under test."""
    if request.param == "postgresql":
        make: Callable[[str], str] = request.getfixturevalue("postgres_urls")
        return make
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
