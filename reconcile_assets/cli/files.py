"""Files that commands write: whole or not at all, so that no reader sees half of one."""

import os
from collections.abc import Iterable
from pathlib import Path

from reconcile_assets.errors import ConfigurationError


def write_whole(path: Path, parts: Iterable[str], *, hint: str) -> Path:
    """Write the parts as UTF-8 beside the file, then put them in its place.

    Args:
        hint: what to do when the place can't be written to.

    Raises:
        ConfigurationError: the place can't be written to; what stood there before stays.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with half.open("w", encoding="utf-8", newline="") as file:
                file.writelines(parts)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or type(error).__name__}; {hint}") from None
    return path
