"""Runs of one command, and what they cost: time, memory, scans by the server's own count, bytes by a proxy's."""

import contextlib
import math
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Run:
    """One run of a command.

    Attributes:
        seconds: from the process's start to its end.
        cpu: seconds of its own processor time.
        memory: the most that it held, in bytes.
        output: its standard output.
    """

    seconds: float
    cpu: float
    memory: int
    output: str


def run(command: Sequence[str], *, folder: Path, codes: Sequence[int] = (0, 1)) -> Run:
    """Run a command as a whole process.

    Raises:
        RuntimeError: it ended with another code.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode not in codes:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {err.read()[-2000:]}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read())


class ServerCpu:
    """The processor time of a server's sessions that have ended: other load leaves it alone.

    Linux tells it of the process whose children they were, where the server runs on this machine.
    """

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            pid = connection.info.backend_pid
            status = Path(f"/proc/{pid}/status")
            lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
        parents = [line.split()[1] for line in lines if line.startswith("PPid:")]
        self._stat = Path(f"/proc/{parents[0]}/stat") if parents else None
        self._before = 0.0

    def start(self) -> None:
        """From now on."""
        self._before = self._ended()

    def seconds(self) -> float:
        """Since the start; waits for sessions that are just ending. NaN where nobody tells."""
        found, until = self._ended(), time.monotonic() + 0.3
        while time.monotonic() < until:
            time.sleep(0.05)
            found = self._ended()
        return found - self._before

    def _ended(self) -> float:
        if self._stat is None:
            return math.nan
        fields = self._stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


class CountingProxy:
    """Passes bytes between a client and a server and counts those that the client receives."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._server = (self._parts.hostname or "127.0.0.1", self._parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.received = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The database's URL through this proxy."""
        user = self._parts.netloc.rpartition("@")[0]
        port = self._listener.getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"{user}@127.0.0.1:{port}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, here: socket.socket, there: socket.socket, count: bool) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(1 << 16):
                if count:
                    with self._lock:
                        self.received += len(data)
                there.sendall(data)
        for side in (here, there):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Reads:
    """What a server has read of a table, by its own count.

    Attributes:
        scans: that it began.
        rows: read by them.
        fetched: rows that it found by an index.
    """

    scans: int
    rows: int
    fetched: int

    def __sub__(self, other: "Reads") -> "Reads":
        return Reads(self.scans - other.scans, self.rows - other.rows, self.fetched - other.fetched)


_READS = sql.SQL(
    "SELECT seq_scan, seq_tup_read, coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = %s"
)


def count_reads(url: str, table: str) -> Reads:
    """What was read so far; waits until the server has written down what ended."""
    found, since = _ask(url, table), time.monotonic()
    while time.monotonic() - since < 1.5:
        time.sleep(0.3)
        now = _ask(url, table)
        if now != found:
            found, since = now, time.monotonic()
    return found


def _ask(url: str, table: str) -> Reads:
    with psycopg.connect(url) as connection:
        row = connection.execute(_READS, [table]).fetchone()
    if row is None:
        raise RuntimeError(f"there is no table {table}")
    return Reads(*row)


def run_on_both(urls: Sequence[str], statement: str, settings: str) -> Run:
    """A statement on both sides at once; the seconds are those of the statement, the connections being open already."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(url, autocommit=True)) for url in urls]
        for connection in connections:
            connection.execute(settings.encode())
        with ThreadPoolExecutor(len(connections)) as pool:
            begun = time.perf_counter()
            list(pool.map(lambda connection: connection.execute(statement.encode()).fetchall(), connections))
            return Run(time.perf_counter() - begun, 0, 0, "")


@contextlib.contextmanager
def proxies(urls: Sequence[str]) -> Iterator[list[CountingProxy]]:
    """One proxy before each of the databases."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(CountingProxy(url)) for url in urls]
