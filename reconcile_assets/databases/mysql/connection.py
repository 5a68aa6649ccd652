"""Connecting to MySQL and MariaDB: what every session is set to, and why.

Each setting takes away one way in which the same value could be written differently,
or one way in which a session could hang or do harm.
"""

import socket
import ssl
import struct
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.connections import Connection

from reconcile_assets.errors import ConfigurationError

CONNECT_TIMEOUT = 10  # seconds, for the network and for each answer while logging in
_GRACE = 30  # seconds that the server has to report its own time-out

# ALLOW_INVALID_DATES and no NO_ZERO_DATE: 0000-00-00 is a value that must be found again. No ANSI_QUOTES,
# no NO_BACKSLASH_ESCAPES, no PAD_CHAR_TO_FULL_LENGTH, no PIPES_AS_CONCAT: SQL means the same on every server.
_SQL_MODE = "STRICT_TRANS_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"
_SETTINGS = (
    "SET SESSION time_zone = '+00:00', autocommit = 1, net_write_timeout = 3600, net_read_timeout = 600,"
    " lock_wait_timeout = 10, innodb_lock_wait_timeout = 10,"
    " sql_select_limit = 18446744073709551615"  # DEFAULT would be what the server's administrator has set
)
_PARAMETERS = ("unix_socket", "ssl_mode", "ssl_ca", "ssl_cert", "ssl_key", "charset")
_SSL_MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")


def parse_url(url: str, *, name: str) -> dict[str, Any]:
    """The driver's parameters for a URL: ``mysql://USER:PASSWORD@HOST:PORT/DATABASE?unix_socket=...``.

    Raises:
        ConfigurationError: it can't be parsed; the message does not show it.
    """
    refusal = ConfigurationError(
        f"{name}: the database URL can't be parsed; write mysql://USER:PASSWORD@HOST:PORT/DATABASE,"
        " special characters percent-encoded"
    )
    try:
        parts = urlsplit(url)
        port = parts.port
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        user, password, database = (
            unquote(text or "", errors="strict") for text in (parts.username, parts.password, parts.path[1:])
        )
    except ValueError:
        raise refusal from None
    if port == 0 or "\x00" in unquote(url) or parts.fragment or parts.path[:1] not in ("", "/"):
        raise refusal
    _refuse_parameters(query, name)
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": port or 3306,
        "user": user or "root",
        "password": password,
        "database": database or None,
        "unix_socket": query.get("unix_socket") or None,
        **_ssl_parameters(query, name),
    }


def _refuse_parameters(query: dict[str, str], name: str) -> None:
    for parameter in query:
        if parameter not in _PARAMETERS:
            shown = parameter if parameter.isidentifier() and len(parameter) <= 30 else "?"
            raise ConfigurationError(
                f"{name}: the database URL has an unknown parameter {shown}; there are {', '.join(_PARAMETERS)}"
            )
    mode = query.get("ssl_mode", "DISABLED").upper()
    if mode not in _SSL_MODES:
        raise ConfigurationError(f"{name}: ssl_mode is one of {', '.join(_SSL_MODES)}")


def _ssl_parameters(query: dict[str, str], name: str) -> dict[str, Any]:
    default = "VERIFY_IDENTITY" if "ssl_ca" in query else "DISABLED"
    mode = query.get("ssl_mode", default).upper()
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    try:
        context = ssl.create_default_context(cafile=query.get("ssl_ca"))
        if mode == "REQUIRED":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif mode == "VERIFY_CA":
            context.check_hostname = False
        if "ssl_cert" in query:
            context.load_cert_chain(query["ssl_cert"], query.get("ssl_key"))
    except (OSError, ValueError):
        raise ConfigurationError(f"{name}: the certificates that the database URL names can't be read") from None
    return {"ssl": context}


def connect(
    parameters: dict[str, Any], *, read_only: bool, statement_timeout: float | None, repeatable: bool = True
) -> "Connection[Any]":
    """A connection set to UTC and to exact texts, in a transaction with its own snapshot.

    Args:
        repeatable: False begins no transaction, so that each statement is one by itself.

    Raises:
        pymysql.Error: the server can't be reached, or refuses.
    """
    connection: Connection[Any] = Connection(
        **parameters,
        charset="utf8mb4",
        collation="utf8mb4_bin",
        conv={},  # every value comes as it was sent: nothing is rounded on the way
        autocommit=None,  # set below: the driver itself can't, without conversions
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=CONNECT_TIMEOUT,
        write_timeout=600,
        program_name="reconcile-assets",
        defer_connect=True,
    )
    path = parameters.get("unix_socket")
    try:
        connection.connect(_open_socket(path) if path else None)
    except (AssertionError, LookupError, ValueError, struct.error, TypeError):
        raise pymysql.OperationalError(2000, "no MySQL server") from None  # an SSH server, say: its words mean nothing
    except RuntimeError:  # the driver lacks a package by which it could send the password without TLS
        raise pymysql.OperationalError(2061, "no way to send the password") from None
    try:
        _keep_alive(connection)
        _configure(connection, statement_timeout)
        # Only a scan that may take long may be waited for so long; without a limit the keep-alive ends a dead one.
        opened: Any = connection
        opened._read_timeout = None if statement_timeout is None else statement_timeout + _GRACE
        mode = "READ ONLY" if read_only else "READ WRITE"
        begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT," if repeatable else "SET SESSION TRANSACTION"
        execute(connection, f"{begin} {mode}")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_socket(path: str) -> socket.socket:
    """A connected Unix socket: the driver would leave one open that can't be connected."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.settimeout(CONNECT_TIMEOUT)
        opened.connect(path)
    except OSError:
        opened.close()
        raise pymysql.OperationalError(2002, "no server answers at the socket") from None
    return opened


def _configure(connection: "Connection[Any]", statement_timeout: float | None) -> None:
    execute(connection, f"SET SESSION sql_mode = '{_SQL_MODE}'")
    execute(connection, _SETTINGS)
    execute(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    if is_mariadb(connection):  # the rows of now, not of a day that the administrator has set
        execute(connection, "SET SESSION system_versioning_asof = DEFAULT")
    if statement_timeout is None:
        return
    if is_mariadb(connection):
        execute(connection, f"SET SESSION max_statement_time = {max(0.001, float(statement_timeout)):.3f}")
    else:
        execute(connection, f"SET SESSION max_execution_time = {max(1, round(statement_timeout * 1000)):d}")


def _keep_alive(connection: "Connection[Any]") -> None:
    """Notice a peer that is gone within minutes, also while a long scan sends nothing."""
    opened: Any = connection
    found = opened._sock
    if found is None or found.family == getattr(socket, "AF_UNIX", None):
        return
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60000)):
        if hasattr(socket, option):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def is_mariadb(connection: "Connection[Any]") -> bool:
    """Whether the server is MariaDB."""
    opened: Any = connection
    return "mariadb" in str(opened.get_server_info()).lower()


def execute(connection: "Connection[Any]", statement: str) -> tuple[tuple[Any, ...], ...]:
    """Run one statement and take all of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchall())
