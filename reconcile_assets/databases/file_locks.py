"""One writing process at a time for a database that is a file: a lock beside it, gone with its process."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconcile_assets.errors import AlreadyRunning, PermissionDenied

_PAUSE = 0.05  # seconds between two looks


@contextmanager
def writer_lock(path: str, *, name: str, wait: float) -> Iterator[None]:
    """Hold the lock of a database file.

    Args:
        path: of the database; the lock is the file ``.NAME.reconcile-assets-lock`` in its real folder, and stays there.
        name: what messages call the database.
        wait: the most seconds to wait for another process.

    Raises:
        AlreadyRunning: another process, or another writer of this one, held it for longer.
        PermissionDenied: the folder can't be written to.
    """
    real = Path(path).resolve()
    beside = real.with_name(f".{real.name}.reconcile-assets-lock")
    try:
        file = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise PermissionDenied(
            f"{name}: the lock {beside} can't be made ({error.strerror}); the folder of the database must be writable"
        ) from None
    try:
        _lock(file, path=path, name=name, deadline=time.monotonic() + wait)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)  # which lets go of the lock


def _lock(file: int, *, path: str, name: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise AlreadyRunning(
                    f"{name}: another process{_holder(file)} is writing to {path}; a file has one writer at a time:"
                    " wait until it ends, or stop it, then run this again"
                ) from None
        time.sleep(_PAUSE)


def _holder(file: int) -> str:
    with suppress(OSError):
        text = os.pread(file, 20, 0).strip()
        if text.isdigit():
            return f" ({text.decode()})"
    return ""
