"""Assets whose source and target are files: filled and checked by Dagster, in a pool of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from reconcile_assets.assets import build_backfill_assets
from reconcile_assets.checks import build_reconciliation_checks
from reconcile_assets.resources import ReconcileResource, pool_of
from reconcile_assets_tests.write_world import Places, WriteWorld, create_table, instant

DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]


@pytest.fixture
def world(tmp_path: Path, postgres_urls: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteWorld]:
    places = Places(tmp_path, postgres_urls)
    found = WriteWorld(places.make("sqlite", "source"), places.make("duckdb", "target"))
    found.project = f"sqlite:///{tmp_path}/ledger.db"
    for place in (found.source, found.target):
        create_table(place, ["id", "seen", "words"])
    rows = [f"({day}, {instant(f'2024-01-0{day} 12:00:00')['sqlite']}, 'w')" for day in range(1, 6)]
    found.source.run(f"INSERT INTO t VALUES {', '.join(rows)}")  # noqa: S608 - the test's own SQL
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    yield found
    places.drop()


def test_a_run_fills_and_checks_every_partition_of_a_file(
    world: WriteWorld, dagster_instance: dg.DagsterInstance
) -> None:
    definitions = dg.Definitions(
        assets=build_backfill_assets(world.config),
        asset_checks=build_reconciliation_checks(world.config),
        resources={"reconcile_assets": ReconcileResource()},
        executor=dg.in_process_executor,
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    tags = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[-1]}
    assert job.execute_in_process(instance=dagster_instance, tags=tags).success
    assert sorted(dagster_instance.get_materialized_partitions(dg.AssetKey("t"))) == DAYS
    assert world.target.ask("SELECT count(*) FROM t") == [(5,)]
    assert world.count_ledger() == (5, 5)
    (record,) = dagster_instance.fetch_materializations(dg.AssetKey("t"), limit=1).records
    materialization = record.asset_materialization
    assert materialization is not None
    assert materialization.metadata["storage"].value == "duckdb"


def test_every_step_that_opens_the_file_stands_in_its_pool(world: WriteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    (asset,) = build_backfill_assets(world.config)
    (checks,) = build_reconciliation_checks(world.config)
    assert asset.op.pool == checks.op.pool == "reconcile_assets_target"
    monkeypatch.setenv("TARGET_DATABASE_URL", "postgresql://h/d")
    assert pool_of(world.config, world.t) is None
    monkeypatch.delenv("TARGET_DATABASE_URL")
    assert pool_of(world.config, world.t) is None
