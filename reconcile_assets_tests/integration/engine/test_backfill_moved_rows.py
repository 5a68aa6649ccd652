"""Rows that moved from one partition to another since they were written: the key is still in the way."""

from collections.abc import Callable

import pytest

from reconcile_assets.errors import RowsCollide
from reconcile_assets_tests.engine_world import World, build_world, failed, written

Urls = Callable[[str], str]
EARLY, LATE = "2024-01-02", "2024-01-09"


@pytest.fixture
def world(postgres_urls: Urls) -> World:
    found = build_world(postgres_urls)
    found.backfill()
    return found


def test_a_row_that_moved_to_an_earlier_partition_arrives_in_the_same_run(world: World) -> None:
    world.run_source("UPDATE orders SET at = '2024-01-02 05:00+00' WHERE id = 8003")
    outcomes = world.backfill(group_partitions=1)
    assert failed(outcomes) == {}
    assert len(outcomes) == 10
    assert world.target_rows() == world.source_rows()
    assert world.count_batches() == (20, 20)


def test_rows_that_changed_places_arrive_in_the_same_run(world: World) -> None:
    world.run_source(
        "UPDATE orders SET at = '2024-01-02 05:00+00' WHERE id = 8003",
        "UPDATE orders SET at = '2024-01-09 05:00+00' WHERE id = 1003",
    )
    outcomes = world.backfill(EARLY, LATE, group_partitions=1)
    assert sorted(written(outcomes)) == [EARLY, LATE]
    assert world.target_rows() == world.source_rows()


def test_a_row_from_a_partition_that_is_not_written_is_refused_and_nothing_is_lost(world: World) -> None:
    world.run_source("UPDATE orders SET at = '2024-01-02 05:00+00' WHERE id = 8003")
    before = world.target_rows()
    errors = failed(world.backfill(EARLY))
    assert isinstance(errors[EARLY], RowsCollide)
    assert "partition" in str(errors[EARLY])
    assert world.target_rows() == before


def test_what_collides_for_another_reason_leaves_the_others_written(world: World) -> None:
    world.run_source("UPDATE orders SET at = '2024-01-02 05:00+00' WHERE id = 8003")
    world.run_target(
        "INSERT INTO orders VALUES (5555, '2030-01-01', 1, 'in the way')",
    )
    world.run_source("INSERT INTO orders VALUES (5555, '2024-01-06 05:00+00', 1, 'new')")
    outcomes = world.backfill(group_partitions=1)
    assert list(failed(outcomes)) == ["2024-01-06"]
    assert len(written(outcomes)) == 9
