"""How far two values may lie apart and still be taken as the same: exact, and never for NULL.

A tolerance filters rows whose digests differ; it never stands in for the digest.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from reconcile_assets.errors import NotComparable


@dataclass(frozen=True)
class Tolerance:
    """How far a column's values may lie apart, inclusive, as ``math.isclose`` takes it.

    Attributes:
        abs_tol: in the column's own unit.
        rel_tol: times the larger of the two magnitudes.
        seconds: for dates and times.
    """

    abs_tol: float = 0.0
    rel_tol: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in ("abs_tol", "rel_tol", "seconds"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise NotComparable(f"a tolerance is a finite number that is not negative, {name} is {value}")

    def __bool__(self) -> bool:
        return bool(self.abs_tol or self.rel_tol or self.seconds)

    def __str__(self) -> str:
        parts = [(name, getattr(self, name)) for name in ("abs_tol", "rel_tol", "seconds")]
        return ",".join(f"{name}={value:g}" for name, value in parts if value)

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
