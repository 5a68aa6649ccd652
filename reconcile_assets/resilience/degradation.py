"""Graceful degradation: the live answer, else the last known one while it is young, else a fallback.

Prevents that a page or a report shows nothing while a database is down, and that an old answer
passes for a live one: every answer says where it is from and how old it is. A verdict is never
taken from anything but live data.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from reconcile_assets.core.record_json import decode_record, encode_record
from reconcile_assets.errors import ConfigurationError, ReconcileAssetsError

T = TypeVar("T")
R = TypeVar("R")
logger = logging.getLogger(__name__)

TTL = timedelta(minutes=5)


class AnswerSource(StrEnum):
    """Where an answer is from."""

    LIVE = "live"
    CACHE = "cache"
    FALLBACK = "fallback"


@dataclass(frozen=True)
class Answer(Generic[T]):
    """An answer and what it is worth.

    Attributes:
        degraded: it is not live.
        cached_at: when a cached answer was live; aware, UTC; None for the others.
        age: seconds since then; None for the others.
        reason: why there was no live one, without values; empty for a live one.
    """

    data: T
    source: AnswerSource
    cached_at: datetime | None = None
    age: float | None = None
    reason: str = ""

    @property
    def degraded(self) -> bool:
        """Whether the answer is not live."""
        return self.source is not AnswerSource.LIVE

    def to_dict(self) -> dict[str, object]:
        """As JSON: ``data``, ``degraded``, ``source``, ``cached_at`` (ISO, UTC) and ``age`` (seconds)."""
        return {
            "data": self.data,
            "degraded": self.degraded,
            "source": self.source.value,
            "cached_at": None if self.cached_at is None else self.cached_at.isoformat(),
            "age": self.age,
        }

    @property
    def banner(self) -> str:
        """What a page says above a degraded answer; empty for a live one."""
        if not self.degraded:
            return ""
        if self.cached_at is None:
            return "No data is at hand: the database cannot be reached"
        return f"Some data may be stale, last updated {self.cached_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


class AnswerCache:
    """The last live answers, in a SQLite file (mode 0600) shared by the processes of one machine.

    It is only a cache: a file that can't be read is put aside with a warning, and what can't be kept is not.

    Args:
        path: of the file; made where it is missing.

    Raises:
        ConfigurationError: the file can't be made there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._make()
        except OSError as error:
            raise ConfigurationError(f"the cache {path} cannot be made: {error.strerror}; choose another") from None

    def fetch(self, key: str) -> tuple[Any, datetime] | None:
        """The last live answer and when it was live; None where there is none."""

        def read(connection: sqlite3.Connection) -> tuple[Any, datetime] | None:
            row = connection.execute("SELECT value, cached_at FROM answers WHERE key = ?", (key,)).fetchone()
            return None if row is None else (decode_record(row[0])["data"], datetime.fromisoformat(row[1]))

        return self._use(read)

    def put(self, key: str, data: Any, at: datetime) -> None:
        """Keep a live answer.

        Raises:
            TypeError: it has no exact form as JSON.
        """
        values = (key, encode_record({"data": data}), at.isoformat())
        self._use(lambda connection: connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", values))

    def _make(self) -> None:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))

    def _use(self, work: Callable[[sqlite3.Connection], R]) -> R | None:
        try:
            self._make()
            with closing(sqlite3.connect(self._path, timeout=5.0, isolation_level=None)) as connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS answers"
                    " (key TEXT PRIMARY KEY, value TEXT NOT NULL, cached_at TEXT NOT NULL)"
                )
                return work(connection)
        except (sqlite3.OperationalError, OSError) as error:
            logger.warning("the cache %s cannot be used now (%s)", self._path, type(error).__name__)
        except (sqlite3.DatabaseError, ValueError, KeyError):
            aside = self._path.with_name(f"{self._path.name}.damaged")
            logger.warning("the cache %s is damaged: it is put aside as %s", self._path, aside.name)
            with suppress(OSError):
                self._path.replace(aside)
        return None


def with_degradation(
    key: str,
    live: Callable[[], T | None],
    fallback: Callable[[], T] | T,
    ttl: timedelta = TTL,
    *,
    cache: AnswerCache,
    errors: tuple[type[BaseException], ...] = (ReconcileAssetsError, OSError),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Answer[T]:
    """The live answer; where there is none the cached one, if it is at most ``ttl`` old; else the fallback.

    Args:
        key: what the answer is to, the same in every process.
        live: asks; None and the errors named count as no answer.
        fallback: a value, or what makes one.
        errors: what may happen; anything else is raised.

    Raises:
        TypeError: the live answer has no exact form as JSON.
    """
    reason = "there was no answer"
    try:
        data = live()
    except errors as error:
        reason, data = str(error), None
    if data is not None:
        cache.put(key, data, clock())
        return Answer(data, AnswerSource.LIVE)
    found = cache.fetch(key)
    if found is not None:
        kept, cached_at = found
        age = (clock() - cached_at).total_seconds()
        if 0 <= age <= ttl.total_seconds():
            return Answer(kept, AnswerSource.CACHE, cached_at, age, reason)
    return Answer(fallback() if callable(fallback) else fallback, AnswerSource.FALLBACK, reason=reason)
