"""Sides of every kind, kept for a module's tests."""

from collections.abc import Iterator

import pytest

from reconcile_assets_tests.conftest import Databases, require_service
from reconcile_assets_tests.integration.options.engines import EveryEngine
from reconcile_assets_tests.integration.sides.firebird_world import Firebird, require_firebird


@pytest.fixture(scope="module")
def engines(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EveryEngine]:
    """A source and a target of each engine, without tables."""
    require_service("mariadb")
    databases = Databases(postgres_server)
    world = EveryEngine(tmp_path_factory.mktemp("sides"), (databases("source"), databases("target")))
    yield world
    world.close()
    databases.drop()


@pytest.fixture(scope="module")
def firebird(tmp_path_factory: pytest.TempPathFactory) -> Firebird:
    """A source and a target file."""
    require_firebird()
    return Firebird(tmp_path_factory.mktemp("firebird"))


@pytest.fixture(scope="module")
def postgres(postgres_server: str) -> Iterator[str]:
    """A database without tables."""
    databases = Databases(postgres_server)
    yield databases("other")
    databases.drop()


@pytest.fixture
def only_sqlalchemy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines are never read by the engine's own digests, so that what every other dialect gets can be tested."""
    from reconcile_assets.databases.sqlalchemy_dialect import engines

    monkeypatch.setattr(engines, "_FINDERS", {})
