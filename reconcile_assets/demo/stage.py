"""Where the story is told: its folder, its databases, its configuration, its receiver."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from reconcile_assets.cli.output import say
from reconcile_assets.configuration.environment import CONFIG_FILE, UI_ADDRESS, state_dir
from reconcile_assets.configuration.loading import load_config
from reconcile_assets.configuration.models import Config
from reconcile_assets.demo.receiver import Receiver
from reconcile_assets.embedded import EmbeddedPostgres
from reconcile_assets.engine.connections import Connections
from reconcile_assets.serving.ports import HOST, UI_PORT, choose_port
from reconcile_assets.supervision import FolderLock, prepare_state_folder

LEDGER = "reconcile_assets"
RECEIVER_VARIABLE = "ALERT_RECEIVER_URL"
_LEFT_OVER = ("logs", "dagster", "reports")


@dataclass(frozen=True)
class Place:
    """What is this run's alone.

    Attributes:
        folder: what it leaves.
        port: of the UI.
        lock: descriptor of the lock on the folder, for children to keep.
    """

    folder: Path
    port: int
    lock: int


@dataclass(frozen=True)
class Stage:
    """Everything the story is told with.

    Attributes:
        urls: by database name; never print them.
        environ: variables for every process of the story.
    """

    place: Place
    urls: Mapping[str, str]
    environ: Mapping[str, str]
    config: Config
    connections: Connections
    receiver: Receiver

    @property
    def ledger_url(self) -> str:
        """Of the database that has the ledger and Dagster's storage."""
        return self.urls[LEDGER]


@contextmanager
def claim_place(asked_port: int | None) -> Iterator[Place]:
    """A folder of the demo's own, for this run alone.

    Raises:
        AlreadyRunning: another demo runs here, or the port asked for is in use.
        ConfigurationError: the folder can't be written to.
    """
    folder = prepare_state_folder(state_dir(os.environ, Path.cwd()) / "demo")
    with FolderLock(folder / "lock", what="the demo's folder") as lock:
        port = choose_port(asked_port)
        if asked_port is None and port != UI_PORT:
            say(f"port {UI_PORT} is in use: the UI takes {port}")
        yield Place(folder, port, lock.descriptor)


@contextmanager
def set_stage(place: Place) -> Iterator[Stage]:
    """Fresh databases; all of it ends with the block."""
    for name in _LEFT_OVER:
        shutil.rmtree(place.folder / name, ignore_errors=True)
    # Made anew each time, so that nothing of it need outlive a power cut.
    with EmbeddedPostgres(place.folder, durable=False) as server, Receiver() as receiver:
        urls = {name: server.create_database(name) for name in ("source", "target", LEDGER)}
        environ = _environ(urls, receiver, place.port)
        config = load_config(Path(environ[CONFIG_FILE]), environ=environ)
        with Connections(config, environ) as connections:
            yield Stage(place, urls, environ, config, connections, receiver)


def _environ(urls: Mapping[str, str], receiver: Receiver, port: int) -> dict[str, str]:
    """This process's variables without those that point to anything of the user's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("DATABASE_URL") and not name.startswith(("RECONCILE_", "DAGSTER_", "ALERT_"))
    }
    return kept | {
        "SOURCE_DATABASE_URL": urls["source"],
        "TARGET_DATABASE_URL": urls["target"],
        "DATABASE_URL": urls[LEDGER],
        RECEIVER_VARIABLE: receiver.apprise_url,
        CONFIG_FILE: str(resources.files("reconcile_assets.demo").joinpath("defs", "defs.yaml")),
        UI_ADDRESS: f"http://{HOST}:{port}",
    }
