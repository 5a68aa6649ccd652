"""Children that end with their owner, and folders that have one owner at a time."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from reconcile_assets import supervisor
from reconcile_assets.errors import AlreadyRunning, ConfigurationError

_LEFTOVER_SECONDS = 20.0


@dataclass(frozen=True)
class Command:
    """What to run, and how to end it.

    Attributes:
        name: what messages call it.
        log: the file that its output is appended to.
        stop_signal: what asks it to end.
        grace_seconds: how long it may take to end before it is killed.
        keep_open: descriptors that it inherits, e.g. a lock that must be held until it has really ended.
        user: (uid, gid) to run as; None keeps the caller's.
        reach: paths that this user must be able to enter.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 10.0
    keep_open: tuple[int, ...] = ()
    user: tuple[int, int] | None = None
    reach: tuple[Path, ...] = ()


class Supervised:
    """A running command that ends when told to, or within seconds when this process dies (even by kill -9)."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return at once.

        Raises:
            ConfigurationError: the log can't be written.
        """
        command = self.command
        order = {
            "command": list(command.arguments),
            "owner": os.getpid(),
            "stop_signal": command.stop_signal,
            "grace_seconds": command.grace_seconds,
            "keep_open": command.keep_open,
            "user": command.user,
            "reach": [str(path) for path in command.reach],
        }
        with _open_log(command.log) as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own script and command, no shell
                [sys.executable, "-I", supervisor.__file__, json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(command.environment),
                cwd=command.folder,
                pass_fds=command.keep_open,
                start_new_session=True,  # Ctrl-C reaches the owner only, which ends its children in order
            )

    @property
    def is_running(self) -> bool:
        """Whether the command (or the end of it) is still going on."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The guardian's process id; the command is its child."""
        if self._process is None:
            raise ProcessLookupError(f"{self.command.name} was not started")
        return self._process.pid

    def wait(self) -> int:
        """Wait for the end; return the exit code (128 + signal when killed)."""
        return 0 if self._process is None else self._process.wait()

    def request_stop(self) -> None:
        """Ask it to end; return at once."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def stop(self) -> None:
        """End it, with all that it started; return when all of it is gone. Stopping twice is harmless."""
        self.request_stop()
        self.wait()


class FolderLock:
    """One owner of a folder at a time, told by a lock that the kernel releases when its holders are gone."""

    def __init__(self, path: Path, *, what: str) -> None:
        self._path = path
        self._what = what
        self._descriptor: int | None = None

    def acquire(self) -> int:
        """Take the lock, and return its descriptor, which children may inherit.

        Where the owner is gone but its children are still ending, waits for them.

        Raises:
            AlreadyRunning: another process, which is alive, holds it.
            ConfigurationError: the file can't be written.
        """
        descriptor = self._open()
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while not _try_lock(descriptor):
            owner = _read_owner(descriptor)
            if (owner is not None and _is_alive(owner)) or time.monotonic() > deadline:
                os.close(descriptor)
                raise AlreadyRunning(
                    f"{self._what} is in use by process {owner or 'unknown'} ({self._path}); "
                    "stop that one first, or set RECONCILE_STATE to another folder"
                )
            time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return descriptor

    @property
    def descriptor(self) -> int:
        """Of the lock that is held.

        Raises:
            ValueError: it isn't held.
        """
        if self._descriptor is None:
            raise ValueError(f"{self._path} is not locked")
        return self._descriptor

    def release(self) -> None:
        """Let it go; harmless when it isn't held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(_unwritable(self._path.parent, error)) from None


def prepare_state_folder(path: Path) -> Path:
    """Create the folder that keeps what runs here; git never sees what stands in it.

    Raises:
        ConfigurationError: it can't be created or written to.
    """
    absolute = path.absolute()
    try:
        absolute.mkdir(parents=True, exist_ok=True)
        ignore = absolute / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        if not os.access(absolute, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise ConfigurationError(_unwritable(absolute, error)) from None
    return absolute


def _unwritable(folder: Path, error: OSError) -> str:
    return f"cannot write to {folder}: {error.strerror}; choose another folder with RECONCILE_STATE"


def _open_log(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise ConfigurationError(_unwritable(path.parent, error)) from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_owner(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", errors="replace").strip()
    return int(text) if text.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
