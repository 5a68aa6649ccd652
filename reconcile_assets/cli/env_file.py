"""The file ``.env`` of the working folder: settings that a person does not want to export each time."""

import os
from collections.abc import MutableMapping
from pathlib import Path

from reconcile_assets.errors import ConfigurationError

ENV_FILE = ".env"


def load_env_file(folder: Path, environ: MutableMapping[str, str]) -> None:
    """Add the variables of ``.env`` that are not set yet; what is exported stands, as Dagster does it too.

    Raises:
        ConfigurationError: the file is there and can't be read.
    """
    path = folder / ENV_FILE
    if not path.exists():
        return
    from dotenv import dotenv_values  # imported here: most commands have no such file

    try:
        values = dotenv_values(path, interpolate=False)  # a $ in a password is a $
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{ENV_FILE} cannot be read; it must be a text file of lines NAME=VALUE") from None
    for name, value in values.items():
        if value and not environ.get(name):
            environ[name] = value


def load_working_folder() -> None:
    """Read ``.env`` of the working folder into this process's environment."""
    load_env_file(Path.cwd(), os.environ)
