"""The parts of a partition's write in PostgreSQL.

Prevents: a write that is half done, done twice, or done beside another one. Every function
works inside the transaction of the psycopg connection it is given; only `commit_within`
ends it. COPY goes from one connection to the other in binary, so that no value passes
through Python objects and memory stays flat.
"""

import hashlib
import selectors
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import DiagnosticField, ExecStatus

from reconcile_assets.databases.errors import translated_errors
from reconcile_assets.databases.writing import PartitionsHeld
from reconcile_assets.errors import ConstraintRefused, SerializationConflict, UnknownOutcome

# psycopg hands out one row per chunk; a write to the socket per row costs an eighth of the speed.
CHUNK_BYTES = 128 * 1024

Query = sql.SQL | sql.Composed


@dataclass(frozen=True)
class Backend:
    """A server process of ours, told apart from a later one that was given the same number."""

    pid: int
    started: datetime


def begin_write(connection: psycopg.Connection[Any], *, lock_wait: float) -> Backend:
    """Begin the write's transaction; call it first on a new session.

    Read committed: what waits for a lock must then see what the lock's last holder committed,
    and the proof must see rows that others add meanwhile.

    Args:
        lock_wait: the most seconds to wait for any lock.
    """
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    _set_local(connection, "lock_timeout", f"{max(1, round(lock_wait * 1000))}ms")
    # A row that a policy hides would be neither deleted nor counted: let the server refuse instead.
    _set_local(connection, "row_security", "off")
    row = connection.execute("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()").fetchone()
    if row is None:
        raise UnknownOutcome("the server does not show its own process in pg_stat_activity; nothing was written")
    return Backend(*row)


def begin_read(connection: psycopg.Connection[Any]) -> None:
    """Begin the read's transaction: a policy that hides rows is refused, for the same reason."""
    _set_local(connection, "row_security", "off")


def _set_local(connection: psycopg.Connection[Any], name: str, value: str) -> None:
    connection.execute("SELECT set_config(%s, %s, true)", (name, value))


