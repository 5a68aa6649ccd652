"""The file of the write queue: SQLite, every acknowledged row in it durably, and damage told.

SQLite's own check sees neither a flipped byte within a payload nor a write-ahead log that was
cut: with such a log 48 of 100 acknowledged rows were left and the check said "ok". So:

* the journal is a rollback journal (``PERSIST``) with ``synchronous = FULL``: what was acknowledged
  stands in the file itself, and a cut file has fewer pages than its header says;
* each row has a checksum over its fields, sequences have no gaps, and one row of figures with a
  checksum of its own says how many rows of which state there must be.

A file that does not verify is refused, named and left as it is; no other takes its place.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reconcile_assets.core.queued_writes import Failure, Operation, QueuedWrite, WriteState, checksum_of
from reconcile_assets.core.record_json import decode_record, encode_record
from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable, LedgerCorrupt, ReconcileAssetsError

VERSION = 1
APPLICATION = 0x52435157  # "RCQW" in the file's header
_BUSY_SECONDS = 30.0
_SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE writes (
  sequence INTEGER PRIMARY KEY, table_name TEXT NOT NULL, operation TEXT NOT NULL,
  idempotency_key TEXT NOT NULL UNIQUE, queued_at TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL,
  depends_on TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, next_try_at TEXT, history TEXT NOT NULL,
  checksum TEXT NOT NULL);
CREATE INDEX writes_by_state ON writes (state, sequence);
CREATE TABLE figures (
  id INTEGER PRIMARY KEY CHECK (id = 1), next_sequence INTEGER NOT NULL, floor INTEGER NOT NULL,
  waiting INTEGER NOT NULL, dead INTEGER NOT NULL, warned INTEGER NOT NULL,
  owner TEXT, lease_until TEXT, checksum TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Figures:
    """The row that says what the file must hold.

    Attributes:
        next_sequence: of the next write; the first is 1.
        floor: all writes up to this one are settled, and gone.
        warned: whether the warning of a long queue was given since it was short.
        owner, lease_until: who flushes, and until when that counts (UTC, ISO).
    """

    next_sequence: int = 1
    floor: int = 0
    waiting: int = 0
    dead: int = 0
    warned: int = 0
    owner: str | None = None
    lease_until: str | None = None


class QueueFile:
    """Opens, verifies, reads and changes the file; made where it is missing, with mode 0600.

    Several processes may have it open: each change is one transaction of the only writer.

    Raises:
        LedgerCorrupt: the file is damaged, cut, no queue, or of a newer version; it is kept.
        ConfigurationError: it can't be made or read here.
        DatabaseUnavailable: the disk is full or failing, or another process holds the file for long.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()
        if not path.exists():
            _create(path)
        with self.reading() as connection:
            self.verify(connection)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One transaction that changes nothing."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the file's only writer; when it ends well, what it wrote is on the disk."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            connection = self._open()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():  # a forked child must not use its parent's
            if not self.path.exists():
                raise LedgerCorrupt(f"the queue's file {self.path} is gone; put it back, its writes are not applied")
            self._connection = _connect(self.path)
            self._process = os.getpid()
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translate(error, self.path) from None

    # ---- what is in it ----

    def verify(self, connection: sqlite3.Connection) -> None:
        """Check all of it: pages, version, rows, sequences and figures."""
        self._verify_header(connection)
        problems = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if problems != "ok":
            raise self.damaged("SQLite finds its pages damaged")
        figures = self.fetch_figures(connection)
        counts = dict.fromkeys(WriteState, 0)
        expected = figures.floor + 1
        for write in self.fetch(connection):
            if write.sequence != expected:
                raise self.damaged(f"write {expected} is missing")
            expected += 1
            counts[write.state] += 1
        if expected != figures.next_sequence:
            raise self.damaged(f"write {expected} is missing")
        if (counts[WriteState.WAITING], counts[WriteState.DEAD]) != (figures.waiting, figures.dead):
            raise self.damaged("its rows are not as many as its figures say")

    def _verify_header(self, connection: sqlite3.Connection) -> None:
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if application != APPLICATION:
            raise self.damaged("it is no write queue")
        if version > VERSION:
            raise LedgerCorrupt(
                f"the queue's file {self.path} is of version {version}, newer than {VERSION};"
                " use the release that made it (the file is kept as it is)"
            )
        pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        if self.path.stat().st_size < pages * size:
            raise self.damaged("it was cut off")

    def damaged(self, what: str) -> LedgerCorrupt:
        """The refusal of this file."""
        return LedgerCorrupt(
            f"the queue's file {self.path} is damaged: {what}; it is kept as it is, no other takes its place:"
            " restore a copy, or move it away and hand its writes in again"
        )

    def fetch_figures(self, connection: sqlite3.Connection) -> Figures:
        """The figures, verified."""
        row = connection.execute(
            "SELECT next_sequence, floor, waiting, dead, warned, owner, lease_until, checksum FROM figures"
        ).fetchone()
        if row is None or checksum_of(row[:-1]) != row[-1]:
            raise self.damaged("its figures do not verify")
        return Figures(*row[:-1])

    def put_figures(self, connection: sqlite3.Connection, figures: Figures) -> None:
        """Write the figures down."""
        values = astuple(figures)
        connection.execute(
            "UPDATE figures SET (next_sequence, floor, waiting, dead, warned, owner, lease_until, checksum)"
            " = (?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, checksum_of(values)),
        )

    def fetch(
        self,
        connection: sqlite3.Connection,
        states: Sequence[WriteState] = tuple(WriteState),
        *,
        after: int = 0,
        limit: int = -1,
    ) -> Iterator[QueuedWrite]:
        """Writes of these states by sequence, each verified.

        Args:
            limit: at most so many; -1 for all.
        """
        marks = ", ".join("?" for _ in states)
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM writes WHERE sequence > ? AND state IN ({marks})"  # noqa: S608 - only our own names
            " ORDER BY sequence LIMIT ?",
            (after, *(state.value for state in states), limit),
        )
        for row in rows:
            yield self._read(row)

    def fetch_by_idempotency_key(self, connection: sqlite3.Connection, key: str) -> QueuedWrite | None:
        """The write of this key that has not gone yet."""
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM writes WHERE idempotency_key = ?",  # noqa: S608 - only our own names
            (key,),
        ).fetchone()
        return None if found is None else self._read(found)

    def put(self, connection: sqlite3.Connection, write: QueuedWrite) -> None:
        """Write one down, new or changed."""
        fields = _fields(write)
        connection.execute(
            f"INSERT OR REPLACE INTO writes VALUES ({', '.join('?' * 13)})",  # noqa: S608 - only marks
            (*fields, checksum_of(fields)),
        )

    def settle(self, connection: sqlite3.Connection, writes: Sequence[QueuedWrite]) -> None:
        """These need nothing any more: their values go now, their places when all before them are settled."""
        figures = self.fetch_figures(connection)
        for write in writes:
            self.put(connection, replace(write, state=WriteState.SETTLED, key={}, record={}, next_try_at=None))
        waiting = sum(write.state is WriteState.WAITING for write in writes)
        dead = sum(write.state is WriteState.DEAD for write in writes)
        first = connection.execute("SELECT min(sequence) FROM writes WHERE state <> 'settled'").fetchone()[0]
        floor = (first if first is not None else figures.next_sequence) - 1
        connection.execute("DELETE FROM writes WHERE sequence <= ?", (floor,))
        self.put_figures(
            connection, replace(figures, floor=floor, waiting=figures.waiting - waiting, dead=figures.dead - dead)
        )

    def _read(self, row: tuple[Any, ...]) -> QueuedWrite:
        if checksum_of(row[:-1]) != row[-1]:
            raise self.damaged(f"write {row[0]} does not verify")
        return QueuedWrite(
            sequence=row[0],
            table=row[1],
            operation=Operation(row[2]),
            idempotency_key=row[3],
            queued_at=datetime.fromisoformat(row[4]),
            key=decode_record(row[5]),
            record=decode_record(row[6]),
            depends_on=tuple(json.loads(row[7])),
            state=WriteState(row[8]),
            tries=row[9],
            next_try_at=None if row[10] is None else datetime.fromisoformat(row[10]),
            history=tuple(Failure(datetime.fromisoformat(at), error) for at, error in json.loads(row[11])),
        )


