"""Comparing single figures: exact numbers within tolerances, everything else exactly."""

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction

Number = Decimal | Fraction
Figure = Number | str | None


@dataclass(frozen=True)
class FigureMatch:
    """Whether two figures agree, and whether they are the same.

    Attributes:
        difference: of two finite numbers, target minus source; else None.
    """

    agrees: bool
    same: bool
    difference: Number | None = None


def compare_figures(source: Figure, target: Figure, *, abs_tol: float = 0.0, rel_tol: float = 0.0) -> FigureMatch:
    """Compare as ``math.isclose`` does, but exactly: ``|a - b| <= max(rel_tol * max(|a|, |b|), abs_tol)``.

    NULL equals NULL only, NaN equals NaN, an infinity only itself; a text only the same text.
    """
    if isinstance(source, str) or isinstance(target, str) or source is None or target is None:
        same = source == target
        return FigureMatch(same, same)
    if not (_is_finite(source) and _is_finite(target)):
        same = str(source) == str(target)
        return FigureMatch(same, same)
    here, there = Fraction(source), Fraction(target)
    gap = abs(there - here)
    bound = max(Fraction(str(rel_tol)) * max(abs(here), abs(there)), Fraction(str(abs_tol)))
    return FigureMatch(gap <= bound, gap == 0, there - here)


def read_figure(value: object) -> Figure:
    """A driver's value as a figure: numbers exactly (floats by their shortest form), all else by its text.

    A truth value is a text: 1 and true are not the same answer.
    """
    if value is None or isinstance(value, Fraction):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    return str(value)


def read_number(text: str | None) -> Figure:
    """An engine's exact text of a number; what is no number stays text."""
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def show_figure(figure: Figure) -> str:
    """A figure for people: the exact number, an exact fraction to 20 digits, NULL as ``NULL``."""
    if figure is None:
        return "NULL"
    if isinstance(figure, str):
        return figure
    if isinstance(figure, Fraction):
        figure = Decimal(figure.numerator) / Decimal(figure.denominator)
    return f"{figure.normalize():f}" if figure.is_finite() and abs(figure.adjusted()) < 40 else str(figure)


def show_lag(lag: timedelta) -> str:
    """A duration for people: ``0:00:05``."""
    seconds = max(0, math.ceil(lag.total_seconds()))
    return str(timedelta(seconds=seconds))


def _is_finite(number: Number) -> bool:
    return isinstance(number, Fraction) or number.is_finite()
