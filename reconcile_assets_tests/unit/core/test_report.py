"""What a report counts, and what it never calls proved."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from reconcile_assets.core.calendar_grid import PartitionStatus
from reconcile_assets.core.changes import Change
from reconcile_assets.core.report import LISTED, Report, build_report
from reconcile_assets.core.report_html import render_html
from reconcile_assets.core.report_inputs import AuditFigures, BatchFigures, ChangeFigures, ReportedTable, TableGaps
from reconcile_assets.core.report_tables import build_table_report, reason_of
from reconcile_assets.core.report_text import render_markdown
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Every
from reconcile_assets_tests.report_samples import NOW, sample_alert, sample_report, sample_table, sample_verdicts


def month_of(checks: tuple[str, ...] = ("row_count", "rows"), days: int = 4) -> ReportedTable:
    table = sample_table(checks=checks)
    return replace(table, partitions=table.partitions[:days])


def report_on(table: ReportedTable, verdicts: list[CheckVerdict], **more: Any) -> Report:
    return build_report([table], verdicts, generated_at=NOW, **more)


def changed(verdicts: list[CheckVerdict], at: int, **fields: Any) -> list[CheckVerdict]:
    return [replace(verdict, **fields) if number == at else verdict for number, verdict in enumerate(verdicts)]


def test_all_matched_is_matched_and_exit_0() -> None:
    table = month_of()
    report = report_on(table, list(sample_verdicts(table)), audit=[AuditFigures("target", ok=True)])
    assert (report.verdict, report.exit_code, report.success_rate) == (Verdict.MATCHED, 0, 1.0)


def test_one_difference_is_exit_1_and_lowers_the_success_rate() -> None:
    table = month_of()
    verdicts = changed(list(sample_verdicts(table)), 0, verdict=Verdict.MISMATCHED)
    report = report_on(table, verdicts)
    assert (report.exit_code, report.success_rate) == (1, 7 / 8)


def test_what_could_not_be_verified_counts_against_the_success_rate_and_is_exit_2() -> None:
    table = month_of()
    verdicts = changed(list(sample_verdicts(table)), 0, verdict=Verdict.INCONCLUSIVE)
    report = report_on(table, verdicts)
    assert (report.verdict, report.exit_code, report.success_rate) == (Verdict.INCONCLUSIVE, 2, 7 / 8)


def test_a_partition_is_not_proved_while_one_check_has_no_verdict_on_it() -> None:
    table = month_of()
    report = report_on(table, list(sample_verdicts(table))[1:])
    first = table.partitions[0].key
    assert report.tables[0].statuses[first].value == "unverified"
    assert report.exit_code == 2


def test_verdicts_of_checks_and_partitions_no_longer_configured_are_left_out() -> None:
    table = month_of()
    stray = [
        CheckVerdict("flights", "retired", table.partitions[0].key, Verdict.MISMATCHED),
        CheckVerdict("flights", "rows", "1999-01-01", Verdict.MISMATCHED),
        CheckVerdict("retired", "rows", table.partitions[0].key, Verdict.MISMATCHED),
    ]
    report = report_on(table, [*sample_verdicts(table), *stray])
    assert (report.exit_code, report.verdicts) == (0, 8)


@pytest.mark.parametrize("tables", [[], [replace(sample_table(), partitions=())]])
def test_nothing_compared_is_never_matched(tables: list[ReportedTable]) -> None:
    report = build_report(tables, [], generated_at=NOW)
    assert (report.verdict, report.success_rate) == (Verdict.INCONCLUSIVE, None)


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (None, 2), (False, 1)])
def test_the_audit_log_decides_with_the_verdicts(ok: bool | None, code: int) -> None:
    table = month_of()
    assert report_on(table, list(sample_verdicts(table)), audit=[AuditFigures("target", ok=ok)]).exit_code == code


def test_a_gap_is_found_when_backfilled_or_open_and_filled_when_backfilled_and_proved() -> None:
    table = month_of()
    keys = [partition.key for partition in table.partitions]
    verdicts = [
        replace(each, verdict=Verdict.MISMATCHED) if each.partition == keys[3] else each
        for each in sample_verdicts(table)
    ]
    batches = [BatchFigures("flights", key, 5, 1, 5, NOW) for key in (keys[0], keys[0], keys[1])]
    gaps = report_on(table, verdicts, batches=batches).tables[0].gaps
    assert (gaps.found, gaps.filled, gaps.open) == (3, 2, 1)
    assert gaps.filled_rate == pytest.approx(2 / 3)


def test_without_any_gap_there_is_no_rate() -> None:
    table = month_of()
    assert report_on(table, list(sample_verdicts(table))).tables[0].gaps.filled_rate is None


def test_a_gap_seen_now_opens_a_partition_whose_last_verdict_was_matched() -> None:
    table = month_of()
    gaps = {"flights": TableGaps({table.partitions[0].key: "stale", table.partitions[1].key: "matched"})}
    report = report_on(table, list(sample_verdicts(table)), gaps=gaps)
    assert dict(report.tables[0].gaps.kinds) == {"stale": 1}
    assert (report.tables[0].gaps.open, report.exit_code) == (1, 1)
    statuses = list(report.tables[0].statuses.values())
    assert statuses[:2] == [PartitionStatus.MISMATCHED, PartitionStatus.MATCHED]


def test_what_could_not_be_compared_now_is_not_green_whatever_was_said_before() -> None:
    table = month_of()
    gaps = {"flights": TableGaps({partition.key: "unverified" for partition in table.partitions})}
    report = report_on(table, list(sample_verdicts(table)), gaps=gaps)
    assert set(report.tables[0].statuses.values()) == {PartitionStatus.INCONCLUSIVE}
    assert dict(report.tables[0].gaps.kinds) == {}
    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 2)


def test_writes_count_every_batch_of_the_period_and_no_other() -> None:
    table = month_of()
    key = table.partitions[0].key
    batches = [
        BatchFigures("flights", key, 5, 1, 5, NOW - timedelta(hours=1)),
        BatchFigures("flights", key, 5, 5, 6, NOW),
        BatchFigures("flights", "1999-01-01", 7, 7, 7, NOW),
        BatchFigures("weather", key, 7, 7, 7, NOW),
    ]
    writes = report_on(table, [], batches=batches).tables[0].writes
    assert (writes.batches, writes.partitions) == (2, 1)
    assert (writes.rows_read, writes.rows_deleted, writes.rows_inserted) == (10, 6, 11)
    assert writes.last_committed_at == NOW


def test_proved_differences_stand_before_what_could_not_be_verified() -> None:
    table = month_of()
    verdicts = [
        replace(each, verdict=Verdict.INCONCLUSIVE if number < 2 else Verdict.MISMATCHED)
        for number, each in enumerate(sample_verdicts(table))
    ]
    listed = report_on(table, verdicts).tables[0].not_matched
    assert [each.verdict for each in listed] == [Verdict.MISMATCHED] * 6 + [Verdict.INCONCLUSIVE] * 2


def test_an_empty_partition_is_one_that_is_matched_without_rows_on_both_sides() -> None:
    table = month_of()
    empty = list(sample_verdicts(table, rows=0))
    assert len(report_on(table, empty).tables[0].empty) == 4
    assert report_on(table, changed(empty, 0, target_rows=1)).tables[0].empty == tuple(
        partition.key for partition in table.partitions[1:]
    )
    unknown = [replace(each, source_rows=None, target_rows=None) for each in empty]
    assert report_on(table, unknown).tables[0].empty == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"missing_in_target": 1}, "1 row missing in target"),
        (
            {"missing_in_target": 1_200, "missing_in_source": 2, "value_differs": 3},
            "1,200 rows missing in target; 2 rows missing in source; 3 rows with other values",
        ),
        ({"source_rows": 5, "target_rows": 4}, "5 rows in source, 4 in target"),
        ({"source_rows": 5, "target_rows": 5, "notes": ("a note",)}, "a note"),
        ({}, "does not match"),
        ({"verdict": Verdict.INCONCLUSIVE}, "could not verify"),
        ({"verdict": Verdict.INCONCLUSIVE, "notes": ("lost",)}, "could not verify; lost"),
        ({"verdict": Verdict.INCONCLUSIVE, "notes": ("could not verify: lost",)}, "could not verify: lost"),
    ],
)
def test_a_reason_is_one_line_of_counts_and_notes(fields: dict[str, Any], reason: str) -> None:
    assert reason_of(replace(CheckVerdict("t", "rows", "p", Verdict.MISMATCHED), **fields)) == reason


def test_measures_are_left_out_because_the_greatest_value_of_a_column_is_a_value() -> None:
    table = month_of(("aggregate_max_email",))
    verdicts = [
        replace(each, verdict=Verdict.MISMATCHED, measures={"source": "canary"}) for each in sample_verdicts(table)
    ]
    assert "canary" not in json.dumps(report_on(table, verdicts).to_dict())


def test_latencies_are_median_95th_percentile_and_worst() -> None:
    table = month_of()
    alerts = [sample_alert("failed", 1, float(seconds)) for seconds in range(1, 101)]
    assert report_on(table, [], alerts=alerts).alerts.latency() == {"median": 50.5, "p95": 95.0, "worst": 100.0}


def test_without_any_delivery_there_is_no_latency() -> None:
    table = month_of()
    summary = report_on(table, [], alerts=[sample_alert("failed", 1, None)]).alerts
    assert summary.latency() == {"median": None, "p95": None, "worst": None}
    assert (summary.delivered, summary.pending, summary.unrouted) == (0, 1, 0)


def test_an_alert_that_nobody_wants_is_neither_pending_nor_delivered() -> None:
    table = month_of()
    unwanted = replace(sample_alert("failed", 1, None), deliveries=(), settled=True)
    summary = report_on(table, [], alerts=[unwanted]).alerts
    assert (summary.delivered, summary.pending, summary.unrouted) == (0, 0, 1)


def test_only_alerts_of_the_reported_tables_are_told() -> None:
    table = month_of()
    other = replace(sample_alert("failed", 1, 1.0), table="weather")
    assert report_on(table, [], alerts=[other]).alerts.alerts == ()


def test_the_collision_bound_is_one_chance_for_each_verdict() -> None:
    table = month_of()
    report = report_on(table, list(sample_verdicts(table)))
    assert report.collision_bound == 8 / 2**64
    assert report_on(table, list(sample_verdicts(table)), digest_bits=64).collision_bound == 8 / 2**64


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build_report([], [], generated_at=datetime(2024, 1, 1))


def test_the_time_of_generation_is_told_in_utc() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9)))
    assert build_report([], [], generated_at=east).to_dict()["generated_at"] == "2026-03-01T12:30:00Z"


def test_the_json_form_has_its_documented_keys_and_is_json() -> None:
    document = sample_report().to_dict()
    assert list(document) == [
        "report",
        "version",
        "generated_at",
        "period",
        "verdict",
        "summary",
        "tables",
        "alerts",
        "audit",
        "digest",
    ]
    assert set(document["tables"][0]) == {
        "table",
        "verdict",
        "source",
        "target",
        "partition",
        "cron",
        "partitions",
        "success_rate",
        "checks",
        "gaps",
        "writes",
        "not_matched_total",
        "not_matched",
        "changes_total",
        "changes",
        "unchanged_partitions",
        "empty_partitions",
        "unpartitioned",
        "notes",
        "partition_statuses",
    }
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_long_lists_are_cut_and_counted() -> None:
    table = sample_table()
    verdicts = [replace(each, verdict=Verdict.MISMATCHED) for each in sample_verdicts(table)]
    [listed] = report_on(table, verdicts).to_dict()["tables"]
    assert (len(listed["not_matched"]), listed["not_matched_total"]) == (LISTED, 730)


def test_a_table_report_has_a_calendar_of_its_partitions() -> None:
    table = sample_table(by=Every.MONTH)
    report = build_table_report(table, sample_verdicts(table))
    assert sum(cell.status is not None for row in report.calendar.rows for cell in row.cells) == 12


def test_a_check_against_another_database_lowers_the_success_rate_and_opens_no_gap() -> None:
    table = replace(month_of(("rows", "rows_reporting")), gap_checks=("rows",))
    verdicts = [
        replace(each, verdict=Verdict.MISMATCHED) if each.check == "rows_reporting" else each
        for each in sample_verdicts(table)
    ]
    batches = [BatchFigures("flights", partition.key, 5, 0, 5, NOW) for partition in table.partitions]
    report = report_on(table, verdicts, batches=batches)
    gaps = report.tables[0].gaps
    assert (gaps.found, gaps.filled, gaps.open) == (4, 4, 0)
    assert (report.success_rate, report.exit_code) == (0.5, 1)


def test_a_target_that_differs_from_its_own_source_is_a_gap_whatever_other_checks_say() -> None:
    """The control."""
    table = replace(month_of(("rows", "rows_reporting")), gap_checks=("rows",))
    verdicts = changed(list(sample_verdicts(table)), 0, verdict=Verdict.MISMATCHED)
    batches = [BatchFigures("flights", partition.key, 5, 0, 5, NOW) for partition in table.partitions]
    gaps = report_on(table, verdicts, batches=batches).tables[0].gaps
    assert (gaps.found, gaps.filled, gaps.open) == (4, 3, 1)


def test_a_comparison_of_now_decides_what_is_filled() -> None:
    table = month_of()
    verdicts = changed(list(sample_verdicts(table)), 0, verdict=Verdict.MISMATCHED)
    batches = [BatchFigures("flights", partition.key, 5, 0, 5, NOW) for partition in table.partitions]
    now = {"flights": TableGaps({partition.key: "matched" for partition in table.partitions})}
    gaps = report_on(table, verdicts, batches=batches, gaps=now).tables[0].gaps
    assert (gaps.filled, gaps.open) == (4, 0)


@pytest.mark.parametrize("known", ["another", None])
def test_a_verdict_of_another_configuration_proves_nothing(known: str | None) -> None:
    table = replace(month_of(), configurations={"rows": "f", "row_count": "g"})
    verdicts = [
        replace(each, configuration=table.configurations[each.check], source_checksum="a")
        for each in sample_verdicts(table)
    ]
    assert report_on(table, verdicts).exit_code == 0
    report = report_on(table, changed(verdicts, 0, configuration=known))
    (found,) = report.tables[0].not_matched
    assert "configuration changed: not proved under this configuration" in reason_of(found)
    assert (report.exit_code, report.success_rate) == (2, 7 / 8)
    assert report.to_dict()["tables"][0]["checks"][0]["configuration_changed"] == 1


def test_what_changed_without_a_batch_is_listed_also_where_it_matches_now() -> None:
    table = month_of()
    change = Change(NOW - timedelta(days=1), target=("before-sum", "after-sum"))
    found = ChangeFigures("flights", "rows", table.partitions[0].key, change, NOW)
    strays = [replace(found, table="other"), replace(found, partition="1999-01-01")]
    report = report_on(table, list(sample_verdicts(table)), changes=[found, *strays])
    document = report.to_dict()["tables"][0]
    assert (report.exit_code, document["changes_total"]) == (0, 1)
    assert document["changes"][0]["target"] == {"before": "before-sum", "now": "after-sum"}
    for text in (render_html(report), render_markdown(report)):
        assert "unaudited change" in text
        assert "before-sum" in text
        assert "after-sum" in text


def test_partitions_that_stand_as_they_were_proved_are_counted_once() -> None:
    table = month_of(("rows", "rows_reporting"))
    verdicts = [replace(each, unchanged_since=NOW) for each in sample_verdicts(table)][:6]
    assert report_on(table, verdicts).to_dict()["tables"][0]["unchanged_partitions"] == 4
