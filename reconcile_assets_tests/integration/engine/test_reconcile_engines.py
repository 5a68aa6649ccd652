"""Gaps and every type of check between engines of two kinds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconcile_assets.core.gaps import GapKind
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.engine.gaps import find_gaps
from reconcile_assets.engine.reconcile import reconcile_partitions
from reconcile_assets_tests.conftest import require_service
from reconcile_assets_tests.write_world import Places, WriteWorld, create_table, failed, instant

PAIRS = [("postgresql", "mysql"), ("mysql", "sqlite"), ("sqlite", "duckdb"), ("duckdb", "postgresql")]
PAIR = pytest.mark.parametrize(("source", "target"), PAIRS, ids=[f"{a} and {b}" for a, b in PAIRS])
COLUMNS = ["id", "seen", "amount", "double_", "words", "day"]
SUM = "SELECT sum(amount) FROM t WHERE seen >= :partition_start AND seen < :partition_end"
CHECKS: list[dict[str, Any]] = [
    {"type": "row_count"},
    {"type": "rows"},
    *(
        {"type": "aggregate", "function": function, "column": column}
        for function, column in (
            ("sum", "amount"), ("avg", "double_"), ("max", "seen"), ("min", "day"), ("max", "words"),
            ("count", "words"), ("count_distinct", "words"), ("min", "double_"), ("max", "id"),
        )
    ),
    {"type": "sql", "name": "total", "source": SUM, "target": SUM, "abs_tol": 1e-6},
    {"type": "sql", "name": "label", "source": "SELECT 'a'", "target": "SELECT 'a'"},
    {"type": "freshness", "max_lag": "30m"},
]  # fmt: skip


@pytest.fixture
def places(tmp_path: Path, postgres_urls: Callable[[str], str]) -> Iterator[Places]:
    require_service("mariadb")
    found = Places(tmp_path, postgres_urls)
    yield found
    found.drop()


def build(places: Places, source: str, target: str) -> WriteWorld:
    """Two rows a day and one without any, filled by a backfill."""
    world = WriteWorld(places.make(source, "source"), places.make(target, "target"), {"checks": CHECKS})
    for place in (world.source, world.target):
        create_table(place, COLUMNS)
    rows = []
    for day in range(1, 5):
        for number, words in ((1, "'b'"), (2, "'É'"), (3, "NULL")):
            seen = instant(f"2024-01-0{day} {number:02d}:30:00.25")[source]
            rows.append(f"({day * 10 + number}, {seen}, {day}.{number}5, {number}e-1, {words}, '2024-02-0{number}')")
    rows.append("(99, NULL, NULL, NULL, 'stands nowhere', NULL)")
    world.source.run(f"INSERT INTO t VALUES {', '.join(rows)}")  # noqa: S608 - the test's own SQL
    assert failed(world.backfill()) == {}
    return world


def run(world: WriteWorld, *keys: str) -> dict[tuple[str, str], CheckVerdict]:
    with world.connections() as connections:
        found = reconcile_partitions(world.t, world.partitions(*keys), connections=connections, sleep=lambda _: None)
    return {(verdict.check, verdict.partition): verdict for verdict in found}


def not_matched(
    verdicts: dict[tuple[str, str], CheckVerdict],
) -> dict[tuple[str, str], tuple[Verdict, tuple[str, ...]]]:
    return {
        key: (verdict.verdict, verdict.notes)
        for key, verdict in verdicts.items()
        if verdict.verdict is not Verdict.MATCHED
    }


@PAIR
def test_every_check_sees_what_is_equal_and_what_is_not(places: Places, source: str, target: str) -> None:
    world = build(places, source, target)
    verdicts = run(world)
    assert len(verdicts) == 5 * len(CHECKS)
    assert not_matched(verdicts) == {}
    later = instant("2024-01-02 03:30:00.25")[target]
    world.target.run(
        "UPDATE t SET amount = amount + 1, words = 'É ' WHERE id = 12",
        "DELETE FROM t WHERE id = 33",
        f"UPDATE t SET seen = {later} WHERE id = 42",  # noqa: S608 - the test's own SQL
    )
    wrong: dict[str, set[str]] = {}
    for check, partition in not_matched(run(world)):
        wrong.setdefault(partition, set()).add(check)
    changed = {"rows", "aggregate_sum_amount", "aggregate_max_words", "total"}
    assert wrong["2024-01-01"] == changed
    assert {"row_count", "rows", "aggregate_sum_amount", "freshness", "total"} <= wrong["2024-01-03"]
    assert {"row_count", "rows", "aggregate_sum_amount", "aggregate_count_words"} <= wrong["2024-01-04"]
    assert "2024-01-05" not in wrong


@PAIR
def test_gaps_are_found_and_rows_in_no_partition_are_counted(places: Places, source: str, target: str) -> None:
    world = build(places, source, target)
    world.target.run(
        "DELETE FROM t WHERE id BETWEEN 20 AND 29",
        "DELETE FROM t WHERE id = 31",
        "UPDATE t SET words = 'x' WHERE id = 41",
        f"INSERT INTO t (id, seen) VALUES (7, {instant('2024-01-06 00:00:00')[target]})",  # noqa: S608
        f"INSERT INTO t (id, seen) VALUES (8, {instant('2023-12-31 23:59:59.999999')[target]})",  # noqa: S608
    )
    with world.connections() as connections:
        report = find_gaps(world.t, world.partitions(), connections=connections)
    assert [state.kind for state in report.partitions] == [
        GapKind.MATCHED, GapKind.MISSING, GapKind.SHORT, GapKind.DIFFERENT, GapKind.MATCHED,
    ]  # fmt: skip
    assert (report.unpartitioned_source, report.unpartitioned_target) == (1, 2)


BAD_QUERIES = {
    "SELECT 1 WHERE 1 = 0": "it gave no row",
    "SELECT 1 AS a UNION ALL SELECT 2": "it gave more than one row",
    "SELECT 1 AS a, 2 AS b": "it gave 2 columns",
    "DELETE FROM t": "could not verify",
    "SELECT 1; DELETE FROM t": "could not verify",
}


@PAIR
def test_a_query_that_gives_no_figure_is_not_verified_and_writes_nothing(
    places: Places, source: str, target: str
) -> None:
    world = build(places, source, target)
    queries = [
        {"type": "sql", "name": f"bad{at}", "source": "SELECT 1", "target": q} for at, q in enumerate(BAD_QUERIES)
    ]
    world.table = {"checks": queries}
    verdicts = run(world, "2024-01-01")
    for at, note in enumerate(BAD_QUERIES.values()):
        verdict = verdicts[f"bad{at}", "2024-01-01"]
        assert verdict.verdict is Verdict.INCONCLUSIVE
        assert note in "; ".join(verdict.notes)
    assert int(world.target.ask("SELECT count(*) FROM t")[0][0]) == 12
