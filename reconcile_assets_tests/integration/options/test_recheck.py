"""Rows that are on their way: a second look, on every pair of engines, and with a writer at work."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from reconcile_assets.core.compare import Comparison
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import MissingObject
from reconcile_assets_tests.integration.options.engines import ALL, PAIRS, SIZES, EveryEngine

ROWS = [(number, f"v{number}") for number in range(1, 31)]


def counts(found: Comparison) -> tuple[str, int, int, int, int]:
    kinds = (found.missing_in_target, found.missing_in_source, found.value_differs)
    return (found.verdict.value, *kinds, found.unsettled)


def arrive(engines: EveryEngine, target: str, table: str) -> Callable[[float], None]:
    """A replica catches up with rows 2 to 4; meanwhile row 6 changes once more there, and 5 stays as it was."""

    def wait(seconds: float) -> None:
        engines.run(
            target,
            1,
            f"UPDATE {table} SET v = 'v2' WHERE id = 2",  # noqa: S608 - the test's own names
            f"INSERT INTO {table} VALUES (3, 'v3')",  # noqa: S608
            f"DELETE FROM {table} WHERE id = 40",  # noqa: S608
            f"UPDATE {table} SET v = 'later still' WHERE id = 6",  # noqa: S608
        )

    return wait


@pytest.mark.parametrize("table", SIZES)
def test_what_arrives_settles_and_what_stays_differs(engines: EveryEngine, table: str) -> None:
    lagging = [(1, "v1"), (2, "old"), (5, "wrong"), (6, "late"), *ROWS[6:], (40, "gone")]
    for engine in ALL:
        engines.fill(engine, 0, {"id": "BIGINT", "v": "TEXT"}, [row for row in ROWS if row[0] != 4])
    for source, target in PAIRS if table == "small" else [pair for pair in PAIRS if pair[0] != pair[1]]:
        engines.fill(target, 1, {"id": "BIGINT", "v": "TEXT"}, lagging)
        found = engines.diff(source, target, table, table, recheck_after=3, sleep=arrive(engines, target, table))
        assert counts(found) == ("mismatched", 0, 0, 1, 1), (source, target)
        assert [item.key for item in found.differences] == [{"id": 5}]
        assert found.source.rows == found.target.rows
        note = "of 5, 3 settled, 1 differ as before, 1 did not settle"
        assert any(note in each for each in found.notes), found.notes


@pytest.mark.parametrize(("source", "target"), [("postgresql", "mysql"), ("mysql", "postgresql"), ("duckdb", "sqlite")])
def test_all_kinds_of_keys_are_found_again(engines: EveryEngine, source: str, target: str) -> None:
    """Text keys that a collation would take for one, two spellings of one UUID, NULL in a key, a key twice."""
    digits = "a0eebc999c0b4ef8bb6d6bb9bd380a11"
    columns = {"id": "BIGINT", "k": "VARCHAR(40)", "v": "VARCHAR(9)"}
    before = [(1, "a", "x"), (2, "A", "x"), (3, digits, "x"), (4, None, "x"), (5, "t", "x"), (6, "t", "y")]
    lagging = [(1, "a", "y"), (3, digits.upper(), "y"), (4, None, "y"), (5, "t", "x")]
    engines.fill(source, 0, columns, before, key=None)
    engines.fill(target, 1, columns, lagging, key=None)

    def wait(seconds: float) -> None:
        engines.run(target, 1, "UPDATE small SET v = 'x'", "INSERT INTO small VALUES (2, 'A', 'x'), (6, 't', 'y')")

    options: dict[str, Any] = {"key": ["k"], "key_types": {"k": "uuid"}, "exclude": ["id"], "recheck_after": 1}
    assert counts(engines.diff(source, target, "small", "small", **options, sleep=lambda _: None))[0] == "mismatched"
    found = engines.diff(source, target, "small", "small", **options, sleep=wait)
    assert counts(found) == ("matched", 0, 0, 0, 0)


@pytest.mark.parametrize("engine", ALL)
def test_rows_without_a_key_settle_too(engines: EveryEngine, engine: str) -> None:
    engines.fill(engine, 0, {"id": "BIGINT", "v": "TEXT"}, [*ROWS, *ROWS[:3]], key=None)
    engines.fill(engine, 1, {"id": "BIGINT", "v": "TEXT"}, ROWS, key=None)

    def wait(seconds: float) -> None:
        engines.run(engine, 1, "INSERT INTO padded VALUES (1, 'v1'), (2, 'v2')")

    found = engines.diff(engine, engine, "padded", "padded", keyless=True, recheck_after=1, sleep=wait)
    assert counts(found) == ("mismatched", 1, 0, 0, 0)
    assert any("of 3, 2 settled, 1 differ as before" in note for note in found.notes)


def test_a_table_that_is_gone_at_the_second_look_gives_no_verdict(engines: EveryEngine) -> None:
    for side in (0, 1):
        engines.fill("postgresql", side, {"id": "BIGINT", "v": "TEXT"}, [(1, f"side {side}")])

    def wait(seconds: float) -> None:
        engines.run("postgresql", 1, "DROP TABLE small")

    with pytest.raises(MissingObject):
        engines.diff("postgresql", "postgresql", "small", "small", recheck_after=1, sleep=wait)


@pytest.mark.parametrize("snapshot", [True, False])
@pytest.mark.parametrize("target", ["postgresql", "mysql"])
def test_a_replica_behind_a_writer_is_never_called_equal_by_guess(
    engines: EveryEngine, target: str, snapshot: bool
) -> None:
    """A writer changes the source; a replica follows it some moments behind. Row 7 was lost on the way."""
    for engine, side in (("postgresql", 0), (target, 1)):
        engines.fill(engine, side, {"id": "BIGINT", "v": "TEXT"}, ROWS if side == 0 else [*ROWS[:6], *ROWS[7:]])
    with Replica(engines, target) as replica:
        found = diff(
            engines.url("postgresql", 0),
            "padded",
            engines.url(target, 1),
            "padded",
            snapshot=snapshot,
            recheck_after=1,
            sleep=replica.wait,
        )
    assert found.verdict == "mismatched"
    assert [(item.kind, item.key) for item in found.differences] == [("missing_in_target", {"id": 7})]


class Replica:
    """Writes to the source, and the same to the target a moment later, until it is left."""

    def __init__(self, engines: EveryEngine, target: str) -> None:
        self._engines, self._target = engines, target
        self._ended = threading.Event()
        self._followed = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Replica":
        self._thread.start()
        self.wait(0)
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def wait(self, seconds: float) -> None:
        """Wait for three changes to arrive, so that none of those of before is still on its way."""
        while self._followed.acquire(blocking=False):
            pass
        for _ in range(3):
            assert self._followed.acquire(timeout=60)

    def _work(self) -> None:
        with psycopg.connect(self._engines.url("postgresql", 0), autocommit=True) as source:
            for number in range(10_000):
                statement = f"UPDATE padded SET v = 'change {number}' WHERE id = {10 + number % 20}"  # noqa: S608
                source.execute(statement.encode())
                if self._ended.wait(0.02):
                    return
                self._engines.run(self._target, 1, statement)
                self._followed.release()
