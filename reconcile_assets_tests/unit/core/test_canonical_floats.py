"""Floats as their shortest decimals."""

import math
import random
import struct
from fractions import Fraction

import pytest

from reconcile_assets.core.canonical_floats import double_text, single_text, to_single
from reconcile_assets.core.canonical_numbers import is_decimal, plain_decimal, plain_double, rounded_single


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-0.0, "0.0"),
        (1e23, "9.999999999999999e+22"),
        (5e-324, "5e-324"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
    ],
)
def test_a_double_is_written_as_postgresql_writes_it(value: float, text: str) -> None:
    assert double_text(value) == text or Fraction(double_text(value)) == Fraction(text)


def test_every_single_reads_back_and_none_is_longer_than_nine_digits() -> None:
    random_ = random.Random(1)  # noqa: S311 - a seeded sequence, no secret
    for _ in range(2_000):
        value = struct.unpack("<f", random_.randbytes(4))[0]
        if value - value != 0:
            continue
        text = single_text(value)
        assert to_single(float(text)) == value
        assert len(text.partition("e")[0].strip("-0.").replace(".", "")) <= 9


@pytest.mark.parametrize("value", [0.1, 1e-45, 1.1754943508222875e-38, 16777216.0, 3.4028234663852886e38])
def test_a_single_at_the_edge_reads_back(value: float) -> None:
    single = to_single(value)
    assert to_single(float(single_text(single))) == single


def test_what_is_beyond_single_precision_is_marked() -> None:
    assert rounded_single("1e300").startswith("~1000")
    assert rounded_single("1e-300").startswith("~0.000")
    assert rounded_single("NaN") == "NaN"
    assert rounded_single("0.1") == rounded_single("0.10000000149011612")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1.10", "1.1"),
        ("100", "100"),
        ("100.000", "100"),
        ("-0.00", "0"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("+5", "5"),
        (".5", "0.5"),
        ("NaN", "NaN"),
        ("one", "!one"),
        ("1e999999", "!1e999999"),
        ("", "!"),
        ("1 ", "!1 "),
    ],
)
def test_a_decimal_is_plain_or_marked(text: str, plain: str) -> None:
    assert plain_decimal(text) == plain


def test_numbers_are_told_from_what_is_none() -> None:
    assert is_decimal("1.5e10")
    assert is_decimal("-Infinity")
    assert not any(is_decimal(text) for text in ("1.5e", "0x10", "inf", "nan", "\u0663", "1\n"))


def test_a_double_has_no_exponent() -> None:
    assert plain_double("1e+22") == "1" + "0" * 22
    assert plain_double("-0.0") == "0"
