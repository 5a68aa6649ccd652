"""The project's own database for one command: ``DATABASE_URL``, or an embedded PostgreSQL where it is unset.

A running ``dev`` or ``demo`` of the same state folder shares its own, so that the command line sees
the verdicts that the UI shows; else the server runs for as long as the command does.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconcile_assets.configuration.environment import PROJECT_DATABASE, project_database_url, state_dir
from reconcile_assets.configuration.models import Config
from reconcile_assets.embedded import EmbeddedPostgres, running_url
from reconcile_assets.engine.connections import Connections

LEDGER = "reconcile_assets"


@contextmanager
def project_connections(config: Config, *, create: bool = True) -> Iterator[Connections]:
    """The configuration's connections, the ledger among them.

    Args:
        config: names the connections; their URLs come from this process's environment.
        create: begin a ledger where there never was one; False leaves the command without, and the folder as it is.

    Raises:
        ConfigurationError: the state folder can't be written to.
        DatabaseUnavailable: the embedded server did not come up.
    """
    with project_environ(os.environ, Path.cwd(), create=create) as environ, Connections(config, environ) as connections:
        yield connections


@contextmanager
def project_environ(environ: Mapping[str, str], cwd: Path, *, create: bool = True) -> Iterator[Mapping[str, str]]:
    """The variables with ``DATABASE_URL`` among them, for as long as the block lasts; as `project_connections`."""
    if project_database_url(environ) is not None:
        yield environ
        return
    state = state_dir(environ, cwd)
    url = running_url(state, LEDGER)
    if url is not None:
        yield {**environ, PROJECT_DATABASE: url}
    elif create or EmbeddedPostgres(state).exists:
        with EmbeddedPostgres(state) as server:
            yield {**environ, PROJECT_DATABASE: server.ensure_database(LEDGER)}
    else:
        yield environ
