"""The databases that a configuration names, opened once and closed together."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from reconcile_assets.configuration.environment import (
    PROJECT_DATABASE,
    connection_url,
    project_database_url,
    state_dir,
)
from reconcile_assets.configuration.models import Config
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Database
from reconcile_assets.embedded import running_url
from reconcile_assets.errors import ConfigurationError
from reconcile_assets.ledger import Ledger, open_ledger

EMBEDDED_LEDGER = "reconcile_assets"  # the database of that name in the server that `dev` starts


class Connections:
    """Names to databases; nothing connects before it is used.

    ::

        with Connections(config, os.environ) as connections:
            report = find_gaps(config.tables[0], partitions, connections=connections)

    Attributes:
        config: whose names these are.
    """

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self._environ = environ
        self._databases: dict[str, Database] = {}
        self._ledger: Ledger | None = None
        self._project: SecretStr | None = None
        self._looked = False

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
        """Whether the project's own database is known: by its variable, or because `dev` runs an embedded one."""
        return self._project_url() is not None

    def _project_url(self) -> SecretStr | None:
        if not self._looked:
            self._looked = True
            self._project = project_database_url(self._environ)
            if self._project is None:
                url = running_url(state_dir(self._environ, Path.cwd()), EMBEDDED_LEDGER)
                self._project = None if url is None else SecretStr(url)
        return self._project

    def ledger(self) -> Ledger:
        """The project's own ledger, migrated on first use.

        Raises:
            ConfigurationError: ``DATABASE_URL`` is unset, and no embedded database runs.
            TransientError: the database does not answer.
        """
        if self._ledger is None:
            url = self._project_url()
            if url is None:
                raise ConfigurationError(
                    f"{PROJECT_DATABASE} is not set: verdicts and alerts are kept there; export it, put it into .env, "
                    "or start `reconcile-assets dev`, which brings a database of its own"
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
