"""The calendar of partitions."""

from datetime import UTC, datetime

import pytest

from reconcile_assets.core.calendar_grid import PartitionStatus, build_calendar, worst_status
from reconcile_assets.core.windows import Every, Partition, PartitionScheme

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def partitions(by: Every, start: datetime, end: datetime, timezone: str = "UTC") -> tuple[Partition, ...]:
    return PartitionScheme("at", by, start, end, timezone).partitions(NOW)


def test_days_stand_in_months_of_31_columns() -> None:
    days = partitions(Every.DAY, datetime(2024, 1, 30), datetime(2024, 3, 2))
    grid = build_calendar(days, {day.key: PartitionStatus.MATCHED for day in days}, by=Every.DAY)
    assert grid.columns == tuple(str(number) for number in range(1, 32))
    assert [row.label for row in grid.rows] == ["2024-01", "2024-02", "2024-03"]
    shown = [cell.label for row in grid.rows for cell in row.cells if cell.status is not None]
    assert shown == [day.key for day in days]


def test_a_day_that_the_calendar_lacks_has_no_status() -> None:
    days = partitions(Every.DAY, datetime(2023, 2, 1), datetime(2023, 3, 1))
    [february] = build_calendar(days, {}, by=Every.DAY).rows
    assert [cell.status for cell in february.cells[27:]] == [PartitionStatus.UNVERIFIED, None, None, None]


def test_a_day_of_hours_is_as_good_as_its_worst_hour() -> None:
    hours = partitions(Every.HOUR, datetime(2024, 5, 1), datetime(2024, 5, 3))
    statuses = {hour.key: PartitionStatus.MATCHED for hour in hours}
    statuses["2024-05-02-17:00"] = PartitionStatus.MISMATCHED
    [may] = build_calendar(hours, statuses, by=Every.HOUR).rows
    assert [(cell.status, cell.partitions) for cell in may.cells[:2]] == [
        (PartitionStatus.MATCHED, 24),
        (PartitionStatus.MISMATCHED, 24),
    ]


def test_the_day_of_the_change_of_summer_time_has_23_hours() -> None:
    hours = partitions(Every.HOUR, datetime(2024, 3, 10), datetime(2024, 3, 11), "America/New_York")
    [march] = build_calendar(hours, {}, by=Every.HOUR).rows
    assert march.cells[9].partitions == 23


def test_months_stand_in_years_of_12_columns() -> None:
    months = partitions(Every.MONTH, datetime(2023, 11, 1), datetime(2024, 3, 1))
    grid = build_calendar(months, {}, by=Every.MONTH)
    assert (grid.unit, grid.columns[0], len(grid.columns)) == ("month", "Jan", 12)
    assert [sum(cell.status is not None for cell in row.cells) for row in grid.rows] == [2, 2]


def test_every_week_of_ten_years_has_its_own_cell() -> None:
    weeks = partitions(Every.WEEK, datetime(2015, 1, 1), datetime(2025, 1, 1))
    grid = build_calendar(weeks, {}, by=Every.WEEK)
    cells = [cell for row in grid.rows for cell in row.cells if cell.status is not None]
    assert len(cells) == len(weeks)
    assert {cell.partitions for cell in cells} == {1}


def test_only_a_matched_day_counts_as_empty() -> None:
    days = partitions(Every.DAY, datetime(2024, 1, 1), datetime(2024, 1, 3))
    statuses = {"2024-01-01": PartitionStatus.MATCHED, "2024-01-02": PartitionStatus.MISMATCHED}
    [row] = build_calendar(days, statuses, by=Every.DAY, empty=frozenset(statuses)).rows
    assert [cell.empty for cell in row.cells[:2]] == [True, False]


def test_without_partitions_there_is_no_row() -> None:
    assert build_calendar((), {}, by=Every.DAY).rows == ()


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], "unverified"),
        (["matched", "matched"], "matched"),
        (["matched", "unverified"], "unverified"),
        (["unverified", "inconclusive"], "inconclusive"),
        (["inconclusive", "mismatched", "matched"], "mismatched"),
    ],
)
def test_the_worst_status_stands(statuses: list[str], worst: str) -> None:
    assert worst_status([PartitionStatus(status) for status in statuses]) is PartitionStatus(worst)
