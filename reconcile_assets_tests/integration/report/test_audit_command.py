"""``audit`` over a real chain."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconcile_assets.cli import main


def test_a_chain_that_was_never_begun_verifies_empty(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--json"]) == 0
    [target] = json.loads(capsys.readouterr().out)["targets"]
    assert (target["entries"], target["batches"]) == (0, 0)
    assert main(["audit", "log"]) == 0


def test_a_whole_chain_verifies_with_as_many_entries_as_batches(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    assert main(["audit", "verify"]) == 0
    assert "target  verified   10       10       10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("forgery", "first_bad"),
    [
        ("UPDATE reconcile_assets.audit_entries SET actor = 'nobody' WHERE seq = 3", 3),
        ("DELETE FROM reconcile_assets.audit_entries WHERE seq = 5", 5),
        ("DELETE FROM reconcile_assets.audit_entries WHERE seq > 8", 9),
        ("TRUNCATE reconcile_assets.audit_entries", 1),
    ],
)
def test_a_chain_that_was_tampered_with_is_exit_1_and_names_the_first_bad_entry(
    site: Any, capsys: pytest.CaptureFixture[str], forgery: str, first_bad: int
) -> None:
    site.backfill()
    site.on_target(forgery)
    assert main(["audit", "verify", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert document["targets"][0]["first_bad"] == first_bad
    assert main(["audit", "verify"]) == 1
    assert f"first bad entry {first_bad}" in capsys.readouterr().err


def test_a_target_that_does_not_answer_is_exit_2(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_DATABASE_URL", "postgresql://someone:canary-passw0rd@127.0.0.1:1/gone")
    assert main(["audit", "verify", "--json"]) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ok"] is None
    assert "canary-passw0rd" not in printed.out + printed.err


def test_the_log_shows_the_newest_first_and_no_more_than_asked_for(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.backfill()
    assert main(["audit", "log", "--limit", "3", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [entry["seq"] for entry in entries] == [10, 9, 8]
    assert main(["audit", "log", "--table", "nosuch", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == []
    assert main(["audit", "log"]) == 0
    assert "a person" in capsys.readouterr().out


def test_the_export_holds_every_entry_as_one_line(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    assert main(["audit", "export", "--output", "audit.jsonl"]) == 0
    lines = [json.loads(line) for line in Path("audit.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, 11))
    assert {line["target"] for line in lines} == {"target"}
    assert capsys.readouterr().out == "audit.jsonl\n"


def test_an_export_that_cannot_be_written_leaves_what_stood_there(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("audit.jsonl").write_text("kept")
    monkeypatch.setenv("TARGET_DATABASE_URL", "postgresql://someone@127.0.0.1:1/gone")
    assert main(["audit", "export", "--output", "audit.jsonl"]) == 2
    assert Path("audit.jsonl").read_text() == "kept"
    assert [path.name for path in Path().iterdir() if "audit" in path.name] == ["audit.jsonl"]


def test_a_target_made_anew_begins_another_copy_and_the_old_one_is_kept_and_told_of(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    site.backfill()
    site.on_target("DROP SCHEMA reconcile_assets CASCADE")
    site.backfill()
    assert main(["audit", "verify"]) == 1
    assert main(["audit", "set-aside", "target", "--reason", "restored from a backup", "--actor", "anna"]) == 0
    assert "a copy of 10 entries was set aside as 'target " in capsys.readouterr().out
    site.backfill()
    assert main(["audit", "verify"]) == 0
    printed = capsys.readouterr()
    assert "target  verified   20       20       20" in printed.out
    assert "by anna: restored from a backup" in printed.err
    assert main(["audit", "verify", "--json"]) == 0
    (kept,) = json.loads(capsys.readouterr().out)["targets"][0]["set_aside"]
    assert (kept["entries"], kept["by"], kept["reason"]) == (10, "anna", "restored from a backup")
    main(["report", "--html", "report.html"])
    assert "restored from a backup" in Path("report.html").read_text()


def test_a_log_that_goes_on_from_its_copy_is_not_set_aside(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.backfill()
    assert main(["audit", "set-aside", "target", "--reason", "why not", "--json"]) == 2
    printed = capsys.readouterr()
    assert "it is whole and its copy agrees" in json.loads(printed.out)["error"]
    assert main(["audit", "verify"]) == 0


def test_a_target_that_does_not_answer_has_nothing_set_aside(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.backfill()
    url = os.environ["TARGET_DATABASE_URL"]
    monkeypatch.setenv("TARGET_DATABASE_URL", "postgresql://someone:canary-passw0rd@127.0.0.1:1/gone")
    assert main(["audit", "set-aside", "target", "--reason", "x"]) == 2
    assert "canary-passw0rd" not in capsys.readouterr().err
    monkeypatch.setenv("TARGET_DATABASE_URL", url)
    assert main(["audit", "verify"]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "PART"),
        (["set-aside", "target"], "--reason"),
        (["set-aside", "--reason", "x"], "TARGET"),
        (["set-aside", "target", "--reason", " "], "--reason"),
        (["set-aside", "target", "--reason", "nul \x00"], "--reason"),
        (["set-aside", "nosuch", "--reason", "x"], "nosuch"),
        (["verify", "--connection", "nosuch"], "nosuch"),
        (["log", "--limit", "0"], "'0'"),
        (["export"], "--output"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(
    site: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["audit", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
