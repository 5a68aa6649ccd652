"""A backfill of 100 partitions whose process is killed with -9 at each boundary of a write."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from reconcile_assets_tests.engine_world import World, build_world, written

Urls = Callable[[str], str]
GATE = 4711
SPAN = {"column": "at", "by": "day", "start": "2024-01-01", "end": "2024-04-10"}
# The 4th group of partitions is held at a gate that the test keeps shut. A statement's trigger fires once a group.
HOLD = """
CREATE SEQUENCE passed;
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {condition} THEN PERFORM pg_advisory_lock_shared(4711); END IF;
  RETURN {result};
END $$;
CREATE TRIGGER hold {event} EXECUTE FUNCTION hold()
"""
FOURTH = "nextval('passed') >= 4"
BOUNDARIES = {
    "delete": ("BEFORE DELETE ON orders FOR EACH STATEMENT", FOURTH, "NULL"),
    "copy": ("BEFORE INSERT ON orders FOR EACH STATEMENT", FOURTH, "NULL"),
    "middle of copy": ("BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.id = 30001)", "true", "NEW"),
    "proof": ("AFTER INSERT ON orders FOR EACH STATEMENT", FOURTH, "NULL"),
    "batches": ("BEFORE INSERT ON reconcile_assets.batches FOR EACH ROW", "nextval('passed') > 25", "NEW"),
    "commit": ("AFTER INSERT ON reconcile_assets.audit_entries FOR EACH ROW", "nextval('passed') > 34", "NULL"),
}


@pytest.fixture
def world(postgres_urls: Urls) -> World:
    """100 partitions, filled from an earlier state of the source."""
    found = build_world(postgres_urls, days=100, rows=3, partition=SPAN, project=True)
    found.backfill(run_id="earlier")
    found.run_source("UPDATE orders SET note = 'new'", "DELETE FROM orders WHERE id % 1000 = 2")
    return found


@contextmanager
def killed(world: World, *, unprotected: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A backfill process that waits at the gate; killed with -9 when the block ends."""
    arguments = {
        "source": world.source,
        "target": world.target,
        "project": world.project,
        "table": world.table,
        "run_id": "killed",
        "unprotected": unprotected,
    }
    with psycopg.connect(world.target, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", (GATE,))
        command = [sys.executable, "-m", "reconcile_assets_tests.backfill_process", json.dumps(arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
    _wait(world, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", 1)


def _wait(world: World, query: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while world.ask_target(query) != [(count,)]:
        assert time.monotonic() < deadline, query
        time.sleep(0.05)


def _wait_at_gate(world: World) -> None:
    _wait(world, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted", 1)


def check_whole(world: World) -> int:
    """Every partition is the old or the new one, with a batch if it is new; returns how many are new."""
    parts = world.ask_target(
        "SELECT at::date::text, count(*), count(*) FILTER (WHERE note = 'new') FROM orders GROUP BY 1"
    )
    assert len(parts) == 100
    new = {day for day, rows, changed in parts if (rows, changed) == (2, 2)}
    old = {day for day, rows, changed in parts if (rows, changed) == (3, 0)}
    assert len(new) + len(old) == 100
    recorded = world.ask_target("SELECT partition FROM reconcile_assets.batches WHERE run_id = 'killed'")
    assert {partition for (partition,) in recorded} == new
    assert len(recorded) == len(new)
    assert world.count_batches() == (100 + len(new), 100 + len(new))
    return len(new)


@pytest.mark.parametrize("boundary", list(BOUNDARIES))
def test_a_killed_backfill_leaves_old_or_new_partitions_and_a_rerun_completes(world: World, boundary: str) -> None:
    event, condition, result = BOUNDARIES[boundary]
    world.run_target(HOLD.format(event=event, condition=condition, result=result))
    with killed(world):
        _wait_at_gate(world)
        assert check_whole(world) == 25  # 5 + 10 + 10: a reader sees what was committed, and no part of the rest
    assert check_whole(world) == 25
    world.run_target("DROP FUNCTION hold CASCADE")
    assert len(written(world.backfill(run_id="rerun"))) == 100
    assert world.target_rows() == world.source_rows()
    batches, entries = world.count_batches()
    assert batches == entries == 225
    assert len({batch for _, batch in world.batches()}) == 225


def test_a_backfill_killed_after_a_commit_has_lost_nothing(world: World) -> None:
    event, condition, result = BOUNDARIES["delete"]
    world.run_target(HOLD.format(event=event, condition=condition, result=result))
    with killed(world) as process:
        assert process.stdout is not None
        for _ in range(15):
            process.stdout.readline()
    assert check_whole(world) in (15, 25)


def test_control_without_the_transaction_a_killed_backfill_loses_rows(world: World) -> None:
    event, condition, result = BOUNDARIES["copy"]
    world.run_target(HOLD.format(event=event, condition=condition, result=result))
    with killed(world, unprotected=True):
        _wait_at_gate(world)
    with pytest.raises(AssertionError):
        check_whole(world)


def test_a_killed_backfill_is_found_dead(world: World) -> None:
    event, condition, result = BOUNDARIES["copy"]
    world.run_target(HOLD.format(event=event, condition=condition, result=result))
    with killed(world):
        _wait_at_gate(world)
    with world.connections() as connections:
        dead = connections.ledger().find_dead_attempts(timedelta(0))
    assert [(attempt.run_id, attempt.step, len(attempt.partitions)) for attempt in dead] == [
        ("killed", "backfill", 100)
    ]
