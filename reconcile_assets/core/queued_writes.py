"""Writes that wait for a database: what one is, and which may go now. Pure."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Operation(StrEnum):
    """What is done to the row of a key."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"


class WriteState(StrEnum):
    """``settled``: applied or discarded; it stays until everything before it is settled too."""

    WAITING = "waiting"
    DEAD = "dead"
    SETTLED = "settled"


@dataclass(frozen=True)
class Failure:
    """One try that failed; the text carries no values."""

    at: datetime
    error: str


@dataclass(frozen=True)
class QueuedWrite:
    """A write in the queue.

    Attributes:
        sequence: its place; without gaps, in the order of arrival, across tables.
        table: as the database knows it, e.g. ``app.payments``.
        key: names the row; its columns are those of the table's key.
        record: the row's columns, the key's among them; only the key's for a delete. Never shown in a repr.
        idempotency_key: the same write handed in twice has the same; applied once.
        depends_on: idempotency keys of writes that must be settled before.
        tries: failed ones that count; an outage counts for none.
        next_try_at: not before this; aware, UTC.
    """

    sequence: int
    table: str
    operation: Operation
    idempotency_key: str
    queued_at: datetime
    key: Mapping[str, Any] = field(repr=False, default_factory=dict)
    record: Mapping[str, Any] = field(repr=False, default_factory=dict)
    depends_on: tuple[str, ...] = ()
    state: WriteState = WriteState.WAITING
    tries: int = 0
    next_try_at: datetime | None = None
    history: tuple[Failure, ...] = ()

    @property
    def last_error(self) -> str:
        """Of the last failed try; empty where none failed."""
        return self.history[-1].error if self.history else ""


def checksum_of(fields: Iterable[object]) -> str:
    """32 hex digits over the fields of one row of the file, with their types and places."""
    text = json.dumps(list(fields), separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def choose_next(
    writes: Sequence[QueuedWrite], *, now: datetime, identity: Mapping[int, str], passed_over: Collection[str] = ()
) -> list[QueuedWrite]:
    """The writes that may be applied now, in their order.

    A write waits while an earlier one of its own row is not settled (dead ones too: a person
    decides), while one it depends on is not, and until its next try. Others go past it.

    Args:
        writes: all that are not settled, by sequence.
        identity: by sequence, the same text for writes of the same row of the same table.
        passed_over: identities that have failed in this flush already.
    """
    held = set(passed_over)
    unsettled = {write.idempotency_key for write in writes}
    chosen: list[QueuedWrite] = []
    for write in writes:
        row = identity[write.sequence]
        waits = write.next_try_at is not None and write.next_try_at > now
        dependent = any(name in unsettled for name in write.depends_on)
        if write.state is WriteState.DEAD or row in held or waits or dependent:
            held.add(row)
            continue
        chosen.append(write)
        unsettled.discard(write.idempotency_key)  # applied in this order, it is settled before its dependants
    return chosen
