"""How far two values may lie apart and still be taken as the same: exact, and never for NULL.

A tolerance filters rows whose digests differ; it never stands in for the digest.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from reconcile_assets.errors import NotComparable

_AMOUNTS = ("abs_tol", "rel_tol", "seconds")
_FOLDINGS = ("ignore_case", "ignore_trailing_space")


@dataclass(frozen=True)
class Tolerance:
    """How far a column's values may lie apart, inclusive, as ``math.isclose`` takes it.

    Attributes:
        abs_tol: in the column's own unit.
        rel_tol: times the larger of the two magnitudes.
        seconds: for dates and times.
        ignore_case: for text: equal after Unicode's full case folding (``str.casefold``).
        ignore_trailing_space: for text: equal without the spaces (U+0020 only) at the end.
    """

    abs_tol: float = 0.0
    rel_tol: float = 0.0
    seconds: float = 0.0
    ignore_case: bool = False
    ignore_trailing_space: bool = False

    def __post_init__(self) -> None:
        for name in _AMOUNTS:
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise NotComparable(f"a tolerance is a finite number that is not negative, {name} is {value}")

    def __bool__(self) -> bool:
        return bool(self.abs_tol or self.rel_tol or self.seconds or self.folds_text)

    def __str__(self) -> str:
        amounts = [f"{name}={getattr(self, name):g}" for name in _AMOUNTS if getattr(self, name)]
        return ",".join((*amounts, *(name for name in _FOLDINGS if getattr(self, name))))

    @property
    def folds_text(self) -> bool:
        """Whether it is one for text."""
        return self.ignore_case or self.ignore_trailing_space

    def admits_texts(self, source: str, target: str) -> bool:
        """Whether two texts are equal but for what is ignored."""
        return self._folded(source) == self._folded(target)

    def _folded(self, text: str) -> str:
        if self.ignore_trailing_space:
            text = text.rstrip(" ")
        return text.casefold() if self.ignore_case else text

    def admits_numbers(self, source: Hashable, target: Hashable, *, floats: bool) -> bool:
        """Whether two numbers lie within ``abs_tol`` or ``rel_tol``.

        Args:
            source, target: exact numbers, as the NUMBER form reads them.
            floats: both are binary floats, so that ``math.isclose`` itself decides.
        """
        if source == target:
            return source is not None
        if not isinstance(source, int | Decimal) or not isinstance(target, int | Decimal):
            return False
        if floats:
            return math.isclose(float(source), float(target), rel_tol=self.rel_tol, abs_tol=self.abs_tol)
        a, b = _fraction(source), _fraction(target)
        if a is None or b is None:
            return False
        relative = _exact(self.rel_tol) * max(abs(a), abs(b))
        return abs(a - b) <= max(relative, _exact(self.abs_tol))

    def admits_moments(self, source: Hashable, target: Hashable) -> bool:
        """Whether two moments, in microseconds, lie within ``seconds``; infinity only beside itself."""
        if source == target:
            return source is not None
        if not isinstance(source, int | Fraction) or not isinstance(target, int | Fraction):
            return False
        return abs(Fraction(source) - target) <= _exact(self.seconds) * 1_000_000


NO_TOLERANCE = Tolerance()


def _fraction(value: int | Decimal) -> Fraction | None:
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return Fraction(value)


def _exact(value: float) -> Fraction:
    """The number that a person wrote: 0.1 means one tenth, not the double nearest to it."""
    return Fraction(repr(value))
