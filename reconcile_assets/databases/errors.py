"""A driver's errors, told in our words: by SQLSTATE, without row values, bind values or secrets.

Names of tables, columns and constraints are kept; DETAIL lines, which carry values, never are.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from reconcile_assets.errors import (
    AuthenticationFailed,
    ConnectionLost,
    ConstraintRefused,
    DatabaseUnavailable,
    LossyWrite,
    MissingObject,
    PermissionDenied,
    QueryRefused,
    ReconcileAssetsError,
    RowsCollide,
    SerializationConflict,
    StatementTimeout,
    UnknownEngine,
)


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """Turn psycopg's errors, also wrapped by SQLAlchemy, into ours.

    An error that ending a statement after Ctrl-C has raised is the interrupt still: nobody
    may take it for a passing trouble and try again.

    Args:
        name: what the message calls the database, e.g. ``source``.
    """
    try:
        yield
    except psycopg.Error as error:
        raise (_interrupt_behind(error) or translate(error, name)) from None
    except UnicodeEncodeError:
        raise QueryRefused(f"{name}: a name or condition holds what is no character; write it in UTF-8") from None
    except UnicodeDecodeError:
        raise QueryRefused(f"{name}: the database holds text that is not valid in its encoding") from None
    except ValueError as error:
        if "NUL" not in str(error):
            raise
        raise QueryRefused(f"{name}: PostgreSQL keeps no NUL character in a name or text") from None
    except _sqlalchemy_errors() as error:
        original = getattr(error, "orig", None)
        if not isinstance(original, psycopg.Error):
            raise
        raise translate(original, name) from None


def _interrupt_behind(error: BaseException) -> BaseException | None:
    """The KeyboardInterrupt, SystemExit or the like that was being handled when this error came up."""
    behind = error.__context__
    while behind is not None and isinstance(behind, Exception | GeneratorExit):
        behind = behind.__context__
    return behind


def _sqlalchemy_errors() -> tuple[type[Exception], ...]:
    """SQLAlchemy's wrapper of driver errors, where SQLAlchemy is loaded at all."""
    module = sys.modules.get("sqlalchemy.exc")
    return () if module is None else (module.DBAPIError,)


def translate(error: psycopg.Error, name: str) -> ReconcileAssetsError:
    """Our error for one of the driver's."""
    state = error.sqlstate or ""
    if not state:
        return _translate_client_error(error, name)
    kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or QueryRefused
    return kind(f"{name}: {_describe(error, state)}")


_BY_STATE: dict[str, type[ReconcileAssetsError]] = {
    "28000": AuthenticationFailed,
    "28P01": AuthenticationFailed,
    "3D000": MissingObject,
    "3F000": MissingObject,
    "42P01": MissingObject,
    "42703": MissingObject,
    "42501": PermissionDenied,
    "25006": PermissionDenied,
    "23503": RowsCollide,
    "23505": RowsCollide,
    "23P01": RowsCollide,
    "40001": SerializationConflict,
    "40P01": SerializationConflict,
    "57014": StatementTimeout,
    "55P03": StatementTimeout,
    "25P03": ConnectionLost,
    "57P01": ConnectionLost,
    "57P02": ConnectionLost,
    "57P03": DatabaseUnavailable,
    "57P05": ConnectionLost,
    "42602": QueryRefused,
}
_BY_CLASS: dict[str, type[ReconcileAssetsError]] = {
    "08": ConnectionLost,
    "22": LossyWrite,
    "23": ConstraintRefused,
    "53": DatabaseUnavailable,
}


def _describe(error: psycopg.Error, state: str) -> str:
    fixed = _SENTENCES.get(state)
    if fixed:
        return fixed
    detail = error.diag
    if detail.source_function == _RAISE:
        return _UNTOLD.format(state=state)
    if state[:2] == "23":
        constraint = detail.constraint_name or detail.column_name or "unnamed"
        return f"a row was refused by the constraint {constraint} of {detail.table_name or 'the table'} ({state})"
    if state[:2] == "22":
        column = _COPIED.match(detail.context or "")
        where = f"column {column['column']}: " if column else ""
        return f"{where}a value does not fit its type or function ({state})"
    if state[:2] not in _TOLD:
        return _UNTOLD.format(state=state)
    if state[:2] == "42" or state in {"3D000", "3F000"}:
        return f"{_first_line(detail.message_primary)} ({state})"
    return f"{_first_line(_without_literals(detail.message_primary))} ({state})"


