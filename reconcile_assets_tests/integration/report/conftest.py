"""Two real databases, a ledger and a configuration of ten days, backfilled and reconciled by the engine."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from reconcile_assets.configuration.loading import load_config
from reconcile_assets.core.verdicts import CheckVerdict
from reconcile_assets.engine.backfill import PartitionWrite, backfill_partitions
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.reconcile import run_and_record

CANARY = "canary-8d21@example.com"
PASSWORD = "canary-passw0rd"
CONFIG = """\
tables:
- name: orders
  source_table: orders
  target_table: orders
  key: [id]
  partition: {column: placed_at, by: day, start: 2024-01-01, end: 2024-01-11}
"""
ORDERS = """
CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL, email text);
CREATE INDEX ON orders (placed_at);
"""
ROWS = """
INSERT INTO orders SELECT n, '2024-01-01 00:00+00'::timestamptz + n * interval '8 hours', %s || n
FROM generate_series(0, 26) n
"""  # three a day for nine days; none on the tenth


class Site:
    """What a person does with the two databases."""

    def __init__(self, folder: Path, source: str, target: str) -> None:
        self.folder, self._source, self._target = folder, source, target
        self.config = load_config(folder / "config.yaml", environ=os.environ)
        self._table = self.config.tables[0]
        self._partitions = self._table.partition.scheme().partitions(datetime.now(UTC))

    def on_source(self, statement: str) -> None:
        with psycopg.connect(self._source, autocommit=True) as connection:
            connection.execute(statement)

    def on_target(self, statement: str) -> None:
        with psycopg.connect(self._target, autocommit=True) as connection:
            connection.execute(statement)

    def backfill(self) -> None:
        with Connections(self.config, os.environ) as connections:
            outcomes = list(
                backfill_partitions(
                    self._table, self._partitions, connections=connections, run_id="run-1", actor="a person"
                )
            )
        assert all(isinstance(outcome, PartitionWrite) for outcome in outcomes)

    def reconcile(self) -> tuple[CheckVerdict, ...]:
        with Connections(self.config, os.environ) as connections:
            return run_and_record(self._table, self._partitions, connections=connections, run_id="run-2")


@pytest.fixture
def site(postgres_urls: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    source, target = postgres_urls("source"), postgres_urls("target")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(ORDERS)
        connection.execute(ROWS, [CANARY])
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(ORDERS)
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILE_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("SOURCE_DATABASE_URL", source)
    monkeypatch.setenv("TARGET_DATABASE_URL", target)
    monkeypatch.setenv("DATABASE_URL", postgres_urls("project"))
    return Site(tmp_path, source, target)
