"""Log lines on stderr, with what they are about behind them: ``table=flights partition=2013-01-05``.

Warnings are always shown, each once: a command that meets the same trouble in a hundred
partitions says it once and counts the partitions in its summary. ``--verbose`` shows all.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FIELDS = ("run", "table", "partition")


class StructuredFormatter(logging.Formatter):
    """A line, then ``field=value`` for each of the fields that the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        fields = [f"{name}={value}" for name in FIELDS if (value := getattr(record, name, ""))]
        return " ".join([super().format(record), *fields])


class OnceFilter(logging.Filter):
    """Lets each message of a table through once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[object, ...]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this is the first of its kind."""
        seen = (record.levelno, record.getMessage(), getattr(record, "table", None))
        if seen in self._seen:
            return False
        self._seen.add(seen)
        return True


@contextmanager
def log_to_stderr(*, verbose: bool) -> Iterator[None]:
    """Send the package's log to stderr for the length of the block."""
    times = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(StructuredFormatter(times if verbose else "%(levelname)s: %(message)s"))
    if not verbose:
        handler.addFilter(OnceFilter())
    logger = logging.getLogger("reconcile_assets")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
