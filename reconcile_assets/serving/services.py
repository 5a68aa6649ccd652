"""Dagster's code server, web server and daemon, started in order and ended together."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable, PermanentError
from reconcile_assets.serving.graphql import GraphQL
from reconcile_assets.serving.home import CODE_LOCATION, MODULE, prepare_home
from reconcile_assets.serving.ports import HOST, find_free_port, is_listening
from reconcile_assets.supervision import Command, Supervised

_START_SECONDS = 120.0
_LOCATION_QUERY = """
{ workspaceOrError { __typename ... on Workspace { locationEntries { locationOrLoadError {
  __typename ... on PythonError { message } } } } } }
"""


class DagsterServices:
    """The three services; one code server serves both others, so that the configuration is loaded once.

    Args:
        state_dir: for their home and logs (``logs/*.log``).
        database_url: of Dagster's storage.
        port: of the web server, on the loopback interface.
        environ: the variables to start from; DATABASE_URL and the like among them.
        keep_open: descriptors that live as long as the services, e.g. the lock on the state folder.
        working_folder: theirs; this process's own when None.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        database_url: str,
        port: int,
        environ: Mapping[str, str],
        keep_open: tuple[int, ...] = (),
        working_folder: Path | None = None,
    ) -> None:
        self.url = f"http://{HOST}:{port}"
        self.dagster = GraphQL(self.url)
        self.logs = state_dir / "logs"
        self._port = port
        self._keep_open = keep_open
        self._working_folder = working_folder or Path.cwd()
        self._code_port = find_free_port()
        self._home = prepare_home(
            state_dir,
            database_url=database_url,
            code_server_port=self._code_port,
            environ={**environ, "RECONCILE_UI_URL": environ.get("RECONCILE_UI_URL") or self.url},
        )
        self._running: list[Supervised] = []

    def start(self) -> None:
        """Start them; return when the web server answers and the code location is loaded.

        Raises:
            ConfigurationError: the code location does not load; the message has the reason.
            DatabaseUnavailable: a service did not come up; the message names its log.
        """
        try:
            self._start_code_server()
            self._start_web_server_and_daemon()
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """See that all still run.

        Raises:
            DatabaseUnavailable: one has ended; the message names its log.
        """
        for service in self._running:
            if not service.is_running:
                raise DatabaseUnavailable(f"the {service.command.name} has ended; see {service.command.log}")

    def stop(self) -> None:
        """End them with all runs; return when all of it is gone. Stopping twice is harmless.

        The code server goes last: without it the others would write errors.
        """
        for service in self._running[1:]:
            service.request_stop()
        while self._running:
            self._running.pop().stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _start_code_server(self) -> None:
        arguments = ["code-server", "start", "--host", HOST, "--port", str(self._code_port)]
        arguments += ["--module-name", MODULE, "--location-name", CODE_LOCATION, "--log-level", "warning"]
        # Its own shutdown waits up to a minute for calls that are under way; its runs are told to end at once.
        server = self._launch("code server", "dagster", arguments, grace_seconds=0.5)
        self._wait(server, lambda: is_listening(self._code_port))

    def _start_web_server_and_daemon(self) -> None:
        workspace = ["--workspace", str(self._home.workspace)]
        web = ["--host", HOST, "--port", str(self._port), *workspace]
        server = self._launch("web server", "dagster_webserver", web)
        self._launch("daemon", "dagster._daemon", ["run", *workspace])
        self._wait(server, self._is_location_loaded)

    def _launch(self, name: str, module: str, arguments: list[str], *, grace_seconds: float = 10.0) -> Supervised:
        service = Supervised(
            Command(
                name=f"Dagster {name}",
                arguments=[sys.executable, "-m", module, *arguments],
                log=self.logs / f"{name.replace(' ', '-')}.log",
                environment=self._home.environment,
                folder=self._working_folder,
                grace_seconds=grace_seconds,
                keep_open=self._keep_open,
            )
        )
        service.start()
        self._running.append(service)
        return service

    def _wait(self, service: Supervised, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                command = service.command
                raise DatabaseUnavailable(
                    f"the {command.name} did not come up within {_START_SECONDS:.0f} s; see {command.log}"
                )
            time.sleep(0.1)

    def _is_location_loaded(self) -> bool:
        try:
            workspace = self.dagster.ask(_LOCATION_QUERY)["workspaceOrError"]
        except (DatabaseUnavailable, PermanentError):
            return False
        entries = [entry["locationOrLoadError"] for entry in workspace.get("locationEntries", ())]
        for entry in entries:
            if entry and entry["__typename"] == "PythonError":
                raise ConfigurationError(_load_error(entry["message"], self.logs))
        return any(entry and entry["__typename"] == "RepositoryLocation" for entry in entries)


def _load_error(message: str, logs: Path) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return (
        f"the code location does not load: {lines[0] if lines else 'no reason given'} (log: {logs / 'code-server.log'})"
    )
