"""``.env`` fills in what is not exported."""

import os
from pathlib import Path

import pytest

from reconcile_assets.cli.env_file import load_env_file, load_working_folder
from reconcile_assets.errors import ConfigurationError


def test_a_variable_of_the_file_is_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# where from\nSOURCE_DATABASE_URL=postgresql://reader@db/ops\n")
    environ: dict[str, str] = {}

    load_env_file(tmp_path, environ)

    assert environ == {"SOURCE_DATABASE_URL": "postgresql://reader@db/ops"}


def test_an_exported_variable_stands(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=of-the-file\n")
    environ = {"API_KEY": "exported"}

    load_env_file(tmp_path, environ)

    assert environ == {"API_KEY": "exported"}


def test_an_empty_value_sets_nothing_so_that_the_example_can_be_copied(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=\n")
    environ: dict[str, str] = {}

    load_env_file(tmp_path, environ)

    assert environ == {}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X='pa$$word'", "pa$$word"),
        ("X=pa$HOME", "pa$HOME"),
        ('export X="a b"', "a b"),
        ("X=a#b", "a#b"),
    ],
)
def test_a_value_is_taken_literally(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(line + "\n")
    environ: dict[str, str] = {}

    load_env_file(tmp_path, environ)

    assert environ == {"X": value}


def test_no_file_is_no_error(tmp_path: Path) -> None:
    environ: dict[str, str] = {}

    load_env_file(tmp_path, environ)

    assert environ == {}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe=\n")

    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        load_env_file(tmp_path, {})


def test_the_working_folder_is_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("RECONCILE_UI_URL=http://ui.test\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILE_UI_URL", "")

    load_working_folder()

    assert os.environ["RECONCILE_UI_URL"] == "http://ui.test"
