"""Comparing single figures."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from reconcile_assets.core.measures import Figure, compare_figures, read_figure, read_number, show_figure, show_lag


@pytest.mark.parametrize(
    ("source", "target", "abs_tol", "rel_tol", "agrees"),
    [
        (Decimal(1), Decimal("1.00"), 0, 0, True),
        (Decimal("9007199254740993"), Decimal("9007199254740992"), 0, 0, False),
        (Decimal(100), Decimal(101), 1, 0, True),
        (Decimal(100), Decimal("101.0000001"), 1, 0, False),
        (Decimal(100), Decimal(101), 0, 0.01, True),
        (Decimal(101), Decimal(100), 0, 0.01, True),
        (Decimal(100), Decimal("101.1"), 0, 0.01, False),
        (Decimal(0), Decimal("0.1"), 0, 0.5, False),
        (Decimal("0.1"), Decimal("0.2"), 0.1, 0, True),
        (Fraction(1, 3), Fraction(2, 6), 0, 0, True),
        (Fraction(1, 3), Decimal("0.3333333333"), 0, 0, False),
        (None, None, 0, 0, True),
        (None, Decimal(0), 5, 0, False),
        (Decimal("NaN"), Decimal("NaN"), 0, 0, True),
        (Decimal("NaN"), Decimal(1), 9, 9, False),
        (Decimal("Infinity"), Decimal("Infinity"), 0, 0, True),
        (Decimal("Infinity"), Decimal("-Infinity"), 9, 9, False),
        (Decimal(1), Decimal("Infinity"), 0, 0.1, False),
        ("a", "a", 0, 0, True),
        ("a", "a ", 9, 9, False),
        ("1", Decimal(1), 9, 9, False),
    ],
)
def test_figures_agree_exactly_or_within_their_tolerance(
    source: Figure, target: Figure, abs_tol: float, rel_tol: float, agrees: bool
) -> None:
    assert compare_figures(source, target, abs_tol=abs_tol, rel_tol=rel_tol).agrees is agrees
    assert compare_figures(target, source, abs_tol=abs_tol, rel_tol=rel_tol).agrees is agrees


def test_within_tolerance_is_not_the_same() -> None:
    found = compare_figures(Decimal(10), Decimal(9), abs_tol=1)
    assert (found.agrees, found.same, found.difference) == (True, False, Fraction(-1))


@pytest.mark.parametrize(
    ("value", "figure"),
    [
        (None, None),
        (7, Decimal(7)),
        (0.1, Decimal("0.1")),
        (float("nan"), Decimal("NaN")),
        (True, "true"),
        (Decimal("1.10"), Decimal("1.1")),
        (timedelta(seconds=1), "0:00:01"),
    ],
)
def test_a_drivers_values_become_figures(value: object, figure: Figure) -> None:
    assert str(read_figure(value)) == str(figure) or read_figure(value) == figure


@pytest.mark.parametrize(("text", "number"), [("1.5", Decimal("1.5")), (None, None), ("abc", "abc")])
def test_an_engines_text_becomes_a_number_where_it_is_one(text: str | None, number: Figure) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (None, "NULL"),
        (Decimal("1.500"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E+90"), "1E+90"),
        (Decimal("NaN"), "NaN"),
        (Fraction(1, 4), "0.25"),
        ("text", "text"),
    ],
)
def test_figures_are_shown_plainly(figure: Figure, shown: str) -> None:
    assert show_figure(figure) == shown


def test_a_lag_is_shown_in_whole_seconds_rounded_up() -> None:
    assert show_lag(timedelta(seconds=4.2)) == "0:00:05"
    assert show_lag(timedelta(days=1, hours=2)) == "1 day, 2:00:00"
    assert show_lag(timedelta(seconds=-3)) == "0:00:00"
