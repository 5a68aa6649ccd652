"""What Dagster costs per partition: 365 days in ranged runs of 100, beside the same work without Dagster.

Storage, ledger, source and target are databases of one embedded PostgreSQL, as in the demo.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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
) -> None:
    from reconcile_assets.configuration.models import Config

    config = Config.model_validate({"tables": [TABLE]})
    in_dagster = _seconds_in_dagster(config, dagster_postgres_instance)
    environ = environ | {"TARGET_DATABASE_URL": _empty_target(postgres_urls), "DATABASE_URL": postgres_urls("bare")}
    alone = _seconds_alone(config, environ)

    rows = DAYS * ROWS_A_DAY
    own = (in_dagster - alone) / DAYS
    tell(
        f"{DAYS} daily partitions of {ROWS_A_DAY} rows, {A_RUN} a run, 2 checks each",
        [
            f"ranged runs in Dagster   {in_dagster:7.1f} s  {in_dagster / DAYS * 1e3:6.1f} ms a partition"
            f"  {rows / in_dagster:9,.0f} rows/s",
            f"the engine without it    {alone:7.1f} s  {alone / DAYS * 1e3:6.1f} ms a partition"
            f"  {rows / alone:9,.0f} rows/s",
            f"Dagster's own cost       {own * 1e3:6.1f} ms a partition (at most 100); {in_dagster / alone:.1f} times",
        ],
    )


def _seconds_in_dagster(config: "Config", instance: "DagsterInstance") -> float:
    import dagster as dg

    from reconcile_assets.components import ReconciledTables

    tables = ReconciledTables(config=config).build_definitions()
    definitions = dg.Definitions.merge(tables, dg.Definitions(executor=dg.in_process_executor))
    job = definitions.resolve_implicit_global_asset_job_def()
    with _stopwatch() as seconds:
        for first, last in _ranges(config):
            tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
            result = job.execute_in_process(instance=instance, tags=tags)
            assert result.success
    return seconds[0]


def _seconds_alone(config: "Config", environ: dict[str, str]) -> float:
    from reconcile_assets.engine.backfill import backfill_partitions
    from reconcile_assets.engine.connections import Connections
    from reconcile_assets.engine.partition_write import PartitionWrite
    from reconcile_assets.engine.reconcile import run_and_record

    table = config.tables[0]
    with _stopwatch() as seconds, Connections(config, environ) as connections:
        for first, last in _ranges(config):
            chosen = [each for each in _partitions(config) if first <= each.key <= last]
            done = list(
                backfill_partitions(table, chosen, connections=connections, run_id=f"bare {first}", actor="benchmark")
            )
            assert all(isinstance(each, PartitionWrite) for each in done)
            run_and_record(table, chosen, connections=connections, run_id=f"bare {first}")
    return seconds[0]


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


@contextmanager
def _stopwatch() -> Iterator[list[float]]:
    seconds = [0.0]
    begun = time.perf_counter()
    yield seconds
    seconds[0] = time.perf_counter() - begun
