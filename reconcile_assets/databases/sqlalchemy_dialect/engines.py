"""Engines and connections of SQLAlchemy's that somebody gives: which of our ways reads what they reach.

An engine that does nothing but connect by its URL is read as that URL is, by the database's own digests.
What it does beside that, when it connects, may choose another database or schema: then its own connection is read.
"""

import inspect
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import sqlalchemy as sa

from reconcile_assets.databases.base import Database
from reconcile_assets.databases.file_urls import MEMORY
from reconcile_assets.databases.sqlalchemy_dialect.database import AlchemyDatabase, GivenConnection
from reconcile_assets.databases.sqlalchemy_dialect.errors import translate
from reconcile_assets.databases.sqlalchemy_dialect.traits import name_of
from reconcile_assets.errors import ConfigurationError, NotComparable, UnknownEngine

_POSTGRESQL_ONLY_HERE = frozenset(  # how the driver behaves, not what it connects to
    {"autocommit", "connection_factory", "context", "cursor_factory", "prepare_threshold", "row_factory"}
)
_MYSQL_QUERY = frozenset({"charset", "unix_socket", "ssl_ca", "ssl_cert", "ssl_key"})
_EVENTS = ("connect", "first_connect", "checkout")


def database_of(side: sa.Engine | sa.Connection, *, name: str) -> Database:
    """The database that an engine or a connection reaches; an engine is not disposed of, a connection not closed.

    Raises:
        NotComparable: the schema's names are translated, or the connection is in a transaction that can't be read.
        UnknownEngine: it is for asynchronous programs.
    """
    if side.get_execution_options().get("schema_translate_map"):
        raise NotComparable(f"{name}: the engine translates schema names; give one without, and name the schema")
    if side.dialect.is_async:
        raise UnknownEngine(f"{name}: an engine for asynchronous programs can't be compared; give its URL")
    found = _FINDERS.get(name_of(side.dialect), _alchemy)(side, name)
    return found or _alchemy(side, name)


def _alchemy(side: sa.Engine | sa.Connection, name: str) -> Database:
    return GivenConnection(side, name=name) if isinstance(side, sa.Connection) else AlchemyDatabase(side, name=name)


def _postgresql(side: sa.Engine | sa.Connection, name: str) -> Database | None:
    more = None if isinstance(side, sa.Connection) else _connect_arguments(side)
    if isinstance(side, sa.Connection) or more is None or any(isinstance(v, tuple) for v in side.url.query.values()):
        return None
    extra = {key: value for key, value in more.items() if key not in _POSTGRESQL_ONLY_HERE}
    if not all(isinstance(value, str | int) for value in extra.values()):
        return None
    return _open("postgresql", side.url, name, {key: str(value) for key, value in extra.items()})


def _mysql(side: sa.Engine | sa.Connection, name: str) -> Database | None:
    if isinstance(side, sa.Connection) or _connect_arguments(side) != {}:
        return None
    if not (side.url.username and side.url.host) or not _MYSQL_QUERY.issuperset(side.url.query):
        return None
    return _open("mysql", side.url, name, {})


def _open(scheme: str, url: sa.URL, name: str, more: Mapping[str, str]) -> Database:
    """By the URL with every part percent-encoded: SQLAlchemy leaves some as they are, and writes a space as ``+``."""
    from reconcile_assets.databases import open_database

    user = "" if url.username is None else quote(url.username, safe="")
    password = "" if url.password is None else f":{quote(str(url.password), safe='')}"
    host = f"[{url.host}]" if url.host and ":" in url.host else url.host or ""
    place = f"{user}{password}@{host}" if user or password else host
    port = "" if url.port is None else f":{url.port}"
    parameters = urlencode({**url.query, **more}, quote_via=quote, safe="")
    path = quote(url.database or "", safe="")
    return open_database(f"{scheme}://{place}{port}/{path}{'?' if parameters else ''}{parameters}", name=name)


def _connect_arguments(engine: sa.Engine) -> Mapping[str, Any] | None:
    """What the engine gives to the driver beside its URL; None where it does more than that, or nobody knows."""
    heard = [getattr(engine.pool.dispatch, event, ()) for event in _EVENTS]
    heard += [engine.dialect.dispatch.do_connect, engine.dispatch.engine_connect, engine.dispatch.begin]
    if any(not _is_sqlalchemys(listener) for listeners in heard for listener in listeners):
        return None
    creator = getattr(engine.pool, "_creator", None)
    if not inspect.isfunction(creator) or not _is_sqlalchemys(creator):
        return None
    known = inspect.getclosurevars(creator).nonlocals
    arguments, by_name = engine.dialect.create_connect_args(engine.url)
    if "cparams" not in known or list(known.get("cargs_tup", known.get("cargs", ()))) != list(arguments):
        return None
    given = known["cparams"]
    if any(given.get(key) != value for key, value in by_name.items()):
        return None
    return {key: value for key, value in given.items() if key not in by_name}


def _is_sqlalchemys(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).partition(".")[0] in ("sqlalchemy", "duckdb_engine")


def _sqlite(side: sa.Engine | sa.Connection, name: str) -> Database | None:
    from reconcile_assets.databases.sqlite.memory import SqliteMemory
    from reconcile_assets.databases.sqlite.session import SqliteDatabase

    if isinstance(side, sa.Engine) and _is_sqlalchemys(getattr(side.pool, "_creator", None)):
        file = side.url.database
        if file and not file.startswith(("file:", MEMORY)):
            return SqliteDatabase(f"sqlite:///{file}", name=name)  # not connected: that would make a missing file
    with _lent(side, name) as connection:
        if not isinstance(connection, sqlite3.Connection):
            return None
        path = next((row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"), "")
        if path and isinstance(side, sa.Connection) and connection.in_transaction:
            raise NotComparable(f"{name}: the connection has a transaction open; commit it, or roll it back")
    return (
        SqliteDatabase(f"sqlite:///{path}", name=name) if path else SqliteMemory(lambda: _lent(side, name), name=name)
    )


def _duckdb(side: sa.Engine | sa.Connection, name: str) -> Database | None:
    import duckdb

    from reconcile_assets.databases.duckdb.borrowed import BorrowedDuckdb
    from reconcile_assets.databases.duckdb.session import DuckdbDatabase

    file = (side.engine.url.database or MEMORY).partition("?")[0]
    if file != MEMORY and not Path(file).is_file():
        return DuckdbDatabase(f"duckdb:///{file}", name=name)  # not connected: that would make a missing file

    @contextmanager
    def lend() -> Iterator[Any]:
        with _lent(side, name) as connection:
            yield getattr(connection, "_ConnectionWrapper__c", connection)  # as duckdb_engine wraps it

    with lend() as connection:
        if not isinstance(connection, duckdb.DuckDBPyConnection):
            return None
    return BorrowedDuckdb(lend, name=name, place="in memory" if file == MEMORY else file)


@contextmanager
def _lent(side: sa.Engine | sa.Connection, name: str) -> Iterator[Any]:
    """The driver's connection."""
    if isinstance(side, sa.Connection):
        if side.closed:
            raise ConfigurationError(f"{name}: the connection is closed; give one that is open, or its engine")
        yield side.connection.driver_connection
        return
    try:
        connection = side.connect()
    except sa.exc.SQLAlchemyError as error:
        raise translate(error, name, connecting=True) from None
    with connection:
        yield connection.connection.driver_connection


_FINDERS = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
}
