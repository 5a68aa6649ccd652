"""Named locks of the server: they belong to a connection, which holds them until it is closed."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.mysql.connection import execute
from reconcile_assets.databases.mysql.statements import Sql, fill, integer_literal, join, text_literal
from reconcile_assets.databases.writing import PartitionsHeld


def lock_name(*parts: str | None) -> str:
    """The name of a lock: the same in every process and release, of a length that every server takes."""
    digest = hashlib.sha256("\0".join(part or "" for part in ("reconcile_assets", *parts)).encode()).hexdigest()
    return f"reconcile_assets {digest[:40]}"


def lock_partitions(connection: Any, table: TableName, partitions: Sequence[str], *, wait: float) -> None:
    """Take the lock of each partition, in one order for everyone.

    Raises:
        PartitionsHeld: another run held some for longer than ``wait`` seconds.
    """
    names = dict(sorted((lock_name(table.schema, table.name, key), key) for key in partitions))
    deadline = time.monotonic() + wait
    held = _try(connection, list(names), 0)  # all at once: the usual answer is that they are free
    while held and time.monotonic() < deadline:
        patience = max(1, int(deadline - time.monotonic()))
        if _try(connection, held[:1], patience):
            break
        held = _try(connection, held[1:], 0)
    held = _try(connection, held, 0)
    if held:
        raise _held(names, held, table)


def _held(names: Mapping[str, str], held: Sequence[str], table: TableName) -> PartitionsHeld:
    keys = frozenset(names[name] for name in held)
    shown = ", ".join(sorted(keys)[:3])
    return PartitionsHeld(
        f"another run is writing {shown} of {table}; wait until it ends, or stop it, then run this again", keys
    )


def _try(connection: Any, names: Sequence[str], seconds: int) -> list[str]:
    """Those that were not given in so many seconds each."""
    if not names:
        return []
    calls = [_get(name, seconds) for name in names]
    row = execute(connection, fill("SELECT {calls}", calls=join(", ", calls)))[0]
    return [name for name, given in zip(names, row, strict=True) if str(given) != "1"]


def _get(name: str, seconds: int) -> Sql:
    return fill("GET_LOCK({name}, {seconds})", name=text_literal(name), seconds=integer_literal(seconds))


def take_lock(connection: Any, name: str) -> None:
    """Take a lock that nobody else can know of."""
    _try(connection, [name], 10)


def end_holder(connection: Any, name: str, *, wait: float) -> None:
    """End the connection that holds a lock, and wait at most so many seconds until it has let go."""
    holder = execute(connection, fill("SELECT IS_USED_LOCK({name})", name=text_literal(name)))[0][0]
    if holder is None:
        return
    execute(connection, fill("KILL {holder}", holder=integer_literal(int(holder))))
    _try(connection, [name], max(1, int(wait)))
