"""The databases that a configuration names."""

import pytest

from reconcile_assets.configuration.models import Config
from reconcile_assets.engine.connections import Connections
from reconcile_assets.errors import UnknownEngine


@pytest.mark.parametrize("url", ["mysql://u:s3cret-canary@h/d", "sqlite:///file.db", "duckdb:///file.db"])
def test_an_engine_that_only_diff_reads_is_refused_for_configured_tables(url: str) -> None:
    connections = Connections(Config(tables=()), {"SOURCE_DATABASE_URL": url})
    with pytest.raises(UnknownEngine, match="reconcile-assets diff") as caught:
        connections.database("source")
    assert "s3cret-canary" not in str(caught.value)


def test_postgresql_is_opened_once() -> None:
    connections = Connections(Config(tables=()), {"SOURCE_DATABASE_URL": "postgresql://h/d"})
    assert connections.database("source") is connections.database("source")
