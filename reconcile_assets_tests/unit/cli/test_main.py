"""The error boundary, the exit codes, and what starting the program costs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconcile_assets import cli
from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable

VALUE = "canary@example.com"
Fake = Callable[[Callable[[object], int]], None]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fake:
    """Puts a command ``fake`` into the program, which does what it is given."""
    monkeypatch.setenv("RECONCILE_STATE", str(tmp_path / "state"))

    def install(does: Callable[[object], int]) -> None:
        def add_parser(subparsers: object) -> None:
            subparsers.add_parser("fake").add_argument("--size", type=int)  # type: ignore[attr-defined]  # argparse's own

        module = SimpleNamespace(add_parser=add_parser, run=does)
        monkeypatch.setitem(sys.modules, "reconcile_assets.cli.fake", module)
        monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, cli.Command("fake", "fake", "for a test")))

    return install


def raising(error: BaseException) -> Callable[[object], int]:
    def does(args: object) -> int:
        raise error

    return does


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_exit_code_is_the_commands(fake: Fake, code: int) -> None:
    fake(lambda args: code)
    assert cli.main(["fake"]) == code


@pytest.mark.parametrize(
    "argv",
    [
        ["--json", "--config", "x.yaml", "--verbose", "fake", "--size", "3"],
        ["fake", "--json", "--size", "3", "--config=x.yaml", "--verbose"],
    ],
)
def test_common_options_may_stand_before_or_after_the_command(fake: Fake, argv: list[str]) -> None:
    seen: list[object] = []
    fake(lambda args: seen.append(args) or 0)  # type: ignore[func-returns-value]  # append gives None, so 0
    assert cli.main(argv) == 0
    assert {name: getattr(seen[0], name) for name in ("json", "config", "verbose", "size")} == {
        "json": True,
        "config": "x.yaml",
        "verbose": True,
        "size": 3,
    }


def test_an_expected_error_is_one_line_without_a_traceback(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(raising(DatabaseUnavailable("source: host db.example refused the connection; is it running?")))
    assert cli.main(["fake"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "source: host db.example refused the connection; is it running?\n"
    assert captured.out == ""


def test_with_json_an_error_is_one_document_too(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(raising(ConfigurationError("a line; a step")))
    assert cli.main(["fake", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": "a line; a step"}
    assert captured.err == "a line; a step\n"


def test_an_error_steers_no_terminal(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(raising(DatabaseUnavailable("no table a\x1b[31m\u202e\nb")))
    assert cli.main(["fake", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "no table a\\x1b[31m\\u202e\\nb\n"
    assert json.loads(captured.out)["error"] == captured.err.strip()


def test_a_files_refusals_keep_their_lines(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(raising(ConfigurationError("defs.yaml:1: a\x1b\ndefs.yaml:2: b")))
    assert cli.main(["fake"]) == 2
    assert capsys.readouterr().err == "defs.yaml:1: a\\x1b\ndefs.yaml:2: b\n"


@pytest.mark.parametrize("before", [[], ["--json"], ["--config", "x", "--verbose", "--json"]])
def test_an_error_of_diff_says_that_nothing_was_verified(capsys: pytest.CaptureFixture[str], before: list[str]) -> None:
    assert cli.main([*before, "diff", "--no-such-option", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "inconclusive"
    assert "--help" in document["error"]


def test_a_bug_is_one_line_with_its_class_and_never_its_text(
    fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    try:
        raise KeyError(VALUE)
    except KeyError as cause:
        bug = ValueError(VALUE)
        bug.__cause__ = cause
    fake(raising(bug))
    assert cli.main(["fake", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("ValueError: this is a bug")
    log = (tmp_path / "state" / "crashes.log").read_text()
    assert str(tmp_path / "state" / "crashes.log") in captured.err
    assert "test_main.py" in log
    assert "KeyError" in log
    assert VALUE not in captured.err + captured.out + log


def test_verbose_shows_where_a_bug_happened(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(raising(RuntimeError(VALUE)))
    assert cli.main(["fake", "--verbose"]) == 2
    error = capsys.readouterr().err
    assert "in raising" in error or "in does" in error
    assert VALUE not in error


def test_a_bug_is_told_even_where_nothing_can_be_written(
    fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECONCILE_STATE", str(tmp_path / "file" / "state"))
    fake(raising(RuntimeError(VALUE)))
    assert cli.main(["fake"]) == 2
    assert "run it again with --verbose" in capsys.readouterr().err


def test_an_interrupt_ends_with_130(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(raising(KeyboardInterrupt()))
    assert cli.main(["fake"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["gap"], "unknown command 'gap'; did you mean 'gaps'?"),
        (["--config", "gaps", "docter"], "unknown command 'docter'; did you mean 'doctor'?"),
        (["x"], "unknown command 'x'; see reconcile-assets --help"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate; see reconcile-assets --help"),
        (["--config"], "argument --config: expected one argument; see reconcile-assets --help"),
        (["--js"], "unrecognized arguments: --js; see reconcile-assets --help"),
        (["fake", "--size", "big"], "argument --size: invalid int value: 'big'; see reconcile-assets fake --help"),
        (["fake", "extra"], "unrecognized arguments: extra; see reconcile-assets --help"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(
    fake: Fake, capsys: pytest.CaptureFixture[str], argv: list[str], line: str
) -> None:
    fake(lambda args: 0)
    assert cli.main(argv) == 2
    assert capsys.readouterr().err == f"{line}\n"


def test_without_a_command_help_goes_to_stderr_and_the_code_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: reconcile-assets" in captured.err


def test_without_a_command_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": "no command is named; see reconcile-assets --help"}


def test_help_names_every_command_and_gives_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(command.name in text for command in cli.COMMANDS)
    assert "examples:" in text
    assert "exit codes:" in text


def test_help_of_one_command_is_its_own(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake(lambda args: 0)
    assert cli.main(["fake", "--help"]) == 0
    assert "--size" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("reconcile-assets 0.")


def test_every_command_is_unique_and_described_in_a_line() -> None:
    names = [command.name for command in cli.COMMANDS]
    assert len(set(names)) == len(names)
    assert all(command.help and "\n" not in command.help for command in cli.COMMANDS)


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = ("dagster", "pandas", "sqlalchemy", "pydantic", "rich", "psycopg", "yaml", "apprise", "jinja2")
    code = (
        "import sys; from reconcile_assets.cli import main; main(['--help']);"
        f"print('HEAVY', [name for name in {heavy!r} if name in sys.modules])"
    )
    assert run_python(code).splitlines()[-1] == "HEAVY []"


def test_a_reader_that_goes_away_is_met_with_silence() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "reconcile_assets", "--version"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (2, b"")
