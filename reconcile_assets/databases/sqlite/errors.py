"""SQLite's errors, told in our words."""

import re
import sqlite3

from reconcile_assets.errors import (
    ConfigurationError,
    ConstraintRefused,
    DatabaseUnavailable,
    LossyWrite,
    MissingObject,
    PermissionDenied,
    QueryRefused,
    ReconcileAssetsError,
    RowsCollide,
    StatementTimeout,
)

_KINDS: tuple[tuple[str, type[ReconcileAssetsError], str], ...] = (
    ("interrupted", StatementTimeout, "the statement ran into its time limit or was cancelled; raise the limit"),
    ("not a database", ConfigurationError, "the file is no SQLite database (or it is encrypted); check the URL"),
    ("malformed", ConfigurationError, "the database file is damaged; restore it, nothing can be proved of it"),
    ("locked|busy", DatabaseUnavailable, "the file is locked by a process that writes to it; try again"),
    ("unable to open", DatabaseUnavailable, "the file can't be opened; check its permissions and those of its folder"),
    ("disk i/o", DatabaseUnavailable, "the file can't be read from its disk, or written to it"),
    ("disk is full", DatabaseUnavailable, "the disk of the file is full; make room, then run this again"),
    ("readonly database", PermissionDenied, "the file, or its folder, can't be written to; check their permissions"),
    ("user-defined function raised", QueryRefused, "a value of the partition column can't be read"),
    ("one statement", QueryRefused, "the query or condition holds more than one statement"),
)


_BETWEEN_ROWS = ("UNIQUE", "FOREIGN KEY", "PRIMARY KEY")


def _translate_constraint(text: str, name: str) -> ReconcileAssetsError:
    """Its text names a constraint or its columns, and no value."""
    if text == "datatype mismatch" or text.startswith("cannot store"):
        return LossyWrite(f"{name}: a value does not fit the type of its column ({text})")
    kind = RowsCollide if text.startswith(_BETWEEN_ROWS) else ConstraintRefused
    return kind(f"{name}: a row was refused: {text}")


def translate(error: Exception, name: str) -> ReconcileAssetsError:
    """Our error for one of the driver's."""
    text = str(error).split("\n", 1)[0]
    if isinstance(error, sqlite3.IntegrityError):
        return _translate_constraint(text, name)
    for pattern, kind, sentence in _KINDS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(f"{name}: {sentence}")
    if re.match(r"no such (?:table|column)", text):
        return MissingObject(f"{name}: {text}")
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.OperationalError | sqlite3.Warning):
        return QueryRefused(f"{name}: SQLite refuses the query or condition: {text}")
    return QueryRefused(f"{name}: SQLite refused the statement ({type(error).__name__})")
