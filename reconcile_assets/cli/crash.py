"""What a user is told of a bug: its class and where the traceback is, never its text.

The text of an unknown exception may hold row values or a URL with a password, so neither
the terminal nor the log gets it: places in the code are enough to find the fault.
"""

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

LOG_NAME = "crashes.log"


def describe_crash(error: BaseException, *, verbose: bool) -> str:
    """One line about a bug, after its traceback was kept in the state folder.

    Args:
        verbose: print the traceback on stderr as well.
    """
    frames = _frames(error)
    if verbose:
        print(frames, file=sys.stderr, end="")
    log = _keep(frames)
    where = f"its traceback is in {log}" if log else "run it again with --verbose for its traceback"
    return f"{_class_name(error)}: this is a bug, not a wrong setting; {where}; please report it"


def _frames(error: BaseException) -> str:
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        parts.append(f"{_class_name(current)} (its text is left out: it may hold values)\n")
        parts.extend(traceback.format_tb(current.__traceback__))
        current = current.__cause__ or current.__context__
    return "".join(parts)


def _class_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _keep(frames: str) -> Path | None:
    from reconcile_assets.configuration.environment import state_dir  # slow to import, and only needed here

    log = state_dir(os.environ, Path.cwd()) / LOG_NAME
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')}\n{frames}")
    except OSError:
        return None
    return log
