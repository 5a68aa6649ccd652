"""The databases that a configuration names."""

import pytest

from reconcile_assets.configuration.models import Config
from reconcile_assets.engine.connections import Connections
from reconcile_assets.errors import UnknownEngine


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("postgresql://h/d", "postgresql"),
        ("mariadb://u@h/d", "mysql"),
        ("sqlite:///file.db", "sqlite"),
        ("duckdb:///file.db", "duckdb"),
    ],
)
def test_a_database_is_opened_once_whatever_its_engine(url: str, engine: str) -> None:
    connections = Connections(Config(tables=()), {"SOURCE_DATABASE_URL": url})
    assert connections.database("source").engine == engine
    assert connections.database("source") is connections.database("source")


def test_an_engine_without_a_driver_is_refused_without_its_url() -> None:
    connections = Connections(Config(tables=()), {"SOURCE_DATABASE_URL": "nosuch://u:s3cret-canary@h/d"})
    with pytest.raises(UnknownEngine, match="source") as caught:
        connections.database("source")
    assert "s3cret-canary" not in str(caught.value)
