"""A Dagster project of somebody else uses the package: by YAML in its defs folder, and by the builders."""

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from reconcile_assets.assets import build_backfill_assets
from reconcile_assets.checks import build_reconciliation_checks
from reconcile_assets.configuration.loading import load_config
from reconcile_assets.resources import ReconcileResource
from reconcile_assets.schedules import build_reconciliation_schedules
from reconcile_assets.sensors import build_alert_sensor
from reconcile_assets_tests.dagster_world import ORDERS, World, day

YAML = """
type: reconcile_assets.components.ReconciledTables
attributes:
  tables:
    - name: {name}
      source_table: orders
      target_table: orders
      key: [id]
      partition: {{column: placed_at, by: day, start: "2024-01-01", end: "2024-04-10"}}
      checks:
        - {{type: row_count}}
        - {{type: freshness, max_lag: 2h}}
  alerts:
    routes: [{{match: {{severity: ERROR}}, to: [ops]}}]
    destinations: {{ops: {{url_env: OPS_URL}}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of somebody else, importable, with an empty defs folder."""
    package = tmp_path / "someones_project"
    (package / "defs").mkdir(parents=True)
    for name in ("", "defs"):
        (package / name / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "someones_project"\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "someones_project"]:
        del sys.modules[name]


def write_defs(project: Path, folder: str, text: str) -> None:
    (project / "defs" / folder).mkdir()
    (project / "defs" / folder / "defs.yaml").write_text(text)


def test_a_project_that_writes_yaml_fills_and_checks_its_table(project: Path, world: World) -> None:
    write_defs(project, "sales", YAML.format(name="orders"))
    definitions = dg.load_from_defs_folder(path_within_project=project)
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=world.instance, partition_key=day(99), raise_on_error=False)
    assert result.success
    assert world.checked("row_count") == {"SUCCEEDED": {day(99)}}
    assert world.checked("freshness") == {"SUCCEEDED": {day(99)}}


def test_two_yaml_files_in_one_project_do_not_get_into_each_others_way(project: Path) -> None:
    write_defs(project, "sales", YAML.format(name="orders"))
    write_defs(project, "support", YAML.format(name="tickets").replace("target_table: orders", "target_table: tickets"))
    repository = dg.load_from_defs_folder(path_within_project=project).get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "reconcile_assets_alerts_sales",
        "reconcile_assets_alerts_support",
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "orders_reconciliation_schedule",
        "tickets_reconciliation_schedule",
    }


def test_a_project_loads_although_no_variable_is_set_and_no_database_is_up(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_defs(project, "sales", YAML.format(name="orders"))
    for variable in ("SOURCE_DATABASE_URL", "TARGET_DATABASE_URL", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    specs = dg.load_from_defs_folder(path_within_project=project).resolve_all_asset_specs()
    assert [spec.key for spec in specs] == [ORDERS]


def test_templates_in_the_yaml_are_filled_in(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_TABLE", "sales.orders")
    text = YAML.format(name="orders").replace("target_table: orders", 'target_table: "{{ env.ORDERS_TABLE }}"')
    write_defs(project, "sales", text)
    (spec,) = dg.load_from_defs_folder(path_within_project=project).resolve_all_asset_specs()
    assert spec.metadata["target"] == "target: sales.orders"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("      keyy: [id]", "keyy"),
        ("      partitions_per_run: 0", "partitions_per_run"),
        ("      write: sideways", "write"),
    ],
)
def test_a_mistake_in_the_yaml_is_refused_with_its_place(project: Path, wrong: str, said: str) -> None:
    write_defs(project, "sales", YAML.format(name="orders").replace("      key: [id]", f"      key: [id]\n{wrong}"))
    with pytest.raises(Exception, match="sales") as refused:
        dg.load_from_defs_folder(path_within_project=project).resolve_all_asset_specs()
    told = "".join(traceback.format_exception(refused.value))
    assert said in told
    assert "defs.yaml:" in told


def test_a_project_that_writes_python_uses_the_builders_beside_its_own_assets(world: World, tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(YAML.format(name="orders"))
    config = load_config(path, environ={**ReconcileResource().get_environ(), "OPS_URL": "json://127.0.0.1"})

    @dg.asset(deps=[ORDERS])
    def dashboard() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    definitions = dg.Definitions(
        assets=[dashboard, *build_backfill_assets(config)],
        asset_checks=build_reconciliation_checks(config),
        schedules=build_reconciliation_schedules(config),
        sensors=[build_alert_sensor(config)],
        resources={"reconcile_assets": ReconcileResource()},
    )
    dg.Definitions.validate_loadable(definitions)
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection={ORDERS})
    assert job.execute_in_process(instance=world.instance, partition_key=day(99)).success
    assert world.checked("row_count") == {"SUCCEEDED": {day(99)}}


def test_addresses_given_to_the_resource_win_over_the_environment_and_stay_hidden(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THEIR_URL", world.urls["source"])
    monkeypatch.setenv("SOURCE_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nowhere")
    resource = ReconcileResource(variables={"SOURCE_DATABASE_URL": dg.EnvVar("THEIR_URL")})
    definitions = dg.Definitions(
        assets=build_backfill_assets(world.config),
        asset_checks=build_reconciliation_checks(world.config),
        resources={"reconcile_assets": resource},
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=world.instance, partition_key=day(0), raise_on_error=False)
    assert result.success
    assert world.urls["source"] not in str(world.instance.get_run_by_id(result.run_id))
