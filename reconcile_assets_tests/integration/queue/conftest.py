"""Databases of every engine that queued writes go to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile_assets.databases import open_database
from reconcile_assets.engine.applying import DatabaseApply
from reconcile_assets.resilience import CircuitBreaker, MemoryBreakers
from reconcile_assets_tests.conftest import require_service
from reconcile_assets_tests.write_world import ENGINES, Place, Places


@pytest.fixture
def places(tmp_path: Path, postgres_urls: Callable[[str], str]) -> Iterator[Places]:
    made = Places(tmp_path, postgres_urls)
    yield made
    made.drop()


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, places: Places) -> Place:
    """An empty database of each engine in turn."""
    if request.param == "mysql":
        require_service("mariadb")
    return places.make(request.param, "queue")


def apply_to(url: str, **settings: object) -> DatabaseApply:
    """The apply of a database, with a breaker of its own and without pauses."""
    breaker = CircuitBreaker("target", MemoryBreakers())
    return DatabaseApply(open_database(url, name="target"), breaker, sleep=lambda _: None, **settings)  # type: ignore[arg-type]
