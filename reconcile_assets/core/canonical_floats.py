"""Binary floats as the shortest decimal that reads back as the same float.

As PostgreSQL writes them: of the shortest decimals strictly between the two halfway points
to the neighbours (a decimal on a halfway point does not count, so ``1e23`` is written
``9.999999999999999e22``), the one nearest to the float. Python's ``repr`` takes the halfway
points in, which makes a difference for few floats beyond 2^53.
"""

import math
import struct
from decimal import Decimal
from fractions import Fraction

_SINGLE_BITS, _SINGLE_LEAST = 24, -149
_DOUBLE_BITS, _DOUBLE_LEAST = 53, -1074
_LONGEST = 17  # significant digits that always suffice
_SURE = 2.0**53  # below it no halfway point is shorter than what lies inside


def double_text(value: float) -> str:
    """The shortest decimal of a double; ``NaN``, ``Infinity`` and ``-Infinity`` by name, and no negative zero."""
    if value - value != 0:
        return _special(value)
    text = repr(value + 0.0)
    if abs(value) < _SURE or not _is_halfway(value, text):
        return text
    return _shortest(value, _DOUBLE_BITS, _DOUBLE_LEAST)


def single_text(value: float) -> str:
    """As :func:`double_text`, for a float that single precision holds exactly."""
    if value - value != 0:
        return _special(value)
    if value == 0:
        return "0"
    text = f"{value:.6g}"  # six digits always survive single precision: no shorter one is missed
    if abs(value) >= 2.0**-126 and _single(text) == value and not _is_halfway_single(value, text):
        return text
    return _shortest(value, _SINGLE_BITS, _SINGLE_LEAST)


def to_single(value: float) -> float:
    """The nearest float of single precision.

    Raises:
        OverflowError: it is finite, and beyond single precision.
    """
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _special(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _single(text: str) -> float:
    try:
        return to_single(float(text))
    except OverflowError:
        return math.inf


def _is_halfway(value: float, text: str) -> bool:
    return 2 * abs(Fraction(text) - Fraction(value)) in _steps(value, _DOUBLE_BITS, _DOUBLE_LEAST)


def _is_halfway_single(value: float, text: str) -> bool:
    return 2 * abs(Fraction(text) - Fraction(value)) in _steps(value, _SINGLE_BITS, _SINGLE_LEAST)


def _steps(value: float, bits: int, least: int) -> tuple[Fraction, Fraction]:
    """How far the neighbours towards zero and away from it are."""
    mantissa, exponent = math.frexp(abs(value))
    away = Fraction(2) ** max(exponent - bits, least)
    towards = away / 2 if mantissa == 0.5 and exponent - bits > least else away
    return towards, away


def _shortest(value: float, bits: int, least: int) -> str:
    exact = abs(Fraction(value))
    towards, away = _steps(value, bits, least)
    low, high = exact - towards / 2, exact + away / 2
    for digits in range(_LONGEST):
        head, _, power = f"{abs(value):.{digits}e}".partition("e")
        near, unit = Fraction(head), Fraction(1, 10**digits)
        scale = Fraction(10) ** int(power)
        inside = [number for number in (near, near - unit, near + unit) if low < number * scale < high]
        if inside:
            best = min(inside, key=lambda number: abs(number * scale - exact))
            return f"{'-' if value < 0 else ''}{Decimal(best.numerator) / Decimal(best.denominator)}e{power}"
    return repr(value)
