"""Measure ``reconcile-assets diff`` beside reladiff and beside the bare digest of both tables.

Every figure is measured: seconds of whole processes, run in turns; processor time of client and server,
which other load leaves alone; memory as the system tells it; scans by ``pg_stat_user_tables``; bytes by a proxy between
client and server. Nothing passes or fails: the bounds are printed beside the figures.

    python -m reconcile_assets_tests.benchmarks.bench_diff --reladiff .state/peers/bin/reladiff

``DATABASE_URL`` names a server where databases may be made; without it an embedded PostgreSQL serves.
"""

import argparse
import json
import os
import secrets
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from reconcile_assets.embedded import EmbeddedPostgres
from reconcile_assets_tests.benchmarks import diff_tables as tables
from reconcile_assets_tests.benchmarks.diff_page import Figures, Growth, Measured, Taken, Timed, write_page
from reconcile_assets_tests.benchmarks.diff_runs import Run, ServerCpu, count_reads, proxies, run, run_on_both

STATE = Path(".state/bench")
GROWTH = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)


@dataclass(frozen=True)
class Bench:
    """Where it is measured.

    Attributes:
        urls: of the source's and the target's database.
        major: the server's version.
        reladiff: the peer's command; None leaves it out.
        times: how often each timing is repeated.
        server: tells the server's processor time.
    """

    urls: tuple[str, str]
    major: int
    server: ServerCpu
    reladiff: str | None
    times: int

    def ours(self, urls: Sequence[str]) -> Run:
        """One comparison by us."""
        command = [
            sys.executable,
            "-m",
            "reconcile_assets",
            "diff",
            urls[0],
            tables.TABLE,
            urls[1],
            tables.TABLE,
            "--json",
        ]
        return run(command, folder=STATE / "runs")

    def theirs(self, urls: Sequence[str]) -> Run:
        """One comparison by reladiff, of all columns."""
        columns = [part for name in tables.NAMES[1:] for part in ("-c", name)]
        command = [str(self.reladiff), urls[0], tables.TABLE, urls[1], tables.TABLE, "-k", "id", *columns, "--json"]
        return run(command, folder=STATE / "runs")

    def raw(self) -> Run:
        """The bare digest on both sides at once."""
        return run_on_both(self.urls, tables.raw_digest(major=self.major), tables.RAW_SETTINGS)

    def take(self, act: Callable[[], Run]) -> Taken:
        """Do it, and tell what it took of this machine."""
        self.server.start()
        done = act()
        return Taken(done.seconds, done.cpu + self.server.seconds())


def measure(bench: Bench, rows: int, name: str, edits: tables.Edits) -> Measured:
    """One comparison through proxies: what it found and what it cost, told by us and by others."""
    before = [count_reads(url, tables.TABLE) for url in bench.urls]
    with proxies(bench.urls) as between:
        done = bench.ours([proxy.url for proxy in between])
        received = [proxy.received for proxy in between]
    reads = [count_reads(url, tables.TABLE) - old for url, old in zip(bench.urls, before, strict=True)]
    found = json.loads(done.output)
    counted = found["missing_in_target"] + found["missing_in_source"] + found["value_differs"]
    if counted != edits.total:
        raise RuntimeError(f"{counted} differences were found, not {edits.total}")
    told = [found["cost"][side] for side in ("source", "target")]
    return Measured(
        name=name,
        rows=rows,
        memory=done.memory,
        scans=max(read.scans for read in reads),
        whole_scans=max(read.rows for read in reads) / rows,
        bytes=max(received),
        told_scans=max(side["scans"] for side in told),
        told_bytes=max(side["bytes"] for side in told),
        deviation=max(abs(side["bytes"] / real - 1) for side, real in zip(told, received, strict=True)),
        listed=len(found["differences"]),
        differences=counted,
    )


def time_in_turns(bench: Bench, rows: int, name: str, *, raw: bool) -> Timed:
    """Ours, reladiff and the bare digest, again and again in turns: their medians."""
    taken: dict[str, list[Taken]] = {"ours": [], "raw": [], "reladiff": []}
    for turn in range(bench.times + 1):
        found = {"ours": bench.take(lambda: bench.ours(bench.urls))}
        if raw:
            found["raw"] = bench.take(bench.raw)
        if bench.reladiff and turn % 2 == 0:
            found["reladiff"] = bench.take(lambda: bench.theirs(bench.urls))
        if turn > 0 or bench.times == 0:  # the first turn fills caches
            for kind, each in found.items():
                taken[kind].append(each)
    medians = {kind: _median(each) for kind, each in taken.items()}
    shown = ", ".join(f"{kind} {'/'.join(f'{run.seconds:.2f}' for run in each)}" for kind, each in taken.items())
    print(f"  {name}, {rows:,} rows: {shown}", flush=True)
    return Timed(name, rows, medians["ours"], medians["raw"], medians["reladiff"])


