"""The folder that Dagster calls home."""

import json
from pathlib import Path

import pytest
import yaml

from reconcile_assets.errors import ConfigurationError
from reconcile_assets.serving.home import STORAGE_VARIABLE, prepare_home


def prepare(folder: Path, url: str = "postgresql://u:secret@h/d") -> dict[str, str]:
    home = prepare_home(folder, database_url=url, code_server_port=4000, environ={"PATH": "/bin", "KEPT": "1"})
    return dict(home.environment)


def settings(folder: Path) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load((folder / "dagster" / "dagster.yaml").read_text())
    return loaded


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/d", "postgres://u:secret@h/d", "postgresql+psycopg://u:secret@h/d"]
)
def test_dagster_gets_the_driver_that_it_depends_on(tmp_path: Path, url: str) -> None:
    assert prepare(tmp_path, url)[STORAGE_VARIABLE] == "postgresql+psycopg2://u:secret@h/d"


def test_no_secret_is_written(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert settings(tmp_path)["storage"] == {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}}
    assert all("secret" not in path.read_text() for path in tmp_path.rglob("*.yaml"))


def test_sqlite_leaves_the_storage_to_files_of_the_home(tmp_path: Path) -> None:
    environment = prepare(tmp_path, "sqlite:///ledger.db")
    assert "storage" not in settings(tmp_path)
    assert STORAGE_VARIABLE not in environment


@pytest.mark.parametrize("url", ["mysql://h/d", "nonsense", ""])
def test_another_engine_is_refused_without_showing_the_url(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL must be postgresql:// or sqlite:///: Dagster keeps"):
        prepare(tmp_path, url)


def test_telemetry_and_advertising_are_off_and_two_runs_work_at_once(tmp_path: Path) -> None:
    prepare(tmp_path)
    found = settings(tmp_path)
    assert found["telemetry"] == {"enabled": False}
    assert found["nux"] == {"enabled": False}
    assert found["concurrency"] == {
        "runs": {"max_concurrent_runs": 2},
        "pools": {"granularity": "run", "default_limit": 1},
    }


def test_the_code_location_is_served_on_loopback(tmp_path: Path) -> None:
    prepare(tmp_path)
    workspace = yaml.safe_load((tmp_path / "dagster" / "workspace.yaml").read_text())
    server = {"host": "127.0.0.1", "port": 4000, "location_name": "reconcile_assets"}
    assert workspace == {"load_from": [{"grpc_server": server}]}


def test_the_caller_s_variables_are_kept(tmp_path: Path) -> None:
    environment = prepare(tmp_path)
    assert environment["KEPT"] == "1"
    assert environment["DAGSTER_HOME"] == str(tmp_path / "dagster")
    assert environment["PATH"].endswith(":/bin")


def test_temporary_files_stay_in_the_home_unless_a_socket_there_would_be_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare(Path("s"))["TMPDIR"] == "s/dagster/tmp"
    assert "TMPDIR" not in prepare(Path("s" * 100))


def test_a_name_with_a_quote_or_a_colon_stays_itself(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted": name'
    prepare(folder)
    assert json.loads((folder / "dagster" / "dagster.yaml").read_text())


def test_a_home_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "dagster").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot write to .*RECONCILE_STATE"):
        prepare(tmp_path)