_COLUMNS = (
    "sequence, table_name, operation, idempotency_key, queued_at, key, record, depends_on, state, tries, next_try_at,"
    " history, checksum"
)


def _fields(write: QueuedWrite) -> tuple[Any, ...]:
    return (
        write.sequence,
        write.table,
        write.operation.value,
        write.idempotency_key,
        write.queued_at.isoformat(),
        encode_record(write.key),
        encode_record(write.record),
        json.dumps(write.depends_on),
        write.state.value,
        write.tries,
        None if write.next_try_at is None else write.next_try_at.isoformat(),
        json.dumps([[failure.at.isoformat(), failure.error] for failure in write.history]),
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA journal_mode = PERSIST")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _create(path: Path) -> None:
    """Made whole under another name, then given its own: a file that is there is never half a queue."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_SCHEMA)
                values = astuple(Figures())
                connection.execute(
                    "INSERT INTO figures VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, checksum_of(values))
                )
            with suppress(FileExistsError):  # another process was first: its file is as good
                os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"the queue's file {path} cannot be made: {error.strerror}; choose another place"
        ) from None
    except sqlite3.Error as error:
        raise _translate(error, path) from None


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


_Kind = Callable[[str], ReconcileAssetsError]
_ERRORS: tuple[tuple[str, _Kind, str], ...] = (
    ("SQLITE_FULL", DatabaseUnavailable, "the disk is full; make room, the write was not taken"),
    ("SQLITE_BUSY", DatabaseUnavailable, "another process has held it for long; try again"),
    ("SQLITE_LOCKED", DatabaseUnavailable, "another process has held it for long; try again"),
    ("SQLITE_IOERR", DatabaseUnavailable, "its disk fails; the write was not taken"),
    ("SQLITE_READONLY", ConfigurationError, "it cannot be written to; check its mode and that of its folder"),
    ("SQLITE_CANTOPEN", ConfigurationError, "it cannot be opened; check its mode and that of its folder"),
    ("SQLITE_PERM", ConfigurationError, "it cannot be opened; check its mode and that of its folder"),
)


def _translate(error: sqlite3.Error, path: Path) -> ReconcileAssetsError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for start, kind, sentence in _ERRORS:
        if name.startswith(start):
            return kind(f"the queue's file {path}: {sentence}")
    return LedgerCorrupt(
        f"the queue's file {path} is damaged or no queue ({name or type(error).__name__}); it is kept as it is,"
        " no other takes its place: restore a copy, or move it away and hand its writes in again"
    )
