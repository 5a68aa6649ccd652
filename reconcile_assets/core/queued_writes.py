"""Writes that wait for a database: what one is, and which may go now. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconcile_assets.core.record_json import encode_record

HISTORY_KEPT = 20


class Operation(StrEnum):
    """What is done to the row of a key."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"


class WriteState(StrEnum):
    """Waiting to be applied; or a dead letter, which a person decides on."""

    WAITING = "waiting"
    DEAD = "dead"


@dataclass(frozen=True)
class Failure:
    """One try that failed; the text carries no values."""

    at: datetime
    error: str


@dataclass(frozen=True)
class QueuedWrite:
    """A write in the queue.

    Attributes:
        sequence: its place, in the order of arrival across tables; without gaps: each number was given to one write.
        table: as the database knows it, e.g. ``app.payments``.
        key_columns: the columns that name the row.
        record: the row's columns, the key's among them; only the key's for a delete. Never shown in a repr.
        idempotency_key: the same write handed in twice has the same; applied once.
        depends_on: idempotency keys of earlier writes that must be applied before.
        row: the same for writes of the same row, see `core.row_identity`.
        tries: failed ones that count; an outage counts for none.
        next_try_at: not before this; aware, UTC.
        history: its last failures.
    """

    sequence: int
    table: str
    operation: Operation
    idempotency_key: str
    queued_at: datetime
    key_columns: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(repr=False, default_factory=dict)
    depends_on: tuple[str, ...] = ()
    row: str = ""
    state: WriteState = WriteState.WAITING
    tries: int = 0
    next_try_at: datetime | None = None
    history: tuple[Failure, ...] = ()

    @property
    def key(self) -> dict[str, Any]:
        """The values that name the row, by column."""
        return {name: self.record[name] for name in self.key_columns}

    @property
    def last_error(self) -> str:
        """Of the last failed try; empty where none failed."""
        return self.history[-1].error if self.history else ""

    def is_like(self, other: "QueuedWrite") -> bool:
        """Whether both ask for the same."""
        mine = (self.table, self.operation, self.key_columns, encode_record(self.record))
        return mine == (other.table, other.operation, other.key_columns, encode_record(other.record))


@dataclass(frozen=True, slots=True)
class Place:
    """What decides whether a write may go; see :class:`QueuedWrite`."""

    sequence: int
    row: str
    idempotency_key: str
    depends_on: tuple[str, ...] = ()
    dead: bool = False
    tries: int = 0
    next_try_at: datetime | None = None


def choose_next(
    places: Sequence[Place], *, now: datetime, longest_pause: float, passed_over: Collection[str] = ()
) -> Iterator[Place]:
    """The writes that may be applied now, in their order.

    A write waits while an earlier one of its own row is in the queue (a dead one too: a person
    decides), while an earlier one that it depends on is, and until its next try. Others go past it.

    Args:
        places: all that are in the queue, by sequence.
        longest_pause: seconds; a longer one to the next try is a clock that was set back, and over.
        passed_over: rows of which a write has failed in this flush already.
    """
    held = set(passed_over)
    earlier: set[str] = set()
    for place in places:
        waits = place.next_try_at is not None and 0 < (place.next_try_at - now).total_seconds() <= longest_pause
        if place.dead or waits or place.row in held or not earlier.isdisjoint(place.depends_on):
            held.add(place.row)
            earlier.add(place.idempotency_key)
        else:
            yield place


def find_dependants(places: Sequence[Place], keys: Collection[str]) -> list[Place]:
    """The writes that depend on these idempotency keys, and those that depend on them in turn, by sequence."""
    reached = set(keys)
    found = []
    for place in places:
        if not reached.isdisjoint(place.depends_on):
            reached.add(place.idempotency_key)
            found.append(place)
    return found
