"""What is handed to the write queue, checked before it is taken: what could never be applied is refused at once."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconcile_assets.core.queued_writes import Operation, QueuedWrite
from reconcile_assets.core.record_json import encode_record
from reconcile_assets.core.row_identity import row_identity
from reconcile_assets.errors import ConfigurationError

_LONGEST_KEY = 200  # characters of an idempotency key; each database keeps it whole, and by an index


@dataclass(frozen=True)
class NewWrite:
    """A write to be kept; see :meth:`WriteQueue.enqueue`."""

    table: str
    operation: Operation | str
    record: Mapping[str, Any]
    key: Sequence[str]
    idempotency_key: str | None = None
    depends_on: Sequence[str] = ()


def make_write(new: NewWrite, now: datetime) -> QueuedWrite:
    """The write as it is kept; its number is given when it is taken.

    Raises:
        ConfigurationError: see :meth:`WriteQueue.enqueue`.
    """
    try:
        operation = Operation(new.operation)
    except ValueError:
        names = ", ".join(each.value for each in Operation)
        raise ConfigurationError(f"{new.table}: no operation is {new.operation!r}; write one of {names}") from None
    key, depends_on = _names(new.key), _names(new.depends_on)
    lacking = [name for name in key if new.record.get(name) is None]
    if not key or lacking:
        what = f"the record has no value for {', '.join(lacking)}" if key else "no column is named"
        raise ConfigurationError(f"{new.table}: a write names its row by a key, and {what}; give it one")
    values = dict(new.record) if operation is not Operation.DELETE else {name: new.record[name] for name in key}
    try:
        encode_record(values)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{new.table}: the record can't be kept: {_reason(error)}") from None
    name = secrets.token_hex(16) if new.idempotency_key is None else new.idempotency_key
    _check_texts(new.table, name, depends_on)
    row = row_identity(new.table, {each: values[each] for each in key})
    return QueuedWrite(0, new.table, operation, name, now, key, values, depends_on, row)


def _names(names: Sequence[str]) -> tuple[str, ...]:
    """A single name is a name, not a list of letters."""
    return (names,) if isinstance(names, str) else tuple(names)


def _reason(error: Exception) -> str:
    """A TypeError is of ours, and names a column; the texts of others may hold values."""
    return str(error) if isinstance(error, TypeError) else "a value is too large or too deep"


def _check_texts(table: str, idempotency_key: str, depends_on: Sequence[str]) -> None:
    if not table or not table.isprintable():
        raise ConfigurationError(f"a write names its table by printable characters, not {table!r}")
    for name in (idempotency_key, *depends_on):
        if not 0 < len(name) <= _LONGEST_KEY or not name.isprintable():
            raise ConfigurationError(
                f"{table}: an idempotency key is 1 to {_LONGEST_KEY} printable characters; shorten it, or hash it"
            )
