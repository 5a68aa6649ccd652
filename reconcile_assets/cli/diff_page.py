"""The page that ``diff --html FILE`` writes: refused before the comparison where it could not be written."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconcile_assets.cli.files import write_whole
from reconcile_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from reconcile_assets.core.compare import Comparison

_ELSEWHERE = "name another file with --html"
_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")


def check_page_path(text: str) -> Path:
    """The file of a page that is still to be written.

    Raises:
        ConfigurationError: no page can be written there, or what stands there is no page: a database, for one.
    """
    if text in ("", "-") or text.startswith(_STREAMS):
        raise ConfigurationError(f"--html {text!r}: a page is written to a file; name one, such as diff.html")
    path = Path(text)
    try:
        path.with_name(f".{path.name}.{os.getpid()}").lstat()  # as long as the name of the half-written page
    except ValueError:  # a path without a name, as "..", or with a NUL
        raise ConfigurationError(f"--html {text!r}: that names no file; {_ELSEWHERE}") from None
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigurationError(f"--html {path}: {error.strerror}; {_ELSEWHERE}") from None
    if path.exists() or path.is_symlink():
        _refuse_what_is_no_page(path)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"--html {path}: nothing can be written in {folder}; {_ELSEWHERE}")
    return path


def write_page(path: Path, comparison: "Comparison") -> None:
    """Write the page, whole or not at all; a link's target is written, not the link.

    Raises:
        ConfigurationError: it could not be written; what stood there before stays.
    """
    write_whole(path.resolve(), [comparison.to_html()], hint=_ELSEWHERE)


def _refuse_what_is_no_page(path: Path) -> None:
    if path.is_dir():
        raise ConfigurationError(f"--html {path}: that is a directory; name a file in it, such as {path / 'diff.html'}")
    try:
        if not path.is_file():
            raise ConfigurationError(f"--html {path}: that is no file that a page can be written to; {_ELSEWHERE}")
        with path.open("rb") as file:
            begin = file.read(64).lstrip().lower()
    except OSError as error:
        raise ConfigurationError(f"--html {path}: {error.strerror}; {_ELSEWHERE}") from None
    if begin and not begin.startswith((b"<!doctype html", b"<html")):
        raise ConfigurationError(f"--html {path}: what stands there is no page, and is not overwritten; {_ELSEWHERE}")
