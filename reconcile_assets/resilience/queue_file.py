"""The file of the write queue: SQLite, every acknowledged row in it durably, and damage told.

SQLite's own check sees neither a flipped byte within a payload nor a write-ahead log that was cut:
with such a log 48 of 100 acknowledged rows were left and the check said "ok". So:

* each row has a checksum, and figures account for every number that was given (`queue_rows`);
* after each commit, before it is acknowledged, its number is sealed in a file beside it
  (`queue_seal`): a log that was cut shows by a file that has not come so far;
* the file is looked at read-only before it is opened for writing, as SQLite would else throw away
  the part of a damaged log that it can't read, or the whole log of a file that was emptied.

A file that does not verify is refused, named and left as it is; no other takes its place.
"""

import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable, LedgerCorrupt, ReconcileAssetsError
from reconcile_assets.resilience.queue_rows import SCHEMA, Figures, QueueReader, QueueTransaction, insert_figures
from reconcile_assets.resilience.queue_seal import QueueSeal, make_seal, seal_of

VERSION = 1
APPLICATION = 0x52435157  # "RCQW" in the file's header
BUSY_SECONDS = 30.0
_MAGIC = b"SQLite format 3\0"
_HEADER = 100  # bytes, of which the file's own format tells what stands where


class QueueFile:
    """Opens, verifies, reads and changes the file; made where there never was one, with mode 0600.

    Several processes and threads may have it open: each change is one transaction of the only writer.

    Args:
        path: of the file; its seal and SQLite's own files lie beside it.
        wait: the most seconds to wait for another writer.

    Raises:
        LedgerCorrupt: the file is damaged, cut, gone, no queue, or of a newer version; it is kept.
        ConfigurationError: it can't be made or read here.
        DatabaseUnavailable: the disk is full or failing, or another process holds the file for long.
    """

    def __init__(self, path: Path, *, wait: float = BUSY_SECONDS) -> None:
        self.path = path
        self._wait = wait
        self._paths = (str(path), f"{path}-wal")
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._seal: QueueSeal | None = None
        self._identity: tuple[int, int] | None = None
        self._log_identity: tuple[int, int] | None = None
        with self._lock:
            self._open()
        _open_files.add(self)

    @property
    def file_id(self) -> str:
        """Tells this queue from every other."""
        with self._lock:
            return self._open()[1].file_id

    def close(self) -> None:
        """Close the file; it is opened again when it is used."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            if self._seal is not None:
                self._seal.close()
            self._connection = self._seal = self._log_identity = None

    @contextmanager
    def reading(self) -> Iterator[QueueReader]:
        """One transaction that changes nothing."""
        with self._lock, self._translated():
            connection, _ = self._open()
            with _transaction(connection, "BEGIN"):
                yield QueueReader(connection, self.damaged)

    @contextmanager
    def writing(self) -> Iterator[QueueTransaction]:
        """One transaction of the file's only writer; when it ends well, what it wrote is on the disk and sealed."""
        with self._lock, self._translated():
            connection, seal = self._open()
            with seal.locked(wait=self._wait):
                with _transaction(connection, "BEGIN IMMEDIATE"):
                    change = QueueTransaction(connection, self.damaged)
                    yield change
                    change.write_figures()
                self._seal_commit(seal, change.figures.version)

    def _seal_commit(self, seal: QueueSeal, version: int) -> None:
        try:
            seal.write(version)
        except OSError as error:
            raise DatabaseUnavailable(
                f"the queue's seal {seal.path}: {error.strerror}; it is not known whether the write was kept: hand it"
                " in again under the same idempotency key"
            ) from None
        self._refuse_moved(seal)  # once more: what was put into a file that is gone must not be acknowledged

    # ---- opening ----

    def _open(self) -> tuple[sqlite3.Connection, QueueSeal]:
        if self._connection is None or self._seal is None:
            self.close()
            with self._translated():
                self._seal = self._open_seal()
                self._verify(self._seal)
                self._connection = self._connect("rw")
                self._identity = _identity(self._paths[0])
        self._refuse_moved(self._seal)
        return self._connection, self._seal

    def _open_seal(self) -> QueueSeal:
        where = seal_of(self.path)
        if not where.exists():
            if self.path.exists() and not where.exists():  # the seal is made first
                self._refuse_header()
                raise self.damaged(f"its seal {where} is gone, so nobody knows whether writes are missing")
            _make(lambda: make_seal(self.path, secrets.token_hex(16), place=_place), self.path)
        seal = QueueSeal(self.path)
        if not self.path.exists():
            if seal.fetch_version() > 0:
                seal.close()
                raise self._gone()
            _make(lambda: _make_file(self.path, seal.file_id), self.path)
        return seal

    def _verify(self, seal: QueueSeal) -> None:
        """Check all of it, changing nothing: pages, version, rows, figures, and that it has come as far as its seal."""
        self._refuse_header()
        sealed = seal.fetch_version()
        with closing(self._connect("ro")) as connection, _transaction(connection, "BEGIN"):
            statements = tuple(row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql <> ''"))
            if statements != SCHEMA:
                raise self.damaged("its tables are not those of a write queue")
            if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                raise self.damaged("SQLite finds its pages damaged")
            reader = QueueReader(connection, self.damaged)
            if reader.figures.file_id != seal.file_id:
                raise self.damaged("its seal belongs to another queue")
            if reader.figures.version < sealed:
                raise self.damaged(
                    f"it was cut, or is an old copy: {sealed} changes were acknowledged, and it knows of"
                    f" {reader.figures.version}"
                )
            reader.verify()

    def _refuse_header(self) -> None:
        """What SQLite must not even see: it would delete the log of an empty file."""
        try:
            with self.path.open("rb") as file:
                header = file.read(_HEADER)
        except OSError as error:
            raise ConfigurationError(
                f"the queue's file {self.path} cannot be read: {error.strerror}; check its mode"
            ) from None
        application, version = int.from_bytes(header[68:72]), int.from_bytes(header[60:64])
        if len(header) < _HEADER or header[:16] != _MAGIC or application != APPLICATION or header[18:20] != b"\2\2":
            raise self.damaged("it is no write queue, or its beginning is gone")
        if version > VERSION:
            raise LedgerCorrupt(
                f"the queue's file {self.path} is of version {version}, newer than {VERSION};"
                " use the release that made it (the file is kept as it is)"
            )
        if version < VERSION:
            raise self.damaged(f"there is no version {version} of it")

    def _refuse_moved(self, seal: QueueSeal) -> None:
        """A file that was deleted or exchanged while it is open would take writes that nobody finds again."""
        found, log = (_identity(each) for each in self._paths)
        if found is None:
            raise self._gone()
        self._log_identity = self._log_identity or log
        if found != self._identity or log != self._log_identity or not seal.is_in_place():
            raise LedgerCorrupt(
                f"the queue's file {self.path}, its log or its seal was deleted or exchanged while it was open; nothing"
                " more is written: put all three back as they were"
            )

    def _gone(self) -> LedgerCorrupt:
        return LedgerCorrupt(
            f"the queue's file {self.path} is gone, and no other takes its place: put it back; where its writes are not"
            f" wanted any more, remove {seal_of(self.path)} too"
        )

    def damaged(self, what: str) -> LedgerCorrupt:
        """The refusal of this file."""
        return LedgerCorrupt(
            f"the queue's file {self.path} is damaged: {what}; it is kept as it is, no other takes its place: restore a"
            " copy of it and its seal, or take out what verifies with `reconcile-assets queue export --damaged`, move"
            " both away and hand the writes in again"
        )

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self._wait,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # the values of a write that is settled are overwritten
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter of a message with a damaged name in it
            raise _translate(error, self.path) from None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


# ---- making ----


def _make(make: Callable[[], None], path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make()
        number = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        raise ConfigurationError(
            f"the queue's file {path} cannot be made: {error.strerror}; choose another place"
        ) from None


def _make_file(path: Path, file_id: str) -> None:
    """Made whole under another name, then given its own: a file that is there is never half a queue."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            for statement in SCHEMA:
                connection.execute(statement)
            insert_figures(connection, Figures(file_id))
            connection.execute("PRAGMA journal_mode = WAL")
        _place(draft, path)
    finally:
        for name in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            name.unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> None:
    with suppress(FileExistsError):  # another process was first: its file is as good
        os.link(draft, path)


# ---- errors ----

_Kind = Callable[[str], ReconcileAssetsError]
_MODE = "cannot be opened for writing; check its mode and that of its folder"
_HELD = "another process has held it for long; try again"
_ERRORS: tuple[tuple[str, _Kind, str], ...] = (
    ("SQLITE_FULL", DatabaseUnavailable, "its disk is full: the write was not taken; make room, then try again"),
    ("SQLITE_BUSY", DatabaseUnavailable, _HELD),
    ("SQLITE_LOCKED", DatabaseUnavailable, _HELD),
    ("SQLITE_PROTOCOL", DatabaseUnavailable, _HELD),
    ("SQLITE_IOERR", DatabaseUnavailable, "its disk fails: the write was not taken; look at the disk"),
    ("SQLITE_NOMEM", DatabaseUnavailable, "there is no memory left"),
    ("SQLITE_READONLY", ConfigurationError, _MODE),
    ("SQLITE_CANTOPEN", ConfigurationError, _MODE),
    ("SQLITE_PERM", ConfigurationError, _MODE),
)


def _translate(error: Exception, path: Path) -> ReconcileAssetsError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for start, kind, sentence in _ERRORS:
        if name.startswith(start):
            return kind(f"the queue's file {path}: {sentence}")
    return LedgerCorrupt(
        f"the queue's file {path} is damaged or no queue ({name or type(error).__name__}); it is kept as it is, no"
        " other takes its place: restore a copy of it and its seal, or move both away and hand the writes in again"
    )


# ---- forks: SQLite's connections must not cross one, so they are closed before and opened again after it ----

_open_files: "weakref.WeakSet[QueueFile]" = weakref.WeakSet()
_held_for_fork: list[QueueFile] = []


def _before_fork() -> None:
    for file in sorted(_open_files, key=id):
        file._lock.acquire()
        _held_for_fork.append(file)
        file.close()


def _after_fork() -> None:
    while _held_for_fork:
        _held_for_fork.pop()._lock.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
