"""Reading without a snapshot: each statement sees its own moment, nothing is written, and nothing is guessed."""

import pytest

from reconcile_assets.databases import open_database
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets_tests.integration.options.engines import ALL, PAIRS, SIZES, EveryEngine

WRITTEN_BY_OTHERS = [engine for engine in ALL if engine != "duckdb"]  # whose file has one process at a time


@pytest.mark.parametrize("engine", WRITTEN_BY_OTHERS)
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_statement_sees_what_is_committed_when_it_begins(engines: EveryEngine, engine: str, repeatable: bool) -> None:
    engines.fill(engine, 0, {"id": "BIGINT", "v": "TEXT"}, [(1, "a")])
    with open_database(engines.url(engine, 0), name="source").session(repeatable=repeatable) as session:
        assert int(session.fetch_scalar("SELECT count(*) FROM small")) == 1
        if engine != "sqlite" or not repeatable:  # a reader of a SQLite file keeps its writer out
            engines.run(engine, 0, "INSERT INTO small VALUES (2, 'b')")
            assert int(session.fetch_scalar("SELECT count(*) FROM small")) == (1 if repeatable else 2)


@pytest.mark.parametrize("engine", ALL)
def test_it_can_not_write_either(engines: EveryEngine, engine: str) -> None:
    engines.fill(engine, 0, {"id": "BIGINT", "v": "TEXT"}, [(1, "a")])
    with (
        open_database(engines.url(engine, 0), name="source").session(repeatable=False) as session,
        pytest.raises(ReconcileAssetsError),
    ):
        session.fetch_scalar("DELETE FROM small")
    with open_database(engines.url(engine, 0), name="source").session() as session:
        assert int(session.fetch_scalar("SELECT count(*) FROM small")) == 1


def test_what_stands_still_is_compared_as_with_a_snapshot(engines: EveryEngine) -> None:
    for engine in ALL:
        for side in (0, 1):
            rows = [(number, f"v{number}") for number in range(30)]
            rows[7] = (7, f"side {side}")
            engines.fill(engine, side, {"id": "BIGINT", "v": "TEXT"}, rows[side:])
    for source, target in PAIRS:
        for table in SIZES if source != target else ["small"]:
            found = engines.diff(source, target, table, table, snapshot=False)
            counted = (found.missing_in_target, found.missing_in_source, found.value_differs)
            assert counted == (1, 0, 1), (source, target, table)
            assert any("no snapshot" in note for note in found.notes)
        found = engines.diff(source, target, "small", "small", snapshot=False, where="id NOT IN (0, 7)")
        assert (found.verdict, found.source_cost.scans) == ("matched", 1), (source, target)
    assert not any("no snapshot" in note for note in engines.diff("sqlite", "mysql", "small", "small").notes)
