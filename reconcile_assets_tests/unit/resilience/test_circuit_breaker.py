"""One breaker around calls that succeed, fail, and are cut short."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from reconcile_assets.core.breakers import BreakerPolicy, BreakerRecord, BreakerState
from reconcile_assets.errors import (
    AuthenticationFailed,
    CircuitOpen,
    ConfigurationError,
    DatabaseUnavailable,
    SerializationConflict,
    StatementTimeout,
)
from reconcile_assets.resilience import CircuitBreaker, MemoryBreakers, StandbyBreakers
from reconcile_assets.resilience.breaker_stores import Change

POLICY = BreakerPolicy(failures=2, cooldown=30, jitter=0)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryBreakers:
    return MemoryBreakers(clock)


@pytest.fixture
def breaker(store: MemoryBreakers) -> CircuitBreaker:
    return CircuitBreaker("target", store, POLICY)


def raising(error: BaseException) -> object:
    raise error


def fail_with(breaker: CircuitBreaker, error: BaseException, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            breaker.call(lambda: raising(error))


def open_it(breaker: CircuitBreaker) -> None:
    fail_with(breaker, DatabaseUnavailable("target: refused"), 2)


def test_a_call_gives_what_the_function_gives(breaker: CircuitBreaker, store: MemoryBreakers) -> None:
    assert breaker.call(lambda: 5) == 5
    assert store.fetch_breakers() == [], "a success of a closed breaker writes nothing"


def test_an_open_breaker_refuses_without_a_call_and_says_for_how_long(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.pass_by(10)
    called: list[int] = []
    with pytest.raises(CircuitOpen, match="target: its circuit breaker is open, the next probe is in 20 s") as caught:
        breaker.call(lambda: called.append(1))
    assert caught.value.retry_after == 20
    assert called == []
    with pytest.raises(CircuitOpen):
        breaker.check()


def test_after_the_cool_down_one_success_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.pass_by(30)
    breaker.check()
    assert breaker.call(lambda: 5) == 5
    assert breaker.fetch().state is BreakerState.CLOSED


def test_of_twenty_threads_one_probes(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.pass_by(30)
    called, refused = [], []
    all_tried = threading.Barrier(21)
    answer = threading.Event()

    def probe() -> None:
        called.append(1)
        answer.wait(10)

    def work() -> None:
        all_tried.wait()
        try:
            breaker.call(probe)
        except CircuitOpen as error:
            refused.append(str(error))
            if len(refused) == 19:
                answer.set()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    all_tried.wait()
    for thread in threads:
        thread.join()
    assert (len(called), len(refused)) == (1, 19)
    assert all("a probe is under way" in text for text in refused)


@pytest.mark.parametrize("error", [SerializationConflict("deadlock"), StatementTimeout("slow")])
def test_trouble_of_a_statement_counts_for_nothing_and_closes_after_a_probe(
    breaker: CircuitBreaker, clock: Clock, error: Exception
) -> None:
    fail_with(breaker, error, 5)
    assert breaker.fetch() == BreakerRecord("target")
    open_it(breaker)
    clock.pass_by(30)
    fail_with(breaker, error)
    assert breaker.fetch().state is BreakerState.CLOSED


def test_a_permanent_error_does_not_count_and_shows_that_it_answers(breaker: CircuitBreaker, clock: Clock) -> None:
    fail_with(breaker, AuthenticationFailed("target: wrong password"), 5)
    assert breaker.fetch().state is BreakerState.CLOSED
    open_it(breaker)
    clock.pass_by(30)
    fail_with(breaker, AuthenticationFailed("target: wrong password"))
    assert breaker.fetch().state is BreakerState.CLOSED


@pytest.mark.parametrize("error", [ConfigurationError("no URL"), KeyboardInterrupt(), ValueError("a bug")])
def test_a_probe_that_never_reached_it_leaves_its_place_to_the_next(
    breaker: CircuitBreaker, clock: Clock, error: BaseException
) -> None:
    open_it(breaker)
    clock.pass_by(30)
    fail_with(breaker, error)
    record = breaker.fetch()
    assert (record.state, record.owner) == (BreakerState.HALF_OPEN, None)
    assert breaker.call(lambda: 5) == 5
    assert breaker.fetch().state is BreakerState.CLOSED


def test_a_slow_call_begun_before_the_opening_does_not_close_it(breaker: CircuitBreaker, clock: Clock) -> None:
    with breaker.guard():
        open_it(breaker)
        clock.pass_by(31)
    assert breaker.fetch().state is BreakerState.OPEN


def test_a_person_resets_it(breaker: CircuitBreaker) -> None:
    open_it(breaker)
    assert breaker.reset().state is BreakerState.CLOSED
    assert breaker.call(lambda: 5) == 5


def test_changes_of_state_are_logged_with_the_reason(
    breaker: CircuitBreaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        open_it(breaker)
        clock.pass_by(30)
        breaker.call(lambda: 5)
    assert [record.getMessage() for record in caplog.records] == [
        "breaker target is open, was closed: target: refused",
        "breaker target is closed, was half-open",
    ]


def test_each_dependency_has_its_own(store: MemoryBreakers, breaker: CircuitBreaker) -> None:
    open_it(breaker)
    assert CircuitBreaker("source", store, POLICY).call(lambda: 5) == 5
    assert [record.name for record in store.fetch_breakers()] == ["target"]


class AwayStore:
    def fetch_breaker(self, name: str) -> tuple[BreakerRecord, datetime]:
        raise DatabaseUnavailable("the ledger is away")

    def change_breaker(self, name: str, change: Change) -> BreakerRecord:
        raise DatabaseUnavailable("the ledger is away")

    def fetch_breakers(self) -> list[BreakerRecord]:
        raise DatabaseUnavailable("the ledger is away")


def test_a_store_that_is_away_is_stood_in_for(store: MemoryBreakers, caplog: pytest.LogCaptureFixture) -> None:
    standby = StandbyBreakers(AwayStore(), store)
    breaker = CircuitBreaker("target", standby, POLICY)
    open_it(breaker)
    with pytest.raises(CircuitOpen):
        breaker.call(lambda: 5)
    assert [record.name for record in standby.fetch_breakers()] == ["target"]
    assert "kept on this machine for now: the ledger is away" in caplog.text
    present = StandbyBreakers(store, MemoryBreakers())
    assert present.fetch_breaker("target")[0].state is BreakerState.OPEN
    assert [record.name for record in present.fetch_breakers()] == ["target"]
