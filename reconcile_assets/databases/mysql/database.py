"""A MySQL or MariaDB database by URL: its sessions are opened here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconcile_assets.databases.base import Database
from reconcile_assets.databases.mysql.connection import connect, parse_url
from reconcile_assets.databases.mysql.errors import translated_errors
from reconcile_assets.databases.mysql.session import MysqlSession
from reconcile_assets.errors import NotComparable

if TYPE_CHECKING:
    from reconcile_assets.databases.mysql.writer import MysqlWriter


class MysqlDatabase(Database):
    """A MySQL or MariaDB database by URL."""

    engine = "mysql"

    def __init__(self, url: str, *, name: str) -> None:
        self.name = name
        self._parameters = parse_url(url, name=name)

    def __repr__(self) -> str:
        return f"MysqlDatabase(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        host = None if self._parameters["unix_socket"] else self._parameters["host"]
        return " on ".join(name for name in (self._parameters["database"], host) if name)

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator[MysqlSession]:
        """See :meth:`Database.session`.

        Raises:
            NotComparable: a snapshot was given: MySQL has none that two sessions share.
        """
        if snapshot is not None:
            raise NotComparable(f"{self.name}: MySQL has no snapshot that two sessions share")
        with translated_errors(self.name):
            connection = connect(
                self._parameters, read_only=read_only, statement_timeout=statement_timeout, repeatable=repeatable
            )
        session = MysqlSession(connection, self._parameters, name=self.name)
        try:
            with translated_errors(self.name):
                yield session
        finally:
            session.close()

    @contextmanager
    def writing(self, *, lock_wait: float) -> Iterator["MysqlWriter"]:
        """See :meth:`Database.writing`."""
        from reconcile_assets.databases.mysql.writer import opened_writer  # not needed to compare

        with opened_writer(self._parameters, name=self.name, lock_wait=lock_wait) as writer:
            yield writer
