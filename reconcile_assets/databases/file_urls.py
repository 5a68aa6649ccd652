"""Databases that are files: ``sqlite:///relative.db``, ``sqlite:////absolute.db``."""

from pathlib import Path
from urllib.parse import unquote

from reconcile_assets.errors import ConfigurationError, MissingObject

MEMORY = ":memory:"


def file_of(url: str, *, name: str) -> str:
    """The path of a URL's file as it was written, percent signs decoded unless a file has them in its name.

    Raises:
        ConfigurationError: the URL names no file.
    """
    scheme, _, rest = url.partition(":")
    engine = scheme.split("+", 1)[0].lower()
    path = rest.removeprefix("///")
    if path == rest or not path or "\x00" in path:
        raise ConfigurationError(
            f"{name}: a {engine} URL names a file; write {engine}:///relative/file.db or {engine}:////absolute/file.db"
        )
    return path if Path(path).exists() else unquote(path)


def require_file(path: str, *, name: str) -> None:
    """Refuse a path that is no file: opening it would make one.

    Raises:
        MissingObject: there is none.
    """
    if not Path(path).is_file():
        what = "is a directory" if Path(path).is_dir() else "does not exist"
        raise MissingObject(f"{name}: the file {path} {what}; check the path in the URL (three slashes: relative)")
