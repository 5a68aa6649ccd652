"""The databases that a configuration names, opened once and closed together."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from reconcile_assets.configuration.environment import PROJECT_DATABASE, connection_url, project_database_url
from reconcile_assets.configuration.models import Config
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Database
from reconcile_assets.errors import ConfigurationError
from reconcile_assets.ledger import Ledger, open_ledger


class Connections:
    """Names to databases; nothing connects before it is used.

    ::

        with Connections(config, os.environ) as connections:
            report = find_gaps(config.tables[0], partitions, connections=connections)

    Attributes:
        config: whose names these are.
        opened_at: aware, UTC; the configuration is at least as old.
    """

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self.opened_at = datetime.now(UTC)
        self._environ = environ
        self._databases: dict[str, Database] = {}
        self._ledger: Ledger | None = None

    def database(self, name: str) -> Database:
        """The database of a connection.

        Raises:
            ConfigurationError: its variable is unset, or holds no URL.
            UnknownEngine: no driver for such a URL.
        """
        if name not in self._databases:
            url = connection_url(name, self._environ)
            self._databases[name] = open_database(url.get_secret_value(), name=name)
        return self._databases[name]

    def has_ledger(self) -> bool:
        """Whether the project's own database is known."""
        return project_database_url(self._environ) is not None

    def ledger(self) -> Ledger:
        """The project's own ledger, migrated on first use.

        Raises:
            ConfigurationError: ``DATABASE_URL`` is unset.
            TransientError: the database does not answer.
        """
        if self._ledger is None:
            url = project_database_url(self._environ)
            if url is None:
                raise ConfigurationError(
                    f"{PROJECT_DATABASE} is not set: verdicts and alerts are kept there; export it or put it into .env"
                )
            self._ledger = open_ledger(url)
        return self._ledger

    def close(self) -> None:
        """Let go of everything that was opened; may be called twice."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = None
        self._databases.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
