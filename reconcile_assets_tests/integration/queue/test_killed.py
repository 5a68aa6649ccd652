"""Processes that enqueue and flush are killed by SIGKILL: what was acknowledged is there, and is applied once.

A dozen kills of each kind run in the suite; ``make soak-queue`` makes it 60 and more (``QUEUE_KILLS``).
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from reconcile_assets.resilience import NewWrite, QueuedWrite, QueueLimits, WriteQueue, WriteState, queue_flush
from reconcile_assets_tests.integration.queue.conftest import apply_to
from reconcile_assets_tests.queue_samples import no_pause

KILLS = int(os.environ.get("QUEUE_KILLS", "12"))
LIMITS = QueueLimits(capacity=100_000, warn_at=100_000, max_tries=1, lease=0.2)
FORK = multiprocessing.get_context("fork")
ROWS = 40  # of the target; each is written many times
POISON = 13  # of these, none is taken

TARGET = """
CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL CHECK (id <> 13));
CREATE TABLE changes (place bigserial, id int, n int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO changes (id, n) VALUES (new.id, new.n); RETURN new; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note();
"""


def _kill_after(process: multiprocessing.process.BaseProcess, pause: float) -> None:
    time.sleep(pause)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(30)
    assert process.exitcode == -signal.SIGKILL


# ---- enqueuing ----


def _enqueue_for_ever(path: Path, first: int, acknowledge: int) -> None:
    queue = WriteQueue(path, LIMITS)
    for number in range(first, first + 1_000_000):
        queue.enqueue("items", "upsert", {"id": number, "text": "x" * (number % 700)}, key=["id"])
        os.write(acknowledge, f"{number}\n".encode())


def _enqueue_and_be_killed(path: Path, first: int, chance: random.Random) -> list[int]:
    """The numbers that were acknowledged before the kill."""
    reading, writing = os.pipe()
    process = FORK.Process(target=_enqueue_for_ever, args=(path, first, writing))
    process.start()
    os.close(writing)
    wanted, heard = chance.randrange(1, 25), b""
    while heard.count(b"\n") < wanted:
        heard += os.read(reading, 65536)
    _kill_after(process, chance.random() * 0.01)
    while more := os.read(reading, 65536):
        heard += more
    os.close(reading)
    return [int(line) for line in heard.split(b"\n")[:-1]]


def test_a_process_killed_while_it_enqueues_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path, chance = tmp_path / "queue.db", random.Random(7)  # noqa: S311 - the same kills each time
    acknowledged: list[int] = []
    for kill in range(KILLS):
        acknowledged += _enqueue_and_be_killed(path, kill * 1_000_000, chance)
        with WriteQueue(path, LIMITS) as queue:  # which verifies all of it
            writes = queue.fetch(WriteState.WAITING, limit=100_000)
        assert [write.sequence for write in writes] == list(range(1, len(writes) + 1))
        found = [write.record["id"] for write in writes]
        assert len(found) == len(set(found))
        assert set(acknowledged) <= set(found)
        assert len(set(found) - set(acknowledged)) <= kill + 1  # one at most that was kept, and not yet acknowledged
    assert len(acknowledged) > KILLS


# ---- flushing ----

DEATHS = ("at any moment", "before COMMIT", "between COMMIT and settling")


def _flush_for_ever(path: Path, url: str, progress: int, dies: str, chance: random.Random) -> None:
    """Ends only by being killed, by itself where it is told when."""
    queue_flush.TOGETHER = 3  # many transactions, to be killed within
    apply = apply_to(url)

    def watched(writes: Sequence[QueuedWrite]) -> None:
        os.write(progress, b".")
        if dies == "before COMMIT":
            _die(chance)
        apply(writes)
        if dies == "between COMMIT and settling":
            _die(chance)

    with WriteQueue(path, LIMITS, draw=no_pause) as queue:
        while True:
            queue.flush(watched)
            os.write(progress, b"-")
            time.sleep(0.005)


def _die(chance: random.Random) -> None:
    if chance.random() < 0.3:
        os.kill(os.getpid(), signal.SIGKILL)


def _flush_and_be_killed(path: Path, url: str, dies: str, chance: random.Random) -> None:
    reading, writing = os.pipe()
    own = random.Random(chance.random())  # noqa: S311 - as above
    process = FORK.Process(target=_flush_for_ever, args=(path, url, writing, dies, own))
    process.start()
    os.close(writing)
    heard, wanted = b"", chance.randrange(2, 6)
    while heard.count(b".") < wanted and heard.count(b"-") < 20:
        more = os.read(reading, 65536)
        if not more:  # it has died by itself
            break
        heard += more
    _kill_after(process, chance.random() * 0.02)
    os.close(reading)


def test_a_process_killed_while_it_flushes_has_applied_each_write_once_and_in_order(
    tmp_path: Path, postgres_url: str
) -> None:
    path, chance = tmp_path / "queue.db", random.Random(11)  # noqa: S311 - as above
    with psycopg.connect(postgres_url) as connection:
        connection.execute(TARGET)
    expected: dict[int, list[int]] = {row: [] for row in range(ROWS)}
    for kill in range(KILLS):
        numbers = range(kill * 60, kill * 60 + 60)
        with WriteQueue(path, LIMITS) as queue:
            queue.enqueue_all([NewWrite("items", "upsert", {"id": n % ROWS, "n": n}, ["id"]) for n in numbers])
        for number in numbers:
            expected[number % ROWS].append(number)
        _flush_and_be_killed(path, postgres_url, DEATHS[kill % len(DEATHS)], chance)

    with WriteQueue(path, LIMITS, draw=no_pause) as queue:
        time.sleep(LIMITS.lease)
        report = queue.flush(apply_to(postgres_url))
        assert report.stopped == ""
        dead = [write.record["n"] for write in queue.fetch(WriteState.DEAD)]
        held = [write.record["n"] for write in queue.fetch(WriteState.WAITING, limit=100_000)]
    with psycopg.connect(postgres_url) as connection:
        changes = connection.execute("SELECT id, n FROM changes ORDER BY place").fetchall()
        notes = connection.execute("SELECT count(*) FROM reconcile_assets.applied_writes").fetchone()
    found: dict[int, list[int]] = {row: [] for row in range(ROWS)}
    for row, number in changes:
        found[row].append(number)
    letters = expected.pop(POISON)
    assert found.pop(POISON) == []
    assert dead == letters[:1]
    assert held == letters[1:]
    assert found == expected  # each once, in the order of its row
    assert notes == (len(changes),)


def test_without_the_note_of_what_was_applied_a_kill_doubles_writes(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    from reconcile_assets.engine import applying

    monkeypatch.setattr(applying, "claim_writes", lambda *_, **__: frozenset())
    path, chance = tmp_path / "queue.db", random.Random(3)  # noqa: S311 - as above
    with psycopg.connect(postgres_url) as connection:
        connection.execute(TARGET)
    for kill in range(6):
        with WriteQueue(path, LIMITS) as queue:
            numbers = range(kill * 12, kill * 12 + 12)
            queue.enqueue_all([NewWrite("items", "upsert", {"id": n % 10, "n": n}, ["id"]) for n in numbers])
        _flush_and_be_killed(path, postgres_url, "between COMMIT and settling", chance)
    with psycopg.connect(postgres_url) as connection:
        doubled = connection.execute("SELECT n FROM changes GROUP BY n HAVING count(*) > 1").fetchall()
    assert doubled
