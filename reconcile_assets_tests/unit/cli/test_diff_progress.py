"""How far a diff is: what is counted, and when it is shown."""

import re
import sys
import threading

import pytest

from reconcile_assets.cli import diff_progress
from reconcile_assets.cli.diff_progress import DiffProgress
from reconcile_assets.databases.base import CostMeter


@pytest.fixture
def meters() -> tuple[CostMeter, CostMeter]:
    return CostMeter(), CostMeter()


def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is shown late is shown at once."""
    for name in ("SECONDS_TO_A_BAR", "SECONDS_TO_A_LINE", "_SECONDS_BETWEEN_LINES", "_SECONDS_BETWEEN_LOOKS"):
        monkeypatch.setattr(diff_progress, name, 0.001)


def test_rows_are_counted_as_they_are_read_and_those_a_server_kept_at_its_end(
    meters: tuple[CostMeter, CostMeter],
) -> None:
    progress = DiffProgress()
    progress.begin(*meters)
    progress.phase("scanning", 2_000, unit="rows")
    meters[0].rows_read += 400
    assert progress.standing().steps == "400 of about 2,000 rows"
    progress.advance(1_000)
    meters[1].count_bytes(5_000_000)
    assert progress.standing().received == "400 rows, 5.0 MB received"
    meters[0].rows_read += 5_000  # more than the planner knew of
    assert progress.standing().steps == "2,000 of about 2,000 rows"


def test_other_steps_are_counted_by_themselves(meters: tuple[CostMeter, CostMeter]) -> None:
    progress = DiffProgress()
    progress.begin(*meters)
    meters[0].rows_read += 400
    progress.phase("reading what differs", 30, unit="buckets")
    progress.advance()
    progress.advance(4)
    assert (progress.standing().steps, progress.standing().received) == ("5 of 30 buckets", "400 rows read")
    progress.phase("dividing")
    assert (progress.standing().phase, progress.standing().steps) == ("dividing", "")


def test_a_short_diff_shows_nothing_and_loads_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for is_terminal in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda found=is_terminal: found)
        with DiffProgress() as progress:
            progress.phase("scanning", 10, unit="rows")
    assert capsys.readouterr() == ("", "")
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_lines_are_said_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], meters: tuple[CostMeter, CostMeter]
) -> None:
    soon(monkeypatch)
    said = threading.Event()
    monkeypatch.setattr(diff_progress, "say", lambda line: (print(line, file=sys.stderr), said.set()))
    with DiffProgress() as progress:
        progress.begin(*meters)
        progress.phase("reading what differs", 30, unit="buckets")
        said.clear()
        assert said.wait(30)
    err = capsys.readouterr().err
    assert re.search(r"^diff: reading what differs, 0 of 30 buckets, \d+ s$", err, re.MULTILINE)
    assert "\x1b" not in err


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_a_bar_is_shown_on_a_terminal_and_taken_away(
    term: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], meters: tuple[CostMeter, CostMeter]
) -> None:
    soon(monkeypatch)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = threading.Event()
    standing = DiffProgress.standing

    def look(self: DiffProgress) -> diff_progress.Standing:
        shown.set()
        return standing(self)

    monkeypatch.setattr(DiffProgress, "standing", look)
    with DiffProgress() as progress:
        progress.phase("scanning [bold]", 10, unit="rows")
        for _ in range(3):
            shown.clear()
            assert shown.wait(30)
    out, err = capsys.readouterr()
    assert out == ""
    assert "scanning [bold]" in err
    assert err.endswith("\x1b[?25h\r\x1b[1A\x1b[2K") == (term != "dumb")


def test_a_diff_whose_stderr_has_gone_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    soon(monkeypatch)
    tried = threading.Event()

    def break_off(line: str) -> None:
        tried.set()
        raise BrokenPipeError

    monkeypatch.setattr(diff_progress, "say", break_off)
    with DiffProgress() as progress:
        assert tried.wait(30)
        progress.phase("scanning")
    assert progress.standing().phase == "scanning"


def test_a_failed_diff_ends_the_display_too() -> None:
    with pytest.raises(KeyboardInterrupt), DiffProgress():
        raise KeyboardInterrupt
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]
