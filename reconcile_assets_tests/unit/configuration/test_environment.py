"""What variables decide, and that a secret stays one."""

from pathlib import Path

import pytest

from reconcile_assets.configuration import environment
from reconcile_assets.errors import ConfigurationError

URL = "postgresql://user:s3cr3t@host/db"


@pytest.mark.parametrize(
    ("name", "variable"),
    [("source", "SOURCE_DATABASE_URL"), ("target", "TARGET_DATABASE_URL"), ("eu_west_2", "EU_WEST_2_DATABASE_URL")],
)
def test_a_connection_is_found_by_its_name(name: str, variable: str) -> None:
    assert environment.connection_variable(name) == variable
    assert environment.connection_url(name, {variable: URL}).get_secret_value() == URL


def test_a_url_is_masked() -> None:
    url = environment.connection_url("source", {"SOURCE_DATABASE_URL": URL})
    assert "s3cr3t" not in f"{url!r} {url}"


@pytest.mark.parametrize(
    "environ", [{}, {"SOURCE_DATABASE_URL": ""}, {"SOURCE_DATABASE_URL": " \n"}, {"DATABASE_URL": URL}]
)
def test_an_unset_or_empty_variable_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"^SOURCE_DATABASE_URL is not set: connection 'source' needs it"):
        environment.connection_url("source", environ)


def test_the_projects_own_database_may_be_unset() -> None:
    assert environment.project_database_url({}) is None
    assert environment.project_database_url({"DATABASE_URL": " "}) is None
    url = environment.project_database_url({"DATABASE_URL": URL})
    assert url is not None
    assert url.get_secret_value() == URL


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:3000"),
        ({"RECONCILE_UI_URL": ""}, "http://127.0.0.1:3000"),
        ({"RECONCILE_UI_URL": "https://dagster.example/"}, "https://dagster.example"),
    ],
)
def test_the_ui_is_local_unless_said_otherwise(environ: dict[str, str], url: str) -> None:
    assert environment.ui_url(environ) == url


def test_state_is_kept_in_the_working_folder_unless_said_otherwise(tmp_path: Path) -> None:
    assert environment.state_dir({}, tmp_path) == tmp_path / ".state"
    assert environment.state_dir({"RECONCILE_STATE": "kept"}, tmp_path) == tmp_path / "kept"
    assert environment.state_dir({"RECONCILE_STATE": "/var/kept"}, tmp_path) == Path("/var/kept")
