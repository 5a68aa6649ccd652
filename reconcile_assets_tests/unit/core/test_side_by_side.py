"""What is shown of two values, and which characters are marked."""

import pytest

from reconcile_assets.core.difference import MASKED, Value
from reconcile_assets.core.side_by_side import (
    Shown,
    ShownKind,
    cut_text,
    escape_text,
    show_pair,
    show_value,
    text_width,
)


def marked(shown: Shown) -> str:
    return "".join(piece.text if piece.differs else "." * len(piece.text) for piece in shown.pieces)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        ("NULL", "'NULL'"),
        ("", "''"),
        ("a ", "'a '"),
        (True, "true"),
        ("true", "'true'"),
        (5, "5"),
        (0.1, "0.1"),
        ("12.50", "12.50"),
        ("-1.5e+300", "-1.5e+300"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("nan", "'nan'"),
        ("1 ", "'1 '"),
        ("9007199254740993", "9007199254740993"),
        ("٣", "'٣'"),  # a digit, but no number of a database
        ("2024-02-29 12:00:00.5+00", "2024-02-29 12:00:00.5+00"),
        ("0044-03-15 BC", "0044-03-15 BC"),
        ("2024-02-29 ", "'2024-02-29 '"),
        ("12:30:00", "12:30:00"),
        ("\\x00ff", "\\x00ff"),
        ("\\x0", "'\\\\x0'"),
        ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("a\nb\x00\x1b\u202e\u200d\ud800", "'a\\nb\\x00\\x1b\\u202e\\u200d\\ud800'"),
        ("a\\nb", "'a\\\\nb'"),
        ("日本", "'日本'"),
        (MASKED, "masked"),
        ("***", "'***'"),
    ],
)
def test_a_value_is_shown_so_that_it_can_be_told_from_others(value: Value, text: str) -> None:
    shown = show_value(value, 80)
    assert (shown.text, shown.characters) == (text, None)


def test_null_masked_and_text_are_of_different_kinds() -> None:
    kinds = [show_value(value, 20).kind for value in (None, MASKED, "NULL", 5)]
    assert kinds == [ShownKind.NULL, ShownKind.MASKED, ShownKind.VALUE, ShownKind.VALUE]


@pytest.mark.parametrize(
    ("source", "target", "left", "right"),
    [
        ("Ann Smith", "Ann Smyth", ".......i...", ".......y..."),
        ("a", "a ", "...", ".. ."),
        ("12.50", "12.51", "....0", "....1"),
        ("2024-01-05", "2025-01-06", "...4.....5", "...5.....6"),
        ("abc", "xyz", ".abc.", ".xyz."),
        ("a1b2c", "a3b4c", "..1b2..", "..3b4.."),  # one equal character among others is chance
        ("United Air Lines", "JetBlue Airway", ".United Air Lines.", ".JetBlue Airway."),  # nor is a run in few
        (True, False, "true", "false"),
        (5, "5", "5", ".5."),
        ("same", "same", ".same.", ".same."),  # shown alike, though they differ
        (None, "x", "....", "..."),
        (MASKED, MASKED, "......", "......"),
        ("é", "e\u0301", ".é.", ".e\\u0301."),
        ("a\u0301b", "a\u0300b", "..\\u0301..", "..\\u0300.."),
        ("", "a", "..", ".a."),
        ("a\nb", "a b", "..\\n..", ".. .."),
    ],
)
def test_the_characters_that_differ_are_marked(source: Value, target: Value, left: str, right: str) -> None:
    shown = show_pair(source, target, 40)
    assert (marked(shown[0]), marked(shown[1])) == (left, right)


def test_a_long_value_is_cut_around_what_differs_and_says_how_long_it_is() -> None:
    source, target = show_pair("x" * 1_000_000 + "Q" + "y" * 30, "x" * 1_000_000 + "R" + "y" * 30, 30)
    assert (source.characters, target.characters) == (1_000_031, 1_000_031)
    assert marked(source).strip(".…") == "Q"
    assert marked(target).strip(".…") == "R"
    assert source.text.startswith("…xxx")
    assert source.text.endswith("yyy…")
    assert source.text.index("Q") == target.text.index("R")


def test_what_is_longer_at_its_end_is_shown_at_its_end() -> None:
    source, target = show_pair("a" * 100, "a" * 101, 30)
    assert (source.text[:2], marked(target)[-2:]) == ("…a", "a.")
    assert text_width(source.text) > 20


@pytest.mark.parametrize(
    ("text", "room", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("abc", 1, "…"),
        ("a", 0, ""),
    ],
)
def test_text_is_cut_by_the_cells_it_takes(text: str, room: int, cut: str) -> None:
    assert cut_text(text, room) == cut
    assert text_width(cut) <= room


def test_names_are_escaped_too() -> None:
    assert escape_text("a\u202eb\x1b") == "a\\u202eb\\x1b"
    assert escape_text("größe 日本") == "größe 日本"
