"""The only place with drivers and SQL: one dialect contract, one package per engine.

Importing this costs nothing: an engine's driver is loaded when its database is opened.
"""

from typing import TYPE_CHECKING

from reconcile_assets.errors import ConfigurationError, UnknownEngine

if TYPE_CHECKING:
    from reconcile_assets.databases.base import Database

__all__ = ["open_database"]

_POSTGRESQL = {"postgresql", "postgres"}


def open_database(url: str, *, name: str) -> "Database":
    """Name the database that a URL points to; nothing is connected yet.

    Args:
        url: ``postgresql://user:password@host:port/database``; a driver in the scheme
            (``postgresql+psycopg2``) is dropped: the driver is our affair.
        name: what messages call this database; they never show the URL.

    Raises:
        UnknownEngine: the scheme names no engine that this version can compare.
        ConfigurationError: the URL can't be parsed.
    """
    scheme, separator, rest = url.strip().partition(":")
    if not separator or not scheme:
        raise ConfigurationError(f"{name}: the database URL has no scheme; write postgresql://USER@HOST:PORT/DATABASE")
    engine = scheme.split("+", 1)[0].lower()
    if engine not in _POSTGRESQL:
        shown = scheme if scheme.isascii() and len(scheme) <= 30 and "/" not in scheme and "@" not in scheme else "this"
        raise UnknownEngine(f"{name}: no engine for {shown}:// URLs; this version reads postgresql:// URLs")
    from reconcile_assets.databases.postgresql.session import PostgresDatabase

    return PostgresDatabase(f"postgresql:{rest}", name=name)
