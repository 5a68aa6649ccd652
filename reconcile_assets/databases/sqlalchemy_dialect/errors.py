"""SQLAlchemy's errors and those of any driver, told in our words.

Nobody knows what a stranger's messages hold: of them only codes are kept, never the text.
"""

import re

import sqlalchemy as sa

from reconcile_assets.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionLost,
    DatabaseUnavailable,
    NotComparable,
    PermissionDenied,
    QueryRefused,
    ReconcileAssetsError,
    SerializationConflict,
    StatementTimeout,
    UnknownEngine,
)

_BY_STATE: tuple[tuple[str, type[ReconcileAssetsError], str], ...] = (
    ("28", AuthenticationFailed, "the server refuses the user or the password; check both in the URL"),
    ("42501", PermissionDenied, "the role lacks a privilege; grant it SELECT"),
    ("40", SerializationConflict, "the transaction was in conflict with another one; try again"),
    ("57014", StatementTimeout, "the statement ran into its time limit or was cancelled; raise the limit"),
    ("08", ConnectionLost, "the connection was lost; check the server and the network, then try again"),
)
_BY_TEXT: tuple[tuple[re.Pattern[str], type[ReconcileAssetsError], str], ...] = (
    (re.compile(r"password|login failed|authenticat|ORA-01017"), *_BY_STATE[0][1:]),
    (re.compile(r"permission|privilege|not authorized|ORA-00942"), *_BY_STATE[1][1:]),
    (
        re.compile(r"connection (?:was |is )?(?:closed|lost|reset)|broken pipe|shutdown|gone away"),
        *_BY_STATE[4][1:],
    ),
)


def translate(error: Exception, name: str, *, connecting: bool = False) -> ReconcileAssetsError:
    """Our error for one of SQLAlchemy's or of a driver's.

    Args:
        connecting: nothing was asked of the database yet.
    """
    if isinstance(error, UnicodeDecodeError):
        return QueryRefused(f"{name}: the database holds text that is not valid in its encoding")
    if isinstance(error, ValueError | OverflowError):
        return NotComparable(
            f"{name}: the driver can't read a value ({type(error).__name__}), as a date before year 1 or after 9999 is"
        )
    if isinstance(error, sa.exc.ArgumentError | sa.exc.NoSuchModuleError):
        return ConfigurationError(f"{name}: SQLAlchemy can't read the database URL; see its dialect's guide")
    original = getattr(error, "orig", None) or error
    state = _state(original)
    for start, kind, sentence in _BY_STATE:
        if state.startswith(start) and not (connecting and kind is ConnectionLost):
            return kind(f"{name}: {sentence}")
    if not connecting and getattr(error, "connection_invalidated", False):
        return ConnectionLost(f"{name}: {_BY_STATE[4][2]}")
    for pattern, kind, sentence in _BY_TEXT[: 1 if connecting else None]:
        if pattern.search(str(original).lower()):
            return kind(f"{name}: {sentence}")
    told = f"{type(original).__name__}{_code(original, state)}"
    if connecting:
        return DatabaseUnavailable(f"{name}: the database can't be connected ({told}); check the URL and the server")
    if isinstance(error, sa.exc.DBAPIError) and isinstance(error, sa.exc.NotSupportedError):
        return UnknownEngine(f"{name}: the driver does not support what the comparison asks of it ({told})")
    return QueryRefused(f"{name}: the database refuses the table, the query or the condition ({told})")


def _state(error: BaseException) -> str:
    """The SQLSTATE, where the driver tells one."""
    for holder in ("sqlstate", "pgcode"):
        found = getattr(error, holder, None)
        if isinstance(found, str) and re.fullmatch(r"[0-9A-Z]{5}", found):
            return found
    first = error.args[0] if error.args else None
    return first if isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first) else ""


def _code(error: BaseException, state: str) -> str:
    if state:
        return f", SQLSTATE {state}"
    for holder in ("sqlcode", "errno", "code"):
        found = getattr(error, holder, None)
        if isinstance(found, int):
            return f", code {found}"
    first = error.args[0] if error.args else None
    return f", code {first}" if isinstance(first, int) else ""
