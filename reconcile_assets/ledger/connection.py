"""Connections to a database that holds ledger tables: transactions, locks, and errors without values.

Every statement of the ledger runs inside `LedgerDatabase.reading` or `.writing`, so that a
driver's text (which may carry row values or a password) never leaves this module.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url

from reconcile_assets import errors
from reconcile_assets.ledger.schema import LedgerTables, ledger_tables

CONNECT_SECONDS = 10
LOCK_SECONDS = 60
BUSY_SECONDS = 30.0  # how long a writer of a SQLite file waits for another one

_WRITING = "reconcile_assets_writing"
_SQLSTATES: dict[str, tuple[type[errors.ReconcileAssetsError], str]] = {
    "28": (errors.AuthenticationFailed, "the server refused the user or the password; check the URL"),
    "3D": (errors.MissingObject, "the database does not exist; create it or correct the URL"),
    "40": (errors.SerializationConflict, "a deadlock or serialization failure; try again"),
    "42501": (errors.PermissionDenied, "the role lacks a privilege; grant it CREATE on the database and its schema"),
    "42": (errors.MissingObject, "a table of the ledger is not as expected; run reconcile-assets doctor"),
    "23": (errors.ConstraintRefused, "a constraint of the ledger refused a row; nothing was written"),
    "22": (errors.ConstraintRefused, "the database cannot hold a value as it is; nothing was written"),
    "57014": (errors.StatementTimeout, "a statement ran into its time limit; try again"),
    "55P03": (errors.StatementTimeout, "a lock was not given in time; try again"),
    "57P": (errors.ConnectionLost, "the server shut the connection down; try again"),
    "08": (errors.ConnectionLost, "the connection was lost; try again"),
    "53": (errors.DatabaseUnavailable, "the server is out of connections, memory or disk space"),
    "25006": (errors.PermissionDenied, "the database is read-only"),
}
# MySQL's numbers, and DuckDB's classes, in the same words.
_BY_NUMBER: dict[int, tuple[type[errors.ReconcileAssetsError], str]] = {
    **dict.fromkeys((1020, 1213), _SQLSTATES["40"]),
    **dict.fromkeys((1205, 3572), _SQLSTATES["55P03"]),
    **dict.fromkeys((1317, 1969, 3024), _SQLSTATES["57014"]),
    **dict.fromkeys((1048, 1062, 1452, 3819, 4025), _SQLSTATES["23"]),
    **dict.fromkeys((1264, 1265, 1292, 1366, 1406), _SQLSTATES["22"]),
    **dict.fromkeys((1053, 1927, 2006, 2013, 2014, 2055), _SQLSTATES["08"]),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370), _SQLSTATES["42501"]),
    **dict.fromkeys((1054, 1146), _SQLSTATES["42"]),
    **dict.fromkeys((1021, 1114, 1040), _SQLSTATES["53"]),
    **dict.fromkeys((1290, 1792, 1836), _SQLSTATES["25006"]),
}
_BY_DRIVER_CLASS: dict[str, tuple[type[errors.ReconcileAssetsError], str]] = {
    "TransactionException": _SQLSTATES["40"],
    "ConstraintException": _SQLSTATES["23"],
    "ConversionException": _SQLSTATES["22"],
    "CatalogException": _SQLSTATES["42"],
    "BinderException": _SQLSTATES["42"],
    "OutOfMemoryException": _SQLSTATES["53"],
    "IOException": (errors.DatabaseUnavailable, "the file cannot be used; check its disk"),
}
_AUTHENTICATION = ("authentication failed", "no password supplied", "role ", "no pg_hba.conf entry")


class HoldsSecret(Protocol):
    """What pydantic's SecretStr offers; the ledger does without pydantic."""

    def get_secret_value(self) -> str: ...


class LedgerDatabase:
    """One database that holds ledger tables.

    Args:
        engine: PostgreSQL through psycopg 3, or a SQLite file.
        label: what messages call it, e.g. ``DATABASE_URL``; never a URL.
    """

    def __init__(self, engine: sa.Engine, *, label: str) -> None:
        self.engine = engine
        self.label = label
        self.tables: LedgerTables = ledger_tables(engine.dialect.name)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection in a transaction that is rolled back at the end: it writes nothing."""
        with ledger_errors(self.label), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, committed at the end; on SQLite the file's only writer from its first statement."""
        with ledger_errors(self.label), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITING: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def create_ledger_engine(url: str | HoldsSecret, *, label: str) -> sa.Engine:
    """An engine for a ledger; connects on first use.

    Raises:
        ConfigurationError: the URL cannot be parsed, or names an in-memory SQLite database.
        UnknownEngine: neither PostgreSQL nor SQLite.
    """
    parsed = _parse_url(url if isinstance(url, str) else url.get_secret_value(), label)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, label)
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=2,  # a run holds one for its work and one for its heartbeat; many processes share the server
        max_overflow=8,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "reconcile-assets ledger",
            "keepalives_idle": 30,
            "tcp_user_timeout": 60_000,  # milliseconds: a server that is gone does not hold a heartbeat or a sensor up
        },
    )


