"""Whatever the zone, length and range: windows cover it without loss or overlap."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.core.windows import Every, PartitionScheme, contiguous_ranges

ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
     "America/Havana", "Africa/Cairo", "Europe/Dublin", "Antarctica/Troll"]
)  # fmt: skip
STARTS = st.datetimes(datetime(2009, 1, 1), datetime(2016, 1, 1))
LENGTHS = st.timedeltas(timedelta(hours=1), timedelta(days=120))
PLACES = st.integers(0, 999_999)  # millionths of the range
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@st.composite
def schemes(draw: st.DrawFn) -> PartitionScheme:
    start = draw(STARTS)
    return PartitionScheme("at", draw(st.sampled_from(Every)), start, start + draw(LENGTHS), draw(ZONES))


@given(schemes(), PLACES)
def test_every_instant_between_the_first_and_the_last_bound_is_in_exactly_one_window(
    scheme: PartitionScheme, place: int
) -> None:
    found = scheme.partitions(FAR)
    if found:
        moment = found[0].start + (found[-1].end - found[0].start) * place // 1_000_000
        assert sum(each.start <= moment < each.end for each in found) == 1


@given(schemes())
def test_windows_are_contiguous_and_keys_are_unique(scheme: PartitionScheme) -> None:
    found = scheme.partitions(FAR)
    assert all(earlier.end == later.start and earlier.start <= earlier.end for earlier, later in pairwise(found))
    assert len({each.key for each in found}) == len(found)


@given(schemes(), PLACES)
def test_every_wall_clock_reading_is_in_exactly_one_window_where_no_hour_repeats_or_windows_are_days(
    scheme: PartitionScheme, place: int
) -> None:
    found = scheme.partitions(FAR)
    if found and not (scheme.by is Every.HOUR and scheme.repeats_an_hour):
        moment = found[0].local_start + (found[-1].local_end - found[0].local_start) * place // 1_000_000
        assert sum(each.local_start <= moment < each.local_end for each in found) == 1


@given(schemes())
def test_an_instant_and_its_wall_clock_reading_are_in_the_same_day(scheme: PartitionScheme) -> None:
    zone = ZoneInfo(scheme.timezone)
    if scheme.by is not Every.HOUR:
        for each in scheme.partitions(FAR):
            middle = (each.start + (each.end - each.start) / 2).astimezone(zone).replace(tzinfo=None)
            assert each.local_start <= middle < each.local_end


@given(schemes(), st.integers(0, 10_000))
def test_as_time_passes_partitions_are_only_added_at_the_end(scheme: PartitionScheme, hours: int) -> None:
    found = scheme.partitions(FAR)
    now = scheme.start.replace(tzinfo=UTC) + timedelta(hours=hours)
    earlier = scheme.partitions(now)
    assert found[: len(earlier)] == earlier
    assert all(each.end <= now for each in earlier)


@given(schemes())
def test_a_partition_is_found_by_its_key(scheme: PartitionScheme) -> None:
    for each in scheme.partitions(FAR)[:40]:
        if not (scheme.by is Every.HOUR and scheme.shifts_within_hours):
            assert scheme.partition(each.key) == each


@given(st.sets(st.integers(0, 30)))
def test_contiguous_ranges_hold_every_key_once_and_in_order(chosen: set[int]) -> None:
    every = [f"{number:02}" for number in range(31)]
    ranges = contiguous_ranges([every[number] for number in chosen], every)
    assert [key for keys in ranges for key in keys] == [every[number] for number in sorted(chosen)]
    for earlier, later in pairwise(ranges):
        assert int(later[0]) - int(earlier[-1]) > 1
