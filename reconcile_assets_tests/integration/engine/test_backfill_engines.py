"""Backfills between every two of the four engines: every type, every nasty value that both can hold."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.engine.backfill import PartitionWrite
from reconcile_assets.engine.diff import diff
from reconcile_assets.engine.reconcile import reconcile_partitions
from reconcile_assets.errors import ConfigurationError
from reconcile_assets_tests.conftest import require_service
from reconcile_assets_tests.write_world import (
    ENGINES,
    Place,
    Places,
    WriteWorld,
    build_world,
    create_table,
    failed,
    instant,
    written,
)

PAIRS = [(source, target) for source in ENGINES for target in ENGINES]
PAIR = pytest.mark.parametrize(("source", "target"), PAIRS, ids=[f"{a} to {b}" for a, b in PAIRS])
IN_PARTITIONS = {"where": "seen IS NOT NULL"}


@pytest.fixture
def places(tmp_path: Path, postgres_urls: Callable[[str], str]) -> Iterator[Places]:
    require_service("mariadb")
    found = Places(tmp_path, postgres_urls)
    yield found
    found.drop()


def compare(world: WriteWorld, **options: object) -> tuple[Verdict, int, list[str]]:
    """Verdict, rows of the target, and columns that are not compared exactly."""
    found = diff(world.source.url, "t", world.target.url, "t", key=["id"], **{**IN_PARTITIONS, **options})  # type: ignore[arg-type]
    inexact = [name for name, column in found.columns.items() if column.comparison != "exact"]
    return found.verdict, found.target.rows, inexact


@PAIR
def test_every_value_arrives_exactly(places: Places, source: str, target: str) -> None:
    world = build_world(places, source, target)
    outcomes = world.backfill()
    assert failed(outcomes) == {}
    rows = world.source.ask("SELECT count(*) FROM t WHERE seen IS NOT NULL")[0][0]
    assert rows >= 4
    coarser = (source == "sqlite") != (target == "sqlite")  # SQLite has no single precision
    verdict, found, inexact = compare(world, strict=not coarser)
    assert (verdict, found, inexact) == (Verdict.MATCHED, rows, ["single"] if coarser else [])
    checksums = {key: getattr(outcome, "checksum", None) for key, outcome in outcomes.items()}
    again = world.backfill(run_id="again")
    assert failed(again) == {}
    assert {key: getattr(outcome, "checksum", None) for key, outcome in again.items()} == checksums
    assert len(written(again)) == 5
    assert world.count_ledger() == (10, 10)


def build_plain(places: Places, source: str, target: str, *, unique: bool = True, **table: object) -> WriteWorld:
    """t(id, seen, words) with one row a day, in five partitions."""
    world = WriteWorld(places.make(source, "source"), places.make(target, "target"), table)
    for place in (world.source, world.target):
        columns = ["id", "seen", "words"]
        create_table(place, columns, keyless=not unique)
    world.source.run(*(insert_row(world.source, day, day, f"row {day}") for day in range(1, 6)))
    return world


def insert_row(place: Place, number: int, day: int, words: str) -> str:
    seen = instant(f"2024-01-0{day} 12:00:00")[place.engine]
    return f"INSERT INTO t VALUES ({number}, {seen}, '{words}')"  # noqa: S608 - the test's own SQL


def rows_of(place: Place) -> list[tuple[int, str]]:
    return [(int(number), str(words)) for number, words in place.ask("SELECT id, words FROM t ORDER BY id, words")]


def counts(outcome: object) -> tuple[int, int, int]:
    assert isinstance(outcome, PartitionWrite), outcome
    return outcome.rows_read, outcome.rows_deleted, outcome.rows_inserted


ENGINE = pytest.mark.parametrize("engine", ENGINES)


@ENGINE
def test_an_upsert_takes_the_place_of_rows_by_their_key_and_deletes_none(places: Places, engine: str) -> None:
    world = build_plain(places, "sqlite", engine, write="upsert")
    world.target.run(
        insert_row(world.target, 2, 2, "old"),
        insert_row(world.target, 20, 2, "of the target only"),
        insert_row(world.target, 3, 4, "moves to another partition"),
    )
    outcomes = world.backfill()
    assert failed(outcomes) == {}
    assert counts(outcomes["2024-01-02"]) == (1, 1, 1)
    assert counts(outcomes["2024-01-03"]) == (1, 0, 1)
    assert any("1 rows that the source does not have stay" in note for note in outcomes["2024-01-02"].notes)  # type: ignore[union-attr]
    assert rows_of(world.target) == sorted([*rows_of(world.source), (20, "of the target only")])
    assert failed(world.backfill(run_id="again")) == {}
    assert rows_of(world.target) == sorted([*rows_of(world.source), (20, "of the target only")])
    assert world.count_ledger() == (10, 10)


@ENGINE
def test_an_append_adds_what_is_missing_and_changes_nothing(places: Places, engine: str) -> None:
    world = build_plain(places, "duckdb", engine, write="append")
    world.target.run(insert_row(world.target, 2, 2, "row 2"), insert_row(world.target, 20, 2, "of the target only"))
    outcomes = world.backfill()
    assert failed(outcomes) == {}
    assert counts(outcomes["2024-01-02"]) == (1, 0, 0)
    assert counts(outcomes["2024-01-03"]) == (1, 0, 1)
    assert rows_of(world.target) == sorted([*rows_of(world.source), (20, "of the target only")])
    world.source.run(insert_row(world.source, 6, 5, "later"), "UPDATE t SET words = 'changed' WHERE id = 4")
    again = world.backfill(run_id="again")
    assert list(failed(again)) == ["2024-01-04"]
    assert "append changes no row" in str(failed(again)["2024-01-04"])
    assert counts(again["2024-01-05"]) == (2, 0, 1)
    assert (4, "row 4") in rows_of(world.target)
    assert (6, "later") in rows_of(world.target)


@ENGINE
def test_an_append_without_a_key_never_doubles_rows(places: Places, engine: str) -> None:
    world = build_plain(places, "mysql", engine, unique=False, write="append", key=[])
    world.source.run(insert_row(world.source, 1, 1, "row 1"))  # twice, as rows without a key may stand
    for run in ("first", "again"):
        assert failed(world.backfill(run_id=run)) == {}
        assert rows_of(world.target) == rows_of(world.source)
    world.source.run(insert_row(world.source, 7, 3, "later"))
    assert list(failed(world.backfill(run_id="third"))) == ["2024-01-03"]


@ENGINE
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_target_without_a_unique_key_is_refused_before_it_is_written(places: Places, engine: str, mode: str) -> None:
    world = build_plain(places, engine, engine, unique=False, write=mode)
    with pytest.raises(ConfigurationError, match=f"write: {mode} needs a target that keeps the key unique"):
        world.backfill()
    assert rows_of(world.target) == []


@pytest.mark.parametrize("mode", ["replace", "upsert"])
@pytest.mark.parametrize(
    ("source", "target"), [("postgresql", "mysql"), ("mysql", "sqlite"), ("sqlite", "duckdb"), ("duckdb", "postgresql")]
)
def test_names_that_need_quotes_work_everywhere(places: Places, source: str, target: str, mode: str) -> None:
    world = WriteWorld(places.make(source, "source"), places.make(target, "target"))
    table, key, seen, words = 'we"ird`t %s ?', "Id %", 'sele"ct', "a b' $1 :x"
    for place in (world.source, world.target):
        mark = "`" if place.engine == "mysql" else '"'
        names = [f"{mark}{name.replace(mark, mark * 2)}{mark}" for name in (table, key, seen, words)]
        kind = {"mysql": "timestamp(6) NULL"}.get(place.engine, "TIMESTAMPTZ")
        place.run(f"CREATE TABLE {names[0]} ({names[1]} BIGINT PRIMARY KEY, {names[2]} {kind}, {names[3]} VARCHAR(20))")
        if place is world.source:
            at = instant("2024-01-02 12:00:00")[source]
            place.run(f"INSERT INTO {names[0]} VALUES (1, {at}, '%s ? $1')")  # noqa: S608 - the test's own SQL
    partition = {"column": seen, "by": "day", "start": "2024-01-01", "end": "2024-01-06"}
    quoted = '"' + table.replace('"', '""') + '"'
    world.table = {
        "source_table": quoted, "target_table": quoted, "key": [key], "partition": partition, "write": mode,
        "checks": [{"type": "rows"}, {"type": "aggregate", "function": "max", "column": words}],
    }  # fmt: skip
    assert failed(world.backfill()) == {}
    assert world.target.ask(f"SELECT count(*) FROM {names[0]}") == [(1,)]  # noqa: S608 - the test's own SQL
    with world.connections() as connections:
        verdicts = reconcile_partitions(world.t, world.partitions(), connections=connections)
    assert {verdict.verdict for verdict in verdicts} == {Verdict.MATCHED}
