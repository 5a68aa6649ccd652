"""PyMySQL's errors, told in our words: by the server's error number, without values or secrets."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

from reconcile_assets.errors import (
    AuthenticationFailed,
    ConnectionLost,
    ConstraintRefused,
    CouldNotVerify,
    DatabaseUnavailable,
    LossyWrite,
    MissingObject,
    PermissionDenied,
    QueryRefused,
    ReconcileAssetsError,
    RowsCollide,
    SerializationConflict,
    StatementTimeout,
)


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """Turn PyMySQL's errors, also wrapped by SQLAlchemy, into ours.

    Args:
        name: what the message calls the database, e.g. ``source``.
    """
    try:
        yield
    except pymysql.Error as error:
        raise translate(error, name) from None
    except _sqlalchemy_errors() as error:
        original = getattr(error, "orig", None)
        if not isinstance(original, pymysql.Error):
            raise
        raise translate(original, name) from None


def _sqlalchemy_errors() -> tuple[type[Exception], ...]:
    module = sys.modules.get("sqlalchemy.exc")
    return () if module is None else (module.DBAPIError,)


def translate(error: pymysql.Error, name: str) -> ReconcileAssetsError:
    """Our error for one of the driver's."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[1]) if len(error.args) > 1 else ""
    if number in (2002, 2003):
        return DatabaseUnavailable(f"{name}: {_why_unreachable(error, text)}")
    kind, sentence = _BY_NUMBER.get(number, (None, ""))
    if number == 1690 and "exp(710" in text.lower():  # what DigestQueries computes then
        return CouldNotVerify(f"{name}: {TOO_LONG}")
    if kind is None:
        kind, sentence = _by_class(error, number)
    if number == 1305 and _NO_MD5.search(text):
        return CouldNotVerify(f"{name}: {NO_MD5} (1305)")
    names = _QUOTED.findall(text)
    shown = _printable(names[0]) if names else "the name"
    near = _near(text) if number == 1064 else ""
    return kind(f"{name}: {sentence.format(shown=shown, near=near, where=_where(text))} ({number})")


# At the end of the server's sentence, where no value can stand.
_WHERE = re.compile(
    r"(?:for column [`'](?:[^`']*`\.`[^`']*`\.`)?(?P<column>[^`']*)[`'] at row \d+|for key '(?P<key>[^']*)')\Z"
)
_CONSTRAINT = re.compile(r"CONSTRAINT `(?P<name>[^`]*)`")


def _where(text: str) -> str:
    """Which column, key or constraint an error tells of; without the values that it tells too."""
    match = _WHERE.search(text)
    if match:
        kind = "column" if match["column"] is not None else "key"
        return f" the {kind} {_printable(match['column'] or match['key'])}"
    found = _CONSTRAINT.search(text)
    return f" the constraint {_printable(found['name'])}" if found else " its column"


_QUOTED = re.compile(r"[`']([^`']*)[`']")
_NEAR = re.compile(r"near '(?P<token>\w{1,40}|[^\w\s'\"])", re.ASCII)


def _near(text: str) -> str:
    match = _NEAR.search(text)
    return f" near {match['token']}" if match else ""


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)[:130]


def _why_unreachable(error: pymysql.Error, text: str) -> str:
    original = getattr(error, "original_exception", None)
    cause = f"{original!r} {text}".lower()
    if "gaierror" in cause or "name or service" in cause or "resolution" in cause:
        return "the host of the URL is not known; check its spelling and the name service"
    if "timed out" in cause or "timeout" in cause:
        return "the server did not answer in time; check host, port and firewall"
    if "certificate" in cause or "ssl" in cause:
        return "no encrypted connection could be made; check the ssl parameters and certificates"
    if "unreachable" in cause or "no route" in cause:
        return "the server's network can't be reached; check host and network"
    return "the server refused the connection; is it running, and are host and port right?"


def _by_class(error: pymysql.Error, number: int) -> tuple[type[ReconcileAssetsError], str]:
    if number == 0 and isinstance(error, pymysql.InterfaceError | pymysql.OperationalError):
        return ConnectionLost, _LOST
    if number == 0 and isinstance(error, pymysql.InternalError):
        return ConnectionLost, "the server's answer could not be read; check the network, then try again"
    if isinstance(error, pymysql.IntegrityError):
        return ConstraintRefused, "a row was refused by a constraint"
    if isinstance(error, pymysql.DataError):
        return LossyWrite, "a value does not fit its type or function"
    if 2000 <= number < 3000:
        return ConnectionLost, _LOST
    return QueryRefused, "the server refused the statement"


TOO_LONG = "a row is longer than the server's max_allowed_packet; raise it on the server"
_NO_MD5 = re.compile(r"^FUNCTION (?:\S+\.)?md5 ", re.IGNORECASE)
NO_MD5 = "this MySQL keeps MD5 in a component; run there, once: INSTALL COMPONENT 'file://component_classic_hashing'"
_LOST = "the connection was lost; check the server and the network, then try again"
_TIME = "the statement ran into its time limit or was cancelled; raise the limit or compare fewer rows"
_LOCK = "a lock was not free in time; try again when the table is not being changed"

