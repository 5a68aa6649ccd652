"""Opening a database by the URL of one of SQLAlchemy's dialects, or reading through a connection that is given."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from reconcile_assets.databases.base import Database
from reconcile_assets.databases.sqlalchemy_dialect.errors import translate
from reconcile_assets.databases.sqlalchemy_dialect.session import AlchemySession
from reconcile_assets.databases.sqlalchemy_dialect.traits import isolation_for, name_of, traits_of
from reconcile_assets.errors import UnknownEngine

# SQLAlchemy wraps what a driver raises as the standard wants it; some raise what they please while they connect.
_CONNECT_ERRORS = (sa.exc.SQLAlchemyError, OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError)


class AlchemyDatabase(Database):
    """A database that SQLAlchemy has a dialect for.

    Args:
        engine: connected anew for each session.
    """

    def __init__(self, engine: sa.Engine, *, name: str) -> None:
        self.name = name
        self.engine = name_of(engine.dialect)
        self._alchemy = engine

    @classmethod
    def of_url(cls, url: str, *, name: str) -> "AlchemyDatabase | None":
        """The database of a URL; None where no installed dialect has this scheme.

        Raises:
            UnknownEngine: the dialect is there, its driver is not; or it is for asynchronous programs.
            ConfigurationError: the URL can't be parsed.
        """
        try:
            engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)
        except sa.exc.NoSuchModuleError:
            return None
        except ModuleNotFoundError as error:
            raise UnknownEngine(
                f"{name}: the SQLAlchemy dialect of this URL needs the Python module {error.name}; install it"
            ) from None
        except (sa.exc.SQLAlchemyError, ValueError, TypeError):
            raise translate(sa.exc.ArgumentError(), name) from None
        if engine.dialect.is_async:
            raise UnknownEngine(f"{name}: {engine.dialect.driver} is for asynchronous programs; name another driver")
        return cls(engine, name=name)

    def __repr__(self) -> str:
        return f"AlchemyDatabase(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return _place(self._alchemy.url)

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator[AlchemySession]:
        """See :meth:`Database.session`.

        Raises:
            DatabaseUnavailable, AuthenticationFailed: it can't be connected.
            UnknownEngine: writing was asked for.
        """
        _refuse_writing(self, read_only=read_only, snapshot=snapshot)
        try:
            connection = self._alchemy.connect()
        except _CONNECT_ERRORS as error:
            raise translate(error, self.name, connecting=True) from None
        try:
            has_snapshot = repeatable and _isolate(connection)
            notes = _notes(self, has_snapshot=has_snapshot)
            yield AlchemySession(
                connection, name=self.name, statement_timeout=statement_timeout, is_ours=True, notes=notes
            )
        finally:
            _leave(connection)


class GivenConnection(Database):
    """A connection that somebody else has opened and will close; what its transaction sees is compared."""

    reads_one_at_a_time = True

    def __init__(self, connection: sa.Connection, *, name: str) -> None:
        self.name = name
        self.engine = name_of(connection.dialect)
        self._connection = connection

    def __repr__(self) -> str:
        return f"GivenConnection(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return _place(self._connection.engine.url)

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator[AlchemySession]:
        """See :meth:`Database.session`; a transaction that is open stays open."""
        _refuse_writing(self, read_only=read_only, snapshot=snapshot)
        was_open = self._connection.in_transaction()
        level = traits_of(self._connection.dialect).snapshot
        try:
            has_snapshot = level is not None and (not level or self._connection.get_isolation_level() == level)
            notes = _notes(self, has_snapshot=has_snapshot)
            yield AlchemySession(
                self._connection, name=self.name, statement_timeout=statement_timeout, is_ours=False, notes=notes
            )
        finally:
            if not was_open:
                self._connection.rollback()


def _place(url: sa.URL) -> str:
    return " on ".join(part for part in (url.database, url.host) if part)


def _refuse_writing(database: Database, *, read_only: bool, snapshot: str | None) -> None:
    if not read_only or snapshot is not None:
        raise UnknownEngine(f"{database.name}: a {database.engine} database can be compared by diff, not written to")


def _notes(database: Database, *, has_snapshot: bool) -> tuple[str, ...]:
    """What such a session does not promise, while those of the other engines do."""
    name = database.name
    notes = [
        f"the {name} is read row by row through SQLAlchemy ({database.engine}); its transaction is not made"
        " read-only: only SELECT is sent, and it is rolled back"
    ]
    if not has_snapshot:
        notes.append(f"the {name} is not known to be read in one snapshot: what changes meanwhile may be seen in part")
    return tuple(notes)


def _isolate(connection: sa.Connection) -> bool:
    """Ask for a transaction that sees one state; whether it is known to."""
    dialect = connection.dialect
    known = traits_of(dialect).snapshot
    if known == "":
        return True
    try:
        driver: Any = connection.connection.dbapi_connection
        level = isolation_for(dialect, dialect.get_isolation_level_values(driver))
        if level is None:
            return False
        connection.execution_options(isolation_level=level)
    except (sa.exc.SQLAlchemyError, NotImplementedError, AttributeError):
        return False
    return known is not None


def _leave(connection: sa.Connection) -> None:
    """Roll back and disconnect; a connection that is broken already can't, and need not."""
    with suppress(*_CONNECT_ERRORS):
        connection.rollback()
    with suppress(*_CONNECT_ERRORS):
        connection.close()
