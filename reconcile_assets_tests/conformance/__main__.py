"""Runs every case, writes docs/conformance.md, and tells what is wrong: ``make conformance``.

Needs MariaDB at 127.0.0.1:3306 (user root without a password); PostgreSQL comes along.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg
import pymysql

from reconcile_assets.embedded import EmbeddedPostgres
from reconcile_assets_tests.conformance.all_cases import CASES, Result, run_case
from reconcile_assets_tests.conformance.cases import Case
from reconcile_assets_tests.conformance.page import PAGE, page
from reconcile_assets_tests.conformance.peer_worker import PeerWorker
from reconcile_assets_tests.conformance.sides import SERVER, Sides

_A_TURN = 5  # cases that a process takes at once


@contextmanager
def _sides(postgres: str) -> Iterator[Sides]:
    with tempfile.TemporaryDirectory() as folder:
        sides = Sides(Path(folder), postgres)
        try:
            yield sides
        finally:
            sides.close()


def _run_some(postgres: str, peers: str | None, numbers: Sequence[int]) -> list[tuple[int, Result]]:
    worker = PeerWorker(Path(peers)) if peers else None
    try:
        with _sides(postgres) as sides:
            return [(number, _run_one(CASES[number], sides, worker)) for number in numbers]
    finally:
        if worker is not None:
            worker.close()


class Kept:
    """Results in a file, one a line, by the case's number and name."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[int, Result]:
        """By the case's place; none where there is no file."""
        if not self._path.exists():
            return {}
        places = {(case.number, case.name): at for at, case in enumerate(CASES)}
        found: dict[int, Result] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            at = places.get((entry["number"], entry["name"]))
            if at is not None:
                peers = {peer: Counter(answers) for peer, answers in entry["peers"].items()}
                found[at] = Result(entry["runs"], entry["faults"], entry["false_equal"], peers)
        return found

    def add(self, found: Sequence[tuple[int, Result]]) -> None:
        """Write results at the end of the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            for at, result in found:
                entry = {"number": CASES[at].number, "name": CASES[at].name, **vars(result)}
                file.write(json.dumps(entry) + "\n")


def _run_one(case: Case, sides: Sides, worker: PeerWorker | None) -> Result:
    try:
        return run_case(case, sides, worker)
    except Exception as error:
        error.add_note(f"in case {case.number}: {case.name}")
        raise


def _versions(postgres: str) -> str:
    with psycopg.connect(postgres) as connection:
        major = connection.info.server_version // 10_000
    with pymysql.connect(**SERVER) as opened, opened.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        found = cursor.fetchone()
    maria = str(found[0]).split("-")[0] if found else "?"
    import sqlite3

    return (
        f"PostgreSQL {major}, MariaDB {maria}, SQLite {sqlite3.sqlite_version}, DuckDB {duckdb.__version__};"
        " beside reladiff 0.6.0 and datacompy 1.1.0"
    )


def main() -> int:
    """Run, write, tell; 1 where an answer of ours is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="python of the environment that has the peers; without it they are not asked")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default: 2)")
    parser.add_argument("--keep", help="a file of results: those that it has are not run again, so that a run goes on")
    parser.add_argument("--number", type=int, action="append", help="these cases only; nothing is written")
    args = parser.parse_args()
    kept = Kept(Path(args.keep)) if args.keep else None
    chosen = [at for at, case in enumerate(CASES) if not args.number or case.number in args.number]
    results: dict[int, Result] = kept.read() if kept else {}
    left = [at for at in chosen if at not in results]
    turns = [left[at : at + _A_TURN] for at in range(0, len(left), _A_TURN)]
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "pg", durable=False) as server:
        url = server.url("postgres")
        versions = _versions(url)
        with ProcessPoolExecutor(args.jobs) as pool:
            for found in pool.map(_run_some, [url] * len(turns), [args.peers] * len(turns), turns):
                results.update(found)
                if kept:
                    kept.add(found)
                _tell(found, len(results), len(chosen))
    told = [(CASES[at], results[at]) for at in chosen]
    if args.peers and not args.number:
        PAGE.write_text(page(told, versions), encoding="utf-8")
    wrong = sum(len(result.faults) for _, result in told)
    print(f"conformance: {wrong} of {sum(result.runs for _, result in told)} answers are wrong", file=sys.stderr)
    return 1 if wrong else 0


def _tell(found: Sequence[tuple[int, Result]], done: int, of: int) -> None:
    for number, result in found:
        for fault in result.faults:
            print(f"{CASES[number].number} {CASES[number].name}: {fault}", file=sys.stderr)
    print(f"conformance: {done} of {of} cases", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
