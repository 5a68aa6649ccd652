"""The only place with drivers and SQL: one dialect contract, one package per engine.

Importing this costs nothing: an engine's driver is loaded when its database is opened.
"""

import importlib
from typing import TYPE_CHECKING

from reconcile_assets.errors import ConfigurationError, UnknownEngine

if TYPE_CHECKING:
    from reconcile_assets.databases.base import Database

__all__ = ["open_database"]

_ENGINES = {
    "postgresql": ("postgresql.session", "PostgresDatabase"),
    "postgres": ("postgresql.session", "PostgresDatabase"),
    "mysql": ("mysql.database", "MysqlDatabase"),
    "mariadb": ("mysql.database", "MysqlDatabase"),
    "sqlite": ("sqlite.session", "SqliteDatabase"),
    "duckdb": ("duckdb.session", "DuckdbDatabase"),
}
_EXTRAS = {"pymysql": "mysql", "duckdb": "duckdb"}  # a driver's module -> the extra that installs it
_CANONICAL_SCHEMES = {"postgres": "postgresql"}


def open_database(url: str, *, name: str) -> "Database":
    """Name the database that a URL points to; nothing is connected yet.

    Args:
        url: ``postgresql://user:password@host:port/database``, ``mysql://...``, ``sqlite:///file.db``, ``duckdb:///file.db``;
            a driver in the scheme (``postgresql+psycopg2``) is dropped: the driver is our affair. Any other scheme is
            looked for among the installed dialects of SQLAlchemy.
        name: what messages call this database; they never show the URL.

    Raises:
        UnknownEngine: the scheme names no engine that this version can compare, or its driver is not installed.
        ConfigurationError: the URL can't be parsed.
    """
    scheme, separator, rest = url.strip().partition(":")
    if not separator or not scheme:
        raise ConfigurationError(f"{name}: the database URL has no scheme; write postgresql://USER@HOST:PORT/DATABASE")
    engine = scheme.split("+", 1)[0].lower()
    if engine not in _ENGINES:
        return _open_dialect(url.strip(), scheme, name=name)
    module, database = _ENGINES[engine]
    try:
        found = importlib.import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").split(".", 1)[0])
        if extra is None:
            raise
        raise UnknownEngine(
            f'{name}: the driver for {engine}:// URLs is not installed; pip install "reconcile-assets[{extra}]"'
        ) from None
    opened: Database = getattr(found, database)(f"{_CANONICAL_SCHEMES.get(engine, engine)}:{rest}", name=name)
    return opened


def _open_dialect(url: str, scheme: str, *, name: str) -> "Database":
    """A database through the dialect that SQLAlchemy has for its scheme."""
    named = scheme.isascii() and len(scheme) <= 30 and scheme.replace("+", "").replace("_", "").isalnum()
    if named and url.startswith(f"{scheme}://"):
        from reconcile_assets.databases.sqlalchemy_dialect.database import AlchemyDatabase  # takes long to load

        found = AlchemyDatabase.of_url(url, name=name)
        if found is not None:
            return found
    shown = scheme if named else "this"
    known = ", ".join(f"{found}://" for found in _ENGINES if found not in _CANONICAL_SCHEMES)
    raise UnknownEngine(
        f"{name}: no engine for {shown}:// URLs; this version reads {known} URLs;"
        " for any other database install its SQLAlchemy dialect"
    )
