"""Rules of the modules that Dagster reads."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reconcile_assets
from reconcile_assets.components import ReconciledTables
from reconcile_assets.configuration.models import Config

PACKAGE = Path(reconcile_assets.__file__).parent
FRONT = [
    *(
        PACKAGE / f"{name}.py"
        for name in ("assets", "checks", "sensors", "schedules", "dead_runs", "check_evaluations")
    ),
    *(PACKAGE / f"{name}.py" for name in ("resources", "translator", "definitions")),
    *(PACKAGE / "components").glob("*.py"),
]


@pytest.mark.parametrize("path", FRONT, ids=lambda path: path.name)
def test_annotations_stay_real_because_dagster_reads_them(path: Path) -> None:
    assert "from __future__" not in path.read_text()


def test_the_definitions_stay_short() -> None:
    assert len((PACKAGE / "definitions.py").read_text().splitlines()) < 30


def test_the_component_shows_the_configurations_own_schema() -> None:
    assert ReconciledTables.get_model_cls() is Config
    assert set(Config.model_json_schema()["properties"]) >= {"tables", "alerts", "source", "target"}


def test_the_component_is_made_of_nothing_but_the_configuration() -> None:
    assert [field.name for field in dataclasses.fields(ReconciledTables)] == ["config"]


CONFIG = """
type: reconcile_assets.components.ReconciledTables
attributes:
  tables:
    - name: orders
      source_table: ops.orders
      target_table: warehouse.orders
      key: [id]
      partition: {column: placed_at, by: day, start: "2024-01-01"}
"""


def load_the_code_location(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    code = "import reconcile_assets.definitions as d; print(len(d.defs().resolve_all_asset_specs()))"
    inherited = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [sys.executable, "-c", code], env=inherited | environment, capture_output=True, text=True, check=False
    )


def test_the_shipped_code_location_loads_with_no_variable_set_and_no_warning() -> None:
    result = load_the_code_location({})
    assert (result.stdout, result.stderr) == ("0\n", "")


def test_a_code_location_with_tables_loads_without_a_warning_and_without_a_database(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(CONFIG)
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    urls = dict.fromkeys(("SOURCE_DATABASE_URL", "TARGET_DATABASE_URL", "DATABASE_URL"), nowhere)
    result = load_the_code_location({"RECONCILE_CONFIG": str(path), **urls})
    assert (result.stdout, result.stderr) == ("1\n", "")


def test_a_code_location_without_its_variables_names_file_line_and_variable(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(CONFIG)
    result = load_the_code_location({"RECONCILE_CONFIG": str(path)})
    assert result.returncode != 0
    assert "tables.yaml:5: SOURCE_DATABASE_URL is not set" in result.stderr
