"""DuckDB's errors, told in our words; its own messages may hold values, so only names are kept of them."""

import re

import duckdb

from reconcile_assets.errors import (
    ConfigurationError,
    ConstraintRefused,
    DatabaseUnavailable,
    MissingObject,
    PermissionDenied,
    QueryRefused,
    ReconcileAssetsError,
    RowsCollide,
    SerializationConflict,
    StatementTimeout,
)

_KINDS: tuple[tuple[type[Exception], str, type[ReconcileAssetsError], str], ...] = (
    (duckdb.InterruptException, "", StatementTimeout, "the statement ran into its time limit; raise the limit"),
    (duckdb.Error, "not a valid DuckDB", ConfigurationError, "the file is no DuckDB database; check the URL"),
    (duckdb.Error, "lock on file", DatabaseUnavailable, "a process has the file open for writing; end it, try again"),
    (duckdb.Error, "storage version|newer version", ConfigurationError, "the file is of another DuckDB's version"),
    (duckdb.Error, "different configuration", DatabaseUnavailable, "this process has the file open for writing"),
    (duckdb.IOException, "No files found", MissingObject, "no file matches the path"),
    (duckdb.IOException, "", DatabaseUnavailable, "the file can't be read; check its permissions and its disk"),
    (duckdb.OutOfMemoryException, "", DatabaseUnavailable, "DuckDB has not enough memory for the query"),
    (duckdb.PermissionException, "", PermissionDenied, "the file is open for reading only"),
    (
        duckdb.TransactionException,
        "conflict",
        SerializationConflict,
        "another one changed the same rows; try again",
    ),
    (duckdb.ConversionException, "", QueryRefused, "a value does not fit a type of the query"),
)
_NAMED = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException, duckdb.SyntaxException)


_CONSTRAINTS: tuple[tuple[str, type[ReconcileAssetsError], str], ...] = (
    (r"NOT NULL constraint failed: (?P<what>[^\s\n]+)", ConstraintRefused, "a row was refused: {what} takes no NULL"),
    (r"CHECK constraint failed on table (?P<what>\S+)", ConstraintRefused, "a row was refused by a CHECK of {what}"),
    (
        r"foreign key",
        RowsCollide,
        "a row was refused by a foreign key: a row that is referred to would be missing",
    ),
    (r"primary key", RowsCollide, "a row was refused by the primary key: another row has its values"),
    (r"unique", RowsCollide, "a row was refused by a unique constraint: another row has its values"),
)


def is_open_otherwise(error: duckdb.Error) -> bool:
    """Whether this process has the file open already, in the other mode."""
    return "different configuration" in str(error)


def translate(error: duckdb.Error, name: str) -> ReconcileAssetsError:
    """Our error for one of the driver's."""
    text = str(error)
    if isinstance(error, duckdb.ConstraintException):
        for pattern, kind, sentence in _CONSTRAINTS:
            match = re.search(pattern, text, re.IGNORECASE)
            if match:
                return kind(f"{name}: {sentence.format_map(match.groupdict())}")
        return ConstraintRefused(f"{name}: a row was refused by a constraint")
    for found, pattern, kind, sentence in _KINDS:
        if isinstance(error, found) and re.search(pattern, text, re.IGNORECASE):
            return kind(f"{name}: {sentence}")
    if isinstance(error, _NAMED):
        first = re.sub(r"'[^']*'", "'...'", text.split("\n", 1)[0])
        missing = "does not exist" in first or "not found in FROM" in first
        return (MissingObject if missing else QueryRefused)(f"{name}: DuckDB refuses the query or condition: {first}")
    return QueryRefused(f"{name}: DuckDB refused the statement ({type(error).__name__})")
