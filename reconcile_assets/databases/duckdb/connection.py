"""Connecting to a DuckDB file: one process writes it, or many read it."""

import time
from typing import TYPE_CHECKING

from reconcile_assets.errors import AlreadyRunning, DatabaseUnavailable, UnknownEngine

if TYPE_CHECKING:
    import duckdb

_PAUSE = 0.05  # seconds between two tries


def connect(path: str, *, name: str, read_only: bool) -> "duckdb.DuckDBPyConnection":
    """A connection outside any transaction, in UTC, and with no extension loaded from elsewhere.

    Raises:
        UnknownEngine: the driver is not installed.
        ReconcileAssetsError: it can't be opened.
    """
    try:
        import duckdb
    except ImportError:
        raise UnknownEngine(
            f'{name}: DuckDB\'s driver is not installed; run: pip install "reconcile-assets[duckdb]"'
        ) from None
    from reconcile_assets.databases.duckdb.errors import is_open_otherwise, translate

    try:
        try:
            connection = duckdb.connect(path, read_only=read_only)
        except duckdb.Error as error:
            if not read_only or not is_open_otherwise(error):
                raise
            connection = duckdb.connect(path)  # this process writes the file: it is read through the same instance
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET TimeZone = 'UTC'")
    except duckdb.Error as error:
        raise translate(error, name) from None
    return connection


def connect_for_writing(path: str, *, name: str, wait: float) -> "duckdb.DuckDBPyConnection":
    """As `connect`, once no other process has the file open.

    Args:
        wait: the most seconds to wait for that.

    Raises:
        AlreadyRunning: some process had it open for longer.
    """
    deadline = time.monotonic() + wait
    while True:
        try:
            return connect(path, name=name, read_only=False)
        except DatabaseUnavailable as error:
            if time.monotonic() >= deadline:
                raise AlreadyRunning(
                    f"{error}: it has one process at a time while it is written, so nothing was written to {path}"
                ) from None
        time.sleep(_PAUSE)
