"""Partitions of a range: their keys, their edges, and the days on which the clock is changed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from reconcile_assets.core.windows import Every, Partition, PartitionScheme, contiguous_ranges
from reconcile_assets.errors import ConfigurationError

NEW_YORK = "America/New_York"
LATE = datetime(2100, 1, 1, tzinfo=UTC)


def scheme(
    by: Every = Every.DAY,
    start: datetime = datetime(2013, 1, 1),
    end: datetime | None = datetime(2014, 1, 1),
    timezone: str = "UTC",
) -> PartitionScheme:
    return PartitionScheme("at", by, start, end, timezone)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def keys(partitions: tuple[Partition, ...]) -> list[str]:
    return [partition.key for partition in partitions]


def test_a_year_of_days_has_365_partitions_named_by_their_date() -> None:
    found = scheme().partitions(LATE)
    assert len(found) == 365
    assert (found[0].key, found[-1].key) == ("2013-01-01", "2013-12-31")


def test_the_end_is_outside() -> None:
    found = scheme(end=datetime(2013, 1, 3)).partitions(LATE)
    assert keys(found) == ["2013-01-01", "2013-01-02"]
    assert found[-1].end == datetime(2013, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("by", "start", "end", "expected"),
    [
        (Every.HOUR, datetime(2013, 1, 1, 23), datetime(2013, 1, 2, 1), ["2013-01-01-23:00", "2013-01-02-00:00"]),
        (Every.DAY, datetime(2013, 1, 1, 5), datetime(2013, 1, 3, 12), ["2013-01-02"]),
        (Every.WEEK, datetime(2013, 1, 1), datetime(2013, 1, 20), ["2013-01-06", "2013-01-13"]),
        (Every.WEEK, datetime(2013, 1, 6), datetime(2013, 1, 13), ["2013-01-06"]),
        (Every.MONTH, datetime(2013, 1, 1), datetime(2013, 3, 31), ["2013-01-01", "2013-02-01"]),
        (Every.MONTH, datetime(2012, 12, 2), datetime(2013, 2, 1), ["2013-01-01"]),
        (Every.HOUR, datetime(2013, 1, 1, 22, 30), datetime(2013, 1, 2), ["2013-01-01-23:00"]),
    ],
)  # fmt: skip
def test_only_whole_windows_between_start_and_end_are_partitions(
    by: Every, start: datetime, end: datetime, expected: list[str]
) -> None:
    assert keys(scheme(by, start, end).partitions(LATE)) == expected


def test_a_window_is_a_partition_from_the_very_moment_it_ends() -> None:
    open_ended = scheme(end=None, timezone=NEW_YORK)
    midnight = instant("2013-01-03T00:00-05:00")
    assert keys(open_ended.partitions(midnight)) == ["2013-01-01", "2013-01-02"]
    assert keys(open_ended.partitions(midnight - timedelta(microseconds=1))) == ["2013-01-01"]


def test_before_the_first_window_has_ended_there_is_none() -> None:
    assert scheme().partitions(datetime(2013, 1, 1, 12, tzinfo=UTC)) == ()
    assert scheme().partitions(datetime(1999, 1, 1, tzinfo=UTC)) == ()


def test_a_day_is_23_hours_long_when_summer_time_begins_and_25_when_it_ends() -> None:
    year = scheme(timezone=NEW_YORK)
    assert year.partition("2013-03-10").end - year.partition("2013-03-10").start == timedelta(hours=23)
    assert year.partition("2013-11-03").end - year.partition("2013-11-03").start == timedelta(hours=25)
    assert year.partition("2013-11-04").end - year.partition("2013-11-04").start == timedelta(hours=24)


def test_the_wall_clock_bounds_of_a_day_are_its_midnights_whatever_the_clock_does() -> None:
    day = scheme(timezone=NEW_YORK).partition("2013-11-03")
    assert (day.local_start, day.local_end) == (datetime(2013, 11, 3), datetime(2013, 11, 4))
    assert (day.start, day.end) == (instant("2013-11-03T00:00-04:00"), instant("2013-11-04T00:00-05:00"))


def test_the_repeated_hour_is_two_partitions_of_which_the_second_carries_its_offset() -> None:
    hours = scheme(Every.HOUR, datetime(2013, 11, 3), datetime(2013, 11, 3, 3), NEW_YORK)
    assert keys(hours.partitions(LATE)) == [
        "2013-11-03-00:00",
        "2013-11-03-01:00",
        "2013-11-03-01:00-0500",
        "2013-11-03-02:00",
    ]
    assert hours.partition("2013-11-03-01:00").start == instant("2013-11-03T01:00-04:00")
    assert hours.partition("2013-11-03-01:00-0500").start == instant("2013-11-03T01:00-05:00")


def test_the_hour_that_the_clock_jumps_over_is_no_partition() -> None:
    hours = scheme(Every.HOUR, datetime(2013, 3, 10, 1), datetime(2013, 3, 10, 4), NEW_YORK)
    assert keys(hours.partitions(LATE)) == ["2013-03-10-01:00", "2013-03-10-03:00"]
    with pytest.raises(ConfigurationError, match="2013-03-10-02:00"):
        hours.partition("2013-03-10-02:00")


def test_a_day_begins_at_the_jump_where_its_midnight_does_not_exist() -> None:
    day = scheme(start=datetime(2013, 10, 1), timezone="America/Sao_Paulo").partition("2013-10-20")
    assert day.start == instant("2013-10-20T01:00-02:00")
    assert day.end - day.start == timedelta(hours=23)


def test_a_day_that_a_zone_skipped_has_no_instant() -> None:
    days = scheme(start=datetime(2011, 12, 29), end=datetime(2012, 1, 2), timezone="Pacific/Apia").partitions(LATE)
    assert keys(days) == ["2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01"]
    assert days[1].start == days[1].end


@pytest.mark.parametrize("by", list(Every))
def test_every_partition_is_found_again_by_its_key(by: Every) -> None:
    half_year = scheme(by, datetime(2013, 6, 1), datetime(2014, 1, 1), NEW_YORK)
    for partition in half_year.partitions(LATE):
        assert half_year.partition(partition.key) == partition


@pytest.mark.parametrize(
    "key",
    ["2012-12-31", "2014-01-01", "2013-02-30", "2013-1-1", "2013-01-01-00:00", "flights", "", "2013-01-01 "],
)
def test_a_key_that_names_no_window_is_refused_with_an_example(key: str) -> None:
    with pytest.raises(ConfigurationError, match="a key looks like 2013-01-01"):
        scheme().partition(key)


@pytest.mark.parametrize(
    ("by", "key"),
    [
        (Every.WEEK, "2013-01-07"),
        (Every.MONTH, "2013-02-02"),
        (Every.HOUR, "2013-01-01-00:30"),
        (Every.HOUR, "2013-01-01-00:00+0000"),
    ],
)
def test_a_key_within_a_window_is_not_its_key(by: Every, key: str) -> None:
    with pytest.raises(ConfigurationError, match="is no"):
        scheme(by).partition(key)


def test_a_selection_takes_the_windows_that_the_half_open_range_touches() -> None:
    year = scheme()
    assert keys(year.select(LATE, start=datetime(2013, 2, 1), end=datetime(2013, 2, 3))) == ["2013-02-01", "2013-02-02"]
    assert keys(year.select(LATE, start=datetime(2013, 2, 1, 6), end=datetime(2013, 2, 1, 7))) == ["2013-02-01"]
    assert keys(year.select(LATE, start=datetime(2013, 12, 31))) == ["2013-12-31"]
    assert len(year.select(LATE)) == 365


def test_a_naive_bound_is_on_the_wall_clock_and_an_aware_one_is_an_instant() -> None:
    year = scheme(timezone=NEW_YORK)
    assert keys(year.select(LATE, end=datetime(2013, 1, 2))) == ["2013-01-01"]
    assert keys(year.select(LATE, end=datetime(2013, 1, 2, tzinfo=UTC))) == ["2013-01-01"]
    assert keys(year.select(LATE, end=datetime(2013, 1, 2, 6, tzinfo=UTC))) == ["2013-01-01", "2013-01-02"]


def test_selected_keys_come_back_in_the_order_of_time() -> None:
    assert keys(scheme().select(LATE, keys=["2013-05-01", "2013-01-02"])) == ["2013-01-02", "2013-05-01"]
    assert scheme().select(LATE, keys=[]) == ()


def test_an_unknown_key_a_future_key_and_a_backward_range_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'2015-01-01' is no day"):
        scheme().select(LATE, keys=["2015-01-01"])
    with pytest.raises(ConfigurationError, match="has not ended yet; the latest is 2013-01-04"):
        scheme().select(datetime(2013, 1, 5, tzinfo=UTC), keys=["2013-02-01"])
    with pytest.raises(ConfigurationError, match="not after the start"):
        scheme().select(LATE, start=datetime(2013, 2, 1), end=datetime(2013, 2, 1))


def test_the_lookback_is_the_last_partitions_that_have_ended() -> None:
    assert keys(scheme().lookback_partitions(datetime(2013, 1, 10, 3, tzinfo=UTC))) == [
        "2013-01-07",
        "2013-01-08",
        "2013-01-09",
    ]
    assert keys(scheme().lookback_partitions(datetime(2013, 1, 2, tzinfo=UTC))) == ["2013-01-01"]
    assert scheme().lookback_partitions(datetime(2013, 1, 1, tzinfo=UTC)) == ()


@pytest.mark.parametrize(
    ("start", "end", "timezone", "repeats"),
    [
        (datetime(2013, 1, 1), datetime(2014, 1, 1), NEW_YORK, True),
        (datetime(2013, 1, 1), datetime(2013, 11, 3), NEW_YORK, False),
        (datetime(2013, 1, 1), datetime(2013, 11, 3, 2), NEW_YORK, True),
        (datetime(2013, 1, 1), None, "Europe/Berlin", True),
        (datetime(2013, 1, 1), None, "UTC", False),
        (datetime(2013, 1, 1), None, "Asia/Kathmandu", False),
    ],
)
def test_a_scheme_knows_whether_its_clock_is_put_back(
    start: datetime, end: datetime | None, timezone: str, repeats: bool
) -> None:
    assert scheme(Every.HOUR, start, end, timezone).repeats_an_hour is repeats


@pytest.mark.parametrize(
    ("timezone", "shifts"), [("Australia/Lord_Howe", True), (NEW_YORK, False), ("Asia/Kathmandu", False)]
)
def test_a_scheme_knows_whether_its_clock_moves_by_part_of_an_hour(timezone: str, shifts: bool) -> None:
    assert scheme(Every.HOUR, end=None, timezone=timezone).shifts_within_hours is shifts


def test_a_range_shorter_than_a_window_is_empty() -> None:
    assert scheme(Every.MONTH, datetime(2013, 1, 2), datetime(2013, 2, 20)).is_empty
    assert not scheme(Every.MONTH, datetime(2013, 1, 1), datetime(2013, 2, 1)).is_empty
    assert not scheme(Every.MONTH, end=None).is_empty


def test_windows_end_with_the_calendar() -> None:
    last = scheme(start=datetime(9999, 12, 30), end=None).partitions(datetime.max.replace(tzinfo=UTC))
    assert keys(last) == ["9999-12-30"]


def test_contiguous_keys_are_grouped_in_the_order_of_all() -> None:
    every = [partition.key for partition in scheme().partitions(LATE)]
    assert contiguous_ranges(["2013-01-05", "2013-01-01", "2013-01-02"], every) == (
        ("2013-01-01", "2013-01-02"),
        ("2013-01-05",),
    )
    assert contiguous_ranges(every, every) == (tuple(every),)
    assert contiguous_ranges([], every) == ()


def test_an_unknown_key_cannot_be_grouped() -> None:
    with pytest.raises(ConfigurationError, match="'x' is not among the 1 known"):
        contiguous_ranges(["x"], ["2013-01-01"])


def test_each_window_begins_where_the_one_before_ends() -> None:
    for earlier, later in pairwise(scheme(Every.HOUR, timezone=NEW_YORK).partitions(LATE)):
        assert earlier.end == later.start
