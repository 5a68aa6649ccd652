"""Our partitions and Dagster's have the same keys and the same bounds, over years of summer time."""

import keyword
from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.definitions.utils import DISALLOWED_NAMES
from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.configuration.models import ReconcileConfig
from reconcile_assets.configuration.values import RESERVED_NAMES
from reconcile_assets.core.windows import Every, PartitionScheme

DEFINITIONS = {
    Every.HOUR: dg.HourlyPartitionsDefinition,
    Every.DAY: dg.DailyPartitionsDefinition,
    Every.WEEK: dg.WeeklyPartitionsDefinition,
    Every.MONTH: dg.MonthlyPartitionsDefinition,
}
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "UTC",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "America/Havana",
]
RANGES = [
    (datetime(2011, 1, 1), datetime(2013, 1, 1)),
    (datetime(2012, 6, 5, 3, 30), None),
    (datetime(2011, 11, 6), datetime(2012, 4, 1, 7, 20)),
]
NOW = datetime(2013, 7, 4, 12, 34, tzinfo=UTC)


@pytest.mark.parametrize(("start", "end"), RANGES)
@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("by", list(Every))
def test_keys_and_bounds_are_the_same(by: Every, timezone: str, start: datetime, end: datetime | None) -> None:
    scheme = PartitionScheme("at", by, start, end, timezone)
    if by is Every.HOUR and scheme.shifts_within_hours:
        return  # such hours are refused by the configuration: Dagster itself counts them in two ways
    theirs = DEFINITIONS[by](start_date=start, end_date=end, timezone=timezone)
    ours = scheme.partitions(NOW)
    assert [partition.key for partition in ours] == list(theirs.get_partition_keys(current_time=NOW))
    windows = [theirs.time_window_for_partition_key(partition.key) for partition in ours]
    assert [(each.start, each.end) for each in ours] == [
        (window.start.astimezone(UTC), window.end.astimezone(UTC)) for window in windows
    ]


def test_a_window_that_ends_now_is_in_both_sets() -> None:
    now = datetime(2013, 3, 11, 4, tzinfo=UTC)  # midnight in New York, the day after the clock was put forward
    scheme = PartitionScheme("at", Every.DAY, datetime(2013, 3, 9), None, "America/New_York")
    theirs = dg.DailyPartitionsDefinition(start_date=datetime(2013, 3, 9), timezone="America/New_York")
    assert [each.key for each in scheme.partitions(now)] == ["2013-03-09", "2013-03-10"]
    assert list(theirs.get_partition_keys(current_time=now)) == ["2013-03-09", "2013-03-10"]


FIELDS = st.tuples(*(
    st.one_of(
        st.sampled_from(["*", "?", "l", "L", "*/5", "jan", "mon", "1-5", "2,4", "0", "60"]),
        st.integers(0, high + 1).map(str),
        st.tuples(st.integers(0, high), st.integers(0, high), st.integers(1, 70)).map("{0[0]}-{0[1]}/{0[2]}".format),
    )
    for high in (59, 23, 31, 12, 7)
))  # fmt: skip


@given(FIELDS)
def test_a_cron_line_that_we_accept_is_one_that_dagster_accepts(fields: tuple[str, ...]) -> None:
    line = " ".join(fields)
    try:
        ReconcileConfig(cron=line)
    except ValueError:
        return
    assert is_valid_cron_string(line)


def test_the_names_that_we_refuse_are_those_that_dagster_refuses() -> None:
    assert {*RESERVED_NAMES, *keyword.kwlist} == {*DISALLOWED_NAMES}
