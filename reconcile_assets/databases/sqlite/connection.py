"""Connecting to a SQLite file."""

import sqlite3
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from reconcile_assets.databases.sqlite.errors import translate

# A process was killed while it wrote: its journal is there, and one who may only read can't roll it back.
LEFT_HALF_WRITTEN = frozenset({"SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_READONLY_CANTINIT"})


class SessionConnection(sqlite3.Connection):
    """A connection whose transaction can be held while SQLAlchemy sets itself up on it."""

    held = False

    def rollback(self) -> None:
        """Roll back, unless held."""
        if not self.held:
            super().rollback()

    def commit(self) -> None:
        """Commit, unless held."""
        if not self.held:
            super().commit()


def connect(path: str, *, name: str, mode: Literal["ro", "rw"], wait: float) -> SessionConnection:
    """A connection to a file that is there, outside any transaction.

    Args:
        wait: the most seconds to wait for another one's lock.

    Raises:
        ReconcileAssetsError: it can't be opened.
    """
    uri = "".join(("file:", quote(str(Path(path).absolute())), "?mode=", mode))
    try:
        connection = sqlite3.connect(
            uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False, factory=SessionConnection
        )
    except sqlite3.Error as error:
        raise translate(error, name) from None
    connection.text_factory = _decode
    return connection


def recover(path: str, *, name: str) -> None:
    """Let SQLite roll back what a killed process has left half written, as it does for whoever opens the file to write.

    Raises:
        ReconcileAssetsError: it can't be.
    """
    connection = connect(path, name=name, mode="rw", wait=10.0)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise translate(error, name) from None
    finally:
        connection.close()


def _decode(text: bytes) -> str:
    """Text as it is; bytes that are no UTF-8 stay apart from all that is."""
    return text.decode("utf-8", "surrogateescape")


def copy_in_memory(original: sqlite3.Connection) -> SessionConnection:
    """A copy of a database that is in memory only, with what its open transaction has changed; used by any thread.

    Raises:
        sqlite3.Error: the original can't be read by this thread.
    """
    has_pages = original.execute("PRAGMA page_count").fetchone()[0] > 0
    pages = original.serialize() if has_pages else b""  # SQLite refuses to write none
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=SessionConnection)
    connection.text_factory = _decode
    if pages:
        connection.deserialize(pages)
    return connection