def lock_number(table: str, partition: str) -> int:
    """The advisory lock of one partition of one table: 64 bits, the same in every process and release."""
    digest = hashlib.sha256(f"reconcile_assets\0{table}\0{partition}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def lock_partitions(connection: psycopg.Connection[Any], table: str, partitions: Sequence[str]) -> None:
    """Wait for the lock of each partition, in one order for everyone, until the transaction ends.

    Raises:
        PartitionsHeld: another run held some for longer than the transaction's ``lock_timeout``.
        SerializationConflict: they were let go just then: try again.
    """
    numbers = {lock_number(table, partition): partition for partition in partitions}
    connection.execute("SAVEPOINT reconcile_assets_locks")
    try:
        connection.execute("SELECT pg_advisory_xact_lock(n) FROM unnest(%s::bigint[]) n", (sorted(numbers),))
    except psycopg.errors.LockNotAvailable:
        connection.execute("ROLLBACK TO SAVEPOINT reconcile_assets_locks")
        held = [numbers[number] for number in _held_by_others(connection, sorted(numbers))]
        if not held:
            raise SerializationConflict(f"another run was writing partitions of {table}; try again") from None
        names = ", ".join(sorted(held)[:3])
        raise PartitionsHeld(
            f"another run is writing {names} of {table}; wait until it ends, or stop it, then run this again",
            frozenset(held),
        ) from None
    connection.execute("RELEASE SAVEPOINT reconcile_assets_locks")


def _held_by_others(connection: psycopg.Connection[Any], numbers: Sequence[int]) -> list[int]:
    rows = connection.execute(
        """SELECT DISTINCT n FROM unnest(%s::bigint[]) n
           JOIN pg_locks ON locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid()
            AND classid::bigint = (n >> 32) & 4294967295 AND objid::bigint = n & 4294967295""",
        (list(numbers),),
    )
    return [row[0] for row in rows]


def end_backend(connection: psycopg.Connection[Any], backend: Backend) -> None:
    """End a server process of ours whose connection is gone, so that it holds no locks any longer."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s",
        (backend.pid, backend.started),
    )


def delete_windows(
    connection: psycopg.Connection[Any], table: sql.Composable, *, condition: sql.Composable, window: sql.Composable
) -> Mapping[int, int]:
    """Delete the rows of the windows; the number of rows by the window's number."""
    query = sql.SQL(
        "WITH gone AS (DELETE FROM {table} WHERE {condition} RETURNING {window} AS window_number) "
        "SELECT window_number, count(*) FROM gone GROUP BY window_number"
    ).format(table=table, condition=condition, window=window)
    return dict(connection.execute(query).fetchall())


# Counted by this transaction, the statements of referential triggers included; with track_counts off nothing is
# counted, and every such foreign key is refused. A table may refer to itself: it lost what we deleted, and no more.
_CASCADES = """
WITH own(relid) AS (SELECT %(table)s::regclass UNION SELECT relid FROM pg_catalog.pg_partition_tree(%(table)s)),
lost AS (SELECT sum(pg_catalog.pg_stat_get_xact_tuples_deleted(relid)) > %(deleted)s AS too_many FROM own)
SELECT k.conname::text, c.relname::text
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid CROSS JOIN lost
 WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.confrelid IN (SELECT relid FROM own)
   AND (NOT current_setting('track_counts')::boolean
        OR pg_catalog.pg_stat_get_xact_tuples_updated(k.conrelid) > 0
        OR CASE WHEN k.conrelid IN (SELECT relid FROM own) THEN lost.too_many
                ELSE pg_catalog.pg_stat_get_xact_tuples_deleted(k.conrelid) > 0 END)
 ORDER BY 1 LIMIT 1
"""


def refuse_cascades(connection: psycopg.Connection[Any], table: sql.Identifier, *, deleted: int, name: str) -> None:
    """Refuse a deletion that took, by a foreign key, rows beside those of the windows; call it after deleting.

    Args:
        deleted: rows of the windows.
        name: what messages call the database.

    Raises:
        ConstraintRefused: rows that refer to this table were deleted or emptied by ON DELETE.
    """
    asked = {"table": table.as_string(connection), "deleted": deleted}
    found = connection.execute(_CASCADES, asked).fetchone()
    if found is not None:
        raise ConstraintRefused(
            f"{name}: replacing these rows deletes or empties rows of {found[1]} by its foreign key {found[0]}; "
            "declare it without ON DELETE CASCADE or SET, as DEFERRABLE, then run this again"
        )


def copy_rows(
    source: psycopg.Connection[Any],
    target: psycopg.Connection[Any],
    *,
    read: Query,
    write: Query,
    source_name: str,
    target_name: str,
) -> int:
    """Stream the source's COPY into the target's; the number of rows that the target took.

    Raises:
        ReconcileAssetsError: of the side that failed, named.
    """
    chunks = _read_chunks(source, read, source_name)
    try:
        with translated_errors(target_name), target.cursor() as cursor:
            with cursor.copy(write) as copy:
                for chunk in chunks:
                    copy.write(chunk)
            return max(cursor.rowcount, 0)
    finally:
        chunks.close()


def _read_chunks(connection: psycopg.Connection[Any], read: Query, name: str) -> Generator[bytes, None, None]:
    pending = bytearray()
    with translated_errors(name), connection.cursor() as cursor, cursor.copy(read) as copy:
        for data in copy:
            pending += data
            if len(pending) >= CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        if pending:
            yield bytes(pending)


def commit_within(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Commit, and wait at most ``seconds`` for the reply.

    The deadline is the client's own: neither a server's time-out nor TCP keepalives end the
    wait for a reply that something between the two swallowed.

    Raises:
        UnknownOutcome: no reply came, or the connection broke after COMMIT was sent.
        psycopg.Error: the server refused the COMMIT; the transaction was rolled back.
    """
    try:
        result = _result_within(connection, b"COMMIT", time.monotonic() + seconds)
    except (psycopg.OperationalError, OSError):
        raise UnknownOutcome("the connection broke before the reply to COMMIT came") from None
    if result.status == ExecStatus.FATAL_ERROR:
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"08000").decode()
        if state.startswith(("08", "57P")):  # the process ended: before or after it committed, nobody said
            raise UnknownOutcome("the connection ended before the reply to COMMIT came")
        raise psycopg.errors.error_from_result(result)
    if result.command_status != b"COMMIT":
        raise psycopg.errors.InFailedSqlTransaction("the server rolled the transaction back")


def _result_within(connection: psycopg.Connection[Any], query: bytes, deadline: float) -> Any:
    pgconn = connection.pgconn
    pgconn.send_query(query)
    with selectors.DefaultSelector() as selector:
        key = selector.register(pgconn.socket, selectors.EVENT_READ)
        while pgconn.flush():
            selector.modify(key.fileobj, selectors.EVENT_READ | selectors.EVENT_WRITE)
            _wait(selector, deadline)
        selector.modify(key.fileobj, selectors.EVENT_READ)
        pgconn.consume_input()
        while pgconn.is_busy():
            _wait(selector, deadline)
            pgconn.consume_input()
    result = pgconn.get_result()
    if result is None:
        raise psycopg.OperationalError("no result")
    while pgconn.get_result() is not None:  # leaves the connection ready for its next use
        pass
    return result


def _wait(selector: selectors.BaseSelector, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0 or not selector.select(remaining):
        raise TimeoutError
