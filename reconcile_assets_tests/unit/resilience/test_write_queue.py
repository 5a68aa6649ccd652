"""The write queue: everything that was acknowledged is applied once, in order, or a person decides on it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconcile_assets.errors import (
    AuthenticationFailed,
    CircuitOpen,
    ConfigurationError,
    ConnectionLost,
    ConstraintRefused,
    DatabaseUnavailable,
    MissingObject,
    QueueFull,
    ReconcileAssetsError,
    SerializationConflict,
    StatementTimeout,
    UnknownOutcome,
)
from reconcile_assets.resilience import (
    FlushReport,
    NewsKind,
    NewWrite,
    QueuedWrite,
    QueueLimits,
    QueueNews,
    WriteQueue,
    WriteState,
)
from reconcile_assets_tests.queue_samples import NOON, Clock, Refuser, no_pause, read_files


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Iterator[WriteQueue]:
    with WriteQueue(tmp_path / "queue.db", clock=clock, draw=no_pause) as made:
        yield made


def _put(queue: WriteQueue, *numbers: int, **more: Any) -> list[str]:
    return [queue.enqueue("t", "upsert", {"id": number, "v": "secret"}, key=["id"], **more) for number in numbers]


def _put_all(queue: WriteQueue, numbers: Iterable[int]) -> None:
    """At once: one wait for the disk."""
    queue.enqueue_all([NewWrite("t", "upsert", {"id": number, "v": "secret"}, ["id"]) for number in numbers])


def _waiting(queue: WriteQueue) -> list[int]:
    return [write.record["id"] for write in queue.fetch(WriteState.WAITING)]


def _dead(queue: WriteQueue) -> list[int]:
    return [write.record["id"] for write in queue.fetch(WriteState.DEAD)]


# ---- taking ----


def test_what_was_taken_comes_back_exactly_and_is_numbered_without_gaps(queue: WriteQueue) -> None:
    record = {
        "id": Decimal("1.10"),
        "at": datetime(2024, 1, 1, tzinfo=UTC),
        "raw": b"\x00\xff",
        "none": None,
        "\u00e9": "\U0001f600",
    }
    key = queue.enqueue("app.pay ments", "insert", record, key=["id"])
    queue.enqueue("t", "delete", {"id": 2, "v": "not kept"}, key=["id"], idempotency_key="two", depends_on=[key])

    one, two = queue.fetch(WriteState.WAITING)
    assert (one.sequence, one.table, one.operation, one.record, one.key) == (
        1,
        "app.pay ments",
        "insert",
        record,
        {"id": Decimal("1.10")},
    )
    assert (one.idempotency_key, one.queued_at, one.tries, one.history) == (key, NOON, 0, ())
    assert len(key) == 32
    assert (two.sequence, two.record, two.idempotency_key, two.depends_on) == (2, {"id": 2}, "two", (key,))
    assert queue.counts().waiting == 2
    assert queue.counts().oldest == NOON


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewWrite("t", "merge", {"id": 1}, ["id"]), "no operation is 'merge'; write one of insert, update, upsert"),
        (NewWrite("t", "insert", {"id": 1}, []), "no column is named"),
        (NewWrite("t", "insert", {"v": 1}, ["id"]), "no value for id"),
        (NewWrite("t", "delete", {"id": None, "b": None}, ["id", "b"]), "no value for id, b"),
        (NewWrite("t", "insert", {"id": 1, "v": object()}, ["id"]), "column v: a value of type object has no"),
        (NewWrite("t", "insert", {"id": 1, "v": 10**5000}, ["id"]), "a value is too large or too deep"),
        (NewWrite("", "insert", {"id": 1}, ["id"]), "printable characters, not ''"),
        (NewWrite("t\n", "insert", {"id": 1}, ["id"]), "printable characters"),
        (NewWrite("t", "insert", {"id": 1}, ["id"], ""), "1 to 200 printable characters"),
        (NewWrite("t", "insert", {"id": 1}, ["id"], "k" * 201), "1 to 200 printable characters"),
        (NewWrite("t", "insert", {"id": 1}, ["id"], "\ud800"), "1 to 200 printable characters"),
        (NewWrite("t", "insert", {"id": 1}, ["id"], "k", [""]), "1 to 200 printable characters"),
    ],
)  # fmt: skip
def test_what_could_never_be_applied_is_refused_at_once(queue: WriteQueue, new: NewWrite, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        queue.enqueue_all([NewWrite("t", "insert", {"id": 0}, ["id"]), new])
    assert queue.counts().waiting == 0  # all of them or none


def test_a_single_name_is_a_name(queue: WriteQueue) -> None:
    queue.enqueue("t", "insert", {"number": 1}, key="number", depends_on="other")

    (write,) = queue.fetch(WriteState.WAITING)
    assert (write.key_columns, write.depends_on) == (("number",), ("other",))


def test_the_same_write_handed_in_twice_is_kept_once(queue: WriteQueue) -> None:
    for _ in range(3):
        assert _put(queue, 1, idempotency_key="one") == ["one"]
    assert queue.enqueue_all([NewWrite("t", "insert", {"id": 2}, ["id"], "two")] * 2) == ["two", "two"]

    assert _waiting(queue) == [1, 2]


@pytest.mark.parametrize("other", [("u", "upsert", 1), ("t", "insert", 1), ("t", "upsert", 1.0), ("t", "upsert", 2)])
def test_an_idempotency_key_stands_for_one_write(queue: WriteQueue, other: tuple[str, str, float]) -> None:
    queue.enqueue("t", "upsert", {"id": 1}, key=["id"], idempotency_key="one")

    with pytest.raises(ConfigurationError, match="stands for another write"):
        queue.enqueue(other[0], other[1], {"id": other[2]}, key=["id"], idempotency_key="one")


def test_an_idempotency_key_of_a_dead_letter_stands_for_it(queue: WriteQueue) -> None:
    queue.limits = QueueLimits(max_tries=1)
    _put(queue, 1, idempotency_key="one")
    queue.flush(Refuser(1))

    assert _put(queue, 1, idempotency_key="one") == ["one"]
    assert (queue.counts().waiting, queue.counts().dead) == (0, 1)


# ---- a long and a full queue ----


def test_a_database_down_and_1001_records(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    news: list[QueueNews] = []
    applied = Refuser()
    with WriteQueue(tmp_path / "queue.db", on_news=news.append) as queue:
        _put_all(queue, range(99))
        _put(queue, 99, 100)
        _put_all(queue, range(101, 999))
        _put(queue, 999)
        assert [(each.kind, each.waiting) for each in news] == [(NewsKind.LONG, 100)]
        assert queue.flush(_unavailable).stopped == "target: the server refused the connection"

        for _ in range(3):
            with pytest.raises(QueueFull, match="1000 writes wait, as many as may, and this one was not taken"):
                _put(queue, 1000)
        assert [each.kind for each in news] == [NewsKind.LONG, NewsKind.FULL]
        assert (news[1].waiting, news[1].capacity) == (1000, 1000)
        (first,) = queue.fetch(WriteState.WAITING, limit=1)
        _put(queue, 0, idempotency_key=first.idempotency_key)  # it is in the queue already

        assert queue.flush(applied) == FlushReport(applied=1000)
        assert queue.counts().waiting == 0
    assert applied.ids == list(range(1000))
    assert [each.kind for each in news] == [NewsKind.LONG, NewsKind.FULL, NewsKind.ROOM]
    assert [record.levelno for record in caplog.records if "changes wait" in record.message] == [logging.WARNING]
    assert {record.levelno for record in caplog.records if "is full" in record.message} == {logging.CRITICAL}


def _unavailable(writes: Sequence[QueuedWrite]) -> None:
    raise DatabaseUnavailable("target: the server refused the connection")


def test_the_warning_comes_again_once_the_queue_was_short(tmp_path: Path) -> None:
    news: list[QueueNews] = []
    limits = QueueLimits(capacity=20, warn_at=10)
    with WriteQueue(tmp_path / "queue.db", limits, on_news=news.append, draw=no_pause) as queue:
        _put(queue, *range(15))
        queue.flush(Refuser(*range(4, 15)))  # 11 are left
        _put(queue, 20)
        assert len(news) == 1
        queue.flush(Refuser(*range(10, 15)))
        _put(queue, *range(30, 36))
        assert [each.waiting for each in news] == [10, 10]


def test_all_of_several_writes_are_taken_or_none(tmp_path: Path) -> None:
    with WriteQueue(tmp_path / "queue.db", QueueLimits(capacity=3)) as queue:
        _put(queue, 1, 2)
        with pytest.raises(QueueFull):
            queue.enqueue_all([NewWrite("t", "insert", {"id": number}, ["id"]) for number in (3, 4)])
        assert _waiting(queue) == [1, 2]
        _put(queue, 3)


def test_news_that_could_not_be_told_is_told_later_by_anyone(tmp_path: Path) -> None:
    def fail(news: QueueNews) -> None:
        raise DatabaseUnavailable("the ledger is away")

    told: list[QueueNews] = []
    path, limits = tmp_path / "queue.db", QueueLimits(capacity=2)
    with WriteQueue(path, limits, on_news=fail) as queue:
        _put(queue, 1, 2)
        with pytest.raises(QueueFull):
            _put(queue, 3)
    with WriteQueue(path, limits) as silent:
        silent.tell_news()
    with WriteQueue(path, limits, on_news=told.append) as other:
        other.tell_news()
        other.tell_news()
        assert [each.kind for each in told] == [NewsKind.FULL]
        other.flush(Refuser())
    assert [each.kind for each in told] == [NewsKind.FULL, NewsKind.ROOM]
    assert len({each.news_id for each in told}) == 2


def test_limits_below_one_are_refused() -> None:
    for name in ("capacity", "warn_at", "max_tries", "lease"):
        with pytest.raises(ConfigurationError, match=f"queue: {name} is above 0, not 0"):
            QueueLimits(**{name: 0})


# ---- flushing ----


def test_writes_go_in_the_order_of_arrival_across_tables(queue: WriteQueue) -> None:
    queue.enqueue_all([NewWrite(f"t{number % 3}", "upsert", {"id": number}, ["id"]) for number in range(250)])
    applied = Refuser()

    assert queue.flush(applied) == FlushReport(applied=250)
    assert applied.ids == list(range(250))
    assert [len(call) for call in applied.calls] == [100, 100, 50]
    assert queue.counts().waiting == 0


def test_an_empty_queue_is_flushed_at_once(queue: WriteQueue) -> None:
    assert queue.flush(_unavailable) == FlushReport()


def test_a_record_that_always_fails_is_tried_10_times_while_others_flow(queue: WriteQueue, clock: Clock) -> None:
    _put(queue, 1, 2, 3, 2)  # the later one of row 2 waits for the earlier
    apply = Refuser(2)
    reports = []
    for _ in range(12):
        reports.append(queue.flush(apply))
        clock.go(3600)
        _put(queue, 10 + len(reports))

    assert [report.failed for report in reports] == [1] * 10 + [0] * 2
    assert [report.buried for report in reports] == [0] * 9 + [1] + [0] * 2
    assert reports[0].applied == 2
    assert apply.ids == [1, 3, *range(11, 22)]
    (letter,) = queue.fetch(WriteState.DEAD)
    assert (letter.record["id"], letter.tries, len(letter.history)) == (2, 10, 10)
    assert letter.last_error == "a constraint refused 1 of the rows"
    assert [failure.at for failure in letter.history] == [
        NOON.replace(hour=(12 + n) % 24, day=1 + (12 + n) // 24) for n in range(10)
    ]
    assert _waiting(queue) == [2, 22]
    alone = [call for call in apply.calls if 2 in call and len(call) == 1]
    assert len(alone) == 10  # after its first failure it takes nobody with it


def test_a_failing_write_is_found_among_a_hundred(queue: WriteQueue) -> None:
    _put_all(queue, range(100))
    apply = Refuser(37, 61)

    assert queue.flush(apply) == FlushReport(applied=98, failed=2)
    assert apply.ids == [number for number in range(100) if number not in (37, 61)]
    assert len(apply.calls) < 30


def test_dependants_of_a_failing_write_wait_and_nobody_else(queue: WriteQueue, clock: Clock) -> None:
    (one,) = _put(queue, 1)
    (two,) = _put(queue, 2, depends_on=[one])
    _put(queue, 3, depends_on=[two])
    _put(queue, 4, 3)
    apply = Refuser(1)

    queue.flush(apply)
    assert apply.ids == [4]
    clock.go(3600)
    queue.flush(Refuser())
    assert _waiting(queue) == []


def test_a_pause_follows_each_failure_and_grows_to_its_cap(tmp_path: Path, clock: Clock) -> None:
    bounds: list[float] = []

    def draw(low: float, high: float) -> float:
        bounds.append(high)
        return high

    with WriteQueue(tmp_path / "queue.db", clock=clock, draw=draw) as queue:
        _put(queue, 1)
        apply = Refuser(1)
        queue.flush(apply)
        queue.flush(apply)
        assert len(apply.calls) == 1  # its pause is not over
        clock.go(-86_400 * 365)
        queue.flush(apply)
        assert len(apply.calls) == 2  # a clock that was set back makes no year of it
        for _ in range(8):
            clock.go(300)
            queue.flush(apply)
    assert bounds == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("away"),
        ConnectionLost("cut"),
        CircuitOpen("open"),
        UnknownOutcome("reply lost"),
        AuthenticationFailed("wrong password"),
        ConfigurationError("no URL"),
    ],
)
def test_an_outage_ends_the_flush_and_counts_as_no_try(queue: WriteQueue, error: ReconcileAssetsError) -> None:
    _put_all(queue, range(150))
    calls = []

    def apply(writes: Sequence[QueuedWrite]) -> None:
        calls.append(len(writes))
        if len(calls) > 1:
            raise error

    for _ in range(15):
        report = queue.flush(apply)
    assert report == FlushReport(stopped=str(error))
    assert len(calls) == 16
    assert {write.tries for write in queue.fetch(WriteState.WAITING)} == {0}
    assert queue.flush(Refuser()) == FlushReport(applied=50)


@pytest.mark.parametrize("kind", [StatementTimeout, SerializationConflict])
def test_a_time_limit_counts_only_while_others_go_through(
    queue: WriteQueue, clock: Clock, kind: type[ReconcileAssetsError]
) -> None:
    def slow(*numbers: int) -> Any:
        def apply(writes: Sequence[QueuedWrite]) -> None:
            if any(write.record["id"] in numbers for write in writes):
                raise kind("too slow")

        return apply

    _put(queue, *range(8))
    report = queue.flush(slow(*range(8)))
    assert (report.failed, report.stopped) == (0, "too slow")  # the database is slow for all
    report = queue.flush(slow(5))
    assert (report.applied, report.failed, report.stopped) == (7, 1, "")
    clock.go(3600)
    assert queue.flush(slow(5)).stopped == "too slow"  # alone, nobody can tell whose fault it is
    assert queue.fetch(WriteState.WAITING)[0].tries == 1


def test_a_bug_in_apply_is_raised_and_its_writes_wait(queue: WriteQueue) -> None:
    _put(queue, 1, 2)

    with pytest.raises(ZeroDivisionError):
        queue.flush(lambda writes: _divide())
    assert _waiting(queue) == [1, 2]
    assert queue.flush(Refuser()) == FlushReport(applied=2)  # the lease was given back


def test_an_applications_own_errors_can_count(queue: WriteQueue) -> None:
    _put(queue, 1, 2)

    def apply(writes: Sequence[QueuedWrite]) -> None:
        if any(write.record["id"] == 1 for write in writes):
            raise KeyError("secret")

    assert queue.flush(apply, counted=(KeyError,)) == FlushReport(applied=1, failed=1)
    assert queue.fetch(WriteState.WAITING)[0].last_error == "KeyError"  # its text may hold values


def _divide() -> None:
    raise ZeroDivisionError


def test_a_flush_ends_when_its_time_is_over(queue: WriteQueue) -> None:
    _put_all(queue, range(300))

    assert queue.flush(Refuser(), seconds=0) == FlushReport(stopped="its time was over")
    assert queue.flush(Refuser(), seconds=60) == FlushReport(applied=300)


def test_what_arrives_during_a_flush_goes_with_it(queue: WriteQueue) -> None:
    _put(queue, 1)
    applied = Refuser()

    def apply(writes: Sequence[QueuedWrite]) -> None:
        if len(applied.calls) < 3:
            _put(queue, 10 + len(applied.calls))
        applied(writes)

    queue.flush(apply)
    assert applied.ids == [1, 10, 11, 12]


# ---- the lease ----


def test_one_process_flushes_at_a_time_and_a_dead_one_is_taken_over_after_a_minute(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "queue.db"
    with WriteQueue(path, clock=clock) as dead, WriteQueue(path, clock=clock) as other:
        _put(dead, 1)
        assert dead._take_lease("dead")
        assert other.flush(Refuser()) == FlushReport(stopped="another process is flushing")
        clock.go(59.9)
        assert other.flush(Refuser()).stopped == "another process is flushing"
        clock.go(0.1)
        assert other.flush(Refuser()) == FlushReport(applied=1)


def test_a_clock_that_was_set_back_does_not_keep_a_lease_for_ever(tmp_path: Path, clock: Clock) -> None:
    with WriteQueue(tmp_path / "queue.db", clock=clock) as queue:
        _put(queue, 1)
        assert queue._take_lease("dead")
        clock.go(-3600)
        assert queue.flush(Refuser()) == FlushReport(applied=1)


def test_one_that_was_taken_over_settles_nothing_more(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "queue.db"
    slow, other = WriteQueue(path, clock=clock), WriteQueue(path, clock=clock)
    _put(slow, 1, 2)
    by_other = Refuser()

    def stall(writes: Sequence[QueuedWrite]) -> None:
        clock.go(61)
        assert other.flush(by_other) == FlushReport(applied=2)

    assert slow.flush(stall) == FlushReport(stopped="another process has taken over")
    assert by_other.ids == [1, 2]
    assert slow.counts().waiting == 0
    slow.close()
    other.close()


def test_one_that_was_taken_over_buries_nothing_more(tmp_path: Path, clock: Clock) -> None:
    path, limits = tmp_path / "queue.db", QueueLimits(max_tries=1)
    slow, other = WriteQueue(path, limits, clock=clock), WriteQueue(path, limits, clock=clock)
    _put(slow, 1)

    def stall(writes: Sequence[QueuedWrite]) -> None:
        clock.go(61)
        assert other.flush(Refuser()).applied == 1
        raise ConstraintRefused("refused")

    assert slow.flush(stall) == FlushReport(stopped="another process has taken over")
    assert slow.counts().dead == 0
    slow.close()
    other.close()


# ---- dead letters ----


@pytest.fixture
def letters(tmp_path: Path, clock: Clock) -> Iterator[WriteQueue]:
    """Rows 1 and 2 are dead letters; a second write of row 1, and 3, which depends on 2, wait for them; 4 on 3."""
    with WriteQueue(tmp_path / "letters.db", QueueLimits(max_tries=1), clock=clock, draw=no_pause) as queue:
        _, two = _put(queue, 1, 2)
        _put(queue, 1)
        _put(queue, 3, depends_on=[two], idempotency_key="three")
        _put(queue, 4, depends_on=["three"])
        queue.flush(Refuser(1, 2))
        yield queue


def test_retried_letters_go_in_their_old_places(letters: WriteQueue) -> None:
    assert (_dead(letters), _waiting(letters)) == ([1, 2], [1, 3, 4])
    assert letters.retry([1]) == 1
    assert _waiting(letters) == [1, 1, 3, 4]
    assert (letters.fetch(WriteState.WAITING)[0].tries, len(letters.fetch(WriteState.WAITING)[0].history)) == (0, 1)
    applied = Refuser()
    assert letters.flush(applied) == FlushReport(applied=2)
    assert [write.sequence for write in applied.applied] == [1, 3]
    assert letters.retry() == 1
    letters.flush(applied)
    assert applied.ids == [1, 1, 2, 3, 4]
    assert letters.retry() == 0


def test_discarding_a_letter_lets_its_row_go_on_and_makes_letters_of_its_dependants(letters: WriteQueue) -> None:
    assert letters.discard([1, 2]) == 2
    assert (_dead(letters), _waiting(letters)) == ([3, 4], [1])
    errors = [write.last_error for write in letters.fetch(WriteState.DEAD)]
    assert errors[0] == "it depends on write 2, which was discarded; retry it, or discard it too"
    assert errors[1] == "it depends on a write that does, which was discarded; retry it, or discard it too"
    applied = Refuser()
    letters.flush(applied)
    letters.retry()
    letters.flush(applied)
    assert applied.ids == [1, 3, 4]


@pytest.mark.parametrize("numbers", [[3], [99], [1, 99]])
def test_only_dead_letters_are_retried_or_discarded(letters: WriteQueue, numbers: list[int]) -> None:
    for act in (letters.retry, letters.discard):
        with pytest.raises(MissingObject, match=f"has no dead letter {numbers[-1]}; see queue list"):
            act(numbers)
    assert (_dead(letters), _waiting(letters)) == ([1, 2], [1, 3, 4])


def test_discarding_names_what_it_discards(letters: WriteQueue) -> None:
    with pytest.raises(ConfigurationError, match="name the dead letters to discard"):
        letters.discard([])


def test_a_settled_write_leaves_no_values_behind(queue: WriteQueue) -> None:
    _put(queue, 1, 2)
    assert any(b"secret" in data for data in read_files(queue.path).values() if data)
    queue.flush(Refuser())
    queue.close()

    assert not any(b"secret" in data for data in read_files(queue.path).values() if data)


def test_no_error_or_log_line_shows_a_value(queue: WriteQueue, caplog: pytest.LogCaptureFixture) -> None:
    queue.limits = QueueLimits(max_tries=1)
    caplog.set_level(logging.DEBUG)
    _put(queue, 1, idempotency_key="one")
    queue.flush(Refuser(1))
    with pytest.raises(ConfigurationError) as refused:
        queue.enqueue("t", "insert", {"id": 1, "v": "secret other"}, key=["id"], idempotency_key="one")

    assert "secret" not in caplog.text + str(refused.value)
    assert "write 1 failed, try 1 of 1, now a dead letter" in caplog.text
