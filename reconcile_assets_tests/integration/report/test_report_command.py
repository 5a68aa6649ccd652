"""``report`` over real databases that the engine has backfilled and reconciled."""

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reconcile_assets.cli import main

CANARY = "canary-8d21@example.com"


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["report", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_backfilled_and_reconciled_copy_is_reported_as_proved_equal(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.backfill()
    site.reconcile()
    code, report = run_json(capsys)
    assert code == 0
    assert report["verdict"] == "matched"
    assert report["summary"]["success_rate"] == 1.0
    assert report["summary"]["gaps"] == {"found": 10, "filled": 10, "filled_rate": 1.0}
    [table] = report["tables"]
    assert table["empty_partitions"] == ["2024-01-10"]
    assert table["writes"]["rows_inserted"] == 27
    assert report["audit"] == [
        {
            "target": "target",
            "ok": True,
            "entries": 10,
            "batches": 10,
            "first_bad": None,
            "reason": None,
            "copied": 10,
            "set_aside": [],
        }
    ]
    assert report["files"] == []


def test_differences_are_listed_with_reasons_and_exit_1(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    site.on_target("DELETE FROM orders WHERE id IN (3, 4)")
    site.on_target("UPDATE orders SET email = 'other' WHERE id = 20")
    site.reconcile()
    code, report = run_json(capsys)
    assert code == 1
    [table] = report["tables"]
    assert {found["partition"] for found in table["not_matched"]} == {"2024-01-02", "2024-01-07"}
    reasons = {(found["partition"], found["check"]): found["reason"] for found in table["not_matched"]}
    assert reasons["2024-01-02", "rows"].startswith("2 rows missing in target")
    assert reasons["2024-01-07", "rows"].startswith("1 row with other values")
    assert table["gaps"]["open"] == 2
    assert report["alerts"]["pending"] == 2


def test_partitions_without_a_verdict_are_not_green(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    code, report = run_json(capsys)
    assert code == 2
    assert report["verdict"] == "inconclusive"
    assert report["summary"]["partitions"]["unverified"] == 10
    assert report["summary"]["success_rate"] is None


def test_a_target_that_is_gone_leaves_the_report_inconclusive(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.backfill()
    site.reconcile()
    monkeypatch.setenv("TARGET_DATABASE_URL", "postgresql://someone:canary-passw0rd@127.0.0.1:1/gone")
    code, report = run_json(capsys)
    assert code == 2
    assert report["audit"][0]["ok"] is None
    assert report["summary"]["partitions"]["matched"] == 10
    assert "canary-passw0rd" not in json.dumps(report)


def test_a_forged_audit_entry_is_exit_1_with_its_number(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    site.reconcile()
    site.on_target("UPDATE reconcile_assets.audit_entries SET rows_inserted = 99 WHERE seq = 4")
    code, report = run_json(capsys)
    assert code == 1
    assert (report["audit"][0]["ok"], report["audit"][0]["first_bad"]) == (False, 4)


def test_compare_names_the_kind_of_a_gap_that_no_check_has_seen_yet(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.backfill()
    site.reconcile()
    site.on_target("DELETE FROM orders WHERE placed_at < '2024-01-02 00:00+00'")
    code, report = run_json(capsys, "--compare")
    assert code == 1
    assert report["tables"][0]["gaps"]["kinds"] == {"missing": 1}
    assert run_json(capsys)[0] == 0


def test_a_range_is_reported_by_itself(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    site.reconcile()
    _, report = run_json(capsys, "orders", "--from", "2024-01-02", "--to", "2024-01-05")
    assert list(report["tables"][0]["partition_statuses"]) == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert report["tables"][0]["writes"]["batches"] == 3
    assert report["period"] == {"from": "2024-01-02T00:00:00", "to": "2024-01-05T00:00:00", "partition": None}


def test_files_are_written_whole_and_their_paths_printed(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    site.reconcile()
    formats = [word for name in ("html", "json", "csv", "markdown") for word in ("--format", name)]
    assert main(["report", "--output", "out", *formats]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in printed] == ["report.html", "report.json", "report.csv", "report.md"]
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(path.name for path in printed)
    assert json.loads(Path("out/report.json").read_text())["verdict"] == "matched"
    assert len(list(csv.reader(Path("out/report.csv").read_text().splitlines()))) == 11
    html = Path("out/report.html").read_text()
    assert "Everything is proved equal" in html
    assert not re.search(r"https?://|src=|<script|url\(", html)


def test_without_options_html_and_json_go_to_the_state_folder(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    site.reconcile()
    assert main(["report"]) == 0
    assert (site.folder / ".state/reports/report.html").exists()
    assert (site.folder / ".state/reports/report.json").exists()
    assert "10 of 10 partitions proved equal" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_one_line_and_exit_2(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").write_text("a file where a folder should be")
    assert main(["report", "--output", "taken"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "taken" in error
    assert "name another place with --output" in error


def test_no_row_value_and_no_password_is_in_any_form_of_the_report(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.backfill()
    site.on_target("UPDATE orders SET email = 'x' || email WHERE id = 20")
    site.reconcile()
    assert main(["report", "--output", "out", "--format", "html", "--format", "json", "--format", "csv"]) == 1
    printed = capsys.readouterr()
    texts = [path.read_text() for path in Path("out").iterdir()]
    assert texts
    assert not any("canary" in text for text in [*texts, printed.out, printed.err])
    with psycopg.connect(os.environ["SOURCE_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT email FROM orders WHERE id = 20").fetchone() == (f"{CANARY}20",)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nosuch"], "nosuch"),
        (["--partition", "2024-01-99"], "2024-01-99"),
        (["--from", "2024-01-05", "--to", "2024-01-02"], "not after the start"),
        (["--format", "pdf"], "pdf"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(
    site: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["report", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
