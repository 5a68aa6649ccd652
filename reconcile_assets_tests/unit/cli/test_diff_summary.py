"""What diff prints for people."""

import io
import re
import sys
from dataclasses import replace

import pytest

from reconcile_assets.cli.diff_summary import print_summary, summary_lines, why_inconclusive
from reconcile_assets.cli.styled_lines import plain_text
from reconcile_assets.core.compare import ColumnComparison, Comparison, Differences
from reconcile_assets.core.difference import Difference, DifferenceKind
from reconcile_assets.core.side_by_side import text_width
from reconcile_assets_tests.comparison_samples import HOSTILE, INCONCLUSIVE, LONG, MATCHED, SAMPLE, changed


def told(comparison: Comparison, *, width: int = 100, listed: int = 10, carets: bool = True) -> list[str]:
    return [plain_text(line) for line in summary_lines(comparison, width, listed, carets=carets)]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A terminal of 80 columns with colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("COLUMNS", "80"), ("LINES", "30")):
        monkeypatch.setenv(name, value)
    return monkeypatch


def printed(terminal: pytest.MonkeyPatch, comparison: Comparison, *, is_terminal: bool = True) -> str:
    output = io.StringIO()
    with terminal.context() as patch:
        patch.setattr(output, "isatty", lambda: is_terminal)
        patch.setattr(sys, "stdout", output)
        print_summary(comparison)
    return output.getvalue()


def test_counts_columns_differences_and_cost_are_told() -> None:
    lines = told(SAMPLE)
    assert lines[0] == "MISMATCHED"
    for line in (
        "  source  ops.orders (postgresql, shop on db.example.org)",
        "  rows                     1,000,000       1,000,000",
        "  NULL in the key                  2               0",
        "  value differs                1,234",
        "  within tolerance                17",
        "differences: 8 of 1,236",
        "1,228 more differ; see them with --limit N, --json or --html FILE",
        "12.34 s, 1 and 2 scans, 1,500 and 1,501 rows received, 0.08 MB",
    ):
        assert line in lines
    assert any(re.fullmatch(r"  amount +1  tolerance: abs_tol=0\.001", line) for line in lines)


def test_the_characters_that_differ_have_carets_under_them() -> None:
    lines = told(SAMPLE)
    at = lines.index("  value_differs  id=1")
    assert re.fullmatch(r"    name +'Ann Smith' +\| 'Ann Smyth'", lines[at + 1])
    marked = {match.start() for match in re.finditer(r"\^", lines[at + 2])}
    assert {lines[at + 1][column] for column in marked} == {"i", "y"}
    assert [line for line in told(SAMPLE, carets=False) if "^" in line] == []


def test_null_masked_and_missing_are_told_from_text() -> None:
    text = "\n".join(told(SAMPLE, width=140))
    assert re.search(r"name +NULL +\| 'NULL'", text)
    assert re.search(r"email +masked +\| masked", text)
    assert re.search(r"missing_in_target  id=7\n +name='Bob', amount=NULL, email=masked +\| no such row", text)
    assert re.search(r"missing_in_source  id=8\n +no such row +\| name='Eve', amount=3, email=masked", text)


def test_long_values_are_cut_with_their_length_and_hostile_ones_steer_nothing() -> None:
    text = "\n".join(told(SAMPLE))
    assert f"{2 * LONG + 1:,} characters" in text
    assert "a\\u202eb\\x1b[2J\\nc" in text
    assert HOSTILE in text
    assert all(line.isprintable() for line in told(SAMPLE))


@pytest.mark.parametrize("width", [24, 40, 57, 80, 132])
@pytest.mark.parametrize("comparison", [SAMPLE, MATCHED, INCONCLUSIVE])
def test_no_line_is_wider_than_the_terminal(comparison: Comparison, width: int, terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("COLUMNS", str(width))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed(terminal, comparison))
    assert max(text_width(line) for line in plain.splitlines()) <= width
    assert plain.startswith(comparison.verdict.value.upper())


def test_values_that_have_no_room_side_by_side_stand_one_above_the_other() -> None:
    lines = told(SAMPLE, width=50)
    at = lines.index("  value_differs  id=1")
    assert lines[at + 1 : at + 6] == [
        "    name",
        "      source 'Ann Smith'",
        "                    ^",
        "      target 'Ann Smyth'",
        "                    ^",
    ]


def test_a_terminal_gets_colours_and_a_pipe_the_same_words_with_carets(terminal: pytest.MonkeyPatch) -> None:
    coloured = printed(terminal, SAMPLE)
    plain = printed(terminal, SAMPLE, is_terminal=False)
    assert "\x1b[" in coloured
    assert "^" not in coloured
    assert "\x1b" not in plain
    without_carets = [line.rstrip() for line in plain.splitlines() if not re.fullmatch(r"[ ^]*\^[ ^]*", line)]
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines() == without_carets


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colour_gets_carets(setting: tuple[str, str], terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv(*setting)
    shown = printed(terminal, SAMPLE)
    assert re.search(r"^ +\^ +\^$", shown, re.MULTILINE)
    assert not re.search(r"\x1b\[[0-9;]*[34][0-7]", shown)


def test_an_output_that_lacks_a_character_shows_its_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", output)
    print_summary(replace(SAMPLE, differences=Differences([changed(1, {"a": "Zürich"}, {"a": "Zurich"})])))
    output.flush()
    assert b"'Z\\xfcrich'" in output.buffer.getvalue()  # type: ignore[attr-defined] # a BytesIO


def test_as_many_differences_are_listed_as_were_asked_for() -> None:
    many = replace(SAMPLE, differences=Differences(changed(n, {"a": 1}, {"a": 2}) for n in range(30)))
    assert sum(line.startswith("  value_differs") for line in told(many, listed=4)) == 4
    assert sum(line.startswith("  value_differs") for line in told(many, listed=30)) == 30
    assert "differences: none of 1,236 is listed; --limit N lists N of them" in told(many, listed=0)
    complete = replace(many, value_differs=30, missing_in_target=0, missing_in_source=0)
    assert "differences: all 30" in told(complete, listed=30)
    assert not any("more differ" in line for line in told(complete, listed=30))


def test_wide_rows_and_many_equal_columns_are_told_in_short() -> None:
    wide = {f"c{n}": n for n in range(150)}
    columns = {name: ColumnComparison("exact", 1 if name == "c7" else 0) for name in wide}
    rows = Differences(
        [
            Difference(DifferenceKind.VALUE_DIFFERS, {"id": 1}, wide, dict.fromkeys(wide, -1)),
            Difference(DifferenceKind.MISSING_IN_TARGET, {}, wide),
        ]
    )
    lines = told(replace(SAMPLE, columns=columns, differences=rows))
    assert "  149 more columns: none differs, compared exactly" in lines
    assert "    and 142 more columns" in lines
    assert len(lines) < 60


def test_rows_that_did_not_settle_are_counted_apart() -> None:
    assert "  not settled                  1,200" in told(replace(INCONCLUSIVE, unsettled=1_200))
    assert not any("settled" in line for line in told(INCONCLUSIVE))


def test_equal_tables_have_no_differences_and_inconclusive_ones_say_why() -> None:
    assert not any("differ" in line and "differs" not in line for line in told(MATCHED))
    assert any("uncomparable: point beside text" in line for line in told(INCONCLUSIVE))
    assert why_inconclusive(INCONCLUSIVE).startswith("could not verify: no exact comparison for place;")
