"""Partitions in PostgreSQL's SQL."""

from datetime import UTC, datetime

from reconcile_assets.core.tables import TypeKind
from reconcile_assets.core.windows import Every, PartitionScheme
from reconcile_assets.databases.postgresql.windows import Windows

SCHEME = PartitionScheme("at", Every.DAY, datetime(2024, 3, 9), datetime(2024, 3, 14), "America/New_York")
DAYS = SCHEME.partitions(datetime(2030, 1, 1, tzinfo=UTC))


def test_windows_side_by_side_are_one_range_of_instants() -> None:
    text = Windows("at", TypeKind.TIMESTAMPTZ, DAYS).condition.as_string()
    assert text == (
        "((\"at\" >= '2024-03-09 05:00:00+00:00'::timestamptz AND \"at\" < '2024-03-14 04:00:00+00:00'::timestamptz))"
    )


def test_windows_apart_are_several_ranges() -> None:
    text = Windows("at", TypeKind.TIMESTAMPTZ, (DAYS[0], DAYS[1], DAYS[3])).condition.as_string()
    assert text.count(" OR ") == 1


def test_of_many_windows_apart_a_row_is_looked_up_by_its_number() -> None:
    days = PartitionScheme("at", Every.DAY, datetime(2024, 1, 1), datetime(2024, 12, 31)).partitions(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    few = Windows("at", TypeKind.TIMESTAMPTZ, days[:64:2]).condition.as_string()
    assert few.count(" OR ") == 31
    many = Windows("at", TypeKind.TIMESTAMPTZ, days[:66:2])
    text = many.condition.as_string()
    assert " OR " not in text
    assert "\"at\" >= '2024-01-01 00:00:00+00:00'::timestamptz AND \"at\" < '2024-03-06 00:00:00+00:00'" in text
    assert f"= ANY('{{{','.join(str(number) for number in range(1, 66, 2))}}}'" in text.replace(", ", ",")


def test_a_column_without_a_zone_is_compared_with_the_wall_clock() -> None:
    text = Windows("at", TypeKind.TIMESTAMP, DAYS[:2]).condition.as_string()
    assert "'2024-03-09 00:00:00'::timestamp" in text
    assert "'2024-03-11 00:00:00'::timestamp" in text


def test_numbers_lead_back_to_keys_also_with_a_hole_between() -> None:
    windows = Windows("at", TypeKind.TIMESTAMPTZ, (DAYS[0], DAYS[2]))
    assert windows.keys == {1: "2024-03-09", 3: "2024-03-11"}
    assert Windows("at", TypeKind.TIMESTAMPTZ, DAYS).keys == dict(enumerate([day.key for day in DAYS], start=1))


def test_no_windows_hold_no_rows() -> None:
    assert Windows("at", TypeKind.DATE, ()).condition.as_string() == "(false)"
    assert Windows("at", TypeKind.DATE, ()).keys == {}


def test_a_column_is_quoted() -> None:
    assert '"a""; b"' in Windows('a"; b', TypeKind.DATE, DAYS).number.as_string()
