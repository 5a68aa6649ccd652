"""``dev``: Dagster's UI and daemon for the configured tables, until Ctrl-C."""

import argparse
import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reconcile_assets.cli.output import say

if TYPE_CHECKING:
    from reconcile_assets.serving.services import DagsterServices

DESCRIPTION = "Dagster's UI and daemon for the configured tables, until Ctrl-C."
EXAMPLES = """\
examples:
  reconcile-assets dev
  reconcile-assets dev --port 3001
  DATABASE_URL=postgresql://user@host/reconcile reconcile-assets dev

Where DATABASE_URL is unset, an embedded PostgreSQL in the state folder (.state, or RECONCILE_STATE)
keeps the ledger and Dagster's storage. The UI listens on 127.0.0.1 only.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "dev", help="Dagster UI and daemon for the configured tables", description=DESCRIPTION, epilog=EXAMPLES
    )
    parser.add_argument("--port", type=int, help="of the UI (default: 3000, or a free one when that is taken)")


def run(args: argparse.Namespace) -> NoReturn:
    """Start everything, print the address, stay.

    Raises:
        ConfigurationError: the configuration is wrong, or the state folder can't be written to.
        DatabaseUnavailable: the database of DATABASE_URL can't be reached.
        AlreadyRunning: another ``dev`` or ``demo`` uses the state folder, or the port asked for is in use.
        KeyboardInterrupt: on Ctrl-C and SIGTERM, when all is ended.
    """
    from reconcile_assets.configuration.environment import CONFIG_FILE, PROJECT_DATABASE, state_dir
    from reconcile_assets.configuration.loading import find_config, load_config
    from reconcile_assets.serving.interrupts import interrupted_once
    from reconcile_assets.serving.ports import UI_PORT, choose_port
    from reconcile_assets.serving.services import DagsterServices
    from reconcile_assets.supervision import FolderLock, prepare_state_folder

    cwd = Path.cwd()
    path = find_config(cwd, os.environ, args.config).absolute()
    environ = {**os.environ, CONFIG_FILE: str(path)}
    config = load_config(path, environ=environ)
    state = prepare_state_folder(state_dir(environ, cwd))
    with interrupted_once(), FolderLock(state / "lock", what="the state folder") as lock:
        port = choose_port(args.port)
        with _project_database(state, environ) as (database_url, is_embedded):
            services = DagsterServices(
                state,
                database_url=database_url,
                port=port,
                environ={**environ, PROJECT_DATABASE: database_url},
                keep_open=(lock.descriptor,),
            )
            if args.port is None and port != UI_PORT:
                say(f"port {UI_PORT} is in use: taking {port}")
            say(f"starting Dagster for {len(config.tables)} tables of {path} (logs: {services.logs})")
            started = time.time()
            with services:
                if is_embedded:
                    _cancel_leftovers(services, started)
                say(f"the UI is at {services.url}; Ctrl-C ends everything")
                stay(services)


def stay(services: "DagsterServices") -> NoReturn:
    """Wait until interrupted.

    Raises:
        DatabaseUnavailable: one of the services has ended.
    """
    while True:
        services.check()
        time.sleep(1.0)


@contextlib.contextmanager
def _project_database(state: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """The URL of the project's own database, and whether it is embedded, for as long as it is needed."""
    from reconcile_assets.cli.project_database import LEDGER
    from reconcile_assets.configuration.environment import project_database_url
    from reconcile_assets.embedded import EmbeddedPostgres
    from reconcile_assets.ledger import open_ledger

    url = project_database_url(environ)
    if url is not None:
        open_ledger(url).close()  # so that a wrong address is told in our words, before anything is started
        yield url.get_secret_value(), False
        return
    say(f"DATABASE_URL is not set: starting an embedded PostgreSQL in {state}")
    with EmbeddedPostgres(state) as server:
        yield server.ensure_database(LEDGER), True


def _cancel_leftovers(services: "DagsterServices", started: float) -> None:
    from reconcile_assets.serving.leftovers import cancel_leftover_runs

    canceled = cancel_leftover_runs(services.dagster, before=started)
    if canceled:
        say(f"{canceled} runs of a session that was killed are marked as canceled")
