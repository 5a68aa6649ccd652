"""A comparison tells how far it is, phase by phase, to the end of each."""

import threading
from pathlib import Path

import duckdb

from reconcile_assets.databases.base import CostMeter
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.integration.comparison.conftest import Pair

ROWS = 30_000


class Listener:
    """Keeps what it hears: each phase with its total, and the steps made in it, rows that were read among them."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int | None, str, int]] = []
        self.meters: tuple[CostMeter, ...] = ()
        self._now: tuple[str, int | None, str] | None = None
        self._advanced = self._read = 0
        self._lock = threading.Lock()

    def begin(self, source: CostMeter, target: CostMeter) -> None:
        self.meters = source, target

    def phase(self, name: str, total: int | None = None, *, unit: str = "") -> None:
        self.end()
        self._now, self._advanced, self._read = (name, total, unit), 0, self._rows()

    def advance(self, steps: int = 1) -> None:
        with self._lock:  # both sides may call
            self._advanced += steps

    def end(self) -> None:
        if self._now is not None:
            read = self._rows() - self._read if self._now[2] == "rows" else 0
            self.heard.append((*self._now, self._advanced + read))
        self._now = None

    def _rows(self) -> int:
        return sum(meter.rows_read for meter in self.meters)


def test_each_phase_is_told_and_goes_to_its_end(pair: Pair) -> None:
    pair.run("CREATE TABLE t AS SELECT n AS id, 'x' AS name FROM generate_series(1, 30000) n")
    pair.run("ALTER TABLE t ADD PRIMARY KEY (id); ANALYZE t")
    pair.connections[1].execute("UPDATE t SET name = 'y' WHERE id % 500 = 1")
    listener = Listener()
    found = diff(pair.urls[0], "t", pair.urls[1], "t", progress=listener)
    listener.end()
    assert found.value_differs == 60
    assert [name for name, *_ in listener.heard] == [
        "estimating the rows",
        "scanning source and target",
        "reading what differs",
        "comparing the rows that differ",
    ]
    scan, buckets, keys = listener.heard[1:]
    assert scan[1:] == (2 * ROWS, "rows", 2 * ROWS)
    assert buckets[1:] == (buckets[1], "buckets", buckets[1])
    assert keys[1:] == (60, "keys", 60)


def test_rows_of_a_file_are_counted_while_they_are_read(pair: Pair, tmp_path: Path) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5000); ANALYZE t")
    with duckdb.connect(tmp_path / "t.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT range::int AS id FROM range(1, 5001)")
    listener = Listener()
    found = diff(pair.urls[0], "t", f"duckdb:///{tmp_path}/t.duckdb", "t", key=["id"], progress=listener)
    listener.end()
    assert found.verdict.value == "matched"
    assert [item for item in listener.heard if item[2] == "rows"] == [
        ("scanning source and target", 10_000, "rows", 10_000)
    ]


def test_tables_that_are_equal_have_nothing_more_to_tell(pair: Pair) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    listener = Listener()
    diff(pair.urls[0], "t", pair.urls[1], "t", progress=listener)
    listener.end()
    assert [name for name, *_ in listener.heard] == ["estimating the rows", "scanning source and target"]
