"""Fresh databases and a real instance for the Dagster front."""

from collections.abc import Callable

import dagster as dg
import pytest

from reconcile_assets_tests.dagster_world import World, create_orders


@pytest.fixture
def urls(postgres_urls: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Fresh databases, named to the product through the environment."""
    made = {side: postgres_urls(side) for side in ("source", "target", "project")}
    for name, side in {
        "SOURCE_DATABASE_URL": "source",
        "TARGET_DATABASE_URL": "target",
        "DATABASE_URL": "project",
    }.items():
        monkeypatch.setenv(name, made[side])
    create_orders(made["source"], filled=True)
    create_orders(made["target"], filled=False)
    return made


@pytest.fixture
def world(dagster_instance: dg.DagsterInstance, urls: dict[str, str]) -> World:
    """The world with an instance in memory."""
    return World(dagster_instance, urls)
