"""Both sides of every engine, kept for a module's tests."""

from collections.abc import Iterator

import pytest

from reconcile_assets_tests.conftest import Databases, require_service
from reconcile_assets_tests.integration.options.engines import EveryEngine


@pytest.fixture(scope="module")
def engines(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EveryEngine]:
    """A source and a target of each engine, without tables."""
    require_service("mariadb")
    databases = Databases(postgres_server)
    world = EveryEngine(tmp_path_factory.mktemp("options"), (databases("source"), databases("target")))
    yield world
    world.close()
    databases.drop()
