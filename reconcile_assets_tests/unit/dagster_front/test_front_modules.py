"""Rules of the modules that Dagster reads."""

import dataclasses
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
