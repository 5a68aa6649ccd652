"""What the environment decides: database URLs, the state folder, the address of the UI.

URLs come from variables only, never from the YAML, so that a configuration can be
committed and shown; they are kept as SecretStr, so that no repr, log or error shows one.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from reconcile_assets.errors import ConfigurationError

PROJECT_DATABASE = "DATABASE_URL"
STATE_FOLDER = "RECONCILE_STATE"
CONFIG_FILE = "RECONCILE_CONFIG"
UI_ADDRESS = "RECONCILE_UI_URL"
DEFAULT_UI_URL = "http://127.0.0.1:3000"


def connection_variable(name: str) -> str:
    """The variable that holds a connection's URL: ``source`` -> ``SOURCE_DATABASE_URL``."""
    return f"{name.upper()}_DATABASE_URL"


def connection_url(name: str, environ: Mapping[str, str]) -> SecretStr:
    """The URL of a named connection.

    Raises:
        ConfigurationError: when its variable is unset or empty.
    """
    return secret_variable(connection_variable(name), environ, needed_by=f"connection {name!r}")


def secret_variable(variable: str, environ: Mapping[str, str], *, needed_by: str) -> SecretStr:
    """The value of a variable, masked.

    Raises:
        ConfigurationError: when it is unset or empty.
    """
    value = environ.get(variable, "").strip()
    if not value:
        raise ConfigurationError(f"{variable} is not set: {needed_by} needs it; export it or put it into .env")
    return SecretStr(value)


def project_database_url(environ: Mapping[str, str]) -> SecretStr | None:
    """The project's own database, for the ledger and Dagster's storage; None when unset."""
    value = environ.get(PROJECT_DATABASE, "").strip()
    return SecretStr(value) if value else None


def ui_url(environ: Mapping[str, str]) -> str:
    """The address of the Dagster UI that links in alerts and reports point to, without a trailing slash."""
    return (environ.get(UI_ADDRESS, "").strip() or DEFAULT_UI_URL).rstrip("/")


def state_dir(environ: Mapping[str, str], cwd: Path) -> Path:
    """The folder of everything that this machine keeps: the embedded database, logs, reports."""
    value = environ.get(STATE_FOLDER, "").strip()
    return cwd / (value or ".state")


def is_file_database(name: str, environ: Mapping[str, str]) -> bool:
    """Whether a connection's URL, where it is set, names a file: SQLite's or DuckDB's, which have one writer."""
    scheme = environ.get(connection_variable(name), "").strip().partition(":")[0].partition("+")[0].lower()
    return scheme in ("sqlite", "duckdb")
