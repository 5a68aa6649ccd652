"""The rows of a queue's file, and the figures that account for each of them.

Every row has a checksum over its fields. The figures say how many rows of each kind there are and
what their checksums add up to, and how many were settled: numbers are given without gaps, so what
was given is what waits, is dead or is settled. A row that was lost, doubled, changed or moved
does not add up.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from reconcile_assets.core.queued_writes import Failure, Operation, Place, QueuedWrite, WriteState
from reconcile_assets.core.record_json import decode_record, encode_record
from reconcile_assets.errors import LedgerCorrupt

_ROW = """(
  sequence INTEGER PRIMARY KEY, table_name TEXT NOT NULL, operation TEXT NOT NULL,
  idempotency_key TEXT NOT NULL UNIQUE, queued_at TEXT NOT NULL, key_columns TEXT NOT NULL,
  record TEXT NOT NULL, depends_on TEXT NOT NULL, row_identity TEXT NOT NULL,
  tries INTEGER NOT NULL, next_try_at TEXT, history TEXT NOT NULL, checksum BLOB NOT NULL)"""
TABLES = {WriteState.WAITING: "writes", WriteState.DEAD: "dead_letters"}
SCHEMA = (
    f"CREATE TABLE writes {_ROW}",
    f"CREATE TABLE dead_letters {_ROW}",
    "CREATE TABLE figures (id INTEGER PRIMARY KEY CHECK (id = 1), figures TEXT NOT NULL, checksum BLOB NOT NULL)",
)
_FIELDS = (
    "sequence, table_name, operation, idempotency_key, queued_at, key_columns, record, depends_on, row_identity, tries,"
    " next_try_at, history, checksum"
)
# Of our own names only; by state.
_SELECT = {state: f"SELECT {_FIELDS} FROM {table}" for state, table in TABLES.items()}  # noqa: S608 # nosec B608
_INSERT = {state: f"INSERT INTO {table} VALUES ({', '.join('?' * 13)})" for state, table in TABLES.items()}  # noqa: S608 # nosec B608
_DELETE = {
    state: f"DELETE FROM {table} WHERE sequence = ? RETURNING checksum"  # noqa: S608 # nosec B608
    for state, table in TABLES.items()
}
_WHOLE = 2**128

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Figures:
    """What the file must hold, and who works on it.

    Attributes:
        file_id: tells this queue from every other.
        version: of the last commit.
        next_sequence: of the next write; the first is 1.
        waiting, dead: rows.
        settled: writes that were applied or discarded, and are gone.
        waiting_sum, dead_sum: the rows' checksums added up.
        warned: whether the warning of a long queue was given since it was short.
        overflow: how far the news of a full queue has come, see `queue_alarm`.
        owner, lease_until: who flushes, and until when that counts (UTC, ISO).
    """

    file_id: str
    version: int = 0
    next_sequence: int = 1
    waiting: int = 0
    dead: int = 0
    settled: int = 0
    waiting_sum: int = 0
    dead_sum: int = 0
    warned: bool = False
    overflow: str = ""
    owner: str | None = None
    lease_until: str | None = None

    @property
    def adds_up(self) -> bool:
        """Whether each number that was given is accounted for."""
        return self.next_sequence - 1 == self.waiting + self.dead + self.settled


class QueueReader:
    """What one transaction sees.

    Args:
        damaged: makes the refusal of the file.

    Raises (by every method that reads rows):
        LedgerCorrupt: a row or the figures do not verify.
    """

    def __init__(self, connection: sqlite3.Connection, damaged: Callable[[str], LedgerCorrupt]) -> None:
        self._connection = connection
        self._damaged = damaged
        self.figures = self._fetch_figures()

    def _fetch_figures(self) -> Figures:
        rows = self._connection.execute("SELECT figures, checksum FROM figures").fetchall()
        if len(rows) != 1 or not isinstance(rows[0][0], str) or _checksum(rows[0][0]) != rows[0][1]:
            raise self._damaged("its figures do not verify")
        return Figures(*json.loads(rows[0][0]))

    def verify(self) -> None:
        """Look at every row, and whether they add up."""
        for state, count, total in (
            (WriteState.WAITING, self.figures.waiting, self.figures.waiting_sum),
            (WriteState.DEAD, self.figures.dead, self.figures.dead_sum),
        ):
            found = added = 0
            for row in self._connection.execute(_SELECT[state]):
                self._verify_row(state, row)
                if not 0 < row[0] < self.figures.next_sequence:
                    raise self._damaged(f"write {row[0]} has a number that was never given")
                found, added = found + 1, (added + _number(row[-1])) % _WHOLE
            if found != count:
                raise self._damaged(f"{count} writes are {state}, and {found} are there")
            if added != total:
                raise self._damaged(f"the writes that are {state} do not add up")
        if not self.figures.adds_up:
            raise self._damaged("its figures contradict each other")

    def fetch(self, state: WriteState, *, after: int = 0, limit: int = -1) -> Iterator[QueuedWrite]:
        """Writes of a state by sequence; -1: without limit."""
        query = f"{_SELECT[state]} WHERE sequence > ? ORDER BY sequence LIMIT ?"
        for row in self._connection.execute(query, (after, limit)):
            yield self._read(state, row)

    def fetch_one(self, state: WriteState, sequence: int) -> QueuedWrite | None:
        """The write of this number, where it is in this state."""
        found = self._connection.execute(f"{_SELECT[state]} WHERE sequence = ?", (sequence,)).fetchone()
        return None if found is None else self._read(state, found)

    def find(self, idempotency_key: str) -> QueuedWrite | None:
        """The write of this key that has not gone yet."""
        for state in WriteState:
            query = f"{_SELECT[state]} WHERE idempotency_key = ?"
            found = self._connection.execute(query, (idempotency_key,)).fetchone()
            if found is not None:
                return self._read(state, found)
        return None

    def fetch_places(self) -> list[Place]:
        """What decides which writes may go, of all of them, by sequence."""
        found = []
        for state, table in TABLES.items():
            query = f"SELECT sequence, row_identity, idempotency_key, depends_on, tries, next_try_at FROM {table}"  # noqa: S608 # nosec B608
            for sequence, row, key, depends_on, tries, next_try_at in self._connection.execute(query):
                try:
                    names = tuple(json.loads(depends_on)) if depends_on != "[]" else ()
                    moment = _moment(next_try_at)
                except (ValueError, TypeError):
                    raise self._damaged(f"write {sequence} does not verify") from None
                found.append(Place(sequence, row, key, names, state is WriteState.DEAD, tries, moment))
        return sorted(found, key=lambda place: place.sequence)

    def fetch_oldest(self) -> datetime | None:
        """Since when the first of the waiting writes waits."""
        query = "SELECT queued_at FROM writes ORDER BY sequence LIMIT 1"
        found = self._connection.execute(query).fetchone()
        return None if found is None else _moment(found[0])

    def _read(self, state: WriteState, row: Row) -> QueuedWrite:
        self._verify_row(state, row)
        return QueuedWrite(
            sequence=row[0],
            table=row[1],
            operation=Operation(row[2]),
            idempotency_key=row[3],
            queued_at=datetime.fromisoformat(row[4]),
            key_columns=tuple(json.loads(row[5])),
            record=decode_record(row[6]),
            depends_on=tuple(json.loads(row[7])),
            row=row[8],
            state=state,
            tries=row[9],
            next_try_at=_moment(row[10]),
            history=tuple(Failure(datetime.fromisoformat(at), error) for at, error in json.loads(row[11])),
        )

    def _verify_row(self, state: WriteState, row: Row) -> None:
        if _row_checksum(state, row[:-1]) != row[-1]:
            raise self._damaged(f"write {row[0]} does not verify")


class QueueTransaction(QueueReader):
    """A transaction that changes rows; the figures follow."""

    def add(self, write: QueuedWrite) -> None:
        """Take a new write; it gets the next number."""
        sequence = self.figures.next_sequence
        self._insert(replace(write, sequence=sequence))
        self.figures = replace(self.figures, next_sequence=sequence + 1)

    def put(self, before: QueuedWrite, after: QueuedWrite) -> None:
        """Change a write, and move it where its state is another."""
        self._delete(before)
        self._insert(after)

    def settle(self, writes: Sequence[QueuedWrite]) -> None:
        """These need nothing any more, and go."""
        for write in writes:
            self._delete(write)
        self.figures = replace(self.figures, settled=self.figures.settled + len(writes))

    def write_figures(self) -> None:
        """Write the figures down, as of the next version; once, at the end."""
        self.figures = replace(self.figures, version=self.figures.version + 1)
        text = figures_text(self.figures)
        self._connection.execute("UPDATE figures SET figures = ?, checksum = ?", (text, _checksum(text)))

    def _insert(self, write: QueuedWrite) -> None:
        fields = _fields(write)
        checksum = _row_checksum(write.state, fields)
        self._connection.execute(_INSERT[write.state], (*fields, checksum))
        self._account(write.state, 1, _number(checksum))

    def _delete(self, write: QueuedWrite) -> None:
        gone = self._connection.execute(_DELETE[write.state], (write.sequence,)).fetchall()
        if len(gone) != 1:
            raise self._damaged(f"write {write.sequence} is missing")
        self._account(write.state, -1, -_number(gone[0][0]))

    def _account(self, state: WriteState, count: int, number: int) -> None:
        figures = self.figures
        if state is WriteState.WAITING:
            total = (figures.waiting_sum + number) % _WHOLE
            self.figures = replace(figures, waiting=figures.waiting + count, waiting_sum=total)
        else:
            total = (figures.dead_sum + number) % _WHOLE
            self.figures = replace(figures, dead=figures.dead + count, dead_sum=total)


def figures_text(figures: Figures) -> str:
    """As they stand in their row."""
    return json.dumps(list(vars(figures).values()), separators=(",", ":"))


def insert_figures(connection: sqlite3.Connection, figures: Figures) -> None:
    """Into a file that has none yet."""
    text = figures_text(figures)
    connection.execute("INSERT INTO figures VALUES (1, ?, ?)", (text, _checksum(text)))


def _fields(write: QueuedWrite) -> Row:
    return (
        write.sequence,
        write.table,
        write.operation.value,
        write.idempotency_key,
        write.queued_at.isoformat(),
        json.dumps(write.key_columns),
        encode_record(write.record),
        json.dumps(write.depends_on),
        write.row,
        write.tries,
        None if write.next_try_at is None else write.next_try_at.isoformat(),
        json.dumps([[failure.at.isoformat(), failure.error] for failure in write.history]),
    )


def _row_checksum(state: WriteState, fields: Row) -> bytes:
    return _checksum(json.dumps([state.value, *fields], separators=(",", ":"), default=repr))  # bytes: damaged


def _checksum(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _number(checksum: bytes) -> int:
    return int.from_bytes(checksum)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