def lock_transaction(connection: sa.Connection, name: str) -> None:
    """Let one transaction at a time go on under this name, until it ends.

    An advisory lock of the database on PostgreSQL; on MySQL a lock of the connection, which holds it until it is
    closed: right after the transaction. A SQLite or DuckDB file has one writer at a time, for every name at once.

    Raises:
        StatementTimeout: MySQL did not give it within a minute.
    """
    digest = hashlib.sha256(f"reconcile_assets {name}".encode()).digest()
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(digest[:8], "big", signed=True))))
    elif connection.dialect.name == "mysql":
        own = sa.func.concat("reconcile_assets ", sa.func.md5(sa.func.concat(sa.func.database(), " ", digest.hex())))
        if connection.execute(sa.select(sa.func.get_lock(own, LOCK_SECONDS))).scalar_one() != 1:
            raise errors.StatementTimeout(f"the {name} of the target is held by another writer; try again")


def database_now(connection: sa.Connection) -> datetime:
    """The database's own clock where it has one: writers on several machines then agree. Aware, UTC."""
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)
    if connection.dialect.name == "mysql":
        local: datetime = connection.execute(sa.select(sa.func.utc_timestamp(6))).scalar_one()
        return local.replace(tzinfo=UTC)
    return datetime.now(UTC)


@contextmanager
def ledger_errors(label: str) -> Iterator[None]:
    """Turn what SQLAlchemy and the driver raise into this package's errors, without their text.

    The driver's text is left out because its DETAIL lines carry row values.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _translate(error, label) from None
    except sa.exc.TimeoutError:
        raise errors.DatabaseUnavailable(f"{label}: no free connection in time; try again") from None


def _translate(error: sa.exc.DBAPIError, label: str) -> errors.ReconcileAssetsError:
    state = getattr(error.orig, "sqlstate", None)
    if state:
        for length in (5, 3, 2):
            if found := _SQLSTATES.get(state[:length]):
                return found[0](f"{label}: {found[1]} (SQLSTATE {state})")
        return errors.QueryRefused(f"{label}: the database refused a statement of the ledger (SQLSTATE {state})")
    if code := getattr(error.orig, "sqlite_errorname", None):
        return _translate_sqlite(code, label)
    if found := _BY_DRIVER_CLASS.get(type(error.orig).__name__):
        return found[0](f"{label}: {found[1]}")
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(number, int) and number:
        kind, sentence = _BY_NUMBER.get(number, (errors.QueryRefused, "the database refused a statement of the ledger"))
        return kind(f"{label}: {sentence} ({number})")
    return _translate_unreachable(error, label)


def _translate_sqlite(code: str, label: str) -> errors.ReconcileAssetsError:
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return errors.SerializationConflict(f"{label}: another process holds the ledger's file; try again")
    if code.startswith("SQLITE_CONSTRAINT"):
        return errors.ConstraintRefused(f"{label}: a constraint of the ledger refused a row; nothing was written")
    if code.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "SQLITE_AUTH")):
        return errors.PermissionDenied(f"{label}: the ledger's file cannot be opened for writing; check path and mode")
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return errors.LedgerCorrupt(f"{label}: the ledger's file is damaged; it is kept as it is, restore a copy")
    return errors.DatabaseUnavailable(f"{label}: the ledger's file cannot be used ({code})")


def _translate_unreachable(error: sa.exc.DBAPIError, label: str) -> errors.ReconcileAssetsError:
    """A failure without SQLSTATE: the connection could not be made, or was cut."""
    if error.connection_invalidated:
        return errors.ConnectionLost(f"{label}: the connection was lost; try again")
    text = str(error.orig)
    if "database " in text and "does not exist" in text:
        return errors.MissingObject(f"{label}: the database does not exist; create it or correct the URL")
    if any(sign in text for sign in _AUTHENTICATION):
        return errors.AuthenticationFailed(f"{label}: the server refused the user or the password; check the URL")
    if isinstance(error, sa.exc.DataError | sa.exc.ProgrammingError | sa.exc.NotSupportedError):
        return errors.ConstraintRefused(f"{label}: the database cannot hold a value as it is; nothing was written")
    return errors.DatabaseUnavailable(f"{label}: the database cannot be reached; check that it runs and the URL")


def _parse_url(text: str, label: str) -> URL:
    try:
        parsed = make_url(text)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise errors.ConfigurationError(
            f"{label}: not a database URL; write it as postgresql://USER@HOST:PORT/DATABASE"
        ) from None
    if backend not in ("postgresql", "postgres", "sqlite"):
        raise errors.UnknownEngine(f"{label}: the ledger lives in PostgreSQL or SQLite; give a URL of one of these")
    return parsed


def _sqlite_engine(url: URL, label: str) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise errors.ConfigurationError(f"{label}: a ledger in memory is lost at exit; write sqlite:///FILE")
    engine = sa.create_engine(
        url.set(drivername="sqlite"), hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 would begin by itself, late and without the writer's lock
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
