"""The seal of a queue's file: a small file beside it that says how far the file must have come.

A write-ahead log that is cut or flipped reads as a shorter one, and SQLite says "ok" to it. So
after each commit, and before the write is acknowledged, the number of that commit is put here and
brought to the disk: a file that knows of fewer has lost acknowledged writes. Telling such a loss
from a commit that a crash has cut short needs this second mark after the first; it costs one more
wait for the disk, where a rollback journal costs three more.

The seal also keeps a queue that was deleted from being made anew, empty, in silence, and its lock
lets one writer at a time to the file.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable, LedgerCorrupt

_FORM = "RCQS1"
_SLOT = 512  # bytes: a disk writes one sector whole or not at all
_LONGEST_PAUSE = 0.01  # seconds between two looks at a lock that another process holds


def seal_of(path: Path) -> Path:
    """Where the seal of a queue's file lies."""
    return path.with_name(f"{path.name}-seal")


class QueueSeal:
    """The seal, open.

    Args:
        path: of the queue's file.

    Attributes:
        file_id: of the queue's file that it belongs to.

    Raises:
        LedgerCorrupt: it is damaged or of a newer version.
        ConfigurationError: it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = seal_of(path)
        self._text = str(self.path)
        try:
            self._number = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigurationError(
                f"the queue's seal {self.path} cannot be opened: {error.strerror}; check its mode"
            ) from None
        try:
            self.file_id = self._read()[0]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it; a lock that is held goes with it."""
        os.close(self._number)

    def is_in_place(self) -> bool:
        """Whether the path still leads to this very file."""
        try:
            there, here = os.stat(self._text), os.fstat(self._number)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def fetch_version(self) -> int:
        """The number of the last commit that was sealed; the file has come at least so far."""
        return self._read()[1]

    def write(self, version: int) -> None:
        """Seal a commit; on the disk when this returns. Call it with the lock held.

        Raises:
            OSError: the disk fails.
        """
        os.pwrite(self._number, _slot(self.file_id, version), (version % 2) * _SLOT)
        os.fdatasync(self._number)

    @contextmanager
    def locked(self, *, wait: float) -> Iterator[None]:
        """Be the only writer.

        Args:
            wait: the most seconds to wait for another one.

        Raises:
            DatabaseUnavailable: another one held it for longer.
        """
        deadline, pause = time.monotonic() + wait, _LONGEST_PAUSE / 16
        while True:
            try:
                fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise DatabaseUnavailable(
                        f"the queue's seal {self.path}: another process has held it for {wait:.0f} s; try again"
                    ) from None
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
        try:
            yield
        finally:
            fcntl.flock(self._number, fcntl.LOCK_UN)

    def _read(self) -> tuple[str, int]:
        data = os.pread(self._number, 2 * _SLOT, 0)
        found = [each for start in (0, _SLOT) if (each := _parse(data[start : start + _SLOT])) is not None]
        if found:
            return max(found, key=lambda each: each[1])
        form = data[: len(_FORM)].decode("ascii", "replace")
        if form[:4] == _FORM[:4] and form[4:].isdigit() and form > _FORM:
            raise LedgerCorrupt(
                f"the queue's seal {self.path} is of a newer version; use the release that made it (it is kept)"
            )
        raise LedgerCorrupt(
            f"the queue's seal {self.path} is damaged: it can't be told whether acknowledged writes are missing;"
            " seal and queue are kept as they are: restore a copy of both, or move both away and hand the writes in"
            " again"
        )


def make_seal(path: Path, file_id: str, *, place: Callable[[Path, Path], None]) -> None:
    """Make the seal of a queue's file that holds nothing yet.

    Args:
        place: gives a finished file its name, unless that is taken.

    Raises:
        OSError
    """
    seal = seal_of(path)
    draft = seal.with_name(f".{seal.name}.{file_id}")
    number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.pwrite(number, _slot(file_id, 0) * 2, 0)
            os.fsync(number)
        finally:
            os.close(number)
        place(draft, seal)
    finally:
        draft.unlink()


def _slot(file_id: str, version: int) -> bytes:
    text = f"{_FORM} {file_id} {version:020d}"
    return f"{text} {_checksum(text)}\n".encode().ljust(_SLOT, b"\0")


def _parse(slot: bytes) -> tuple[str, int] | None:
    text, _, rest = slot.partition(b"\n")
    words = text.decode("ascii", "replace").split(" ")
    if len(words) != 4 or words[0] != _FORM or _checksum(" ".join(words[:3])) != words[3]:
        return None
    return (words[1], int(words[2])) if not rest.strip(b"\0") else None


def _checksum(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
