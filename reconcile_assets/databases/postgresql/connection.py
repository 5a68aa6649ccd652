"""Connecting to PostgreSQL: what every session is set to, and why.

Each setting takes away one way in which the same value could be written differently,
or one way in which a session could hang or do harm.
"""

from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from reconcile_assets.errors import ConfigurationError

CONNECT_TIMEOUT = 10

_DEFAULTS = {
    "connect_timeout": str(CONNECT_TIMEOUT),
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "reconcile-assets",
}

_SETTINGS = {
    "TimeZone": "UTC",
    "client_encoding": "UTF8",  # record_send gives text in it: databases of two encodings must hash alike
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",  # the names of types are compared
    "xmloption": "content",
    "cursor_tuple_fraction": "1",
    "row_security": "off",  # hidden rows would compare as equal: a table that hides some is an error instead
}


# A schema that the search_path names before pg_catalog could have an md5 of its own. Where the path does not name
# pg_catalog, it comes first; this takes it out, and says of all that it uses whose it is.
_SEARCH_PATH = """
SELECT pg_catalog.set_config('search_path', path, false) FROM (
  SELECT pg_catalog.string_agg(pg_catalog.quote_ident(s), ', ') AS path
  FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) AS s WHERE s OPERATOR(pg_catalog.<>) 'pg_catalog'
) AS found WHERE 'pg_catalog' OPERATOR(pg_catalog.=) ANY ((pg_catalog.current_schemas(false))[2:])
"""


class SessionConnection(psycopg.Connection[Any]):
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


def parse_url(url: str, *, name: str) -> dict[str, Any]:
    """The parameters of a ``postgresql://`` URL.

    Raises:
        ConfigurationError: it can't be parsed; the message does not show it.
    """
    refusal = ConfigurationError(
        f"{name}: the database URL can't be parsed; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE,"
        " special characters percent-encoded"
    )
    try:
        port = urlsplit(url).port
        parameters = psycopg.conninfo.conninfo_to_dict(url)
    except (ValueError, psycopg.Error):
        raise refusal from None
    if port == 0 or "\x00" in url:
        raise refusal
    return {**_DEFAULTS, **parameters}


def connect(
    parameters: dict[str, Any], *, read_only: bool, statement_timeout: float | None, repeatable: bool = True
) -> SessionConnection:
    """A connection outside any transaction, set to UTC and to exact texts.

    Args:
        repeatable: the first statement begins a transaction with one snapshot; else each is a transaction by itself.
    """
    connection = SessionConnection.connect(**parameters, autocommit=True, prepare_threshold=None)
    try:
        settings = dict(_SETTINGS)
        if statement_timeout is not None:
            settings["statement_timeout"] = f"{max(1, round(statement_timeout * 1000))}ms"
        if not repeatable:
            settings["default_transaction_read_only"] = "on" if read_only else "off"
        connection.execute(_SEARCH_PATH)
        calls = [sql.SQL("set_config({}, {}, false)").format(name, value) for name, value in settings.items()]
        connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(calls)))
        if not repeatable:
            return connection
        connection.autocommit = False
        connection.read_only = read_only
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    except BaseException:
        connection.close()
        raise
    return connection