_COPIED = re.compile(r"COPY [^,]+, line \d+, column (?P<column>[^:]{1,63})")  # what follows is the value itself
_UNTOLD = "a function, trigger or extension of the database raised an error ({state}); the server's log has its text"
_RAISE = "exec_stmt_raise"  # PL/pgSQL's RAISE: a person's own text, which may hold the row's values
# Classes whose messages the server itself words, from names, sizes and settings.
_TOLD = frozenset({"08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"})


_SENTENCES = {
    "57014": "the statement ran into its time limit or was cancelled; raise the limit or compare fewer rows",
    "55P03": "a lock was not free in time; try again when the table is not being changed",
    "25006": "the transaction is read-only: a query that changes data is refused",
    "40001": "another transaction changed the same rows (serialization failure); try again",
    "40P01": "two transactions waited for each other (deadlock); try again",
    "57P01": "the server ended the connection (shut down or terminated by an administrator)",
    "57P02": "the server crashed and ended the connection",
    "57P03": "the server is starting up or shutting down; try again",
}


def _first_line(text: str | None) -> str:
    return (text or "the database refused").split("\n", 1)[0]


def _without_literals(text: str | None) -> str:
    return re.sub(r"'[^']*'", "'...'", text or "")


def _translate_client_error(error: psycopg.Error, name: str) -> ReconcileAssetsError:
    text = str(error)
    for pattern, kind, sentence in _CLIENT_ERRORS:
        match = pattern.search(text)
        if match:
            shown = {group: value for group, value in match.groupdict().items() if value is not None}
            return kind(f"{name}: {sentence.format_map(shown)}")
    if isinstance(error, psycopg.OperationalError):
        return ConnectionLost(f"{name}: the connection was lost; check the server and the network, then try again")
    if isinstance(error, psycopg.NotSupportedError):
        return UnknownEngine(f"{name}: the driver does not support this; install a newer psycopg")
    return QueryRefused(f"{name}: the driver refused the statement ({type(error).__name__})")


def _client_error(
    pattern: str, kind: type[ReconcileAssetsError], sentence: str
) -> tuple[re.Pattern[str], type[ReconcileAssetsError], str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, sentence


_CLIENT_ERRORS = [
    _client_error(
        r"server closed the connection|unexpected eof|eof detected|connection reset|broken pipe"
        r"|connection is (lost|closed)",
        ConnectionLost,
        "the connection was lost; check the server and the network, then try again",
    ),
    _client_error(
        r"failed to resolve host|could not translate host name|name or service not known|no address associated",
        DatabaseUnavailable,
        "the host of the URL is not known; check its spelling and the name service",
    ),
    _client_error(
        r"password authentication failed|no password supplied|authentication failed|PAM|LDAP|Ident auth",
        AuthenticationFailed,
        "the server refuses the user or the password; check both in the URL",
    ),
    _client_error(
        r"no pg_hba\.conf entry",
        AuthenticationFailed,
        "the server admits no such user from this host to this database; see its pg_hba.conf",
    ),
    _client_error(
        r"database \"(?P<what>[^\"]*)\" does not exist",
        MissingObject,
        "there is no database {what}; check the last part of the URL",
    ),
    _client_error(
        r"role \"(?P<what>[^\"]*)\" does not exist",
        AuthenticationFailed,
        "there is no role {what}; check the user in the URL",
    ),
    _client_error(
        r"permission denied for database \"(?P<what>[^\"]*)\"",
        PermissionDenied,
        "the role may not connect to the database {what}; grant CONNECT",
    ),
    _client_error(
        r"connection refused|no such file or directory",
        DatabaseUnavailable,
        "the server refused the connection; is it running, and are host and port right?",
    ),
    _client_error(
        r"timeout expired|timed out",
        DatabaseUnavailable,
        "the server did not answer in time; check host, port and firewall",
    ),
    _client_error(
        r"too many clients|remaining connection slots",
        DatabaseUnavailable,
        "the server has no free connection; try again later",
    ),
    _client_error(
        r"starting up|shutting down|not yet accepting",
        DatabaseUnavailable,
        "the server is starting up or shutting down; try again",
    ),
    _client_error(
        r"network is unreachable|no route to host",
        DatabaseUnavailable,
        "the server's network can't be reached; check host and network",
    ),
    _client_error(
        r"server does not support SSL|SSL error|certificate|sslmode",
        DatabaseUnavailable,
        "no encrypted connection could be made; check sslmode and certificates",
    ),
]
