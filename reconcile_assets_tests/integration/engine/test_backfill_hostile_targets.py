"""Targets that do more than keep the rows they are given: nothing beside the partition may change unseen."""

from collections.abc import Callable

import pytest

from reconcile_assets.errors import ConstraintRefused, RowsCollide
from reconcile_assets_tests.engine_world import World, build_world, failed, written

Urls = Callable[[str], str]
DAY = "2024-01-05"
CANARY = "canary.row@example.com"


@pytest.fixture
def world(postgres_urls: Urls) -> World:
    found = build_world(postgres_urls)
    found.backfill()
    return found


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_rows_of_another_table_are_not_lost_with_those_that_are_replaced(world: World, action: str) -> None:
    world.run_target(
        f"CREATE TABLE items (item int, order_id bigint REFERENCES orders ON DELETE {action})",
        "INSERT INTO items VALUES (1, 4003), (2, 4003)",
    )
    outcomes = world.backfill()
    assert list(failed(outcomes)) == [DAY]
    error = failed(outcomes)[DAY]
    assert isinstance(error, ConstraintRefused)
    assert "items_order_id_fkey" in str(error)
    assert world.ask_target("SELECT item, order_id FROM items ORDER BY item") == [(1, 4003), (2, 4003)]
    assert len(written(outcomes)) == 9


def test_rows_of_other_partitions_are_not_lost_by_a_cascade_within_the_table(world: World) -> None:
    world.run_target(
        "ALTER TABLE orders ADD parent bigint REFERENCES orders ON DELETE CASCADE",
        "UPDATE orders SET parent = 4003 WHERE id = 7001",
    )
    before = world.target_rows()
    assert isinstance(failed(world.backfill(DAY))[DAY], ConstraintRefused)
    assert world.target_rows() == before


def test_a_cascade_that_takes_no_other_row_is_no_trouble(world: World) -> None:
    world.run_target(
        "ALTER TABLE orders ADD parent bigint REFERENCES orders ON DELETE CASCADE",
        "UPDATE orders SET parent = 4003 WHERE id = 4007",
        "CREATE TABLE items (item int, order_id bigint REFERENCES orders ON DELETE CASCADE)",
    )
    assert written(world.backfill(DAY)) == [DAY]


def test_a_deferred_reference_holds_while_its_row_is_replaced(world: World) -> None:
    world.run_target(
        "CREATE TABLE items (item int, order_id bigint REFERENCES orders DEFERRABLE INITIALLY IMMEDIATE)",
        "INSERT INTO items VALUES (1, 4003)",
    )
    assert written(world.backfill(DAY)) == [DAY]
    world.run_source("DELETE FROM orders WHERE id = 4003")
    assert isinstance(failed(world.backfill(DAY))[DAY], RowsCollide)
    assert world.ask_target("SELECT count(*) FROM items JOIN orders ON id = order_id") == [(1,)]


@pytest.mark.parametrize("state", ["P0001", "23514", "42501", "22000"])
def test_the_text_that_a_trigger_raises_is_not_told(world: World, state: str, caplog: pytest.LogCaptureFixture) -> None:
    world.run_target(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION 'bad row: %', NEW.note USING ERRCODE = '{state}'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    world.run_source("UPDATE orders SET note = 'canary.row@example.com'")
    error = failed(world.backfill(DAY))[DAY]
    assert state in str(error)
    assert CANARY not in str(error) + caplog.text