_BY_NUMBER: dict[int, tuple[type[ReconcileAssetsError], str]] = {
    1040: (DatabaseUnavailable, "the server has no free connection; try again later"),
    1042: (DatabaseUnavailable, "the server can't resolve our host; check its name service"),
    1044: (PermissionDenied, "the user may not use the database of the URL; grant SELECT on it, or check its name"),
    1045: (AuthenticationFailed, "the server refuses the user or the password; check both in the URL"),
    1698: (AuthenticationFailed, "the server refuses the user: it logs in by the operating system only"),
    1049: (MissingObject, "there is no database {shown}; check the URL and the table's name"),
    1046: (MissingObject, "the URL names no database; add one, or write the table as DATABASE.TABLE"),
    1048: (ConstraintRefused, "a row was refused: the column {shown} takes no NULL"),
    1053: (ConnectionLost, "the server is shutting down"),
    1054: (MissingObject, "there is no column {shown}"),
    1060: (QueryRefused, "the query has two columns named {shown}; give each its own name"),
    1062: (RowsCollide, "a row was refused by{where}: another row has its values"),
    1064: (QueryRefused, "the server finds a syntax error in the SQL{near}"),
    1102: (MissingObject, "{shown} is no name of a database"),
    1103: (MissingObject, "{shown} is no name of a table"),
    1111: (QueryRefused, "an aggregate function can't stand in a condition; compare a query instead"),
    3593: (QueryRefused, "a window function can't stand in a condition; compare a query instead"),
    4015: (QueryRefused, "a window function can't stand in a condition; compare a query instead"),
    1109: (MissingObject, "there is no table {shown}"),
    1130: (AuthenticationFailed, "the server admits no connection from this host"),
    1142: (PermissionDenied, "the user may not read the table; grant SELECT on it"),
    1143: (PermissionDenied, "the user may not read every column of the table; grant SELECT on all of it"),
    1146: (MissingObject, "there is no table {shown}"),
    1153: (CouldNotVerify, "a value or statement is longer than max_allowed_packet; raise it on the server"),
    1158: (ConnectionLost, _LOST),
    1159: (ConnectionLost, _LOST),
    1160: (ConnectionLost, _LOST),
    1161: (ConnectionLost, _LOST),
    1203: (DatabaseUnavailable, "the user has no free connection; try again later"),
    1205: (StatementTimeout, _LOCK),
    1213: (SerializationConflict, "two transactions waited for each other (deadlock); try again"),
    1020: (SerializationConflict, "another transaction changed the same rows; try again"),
    1021: (DatabaseUnavailable, "the server's disk is full"),
    1114: (DatabaseUnavailable, "the server has no more room for the table"),
    1226: (DatabaseUnavailable, "the user has used up its share of the server; try again later"),
    1227: (PermissionDenied, "the user lacks a privilege that the statement needs"),
    1251: (AuthenticationFailed, "the server asks for a way to log in that the driver does not know"),
    1264: (LossyWrite, "a value is beyond the range of{where}"),
    1265: (LossyWrite, "a value does not fit{where}"),
    1267: (QueryRefused, "the SQL mixes collations that can't be compared"),
    1292: (LossyWrite, "a value is no value of{where}"),
    1300: (LossyWrite, "a text holds characters that its column does not have"),
    1305: (MissingObject, "there is no function {shown}"),
    1317: (StatementTimeout, _TIME),
    1356: (QueryRefused, "the view {shown} can't be read: what it is made of is gone, or its owner may not"),
    1366: (LossyWrite, "a value is no value of{where}"),
    1370: (PermissionDenied, "the user may not execute {shown}"),
    1406: (LossyWrite, "a value is longer than{where} holds"),
    1451: (RowsCollide, "a row that would be replaced is referred to by{where}"),
    1452: (RowsCollide, "a row was refused by{where}: there is no row that it refers to"),
    1690: (LossyWrite, "a number is out of range"),
    1792: (PermissionDenied, "the transaction is read-only: SQL that changes data is refused"),
    1836: (PermissionDenied, "the server is read-only"),
    1927: (ConnectionLost, "the server ended the connection"),
    1969: (StatementTimeout, _TIME),
    2000: (DatabaseUnavailable, "what answers there is no MySQL server; check host and port"),
    2005: (DatabaseUnavailable, "the host of the URL is not known; check its spelling and the name service"),
    2006: (ConnectionLost, _LOST),
    2013: (ConnectionLost, _LOST),
    2014: (ConnectionLost, _LOST),
    2055: (ConnectionLost, _LOST),
    2059: (AuthenticationFailed, "the server asks for a way to log in that the driver does not know"),
    2061: (AuthenticationFailed, "the password can't be sent to this server without TLS; add ssl_mode=REQUIRED"),
    3024: (StatementTimeout, _TIME),
    3058: (SerializationConflict, "two runs waited for each other's locks (deadlock); try again"),
    3159: (AuthenticationFailed, "the server asks for TLS; add ssl_mode=REQUIRED to the URL"),
    3572: (StatementTimeout, _LOCK),
    3819: (ConstraintRefused, "a row was refused by a CHECK constraint: {shown}"),
    4025: (ConstraintRefused, "a row was refused by{where}"),
    4031: (ConnectionLost, "the server ended the connection for being idle"),
}
