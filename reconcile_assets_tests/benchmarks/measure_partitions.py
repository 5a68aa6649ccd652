"""What Dagster costs per partition: 365 days in ranged runs of 100, beside the same work without Dagster.

Storage, ledger, source and target are databases of one embedded PostgreSQL, as in the demo.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import psycopg
import pytest

from reconcile_assets_tests.benchmarks.timing import tell

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from reconcile_assets.configuration.models import Config

DAYS = 365
ROWS_A_DAY = 900
A_RUN = 100
TABLE: dict[str, Any] = {
    "name": "orders",
    "source_table": "orders",
    "target_table": "orders",
    "key": ["id"],
    "partition": {"column": "placed_at", "by": "day", "start": "2023-01-01", "end": "2024-01-01"},
    "partitions_per_run": A_RUN,
}
COLUMNS = "id bigint PRIMARY KEY, placed_at timestamptz NOT NULL, amount numeric(12,4) NOT NULL, note text"
ROWS = """
INSERT INTO orders SELECT n, timestamptz '2023-01-01 00:00+00' + n * (interval '1 day' / %s), n * 1.25, 'order ' || n
FROM generate_series(0, %s) AS n
"""

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def environ(postgres_urls: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A full source, an empty target, an empty ledger."""
    made = {name: postgres_urls(name.partition("_")[0].lower()) for name in ("SOURCE_DATABASE_URL", "DATABASE_URL")}
    with psycopg.connect(made["SOURCE_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE TABLE orders ({COLUMNS})")
        connection.execute("CREATE INDEX ON orders (placed_at)")
        connection.execute(ROWS, (ROWS_A_DAY, DAYS * ROWS_A_DAY - 1))
        connection.execute("ANALYZE orders")
    made["TARGET_DATABASE_URL"] = _empty_target(postgres_urls)
    for name, url in made.items():
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "500")  # as `dev` and `demo` set it
    return made


def test_cost_per_partition(
    environ: dict[str, str],
    dagster_postgres_instance: "DagsterInstance",
    postgres_urls: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    from reconcile_assets.configuration.models import Config

    config = Config.model_validate({"tables": [TABLE]})
    dagster = _run_in_dagster(config, dagster_postgres_instance)
    environ = environ | {"TARGET_DATABASE_URL": _empty_target(postgres_urls), "DATABASE_URL": postgres_urls("bare")}
    alone = _run_alone(config, environ)

    tell(
        capsys,
        f"{DAYS} daily partitions of {ROWS_A_DAY} rows, {A_RUN} a run, 2 checks each",
        [
            f"ranged runs in Dagster  {dagster}",
            f"the engine without it   {alone}",
            f"Dagster's own cost      {(dagster.wall - alone.wall) / DAYS * 1e3:6.1f} ms a partition (at most 100), "
            f"{(dagster.cpu - alone.cpu) / DAYS * 1e3:.1f} ms of them on this process's CPU; "
            f"{dagster.wall / alone.wall:.1f} times the engine",
        ],
    )


def _run_in_dagster(config: "Config", instance: "DagsterInstance") -> "Stopwatch":
    import dagster as dg

    from reconcile_assets.components import ReconciledTables

    tables = ReconciledTables(config=config).build_definitions()
    definitions = dg.Definitions.merge(tables, dg.Definitions(executor=dg.in_process_executor))
    job = definitions.resolve_implicit_global_asset_job_def()
    with Stopwatch() as watch:
        for first, last in _ranges(config):
            tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
            result = job.execute_in_process(instance=instance, tags=tags)
            assert result.success
    return watch


def _run_alone(config: "Config", environ: dict[str, str]) -> "Stopwatch":
    from reconcile_assets.engine.backfill import backfill_partitions
    from reconcile_assets.engine.connections import Connections
    from reconcile_assets.engine.partition_write import PartitionWrite
    from reconcile_assets.engine.reconcile import run_and_record

    table = config.tables[0]
    with Stopwatch() as watch, Connections(config, environ) as connections:
        for first, last in _ranges(config):
            chosen = [each for each in _partitions(config) if first <= each.key <= last]
            done = list(
                backfill_partitions(table, chosen, connections=connections, run_id=f"bare {first}", actor="benchmark")
            )
            assert all(isinstance(each, PartitionWrite) for each in done)
            run_and_record(table, chosen, connections=connections, run_id=f"bare {first}")
    return watch


def _partitions(config: "Config") -> Any:
    from datetime import UTC, datetime

    return config.tables[0].partition.scheme().partitions(datetime.now(UTC))


def _ranges(config: "Config") -> list[tuple[str, str]]:
    keys = [partition.key for partition in _partitions(config)]
    assert len(keys) == DAYS
    return [(keys[at], keys[min(at + A_RUN, DAYS) - 1]) for at in range(0, DAYS, A_RUN)]


def _empty_target(postgres_urls: Callable[[str], str]) -> str:
    url = postgres_urls("target")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE orders ({COLUMNS})")
        connection.execute("CREATE INDEX ON orders (placed_at)")
    return url


class Stopwatch:
    """Seconds on the wall, and of this process's CPU, which other processes' load leaves alone."""

    wall = 0.0
    cpu = 0.0

    def __enter__(self) -> Self:
        self._begun = (time.perf_counter(), time.process_time())
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._begun[0]
        self.cpu = time.process_time() - self._begun[1]

    def __str__(self) -> str:
        each = self.wall / DAYS * 1e3
        return f"{self.wall:7.1f} s  {each:6.1f} ms a partition  {DAYS * ROWS_A_DAY / self.wall:9,.0f} rows/s"
