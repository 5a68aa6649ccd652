"""The folder that Dagster calls home: its settings, its workspace, and the variables that go with them."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconcile_assets.errors import ConfigurationError
from reconcile_assets.serving.ports import HOST

STORAGE_VARIABLE = "RECONCILE_DAGSTER_STORAGE_URL"
CODE_LOCATION = "reconcile_assets"
MODULE = "reconcile_assets.definitions"
# A socket's path may have 107 bytes; Dagster's code server makes one of about 20 in TMPDIR.
_LONGEST_TEMPORARY_FOLDER = 80


@dataclass(frozen=True)
class DagsterHome:
    """A prepared home.

    Attributes:
        folder: what DAGSTER_HOME points to.
        workspace: the file that names the code location.
        environment: variables of every Dagster process; they hold secrets, never print them.
    """

    folder: Path
    workspace: Path
    environment: Mapping[str, str]


def prepare_home(
    state_dir: Path, *, database_url: str, code_server_port: int, environ: Mapping[str, str]
) -> DagsterHome:
    """Write dagster.yaml and workspace.yaml; no secret is written: Dagster reads the URL from a variable.

    Args:
        state_dir: where the home is made.
        database_url: of Dagster's storage; PostgreSQL, or SQLite for storage in files of the home.
        code_server_port: where the code location is served.
        environ: the variables to start from.

    Raises:
        ConfigurationError: the folder can't be written to, or Dagster can't keep its storage in such a database.
    """
    home = state_dir / "dagster"
    storage = _storage_url(database_url)
    try:
        home.mkdir(parents=True, exist_ok=True)
        temporary = home / "tmp"
        temporary.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text(_as_yaml(_settings(with_storage=storage is not None)), encoding="utf-8")
        workspace = home / "workspace.yaml"
        workspace.write_text(_as_yaml(_workspace(code_server_port)), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot write to {home}: {error.strerror}; choose another folder with RECONCILE_STATE"
        ) from None
    environment = {
        **environ,
        "DAGSTER_HOME": str(home),
        "DAGSTER_EVENT_BATCH_SIZE": "500",  # events in batches: 26 ms down to 1 ms a partition
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
        # `dagster` and its kin must be found by the processes that Dagster starts in turn.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]),
    }
    if storage is not None:
        environment[STORAGE_VARIABLE] = storage
    if len(os.fsencode(temporary)) <= _LONGEST_TEMPORARY_FOLDER:
        environment["TMPDIR"] = str(temporary)
    return DagsterHome(home, workspace, environment)


def _storage_url(database_url: str) -> str | None:
    """The URL as dagster-postgres needs it: it depends on psycopg2 only, which is no longer the default driver."""
    scheme, separator, rest = database_url.partition("://")
    engine = scheme.partition("+")[0]
    if separator and engine in ("postgresql", "postgres"):
        return f"postgresql+psycopg2://{rest}"
    if engine == "sqlite":
        return None
    raise ConfigurationError("DATABASE_URL must be postgresql:// or sqlite:///: Dagster keeps its storage there too")


def _settings(*, with_storage: bool) -> dict[str, object]:
    settings: dict[str, object] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"dequeue_interval_seconds": 1},
        },
        # Only steps that open a file with one writer have a pool; a run that was killed gives its slot back as it ends.
        "concurrency": {"runs": {"max_concurrent_runs": 2}, "pools": {"granularity": "run", "default_limit": 1}},
        "schedules": {"use_threads": True, "num_workers": 4},
        "sensors": {"use_threads": True, "num_workers": 4},
        "retention": {
            "schedule": {"purge_after_days": {"skipped": 1, "failure": 30, "success": 30}},
            "sensor": {"purge_after_days": {"skipped": 1, "failure": 30, "success": 30}},
        },
    }
    if with_storage:
        settings["storage"] = {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}}
    return settings


def _workspace(port: int) -> dict[str, object]:
    return {"load_from": [{"grpc_server": {"host": HOST, "port": port, "location_name": CODE_LOCATION}}]}


def _as_yaml(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"  # JSON is YAML, and quotes everything that needs it