def measure_size(bench: Bench, rows: int) -> tuple[list[Timed], list[Measured]]:
    """One size: identical, then with 1,000 differences."""
    timed, measured = [], []
    for url in bench.urls:
        tables.make_table(url, rows)
    measured.append(measure(bench, rows, "identical", tables.Edits()))
    timed.append(time_in_turns(bench, rows, "identical", raw=True))
    tables.edit_table(bench.urls[1], rows, tables.THOUSAND)
    measured.append(measure(bench, rows, "1,000 differences", tables.THOUSAND))
    timed.append(time_in_turns(bench, rows, "1,000 differences", raw=False))
    return timed, measured


def measure_half(bench: Bench, rows: int) -> Measured:
    """Half of the rows differ; after :func:`measure_size`, in the source as it stands."""
    tables.make_table(bench.urls[1], rows)
    tables.edit_half(bench.urls[1])
    return measure(bench, rows, "half of the rows differ", tables.Edits(values=rows // 2))


def measure_growth(bench: Bench, sizes: Sequence[int]) -> list[Growth]:
    """Identical tables of growing sizes: the quickest of some runs, and the most memory."""
    found = []
    for rows in sizes:
        for url in bench.urls:
            tables.make_table(url, rows)
        runs = [bench.ours(bench.urls) for _ in range(max(3, bench.times))]
        found.append(Growth(rows, statistics.median(each.seconds for each in runs), max(each.memory for each in runs)))
        print(f"  {rows:,} rows: {found[-1].seconds:.2f} s, {found[-1].memory / 1e6:.0f} MB", flush=True)
    return found


def measure_all(bench: Bench, sizes: Sequence[int]) -> Figures:
    """Everything, size by size."""
    timed: list[Timed] = []
    measured: list[Measured] = []
    for rows in sizes:
        more = measure_size(bench, rows)
        timed += more[0]
        measured += more[1]
    measured.append(measure_half(bench, sizes[-1]))
    few = min(300_000, sizes[-1])
    for url in bench.urls:
        tables.make_table(url, few)
    tables.edit_table(bench.urls[1], few, tables.HUNDRED)
    measured.append(measure(bench, few, "100 differences", tables.HUNDRED))
    growth = measure_growth(bench, [rows for rows in GROWTH if rows <= sizes[-1]])
    return Figures(bench.major, tuple(timed), tuple(measured), tuple(growth))


@contextmanager
def databases(server: str) -> Iterator[tuple[str, str]]:
    """Two fresh databases, dropped at the end."""
    names = [f"bench_{side}_{secrets.token_hex(3)}" for side in ("source", "target")]
    head, _, query = server.partition("?")
    urls = [head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "") for name in names]
    with psycopg.connect(server, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urls[0], urls[1]
        finally:
            for name in names:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def server_url() -> Iterator[str]:
    """The server named by DATABASE_URL, else an embedded one."""
    if "DATABASE_URL" in os.environ:
        yield os.environ["DATABASE_URL"]
        return
    folder = STATE / "server"
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was interrupted
    with EmbeddedPostgres(folder, durable=False) as server:
        yield server.url("postgres")
    shutil.rmtree(folder, ignore_errors=True)


def _median(taken: Sequence[Taken]) -> Taken | None:
    if not taken:
        return None
    return Taken(statistics.median(run.seconds for run in taken), statistics.median(run.cpu for run in taken))


def main() -> None:
    """Measure, print, and write the page and its picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reladiff", help="the peer's command; without it only ours is measured")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000], help="sizes, growing")
    parser.add_argument("--times", type=int, default=5, help="how often each timing is repeated")
    parser.add_argument("--page", type=Path, help="write the figures into this page, between its marks")
    parser.add_argument("--picture", type=Path, help="draw how time and memory grow")
    arguments = parser.parse_args()
    with server_url() as server, databases(server) as urls:
        with psycopg.connect(server) as connection:
            major = connection.info.server_version // 10000
        bench = Bench(urls, major, ServerCpu(server), arguments.reladiff, arguments.times)
        figures = measure_all(bench, sorted(arguments.rows))
    for line in figures.lines():
        print(line)
    write_page(figures, arguments.page, arguments.picture)


if __name__ == "__main__":
    main()
