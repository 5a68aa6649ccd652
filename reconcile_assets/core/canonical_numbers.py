"""Exact decimals as plain text: no exponent, no zeros at the end, no negative zero."""

import re
from decimal import Decimal

from reconcile_assets.core.canonical_floats import double_text, single_text, to_single

_SPECIAL = frozenset({"NaN", "Infinity", "-Infinity"})
_DECIMAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,6})?", re.ASCII)
_LONGEST_EXPONENT = 150_000  # beyond what PostgreSQL's numeric holds: written out it would only cost memory
_LARGEST_SINGLE = 3.4028234663852886e38
_SMALLEST_SINGLE = 1.1754943508222875e-38


def is_decimal(text: str) -> bool:
    """Whether a text is a finite decimal number, or one of ``NaN``, ``Infinity``, ``-Infinity``."""
    return text in _SPECIAL or _DECIMAL.fullmatch(text) is not None


def plain_decimal(text: str) -> str:
    """A decimal without exponent and without zeros at its end; anything else is marked by ``!``."""
    if text in _SPECIAL:
        return text
    if not is_decimal(text):
        return f"!{text}"
    if "e" in text or "E" in text or not text[0].isdigit():
        value = Decimal(text)
        if value and abs(value.adjusted()) > _LONGEST_EXPONENT:
            return f"!{text}"
        text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def at_scale(plain: str, scale: int) -> str:
    """A plain decimal with so many digits after its point at least, also those that are zero."""
    point = plain.find(".")
    if point >= 0:
        return plain + "0" * (scale - (len(plain) - point - 1))
    return f"{plain}.{'0' * scale}" if scale and plain[-1:].isdigit() else plain


def plain_double(text: str) -> str:
    """A double's decimal, whatever form its text has."""
    return plain_decimal(double_text(float(text)))


def plain_single(text: str) -> str:
    """A single-precision float's decimal."""
    return plain_decimal(single_text(to_single(float(text))))


def single_as_double(text: str) -> str:
    """The decimal of the double that a single-precision float is."""
    return plain_decimal(double_text(to_single(float(text))))


def rounded_single(text: str) -> str:
    """A double's decimal at single precision; marked by ``~`` where it is beyond that."""
    value = float(text)
    if value - value != 0:
        return double_text(value)
    if abs(value) > _LARGEST_SINGLE or (value != 0 and abs(value) < _SMALLEST_SINGLE):
        return f"~{plain_double(text)}"
    return plain_decimal(double_text(to_single(value)))


_SURE = 2.0**53


def plain_of_double(value: float) -> str:
    """As :func:`plain_double`, of the number itself; the usual ones need no more than its ``repr``."""
    if (1e-4 <= value < _SURE) or (-_SURE < value <= -1e-4):
        text = repr(value)
        if text[-2:] == ".0":
            return text[:-2]
        return text if "e" not in text else plain_decimal(double_text(value))
    return plain_decimal(double_text(value))
