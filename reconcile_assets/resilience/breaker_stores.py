"""Where breakers are kept: a protocol, a store in memory, and a stand-by for a store that is itself away.

The store that all processes share is the ledger's (:mod:`reconcile_assets.ledger.breakers`).
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from reconcile_assets.core.breakers import BreakerRecord
from reconcile_assets.errors import TransientError

logger = logging.getLogger(__name__)

Change = Callable[[BreakerRecord, datetime], BreakerRecord]


class BreakerStore(Protocol):
    """Keeps the record of each breaker by its name."""

    def fetch_breaker(self, name: str) -> tuple[BreakerRecord, datetime]:
        """The record, a closed one where there is none yet; and the store's own present, aware, UTC."""

    def change_breaker(self, name: str, change: Change) -> BreakerRecord:
        """Replace the record by what the function makes of it and the present: one change at a time for a name."""

    def fetch_breakers(self) -> Sequence[BreakerRecord]:
        """All records, by name."""


class MemoryBreakers:
    """Breakers of one process.

    Args:
        clock: the present, aware, UTC.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, BreakerRecord] = {}

    def fetch_breaker(self, name: str) -> tuple[BreakerRecord, datetime]:
        """See :class:`BreakerStore`."""
        with self._lock:
            return self._records.get(name, BreakerRecord(name)), self._clock()

    def change_breaker(self, name: str, change: Change) -> BreakerRecord:
        """See :class:`BreakerStore`."""
        with self._lock:
            changed = change(self._records.get(name, BreakerRecord(name)), self._clock())
            self._records[name] = changed
            return changed

    def fetch_breakers(self) -> Sequence[BreakerRecord]:
        """See :class:`BreakerStore`."""
        with self._lock:
            return [self._records[name] for name in sorted(self._records)]


class StandbyBreakers:
    """A shared store, and a local one for the time in which the shared one can't be reached.

    Args:
        shared: the ledger's.
        local: a file of this machine, or memory.
    """

    def __init__(self, shared: BreakerStore, local: BreakerStore) -> None:
        self._shared = shared
        self._local = local

    def fetch_breaker(self, name: str) -> tuple[BreakerRecord, datetime]:
        """See :class:`BreakerStore`."""
        try:
            return self._shared.fetch_breaker(name)
        except TransientError as error:
            self._say(name, error)
            return self._local.fetch_breaker(name)

    def change_breaker(self, name: str, change: Change) -> BreakerRecord:
        """See :class:`BreakerStore`."""
        try:
            return self._shared.change_breaker(name, change)
        except TransientError as error:
            self._say(name, error)
            return self._local.change_breaker(name, change)

    def fetch_breakers(self) -> Sequence[BreakerRecord]:
        """See :class:`BreakerStore`."""
        try:
            return self._shared.fetch_breakers()
        except TransientError as error:
            self._say("all", error)
            return self._local.fetch_breakers()

    @staticmethod
    def _say(name: str, error: TransientError) -> None:
        logger.warning("the state of breaker %s is kept on this machine for now: %s", name, error)
