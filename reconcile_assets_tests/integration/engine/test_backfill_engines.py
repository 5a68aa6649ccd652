"""Backfills between every two of the four engines: every type, every nasty value that both can hold."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.conftest import require_service
from reconcile_assets_tests.write_world import ENGINES, Places, WriteWorld, build_world, failed, written

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
