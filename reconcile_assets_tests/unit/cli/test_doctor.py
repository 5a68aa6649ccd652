"""How doctor's findings are shown, and the exit code."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile_assets import cli
from reconcile_assets.engine import doctor
from reconcile_assets.engine.findings import Finding

FINE = Finding.ok("storage", "can be written to")
ODD = Finding.warning("table flights", "no index", "CREATE INDEX")
BROKEN = Finding.fail("check flights.miles", "target: \x1b[2Jrefused", "correct [the] query")


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables.yaml").write_text("tables: []\n")
    monkeypatch.setenv("RECONCILE_CONFIG", "tables.yaml")
    monkeypatch.chdir(tmp_path)


def finds(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    def diagnose(*args: object, **options: object) -> Iterator[Finding]:
        yield from findings

    monkeypatch.setattr(doctor, "diagnose", diagnose)


@pytest.mark.parametrize(
    ("findings", "code", "status"),
    [((), 0, "ok"), ((FINE,), 0, "ok"), ((FINE, ODD), 0, "warning"), ((BROKEN, ODD, FINE), 2, "fail")],
)
def test_only_a_failure_changes_the_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    findings: tuple[Finding, ...],
    code: int,
    status: str,
) -> None:
    finds(monkeypatch, *findings)
    assert cli.main(["doctor", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == status
    assert [each["subject"] for each in document["findings"]] == [each.subject for each in findings]


def test_each_finding_is_a_line_with_its_mend_and_no_control_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(monkeypatch, FINE, ODD, BROKEN)
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "ok       storage: can be written to",
        "warning  table flights: no index -> CREATE INDEX",
        "fail     check flights.miles: target: \\x1b[2Jrefused -> correct [the] query",
        "1 ok, 1 warning, 1 fail",
    ]


def test_on_a_terminal_levels_are_coloured_and_brackets_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(monkeypatch, BROKEN)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert cli.main(["doctor"]) == 2
    assert "correct [the] query" in capsys.readouterr().out.replace("\n", " ")
