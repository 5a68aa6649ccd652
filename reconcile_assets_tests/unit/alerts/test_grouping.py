"""What is told together."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconcile_assets.alerts.grouping import group_alerts
from reconcile_assets.ledger.records import Alert

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def alert(
    number: int,
    *,
    table: str = "flights",
    check: str = "rows",
    kind: str = "failed",
    severity: str = "ERROR",
    **payload: Any,
) -> Alert:
    return Alert(f"id-{number:03d}", number, table, check, kind, severity, payload, NOON + timedelta(seconds=number))


def ids(*alerts: Alert) -> list[tuple[str, ...]]:
    return [group.alert_ids for group in group_alerts(alerts)]


def test_alerts_of_one_table_check_and_kind_are_one_group() -> None:
    assert ids(alert(1), alert(2), alert(3)) == [("id-001", "id-002", "id-003")]


def test_other_tables_and_checks_are_other_groups() -> None:
    assert ids(alert(1), alert(2, check="row_count"), alert(3, table="weather"), alert(4)) == [
        ("id-001", "id-004"),
        ("id-002",),
        ("id-003",),
    ]


def test_a_recovery_between_two_failures_stays_between_them() -> None:
    assert ids(alert(1), alert(2, kind="recovered"), alert(3)) == [("id-001",), ("id-002",), ("id-003",)]


def test_groups_are_in_order_of_age_whatever_the_order_of_the_alerts() -> None:
    assert ids(alert(3), alert(1), alert(2, check="row_count")) == [("id-001", "id-003"), ("id-002",)]


def test_alerts_written_at_one_instant_keep_the_order_of_writing() -> None:
    first = Alert("zzz", 1, "flights", "rows", "failed", "ERROR", {}, NOON)
    second = Alert("aaa", 2, "flights", "rows", "recovered", "ERROR", {}, NOON)
    assert ids(second, first) == [("zzz",), ("aaa",)]


def test_one_error_makes_the_group_an_error() -> None:
    [group] = group_alerts([alert(1, severity="WARN"), alert(2, severity="ERROR")])
    assert group.severity == "ERROR"
    [group] = group_alerts([alert(1, severity="WARN")])
    assert group.severity == "WARN"


def test_nothing_gives_no_group() -> None:
    assert group_alerts([]) == ()
