"""How fast the write queue takes writes durably, verifies its file, and is flushed into PostgreSQL."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from reconcile_assets.databases import open_database
from reconcile_assets.engine.applying import DatabaseApply
from reconcile_assets.resilience import CircuitBreaker, MemoryBreakers, NewWrite, QueueLimits, WriteQueue
from reconcile_assets_tests.benchmarks.timing import tell

WRITES = 1000
MANY = 10_000
TABLE = "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)"

pytestmark = pytest.mark.timeout(900)


def test_speed_of_the_write_queue(
    tmp_path: Path, service_postgres_urls: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, url = tmp_path / "queue.db", service_postgres_urls("queue")
    with psycopg.connect(url) as connection:
        connection.execute(TABLE)
    bare = _measure_disk(tmp_path / "bare")
    apply = DatabaseApply(open_database(url, name="target"), CircuitBreaker("target", MemoryBreakers()))
    with WriteQueue(path, QueueLimits(capacity=2 * MANY, warn_at=2 * MANY)) as queue:
        begun, cpu = time.perf_counter(), time.process_time()
        for number in range(WRITES):
            queue.enqueue("payments", "upsert", _record(number), key=["id"])
        taken, cpu = time.perf_counter() - begun, time.process_time() - cpu
        begun = time.perf_counter()
        report = queue.flush(apply)
        flushed = time.perf_counter() - begun
        assert report.applied == WRITES
        queue.enqueue_all([NewWrite("payments", "upsert", _record(number), ["id"]) for number in range(MANY)])
        opened = _measure_opening(path)
        begun = time.perf_counter()
        assert queue.flush(apply).applied == MANY
        many = time.perf_counter() - begun
    tell(
        capsys,
        "Write queue",
        [
            f"an append that waits for the disk    {1 / bare:9,.0f} a second",
            f"durable enqueues, one at a time      {WRITES / taken:9,.0f} a second (at least 1,000);"
            f" {cpu / WRITES * 1e3:.2f} ms of CPU each",
            f"1,000 writes flushed into PostgreSQL {flushed:9.2f} s (at most 10)",
            f"10,000 writes flushed                {many:9.2f} s",
            f"a file of 10,000 writes verified     {opened:9.3f} s",
        ],
    )


def _record(number: int) -> dict[str, object]:
    return {"id": number, "amount": f"{number}.25", "note": f"payment {number} " + "x" * 60}


def _measure_disk(path: Path) -> float:
    """Seconds for what no durable write is faster than."""
    number = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        begun = time.perf_counter()
        for _ in range(WRITES):
            os.write(number, b"x" * 4096)
            os.fdatasync(number)
        return (time.perf_counter() - begun) / WRITES
    finally:
        os.close(number)


def _measure_opening(path: Path) -> float:
    begun = time.perf_counter()
    WriteQueue(path).close()
    return time.perf_counter() - begun
