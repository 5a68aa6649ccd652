"""SQLite's errors, told in our words."""

import re
import sqlite3

from reconcile_assets.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    MissingObject,
    QueryRefused,
    ReconcileAssetsError,
    StatementTimeout,
)

_KINDS: tuple[tuple[str, type[ReconcileAssetsError], str], ...] = (
    ("interrupted", StatementTimeout, "the statement ran into its time limit or was cancelled; raise the limit"),
    ("not a database", ConfigurationError, "the file is no SQLite database (or it is encrypted); check the URL"),
    ("malformed", ConfigurationError, "the database file is damaged; restore it, nothing can be proved of it"),
    ("locked|busy", DatabaseUnavailable, "the file is locked by a process that writes to it; try again"),
    ("unable to open", DatabaseUnavailable, "the file can't be opened; check its permissions and those of its folder"),
    ("disk i/o", DatabaseUnavailable, "the file can't be read from its disk"),
    ("one statement", QueryRefused, "the query or condition holds more than one statement"),
)


def translate(error: Exception, name: str) -> ReconcileAssetsError:
    """Our error for one of the driver's."""
    text = str(error).split("\n", 1)[0]
    for pattern, kind, sentence in _KINDS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(f"{name}: {sentence}")
    if re.match(r"no such (?:table|column)", text):
        return MissingObject(f"{name}: {text}")
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.OperationalError | sqlite3.Warning):
        return QueryRefused(f"{name}: SQLite refuses the query or condition: {text}")
    return QueryRefused(f"{name}: SQLite refused the statement ({type(error).__name__})")
