"""Whether two shipped values of a pair are the same, or near enough."""

import math
from enum import IntEnum
from fractions import Fraction

from reconcile_assets.core.canonical import FOREIGN, Canonical, Form, canonicalize
from reconcile_assets.core.canonical_floats import to_single
from reconcile_assets.core.canonical_times import microseconds_of
from reconcile_assets.core.compare_pairs import FLOATS, ColumnPair, PairPlan
from reconcile_assets.core.tables import TypeKind


class Likeness(IntEnum):
    """How much alike two values are."""

    DIFFERENT = 0
    NEAR = 1  # within the tolerance, or within less than one unit of the coarser type
    SAME = 2


def compare_values(plan: PairPlan, source: str | None, target: str | None) -> Likeness:
    """Compare the exact texts of two values; NULL equals NULL and nothing else.

    Args:
        plan: of a pair that can be compared.
        source, target: as the two engines wrote them; None is NULL.
    """
    if source is None or target is None:
        return Likeness.SAME if source is target else Likeness.DIFFERENT
    a, b = plan.pair.source.type, plan.pair.target.type
    if source == target and a.kind is b.kind:
        return Likeness.SAME
    if plan.canonical is None:
        return Likeness.DIFFERENT
    whole = whole_form(plan.canonical)
    left, right = canonicalize(source, a, whole), canonicalize(target, b, whole)
    if left == right:
        return Likeness.SAME
    return Likeness.NEAR if _is_near(plan, source, target) else Likeness.DIFFERENT


def whole_form(canonical: Canonical) -> Canonical:
    """The form before anything is cut off: a value that was cut is near, not the same."""
    if canonical.form is Form.FLOAT32:
        return Canonical(Form.NUMBER)
    return Canonical(canonical.form, element=canonical.element) if canonical.digits is not None else canonical


def _is_near(plan: PairPlan, source: str, target: str) -> bool:
    a, b = plan.pair.source.type, plan.pair.target.type
    if source.startswith(FOREIGN) or target.startswith(FOREIGN):
        return False
    if plan.coarse_float:
        return _within_float32(plan.pair, source, target) if a.kind in FLOATS and b.kind in FLOATS else False
    if plan.unit is not None:
        left, right = microseconds_of(source), microseconds_of(target)
        return not isinstance(left, str) and not isinstance(right, str) and abs(Fraction(left) - right) < plan.unit
    if plan.tolerance.folds_text:
        text = Canonical(Form.TEXT)
        return plan.tolerance.admits_texts(str(canonicalize(source, a, text)), str(canonicalize(target, b, text)))
    if plan.tolerance.seconds:
        return plan.tolerance.admits_moments(microseconds_of(source), microseconds_of(target))
    if plan.tolerance:
        floats = a.kind in FLOATS and b.kind in FLOATS
        number = Canonical(Form.DOUBLE if floats else Form.NUMBER)
        return plan.tolerance.admits_numbers(
            canonicalize(source, a, number), canonicalize(target, b, number), floats=floats
        )
    return False


_SINGLE_BITS = 24
_SMALLEST_EXPONENT = -149


def _within_float32(pair: ColumnPair, source: str, target: str) -> bool:
    """Less than one unit in the last place of the single-precision side apart."""
    left, right = (
        to_single(float(text)) if column.type.kind is TypeKind.FLOAT32 else float(text)
        for text, column in ((source, pair.source), (target, pair.target))
    )
    if not (math.isfinite(left) and math.isfinite(right)):
        return False
    larger = max(abs(left), abs(right))
    exponent = max(math.frexp(larger)[1] - _SINGLE_BITS, _SMALLEST_EXPONENT)
    return abs(Fraction(left) - Fraction(right)) < Fraction(2) ** exponent
