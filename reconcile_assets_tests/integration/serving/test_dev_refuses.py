"""What ``dev`` refuses in one line, before it starts anything."""

from pathlib import Path

import pytest

from reconcile_assets import cli

NOWHERE = "postgresql://somebody:canary@127.0.0.1:1/nowhere"


@pytest.mark.parametrize(
    ("url", "said"),
    [(NOWHERE, "DATABASE_URL: the database cannot be reached"), ("nonsense", "DATABASE_URL: not a database URL")],
)
def test_a_project_database_that_cannot_be_used_is_told_before_anything_starts(
    url: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "tables.yaml"
    config.write_text("tables: []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DATABASE_URL", url)

    assert cli.main(["--config", str(config), "dev"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(said)
    assert "canary" not in line
    assert not (tmp_path / "state" / "logs").exists()


def test_the_folder_is_free_again_after_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "tables.yaml"
    config.write_text("tables: []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    lines = []
    for _ in range(2):
        assert cli.main(["--config", str(config), "dev"]) == 2
        lines.append(capsys.readouterr().err)
    assert lines[0] == lines[1]
