"""Faults between the queue and PostgreSQL: whatever is lost on the way, each write is there once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from reconcile_assets.databases import open_database
from reconcile_assets.engine.applying import DatabaseApply
from reconcile_assets.resilience import (
    BreakerPolicy,
    BreakerState,
    CircuitBreaker,
    FlushReport,
    MemoryBreakers,
    NewWrite,
    QueueLimits,
    RetryPolicy,
    WriteQueue,
)
from reconcile_assets_tests.fault_proxy import FaultProxy
from reconcile_assets_tests.queue_samples import Clock

COUNTERS = "CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL)"
ONCE = RetryPolicy(tries=1)


@pytest.fixture
def url(service_postgres_urls: Callable[[str], str]) -> str:
    found = service_postgres_urls("queue")
    with psycopg.connect(found) as connection:
        connection.execute(COUNTERS)
    return found


@pytest.fixture
def proxy(url: str) -> Iterator[FaultProxy]:
    with FaultProxy(url) as found:
        yield found


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[WriteQueue]:
    with WriteQueue(tmp_path / "queue.db", QueueLimits(max_tries=1)) as made:
        made.enqueue_all([NewWrite("counters", "insert", {"id": n, "n": n}, ["id"]) for n in range(150)])
        yield made


def _apply(url: str, policy: RetryPolicy | None = None, breaker: CircuitBreaker | None = None) -> DatabaseApply:
    return DatabaseApply(
        open_database(url, name="target"),
        breaker or CircuitBreaker("target", MemoryBreakers()),
        policy=policy or RetryPolicy(tries=4, first=0.0),
        lock_wait=0.3,
        commit_wait=1.0,
        sleep=lambda _: None,
    )


def _count(url: str) -> tuple[int, int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT count(*) FROM counters").fetchone()
        notes = connection.execute("SELECT count(*) FROM reconcile_assets.applied_writes").fetchone()
    assert rows is not None
    assert notes is not None
    return rows[0], notes[0]


@pytest.mark.parametrize("fault", ["reset", "black hole", "before", "stuck"])
def test_a_lost_reply_to_commit_is_settled_by_looking(
    url: str, proxy: FaultProxy, queue: WriteQueue, fault: str
) -> None:
    proxy.lose_commits("pass", fault)  # the first is of our own table

    assert queue.flush(_apply(proxy.url)) == FlushReport(applied=150)
    assert proxy.faults > 0
    assert _count(url) == (150, 150)


@pytest.mark.parametrize("fault", ["reset", "black hole", "before", "stuck"])
def test_the_next_flush_settles_what_the_last_one_could_not(
    url: str, proxy: FaultProxy, queue: WriteQueue, fault: str
) -> None:
    proxy.lose_commits("pass", fault)
    apply = _apply(proxy.url, ONCE)

    report = queue.flush(apply)
    assert (report.applied, report.failed) == (0, 0)
    assert "the writes stay in the queue" in report.stopped
    assert queue.counts().waiting == 150
    assert queue.flush(apply) == FlushReport(applied=150)
    assert _count(url) == (150, 150)


def test_a_transaction_that_is_still_under_way_is_waited_for_and_counts_no_try(url: str, queue: WriteQueue) -> None:
    """As of a process that was taken over while it was in the middle."""
    queue.enqueue("counters", "insert", {"id": 1000, "n": 1}, key=["id"], idempotency_key="mine")
    queue.flush(_apply(url))
    queue.enqueue("counters", "insert", {"id": 1001, "n": 1}, key=["id"], idempotency_key="theirs")
    with psycopg.connect(url) as other:
        other.execute("INSERT INTO reconcile_assets.applied_writes VALUES ('theirs', now())")
        other.execute("INSERT INTO counters VALUES (1001, 1)")
        report = queue.flush(_apply(url))
        assert (report.applied, report.failed, queue.counts().waiting) == (0, 0, 1)
        assert "a lock was not given in time" in report.stopped
        other.commit()
    assert queue.flush(_apply(url)) == FlushReport(applied=1)
    assert _count(url) == (152, 152)


def test_every_connection_cut_after_some_bytes(url: str, proxy: FaultProxy, queue: WriteQueue) -> None:
    apply = _apply(proxy.url, ONCE)
    proxy.cut_after(9_000)  # enough to make our table; too little for a hundred rows
    reports = [queue.flush(apply) for _ in range(3)]
    assert proxy.faults >= 3
    assert {report.failed for report in reports} == {0}
    assert all("the connection was lost" in report.stopped for report in reports)
    proxy.cut_after(None)
    assert queue.flush(apply) == FlushReport(applied=150)
    assert _count(url) == (150, 150)


def test_a_database_that_is_away_is_left_alone_and_asked_once_after_the_cool_down(
    url: str, proxy: FaultProxy, queue: WriteQueue
) -> None:
    clock = Clock()
    breaker = CircuitBreaker("target", MemoryBreakers(clock), BreakerPolicy(failures=2, jitter=0.0))
    apply = _apply(proxy.url, ONCE, breaker)
    proxy.cut_after(0)
    for _ in range(2):
        assert "target" in queue.flush(apply).stopped
    assert breaker.fetch().state is BreakerState.OPEN
    before = proxy.connections

    for _ in range(5):
        assert "its circuit breaker is open" in queue.flush(apply).stopped
    assert proxy.connections == before
    clock.go(31)
    queue.flush(apply)
    assert proxy.connections == before + 1
    proxy.cut_after(None)
    clock.go(61)
    assert queue.flush(apply) == FlushReport(applied=150)
    assert breaker.fetch().state is BreakerState.CLOSED
    assert _count(url) == (150, 150)


def test_a_row_that_another_one_holds_for_long_keeps_back_only_its_own_writes(url: str, queue: WriteQueue) -> None:
    queue.flush(_apply(url))
    queue.enqueue_all([NewWrite("counters", "update", {"id": n, "n": -n}, ["id"]) for n in range(50)])
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM counters WHERE id = 37 FOR UPDATE")
        report = queue.flush(_apply(url))
    assert (report.applied, report.failed) == (49, 1)
    queue.retry()
    queue.flush(_apply(url))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM counters WHERE n = -id").fetchone() == (50,)


def test_two_flushes_at_once_of_two_copies_apply_each_write_once(url: str, queue: WriteQueue, tmp_path: Path) -> None:
    """As where a lease ran out while its holder was only slow."""
    from reconcile_assets_tests.queue_samples import copy_files

    with WriteQueue(copy_files(queue.path, tmp_path / "copy")) as other:
        assert queue.flush(_apply(url)) == FlushReport(applied=150)
        assert other.flush(_apply(url)) == FlushReport(applied=150)
    assert _count(url) == (150, 150)
