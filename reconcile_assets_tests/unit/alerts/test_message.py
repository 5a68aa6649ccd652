"""What a person reads."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconcile_assets.alerts.grouping import AlertGroup, group_alerts
from reconcile_assets.alerts.message import check_page, render_message
from reconcile_assets.core.changes import Change
from reconcile_assets.ledger.records import Alert

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
UI = "http://127.0.0.1:3000"


def alert(partitions: Sequence[str], *, number: int = 1, kind: str = "failed", **payload: Any) -> Alert:
    told: dict[str, Any] = {
        "partitions": list(partitions),
        "partition_count": len(partitions),
        "mismatched": len(partitions) if kind == "failed" else 0,
        "inconclusive": 0,
        "missing_in_target": None,
        "missing_in_source": None,
        "value_differs": None,
        "notes": [],
    }
    moment = NOON + timedelta(seconds=number - 1)
    return Alert(f"id-{number}", number, "flights", "rows", kind, "ERROR", told | payload, moment)


def group(*alerts: Alert) -> AlertGroup:
    [found] = group_alerts(alerts)
    return found


@pytest.mark.parametrize(
    ("payload", "headline"),
    [
        ({"mismatched": 1}, "1 partition does not match"),
        ({"mismatched": 1200}, "1,200 partitions do not match"),
        ({"mismatched": 0, "inconclusive": 1}, "could not verify 1 partition"),
        ({"mismatched": 2, "inconclusive": 3}, "2 partitions do not match, could not verify 3 partitions"),
    ],
)
def test_the_title_says_it_all(payload: dict[str, Any], headline: str) -> None:
    assert render_message(group(alert(["p"], **payload)), ui_url=UI).title == f"flights / rows: {headline}"


def test_the_body_tells_partitions_differences_time_severity_page_and_id() -> None:
    body = render_message(
        group(alert(["2013-01-01", "2013-01-02"], missing_in_target=3, value_differs=1, notes=["a note"])), ui_url=UI
    ).body
    assert body.splitlines() == [
        "Partitions (2): 2013-01-01, 2013-01-02",
        "Differences: 3 rows missing in target, 1 row with other values",
        "Note: a note",
        "When: 2026-03-29 12:00:00 UTC",
        "Severity: ERROR",
        "Look: http://127.0.0.1:3000/assets/flights?view=checks&checkDetail=rows",
        "Alert: id-1",
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"source_rows": 3142, "target_rows": 0}, "Rows: 3,142 in the source, 0 in the target"),
        ({"source_rows": 5, "target_rows": 5}, ""),
        ({"source_rows": None, "target_rows": None}, ""),
        ({}, ""),
    ],
)
def test_both_sides_are_counted_where_they_differ(rows: dict[str, Any], said: str) -> None:
    body = render_message(group(alert(["p"], **rows)), ui_url=UI).body
    assert [line for line in body.splitlines() if line.startswith("Rows")] == ([said] if said else [])


def test_the_first_twenty_partitions_are_named_and_the_rest_counted() -> None:
    twenty = render_message(group(alert([f"p{number:02d}" for number in range(20)])), ui_url=UI).body
    assert "p19" in twenty
    assert "more" not in twenty
    many = alert([f"p{number:04d}" for number in range(1000)], partition_count=5000)
    body = render_message(group(many), ui_url=UI).body
    assert "Partitions (5,000): p0000" in body
    assert "p0019 and 4,980 more" in body
    assert "p0020" not in body


def test_alerts_told_together_add_up_and_name_a_partition_once() -> None:
    message = render_message(
        group(alert(["a", "b"], missing_in_target=1), alert(["b", "c"], number=61, missing_in_target=2)), ui_url=UI
    )
    assert "Partitions (3): a, b, c" in message.body
    assert "3 rows missing in target" in message.body
    assert "When: 2026-03-29 12:00:00 UTC to 2026-03-29 12:01:00 UTC" in message.body
    assert "Alert: id-1, id-61" in message.body
    assert message.message_id == "id-1"


def test_a_recovery_says_so() -> None:
    message = render_message(group(alert(["a"], kind="recovered")), ui_url=UI)
    assert message.title == "flights / rows: recovered, no partition is wrong any more"
    assert "Partitions (1): a" in message.body
    assert message.kind == "recovered"


def test_no_more_than_five_notes_are_told_each_once() -> None:
    notes = [f"note {number}" for number in range(9)]
    body = render_message(group(alert(["a"], notes=notes), alert(["b"], number=2, notes=notes)), ui_url=UI).body
    assert body.count("Note: ") == 5


@pytest.mark.parametrize(
    ("table", "check", "page"),
    [
        ("flights", "rows", "/assets/flights?view=checks&checkDetail=rows"),
        ("warehouse/flights", "rows", "/assets/warehouse/flights?view=checks&checkDetail=rows"),
        ("a b", "c&d", "/assets/a%20b?view=checks&checkDetail=c%26d"),
    ],
)
def test_the_link_is_the_checks_page_of_the_asset(table: str, check: str, page: str) -> None:
    assert check_page(UI, table=table, check=check) == f"{UI}{page}"


def test_an_alert_of_another_version_is_told_all_the_same() -> None:
    bare = Alert("id-1", 1, "flights", "rows", "failed", "ERROR", {"partitions": None}, NOON)
    message = render_message(group(bare), ui_url=UI)
    assert message.title == "flights / rows: failed"
    assert "Alert: id-1" in message.body


def change(partition: str) -> dict[str, Any]:
    return {"partition": partition, **Change(NOON, target=("before", "now")).to_dict()}


def test_an_unaudited_change_is_in_the_title_and_in_the_body_with_partition_and_both_checksums() -> None:
    found = render_message(group(alert(["p"], changes=[change("p")], change_count=1)), ui_url=UI)
    assert found.title == "flights / rows: 1 partition does not match, unaudited change"
    assert "Changed: p: unaudited change, target checksum before before, now now" in found.body.splitlines()


def test_a_source_that_moved_on_is_in_the_body_only() -> None:
    stale = {"partition": "p", **Change(NOON, source=("before", "now")).to_dict()}
    found = render_message(group(alert(["p"], changes=[stale], change_count=1)), ui_url=UI)
    assert found.title == "flights / rows: 1 partition does not match"
    assert "Changed: p: stale, source checksum before before, now now" in found.body.splitlines()


def test_many_changes_are_counted() -> None:
    keys = [f"p{number:02}" for number in range(12)]
    body = render_message(group(alert(keys, changes=[change(key) for key in keys], change_count=30)), ui_url=UI).body
    assert sum(line.startswith("Changed: p") for line in body.splitlines()) == 10
    assert "Changed: 20 more partitions" in body.splitlines()


def test_a_check_that_was_removed_says_so() -> None:
    found = render_message(group(alert(["p"], kind="recovered", wording="check removed")), ui_url=UI)
    assert found.title == "flights / rows: check removed, its last state is closed"
