"""Fixtures for every test: real databases, a real Dagster instance, and no sockets where none belong.

Unit and property tests run with sockets blocked, and with the database drivers' own connect
(which goes round Python's sockets) blocked too, so that one which reaches for a service fails
instead of passing on machines that happen to run it.

A test that needs something of the machine asks for it by ``require_service``: without it the
test is skipped with the reason, and fails where ``RECONCILE_REQUIRE_SERVICES`` names it (as
``.ci/run`` does), so that a skip can't hide there.
"""

import os
import secrets
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import psycopg.sql
import pytest
import pytest_socket

from reconcile_assets.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from dagster import DagsterInstance

pytest_plugins = ["pytester"]

# Timings stand in benchmarks: a busy machine must not fail a property.
hypothesis.settings.register_profile(
    "no deadlines", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no deadlines")

# A shell starts its background jobs deaf to Ctrl-C, and so would be the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

OFFLINE = ("unit", "property")
SERVICES = {
    "postgres": ("127.0.0.1", 5432),
    "mariadb": ("127.0.0.1", 3306),
    "redis": ("127.0.0.1", 6379),
    "rabbitmq": ("127.0.0.1", 5672),
}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SERVICE_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"


def _is_offline(path: Path) -> bool:
    return path.relative_to(Path(__file__).parent).parts[0] in OFFLINE


@pytest.fixture(autouse=True)
def _block_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not _is_offline(request.path):
        yield
        return

    def refuse(*args: object, **kwargs: object) -> None:
        raise pytest_socket.SocketBlockedError("a unit test tried to connect to a database")

    monkeypatch.setattr(psycopg, "connect", refuse)
    monkeypatch.setattr(psycopg.Connection, "connect", refuse)
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


def is_setting(name: str) -> bool:
    """Whether a variable of the environment is one that the product reads."""
    if name in {"DATABASE_URL", "REDIS_URL", "API_KEY", "DAGSTER_HOME"} or name.endswith("_DATABASE_URL"):
        return True
    return name.startswith("RECONCILE_") and name != "RECONCILE_REQUIRE_SERVICES"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of the person who runs it."""
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)


def required_services() -> frozenset[str]:
    """The services whose absence is a failure: ``RECONCILE_REQUIRE_SERVICES``, separated by commas."""
    names = os.environ.get("RECONCILE_REQUIRE_SERVICES", "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def _answers(name: str) -> bool:
    if name == "browser":
        return find_chromium() is not None
    try:
        with socket.create_connection(SERVICES[name], timeout=3):
            return True
    except OSError:
        return False


def find_chromium() -> str | None:
    """The system's Chromium, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def require_service(name: str) -> None:
    """Go on only if the service answers: else skip with the reason, or fail where it is required.

    Args:
        name: ``postgres``, ``mariadb``, ``redis``, ``rabbitmq`` or ``browser``.
    """
    if _answers(name):
        return
    if name == "browser":
        reason = "no Chromium found; install it with: apt-get install chromium"
    else:
        host, port = SERVICES[name]
        reason = f"{name} does not answer at {host}:{port}; start it, then run this test again"
    if name in required_services():
        pytest.fail(f"{reason} (required by RECONCILE_REQUIRE_SERVICES)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the ``postgres`` database of one embedded PostgreSQL, started once for the whole session."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server.url("postgres")


class Databases:
    """Makes fresh databases in one server and drops them again."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._made: list[str] = []

    def __call__(self, name: str = "fresh") -> str:
        database = f"{name}_{secrets.token_hex(4)}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        self._made.append(database)
        head, _, query = self._server.partition("?")
        return head.rsplit("/", 1)[0] + f"/{database}" + (f"?{query}" if query else "")

    def drop(self) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            for database in self._made:
                name = psycopg.sql.Identifier(database)
                connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


@pytest.fixture
def postgres_urls(postgres_server: str) -> Iterator[Callable[[str], str]]:
    """A function from a name to the URL of a fresh, empty database; all are dropped after the test."""
    databases = Databases(postgres_server)
    yield databases
    databases.drop()


@pytest.fixture
def postgres_url(postgres_urls: Callable[[str], str]) -> str:
    """URL of a fresh, empty database in the embedded PostgreSQL."""
    return postgres_urls("fresh")


@pytest.fixture
def service_postgres_urls() -> Iterator[Callable[[str], str]]:
    """As ``postgres_urls``, in the machine's own PostgreSQL: another major version than the embedded one."""
    require_service("postgres")
    databases = Databases(SERVICE_POSTGRES)
    yield databases
    databases.drop()


@pytest.fixture
def service_postgres(service_postgres_urls: Callable[[str], str]) -> str:
    """URL of a fresh, empty database in the machine's own PostgreSQL."""
    return service_postgres_urls("fresh")


@pytest.fixture
def dagster_instance() -> "Iterator[DagsterInstance]":
    """A real instance in memory: enough for one process."""
    from dagster import DagsterInstance

    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def dagster_postgres_instance(postgres_urls: Callable[[str], str], tmp_path: Path) -> "Iterator[DagsterInstance]":
    """A real instance whose storage is a fresh database in the embedded PostgreSQL, as in the product.

    Its home is ``tmp_path / "dagster_home"``, so that other processes can join it.
    """
    from dagster import DagsterInstance

    home = tmp_path / "dagster_home"
    home.mkdir()
    url = postgres_urls("dagster").replace("postgresql://", "postgresql+psycopg2://")
    storage = f"storage:\n  postgres:\n    postgres_url: {url}\n"
    (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{storage}")
    with DagsterInstance.from_config(str(home)) as instance:
        yield instance
