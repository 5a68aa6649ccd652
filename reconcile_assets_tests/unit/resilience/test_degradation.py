"""The live answer, the last known one, the fallback: and that each says which it is."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reconcile_assets.errors import CircuitOpen, ConfigurationError, DatabaseUnavailable
from reconcile_assets.resilience import AnswerCache, AnswerSource, with_degradation

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def away() -> dict[str, int]:
    raise DatabaseUnavailable("target: refused")


def at(seconds: float) -> Callable[[], datetime]:
    return lambda: START + timedelta(seconds=seconds)


@pytest.fixture
def cache(tmp_path: Path) -> AnswerCache:
    return AnswerCache(tmp_path / "state" / "answers.db")


def test_a_live_answer_is_given_and_kept(cache: AnswerCache) -> None:
    answer = with_degradation("gaps", lambda: {"missing": 3}, {}, cache=cache, clock=at(0))
    assert (answer.data, answer.source, answer.degraded) == ({"missing": 3}, AnswerSource.LIVE, False)
    assert (answer.banner, answer.reason, answer.age) == ("", "", None)
    assert cache.fetch("gaps") == ({"missing": 3}, START)


def test_a_cache_of_90_seconds_serves_then_expires_and_the_fallback_does(cache: AnswerCache, tmp_path: Path) -> None:
    with_degradation("gaps", lambda: {"missing": 3}, {}, cache=cache, clock=at(0))
    other = AnswerCache(tmp_path / "state" / "answers.db")  # another process
    answer = with_degradation("gaps", away, {}, cache=other, clock=at(90))
    assert answer.to_dict() == {
        "data": {"missing": 3},
        "degraded": True,
        "source": "cache",
        "cached_at": "2026-01-01T12:00:00+00:00",
        "age": 90.0,
    }
    assert answer.reason == "target: refused"
    assert answer.banner == "Some data may be stale, last updated 2026-01-01 12:00:00 UTC"
    at_the_end = with_degradation("gaps", away, {}, cache=cache, clock=at(300))
    assert at_the_end.source is AnswerSource.CACHE
    later = with_degradation("gaps", away, lambda: {"missing": -1}, cache=cache, clock=at(300.1))
    assert (later.data, later.source, later.age, later.cached_at) == (
        {"missing": -1},
        AnswerSource.FALLBACK,
        None,
        None,
    )
    assert "cannot be reached" in later.banner


@pytest.mark.parametrize("live", [away, lambda: None])
def test_none_is_no_answer_like_an_error(cache: AnswerCache, live: Callable[[], dict[str, int] | None]) -> None:
    answer = with_degradation("gaps", live, {"missing": 0}, cache=cache)
    assert (answer.data, answer.source) == ({"missing": 0}, AnswerSource.FALLBACK)


def test_an_open_breaker_is_an_outage_and_a_bug_is_not(cache: AnswerCache) -> None:
    def refuse() -> int:
        raise CircuitOpen("target: open", retry_after=3)

    def bug() -> int:
        return 1 // 0

    assert with_degradation("a", refuse, 7, cache=cache).data == 7
    with pytest.raises(ZeroDivisionError):
        with_degradation("a", bug, 7, cache=cache)


def test_what_is_false_is_an_answer(cache: AnswerCache) -> None:
    assert with_degradation("a", lambda: 0, 7, cache=cache).source is AnswerSource.LIVE
    assert with_degradation("b", lambda: [], [7], cache=cache).data == []


def test_values_keep_their_types(cache: AnswerCache) -> None:
    data = {"at": START, "sum": Decimal("1.10"), "n": 2**60}
    with_degradation("a", lambda: data, {}, cache=cache, clock=at(0))
    assert with_degradation("a", lambda: None, {}, cache=cache, clock=at(1)).data == data
    with pytest.raises(TypeError, match="no exact form"):
        with_degradation("a", lambda: object(), object(), cache=cache)


def test_an_answer_from_the_future_is_not_trusted(cache: AnswerCache) -> None:
    with_degradation("a", lambda: 1, 7, cache=cache, clock=at(1000))
    assert with_degradation("a", lambda: None, 7, cache=cache, clock=at(0)).source is AnswerSource.FALLBACK


def test_a_damaged_cache_is_put_aside_and_a_new_one_serves(
    cache: AnswerCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state" / "answers.db"
    with_degradation("a", lambda: 1, 7, cache=cache)
    path.write_bytes(b"no database at all, but longer than a header of SQLite " * 40)
    assert with_degradation("a", lambda: None, 7, cache=cache).data == 7
    assert "it is put aside as answers.db.damaged" in caplog.text
    assert with_degradation("a", lambda: 2, 7, cache=cache).data == 2
    assert with_degradation("a", lambda: None, 7, cache=cache).data == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_is_private_and_a_bad_place_is_told(cache: AnswerCache, tmp_path: Path) -> None:
    path = tmp_path / "state" / "answers.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError, match="cannot be made"):
        AnswerCache(path / "below a file" / "answers.db")
