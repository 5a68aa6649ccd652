"""Trying again: what is tried, how long is waited, and when it ends."""

import logging
from collections.abc import Callable

import pytest

from reconcile_assets.errors import CircuitOpen, ConnectionLost, PermissionDenied, UnknownOutcome
from reconcile_assets.resilience.retry import RetryPolicy, retry_call, retrying


class Asked(ConnectionLost):
    """A server that says when to come back."""

    retry_after = 7.0


def most(low: float, high: float) -> float:
    return high


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = [times]

    def call() -> str:
        if left[0] == 0:
            return "done"
        left[0] -= 1
        raise error

    return call


def pauses_of(call: Callable[[], str], policy: RetryPolicy) -> list[float]:
    pauses: list[float] = []
    assert retry_call(call, policy, sleep=pauses.append, draw=most) == "done"
    return pauses


def test_pauses_are_drawn_from_zero_to_a_bound_that_doubles_up_to_a_cap() -> None:
    policy = RetryPolicy(tries=6, total=1000, first=0.5, longest=3)
    assert pauses_of(failing(5, ConnectionLost("cut")), policy) == [0.5, 1, 2, 3, 3]
    drawn: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return 0.0

    retry_call(failing(2, ConnectionLost("cut")), policy, sleep=lambda seconds: None, draw=draw)
    assert set(drawn) == {(0.0, 0.5), (0.0, 1.0)}


def test_the_last_error_is_raised_when_the_tries_are_used_up() -> None:
    with pytest.raises(ConnectionLost, match="cut"):
        retry_call(failing(3, ConnectionLost("cut")), RetryPolicy(tries=3), sleep=lambda seconds: None)


def test_no_try_begins_after_the_total_time() -> None:
    tried: list[int] = []

    def call() -> str:
        tried.append(1)
        raise ConnectionLost("cut")

    with pytest.raises(ConnectionLost):
        retry_call(call, RetryPolicy(tries=50, total=2, first=5), sleep=lambda seconds: None, draw=most)
    assert len(tried) == 1


@pytest.mark.parametrize(
    "error", [PermissionDenied("no"), CircuitOpen("open", retry_after=30), UnknownOutcome("lost"), ValueError("bug")]
)
def test_what_cannot_pass_by_itself_is_raised_at_once(error: Exception) -> None:
    pauses: list[float] = []
    with pytest.raises(type(error)):
        retry_call(failing(1, error), sleep=pauses.append)
    assert pauses == []


def test_a_server_that_says_when_is_waited_for() -> None:
    assert pauses_of(failing(1, Asked("busy")), RetryPolicy(first=0.5)) == [7.0]
    with pytest.raises(Asked):
        retry_call(failing(1, Asked("busy")), RetryPolicy(total=5), sleep=lambda seconds: None)


def test_each_pause_is_logged_with_reason_try_and_delay(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        retrying(RetryPolicy(first=1), sleep=lambda seconds: None, draw=most, extra={"table": "orders"})(
            failing(1, ConnectionLost("target: cut"))
        )
    (record,) = caplog.records
    assert record.getMessage() == "try 1 failed, trying again in 1.00 s: target: cut"
    assert record.__dict__["table"] == "orders"


@pytest.mark.parametrize("wrong", [{"tries": 0}, {"total": -1}, {"first": -0.1}, {"longest": float("nan")}])
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
