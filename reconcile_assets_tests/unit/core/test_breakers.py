"""What moves a circuit breaker between its states."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.core.breakers import (
    BreakerPolicy,
    BreakerRecord,
    BreakerState,
    Ticket,
    admit,
    fail,
    give_up,
    is_idle,
    reset,
    seconds_to_probe,
    succeed,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = BreakerPolicy(failures=3, cooldown=30, growth=2, longest=100, jitter=0.5, lease=10)
CLOSED = BreakerRecord("target")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def most(low: float, high: float) -> float:
    return high


def least(low: float, high: float) -> float:
    return low


def failed(record: BreakerRecord, times: int = 1, *, at: datetime = NOW) -> BreakerRecord:
    for _ in range(times):
        record = fail(record, POLICY, at, Ticket(record.epoch), reason="refused", draw=least)
    return record


def opened() -> BreakerRecord:
    return failed(CLOSED, 3)


def test_it_opens_with_the_failure_that_reaches_the_threshold_and_not_before() -> None:
    assert failed(CLOSED, 2).state is BreakerState.CLOSED
    record = failed(CLOSED, 3)
    assert (record.state, record.epoch, record.failures, record.reason) == (BreakerState.OPEN, 1, 3, "refused")
    assert record.since == NOW


def test_a_success_between_begins_the_count_anew() -> None:
    record = succeed(failed(CLOSED, 2), POLICY, NOW, Ticket(0))
    assert record.failures == 0
    assert failed(record, 2).state is BreakerState.CLOSED


def test_the_cool_down_is_lengthened_by_chance_up_to_the_jitter() -> None:
    record = failed(CLOSED, 2)
    assert fail(record, POLICY, NOW, Ticket(0), reason="", draw=most).probe_at == later(45)
    assert fail(record, POLICY, NOW, Ticket(0), reason="", draw=least).probe_at == later(30)


def test_while_it_is_open_nobody_passes_and_after_the_cool_down_one_does() -> None:
    record = opened()
    refused, ticket = admit(record, POLICY, later(29.9), "a")
    assert ticket is None
    assert refused == record
    probing, ticket = admit(record, POLICY, later(30), "a")
    assert ticket == Ticket(1, "a")
    assert (probing.state, probing.lease_until) == (BreakerState.HALF_OPEN, later(40))
    assert admit(probing, POLICY, later(39.9), "b") == (probing, None)


def test_a_probe_that_was_taken_for_dead_is_followed_by_another_and_tells_nothing_any_more() -> None:
    probing, first = admit(opened(), POLICY, later(30), "a")
    again, second = admit(probing, POLICY, later(40), "b")
    assert second == Ticket(1, "b")
    assert again.since == later(30)
    assert first is not None
    assert succeed(again, POLICY, later(41), first) == again
    assert fail(again, POLICY, later(41), first, reason="late", draw=least) == again
    assert give_up(again, first) == again


def test_a_probe_that_succeeds_closes_and_forgets() -> None:
    probing, ticket = admit(opened(), POLICY, later(30), "a")
    assert ticket is not None
    assert succeed(probing, POLICY, later(31), ticket) == BreakerRecord("target", since=later(31), epoch=1)


def test_a_probe_that_fails_opens_for_longer_up_to_the_cap() -> None:
    record, at = opened(), 0.0
    waits = []
    for _ in range(3):
        assert record.probe_at is not None
        at = (record.probe_at - NOW).total_seconds()
        probing, ticket = admit(record, POLICY, later(at), "a")
        assert ticket is not None
        record = fail(probing, POLICY, later(at), ticket, reason="still", draw=least)
        assert record.probe_at is not None
        waits.append((record.probe_at - later(at)).total_seconds())
    assert waits == [60, 100, 100]
    assert (record.state, record.epoch, record.failures) == (BreakerState.OPEN, 4, 6)


def test_a_probe_without_an_answer_leaves_its_place_to_the_next() -> None:
    probing, ticket = admit(opened(), POLICY, later(30), "a")
    assert ticket is not None
    free = give_up(probing, ticket)
    assert admit(free, POLICY, later(30), "b")[1] == Ticket(1, "b")


@pytest.mark.parametrize("outcome", ["succeeds", "fails"])
def test_a_call_begun_before_the_opening_moves_nothing(outcome: str) -> None:
    record, old = opened(), Ticket(0)
    after = (
        succeed(record, POLICY, NOW, old)
        if outcome == "succeeds"
        else fail(record, POLICY, NOW, old, reason="", draw=least)
    )
    assert after == record


def test_a_call_that_is_no_probe_moves_nothing_in_half_open() -> None:
    probing, _ = admit(opened(), POLICY, later(30), "a")
    assert succeed(probing, POLICY, later(31), Ticket(1)) == probing
    assert fail(probing, POLICY, later(31), Ticket(1), reason="", draw=least) == probing


def test_a_clock_set_back_does_not_keep_it_open_for_hours() -> None:
    record = opened()
    assert seconds_to_probe(record, POLICY, later(-3600)) == 0
    probing, _ = admit(record, POLICY, later(30), "a")
    assert seconds_to_probe(probing, POLICY, later(-3600)) == 0
    assert seconds_to_probe(probing, POLICY, later(35)) == 5
    assert seconds_to_probe(CLOSED, POLICY, NOW) == 0


def test_a_person_closes_it_and_calls_under_way_count_no_longer() -> None:
    record = reset(opened(), later(5))
    assert (record.state, record.since, record.epoch, record.failures) == (BreakerState.CLOSED, later(5), 2, 0)
    assert fail(record, POLICY, later(6), Ticket(1), reason="", draw=least) == record


def test_only_a_closed_one_without_failures_needs_no_writing() -> None:
    assert is_idle(CLOSED, POLICY)
    assert not is_idle(failed(CLOSED), POLICY)
    assert not is_idle(opened(), POLICY)
    assert not is_idle(CLOSED, BreakerPolicy(rate=0.5))


def test_a_share_of_failures_opens_it_once_enough_calls_were_counted() -> None:
    policy = BreakerPolicy(failures=100, rate=0.5, window=60, least_calls=4)
    record = CLOSED
    for outcome in ("ok", "no", "ok"):
        if outcome == "ok":
            record = succeed(record, policy, NOW, Ticket(0))
        else:
            record = fail(record, policy, NOW, Ticket(0), reason="", draw=least)
        assert record.state is BreakerState.CLOSED
    assert (record.window_calls, record.window_failures) == (3, 1)
    assert fail(record, policy, NOW, Ticket(0), reason="", draw=least).state is BreakerState.OPEN
    anew = fail(record, policy, later(60), Ticket(0), reason="", draw=least)
    assert (anew.state, anew.window_calls, anew.window_failures) == (BreakerState.CLOSED, 1, 1)
    back = fail(record, policy, later(-1), Ticket(0), reason="", draw=least)
    assert (back.window_start, back.window_calls) == (later(-1), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"failures": 0},
        {"rate": 0.0},
        {"rate": 1.1},
        {"cooldown": 0},
        {"growth": 0.5},
        {"longest": 1},
        {"lease": 0},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"not |at least"):
        BreakerPolicy(**wrong)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(["begin", "ok", "fail", "lost"]), st.floats(0, 50)), max_size=60))
def test_in_any_course_at_most_one_call_is_under_way_while_it_is_not_closed(course: list[tuple[str, float]]) -> None:
    """Calls that begin, succeed, fail or are never heard of again, in any order and at any pace."""
    record, at, started = CLOSED, 0.0, []
    for number, (step, pause) in enumerate(course):
        at += pause
        now = later(at)
        if step == "begin":
            record, ticket = admit(record, POLICY, now, str(number))
            if ticket is not None:
                started.append(ticket)
                assert record.state is not BreakerState.OPEN
        elif started:
            ticket = started.pop(0)
            if step == "ok":
                record = succeed(record, POLICY, now, ticket)
            elif step == "fail":
                record = fail(record, POLICY, now, ticket, reason="", draw=least)
        probes = [each for each in started if each.owner is not None and each.owner == record.owner]
        assert len(probes) <= 1
        assert record.state is not BreakerState.CLOSED or record.failures < POLICY.failures
