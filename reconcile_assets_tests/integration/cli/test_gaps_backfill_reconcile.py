"""The commands `gaps`, `backfill` and `reconcile` over real databases, from the arguments to the exit code."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from reconcile_assets.cli import main
from reconcile_assets.embedded import EmbeddedPostgres
from reconcile_assets_tests.engine_world import World, build_world

Urls = Callable[[str], str]


@pytest.fixture
def world(postgres_urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Databases, a configuration file and variables, as a user has them."""
    found = build_world(postgres_urls, project=True)
    document = {"type": "reconcile_assets.components.ReconciledTables", "attributes": found.attributes}
    (tmp_path / "defs.yaml").write_text(yaml.safe_dump(document))
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RECONCILE_CONFIG", str(tmp_path / "defs.yaml"))
    monkeypatch.chdir(tmp_path)
    return found


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_gaps_draws_a_calendar_and_exits_1(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.backfill("2024-01-02", "2024-01-03")
    assert main(["gaps"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "orders: 8 of 10 partitions have gaps"
    assert out[2] == "2024-01  M = = M M M M M M M"
    assert out[3] == "= matched 2   M missing 8"


def test_gaps_exits_0_without_gaps_and_names_strays(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_source("INSERT INTO orders VALUES (-1, NULL, 1, '')")
    world.backfill()
    assert main(["gaps", "orders"]) == 0
    assert "note: orders: 1 rows of the source stand in no partition" in capsys.readouterr().err


def test_gaps_as_json_is_one_document(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.backfill("2024-01-02")
    assert main(["gaps", "--json", "--from", "2024-01-02", "--to", "2024-01-04"]) == 1
    document = _json(capsys)
    assert document["verdict"] == "mismatched"
    (table,) = document["tables"]
    assert {kind: count for kind, count in table["counts"].items() if count} == {"matched": 1, "missing": 1}
    assert [each["kind"] for each in table["partitions"]] == ["matched", "missing"]
    assert table["unpartitioned"] == {"source": None, "target": None}


def test_gaps_exits_2_when_a_table_cannot_be_asked(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_target("DROP TABLE orders")
    assert main(["gaps", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["tables"][0]["error"] in captured.err


def test_backfill_writes_what_is_selected_and_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backfill", "orders", "--partition", "2024-01-02...2024-01-04", "--reason", "late rows"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1].split()[:4] == ["orders", "3", "0", "36"]
    assert "backfill orders: 3 of 3" in captured.err
    assert world.ask_target("SELECT DISTINCT reason FROM reconcile_assets.batches") == [("late rows",)]


def test_backfill_exits_1_when_some_and_2_when_all_fail(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_target("ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 5)")
    assert main(["backfill", "--json", "--actor", "ann"]) == 1
    document = _json(capsys)
    (table,) = document["tables"]
    assert (table["written"], table["failed"]) == (5, 5)
    failed = [each for each in table["partitions"] if each["status"] == "failed"]
    assert "small" in failed[0]["error"]
    assert world.ask_target("SELECT DISTINCT actor FROM reconcile_assets.batches") == [("ann",)]
    assert main(["backfill", "--from", "2024-01-08"]) == 2
    assert "orders 2024-01-08: target: a row was refused" in capsys.readouterr().err


def test_backfill_exits_2_when_nothing_could_begin(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_target("DROP TABLE orders")
    assert main(["backfill"]) == 2
    assert "orders: target: there is no table orders" in capsys.readouterr().err


def test_an_interrupted_backfill_exits_130_and_leaves_whole_partitions(world: World) -> None:
    world.run_target(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_advisory_lock_shared(4711); RETURN NEW; END'",
        "CREATE TRIGGER hold BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.id = 6001) EXECUTE FUNCTION hold()",
    )
    with psycopg.connect(world.target, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(4711)")
        command = [sys.executable, "-m", "reconcile_assets", "backfill"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
            deadline = time.monotonic() + 60
            while world.ask_target(waiting) != [(1,)]:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            try:
                _, errors = process.communicate(timeout=30)
            finally:
                process.kill()  # else it would wait for the gate, and the gate's block for it
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert world.ask_target("SELECT count(*), count(DISTINCT at::date) FROM orders") == [(60, 5)]
    assert world.count_batches() == (5, 5)


def test_reconcile_exits_by_the_worst_verdict_and_records_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.backfill()
    assert main(["reconcile"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["orders", "row_count", "10", "0", "0"]
    world.run_target("DELETE FROM orders WHERE id = 4004")
    assert main(["reconcile", "--json"]) == 1
    document = _json(capsys)
    assert document["verdict"] == "mismatched"
    bad = [each for each in document["verdicts"] if each["verdict"] != "matched"]
    assert [(each["check"], each["partition"]) for each in bad] == [("row_count", "2024-01-05"), ("rows", "2024-01-05")]
    with world.connections() as connections:
        latest = connections.ledger().fetch_verdict_summary()
    assert {(each.check, each.mismatched) for each in latest} == {("row_count", 1), ("rows", 1)}


def test_reconcile_names_what_differs_for_people(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.backfill()
    world.run_target("DELETE FROM orders WHERE id = 4004")
    assert main(["reconcile", "--partition", "2024-01-05"]) == 1
    out = capsys.readouterr().out
    assert "orders 2024-01-05 rows: mismatched (1 missing in the target" in out
    assert "12 rows in the source, 11 in the target" in out


def test_reconcile_exits_2_when_it_could_not_look(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_target("DROP TABLE orders")
    assert main(["reconcile", "--check", "rows", "--partition", "2024-01-05"]) == 2
    assert "could not verify: target: there is no table orders" in capsys.readouterr().out


def test_without_a_projects_database_an_embedded_one_keeps_the_verdicts(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    world.backfill()
    assert main(["gaps"]) == 0
    assert not (tmp_path / ".state").exists()  # looking begins no ledger
    assert main(["reconcile"]) == 0
    capsys.readouterr()
    assert main(["report", "--json"]) == 0  # started anew, it has what the other command recorded
    assert _json(capsys)["verdict"] == "matched"


def test_the_commands_share_the_embedded_database_of_a_running_dev(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    world.backfill()
    with EmbeddedPostgres(tmp_path / ".state", durable=False) as server:
        url = server.ensure_database("reconcile_assets")
        assert main(["reconcile"]) == 0
        with psycopg.connect(url) as connection:
            (verdicts,) = connection.execute("SELECT count(*) FROM reconcile_assets.verdict_state").fetchone() or (0,)
    assert verdicts > 0


def test_a_state_folder_that_cannot_be_written_to_is_one_line(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    (tmp_path / "occupied").write_text("")
    monkeypatch.setenv("RECONCILE_STATE", str(tmp_path / "occupied" / "state"))
    assert main(["reconcile"]) == 2
    error = capsys.readouterr().err.strip()
    assert "cannot write to" in error
    assert "\n" not in error


def test_an_unknown_check_is_refused_with_those_there_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--check", "row"]) == 2
    assert "row_count, rows" in capsys.readouterr().err


BY_HAND = "UPDATE orders SET note = 'by hand' WHERE id = 4004"
DAY = "2024-01-05"


def test_gaps_names_an_unaudited_change_and_what_is_unchanged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.backfill()
    assert main(["gaps"]) == 0
    out = capsys.readouterr().out
    assert "unchanged on both sides since last proved equal: 10 of 10 partitions" in out
    world.run_target(BY_HAND)
    assert main(["gaps"]) == 1
    out = capsys.readouterr().out
    assert f"{DAY}: unaudited change of the target: its checksum was " in out
    assert "unchanged on both sides since last proved equal: 9 of 10 partitions" in out
    assert main(["gaps", "--json", "--partition", DAY]) == 1
    (state,) = _json(capsys)["tables"][0]["partitions"]
    assert state["change"]["name"] == "unaudited change"
    assert state["change"]["target"] == {"before": state["source_checksum"], "now": state["target_checksum"]}
    assert state["unchanged_since"] is None


def test_reconcile_names_an_unaudited_change_for_people_and_programs(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.backfill()
    assert main(["reconcile"]) == 0
    assert "orders rows: unchanged on both sides since last proved equal: 10 of 10" in capsys.readouterr().out
    world.run_target(BY_HAND)
    assert main(["reconcile", "--partition", DAY]) == 1
    assert f"orders {DAY} rows: mismatched (1 with other values; unaudited change of the target" in (
        capsys.readouterr().out
    )
    assert main(["reconcile", "--json", "--partition", DAY]) == 1
    document = _json(capsys)
    rows = next(each for each in document["verdicts"] if each["check"] == "rows")
    assert rows["change"]["target"]["now"] == rows["target_checksum"]
    assert main(["report", "--json"]) == 1
    (table,) = _json(capsys)["tables"]
    assert [(each["partition"], each["name"]) for each in table["changes"]] == [(DAY, "unaudited change")]


def test_verdicts_of_another_configuration_are_told_and_are_no_success(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.backfill()
    assert main(["reconcile"]) == 0
    assert main(["report", "--json"]) == 0
    document = yaml.safe_load((tmp_path / "defs.yaml").read_text())
    document["attributes"]["tables"][0]["checks"] = [{"type": "rows", "max_differences": 3}]
    (tmp_path / "defs.yaml").write_text(yaml.safe_dump(document))
    capsys.readouterr()

    said = "configuration changed: not proved under this configuration"
    assert main(["gaps"]) == 0  # it has just compared the rows itself
    assert f"note: orders: check rows, 10 partitions, 2024-01-01 to 2024-01-10: {said}" in capsys.readouterr().err
    assert main(["report", "--json"]) == 2
    report = _json(capsys)
    assert report["summary"]["success_rate"] == 0.0
    assert said in report["tables"][0]["not_matched"][0]["reason"]

    assert main(["reconcile", "--json", "--partition", DAY]) == 0
    others = [f"2024-01-{day:02}" for day in range(1, 11) if day != 5]
    assert _json(capsys)["configuration_changed"] == {"orders": {"rows": others}}
    assert main(["reconcile"]) == 0
    capsys.readouterr()
    assert main(["report", "--json"]) == 0  # row_count, which is configured no more, holds nothing up
    assert _json(capsys)["summary"]["success_rate"] == 1.0
