"""Results on stdout, everything else on stderr, and nothing that steers a terminal."""

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from reconcile_assets.cli import output


def test_one_json_document_with_times_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"at": datetime(2013, 1, 1, tzinfo=UTC), "took": timedelta(seconds=1.5), "name": "é"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"at": "2013-01-01T00:00:00+00:00", "took": 1.5, "name": "é"}
    assert text.count("\n") == 1


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        output.print_json({"x": float("nan")})
    with pytest.raises(TypeError, match="object has no JSON form"):
        output.print_json({"x": object()})


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain é 😀", "plain é 😀"), ("\x1b[2J", "\\x1b[2J"), ("a\nb", "a\\nb"), ("\u202eevil", "\\u202eevil"), ("", "")],
)
def test_control_and_bidirectional_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert output.printable(text) == shown


def test_people_are_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("done\x07")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "done\\x07\n")


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ([], ""),
        ([("a", "empty")], "note: t a: empty\n"),
        ([("a", "3 rows share a key"), ("b", "4 rows share a key")], "note: t a and 1 more: 3 rows share a key\n"),
        ([("a", "empty"), ("a", "empty"), ("b", "late")], "note: t a: empty\nnote: t b: late\n"),
    ],
)
def test_notes_that_differ_by_figures_only_are_one_line(
    notes: list[tuple[str, str]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output.say_notes("t", notes)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


def test_a_table_is_aligned_text_where_stdout_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["table", "rows"], [["flights", 12], ["w", 3]], title="gaps")
    assert capsys.readouterr().out == "gaps\ntable    rows\nflights  12\nw        3\n"
    output.print_table(["only"], [])
    assert capsys.readouterr().out == "only\n"


def test_a_table_on_a_terminal_does_not_read_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output.print_table(["table"], [["[red]flights[/red]"]], title="gaps")
    assert "[red]flights[/red]" in capsys.readouterr().out


def test_progress_without_a_terminal_is_a_line_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with output.Progress("backfill", total=3) as progress:
        for _ in range(3):
            progress.advance(note="2013-01-01")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("backfill: 3 of 3 in ")
    assert captured.err.count("\n") == 1


def test_progress_without_a_terminal_speaks_every_few_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([0.0, 1.0, 6.0, 6.0, 7.0, 8.0])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(moments))
    with output.Progress("backfill", total=3) as progress:
        progress.advance()
        progress.advance(note="2013-01-02")
        progress.advance()
    assert capsys.readouterr().err == "backfill: 2 of 3, 2013-01-02\nbackfill: 3 of 3 in 8.0 s\n"


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with output.Progress("backfill", total=3, quiet=True) as progress:
        progress.advance()
    assert progress.done == 1
    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal_is_a_bar_that_ends_with_the_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with output.Progress("backfill [x]", total=2) as progress:
        progress.advance(note="[bold]note")
    assert "backfill [x]" in capsys.readouterr().err


def test_a_table_is_told_once() -> None:
    assert output.untold("table orders: there is no key", "orders") == "there is no key"
    assert output.untold("table orders, partition 2024-01-05: it differs", "orders", "2024-01-05") == "it differs"
    assert output.untold("table orders, partition 2024-01-05: it differs", "orders", "2024-01-06").startswith(
        "table orders"
    )
    assert output.untold(ValueError("target: there is no table orders"), "orders") == "target: there is no table orders"
    assert output.untold("table orders2: x", "orders") == "table orders2: x"
