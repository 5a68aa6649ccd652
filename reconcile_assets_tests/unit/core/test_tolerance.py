import math
from decimal import Decimal

import pytest

from reconcile_assets.core.tolerance import NO_TOLERANCE, Tolerance
from reconcile_assets.errors import NotComparable


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["abs_tol", "rel_tol", "seconds"])
def test_a_tolerance_is_finite_and_not_negative(name: str, value: float) -> None:
    with pytest.raises(NotComparable, match=name):
        Tolerance(**{name: value})


def test_no_tolerance_is_false_and_any_other_is_named() -> None:
    assert not NO_TOLERANCE
    assert str(Tolerance(abs_tol=0.01, seconds=1)) == "abs_tol=0.01,seconds=1"
    assert Tolerance(rel_tol=1e-9)


@pytest.mark.parametrize(
    ("tolerance", "source", "target", "within"),
    [
        (Tolerance(abs_tol=0.1), Decimal("1.1"), Decimal("1.2"), True),
        (Tolerance(abs_tol=0.1), Decimal("1.1"), Decimal("1.20000000000000000000000000001"), False),
        (Tolerance(abs_tol=0.005), Decimal("1.20"), Decimal("1.2049"), True),
        (Tolerance(rel_tol=0.1), 100, 90, True),
        (Tolerance(rel_tol=0.1), 100, Decimal("89.999"), False),
        (Tolerance(rel_tol=0.1), 0, Decimal("1e-300"), False),
        (Tolerance(abs_tol=1), 9007199254740993, 9007199254740992, True),
        (Tolerance(abs_tol=1), 9007199254740994, 9007199254740992, False),
        (Tolerance(abs_tol=1), Decimal("Infinity"), Decimal("Infinity"), True),
        (Tolerance(rel_tol=0.1), Decimal("Infinity"), 1, False),
        (Tolerance(abs_tol=1), 1, Decimal("-Infinity"), False),
        (Tolerance(abs_tol=1), "NaN", "NaN", True),
        (Tolerance(abs_tol=1), "NaN", 1, False),
        (Tolerance(abs_tol=1), None, 1, False),
        (Tolerance(abs_tol=1), None, None, False),
    ],
)
def test_numbers_are_within_it_exactly(tolerance: Tolerance, source: object, target: object, within: bool) -> None:
    assert tolerance.admits_numbers(source, target, floats=False) is within
    assert tolerance.admits_numbers(target, source, floats=False) is within


def test_two_floats_are_judged_by_isclose() -> None:
    first, second = Decimal("0.30000000000000004"), Decimal("0.3")
    assert Tolerance(rel_tol=1e-9).admits_numbers(first, second, floats=True)
    assert not Tolerance(abs_tol=1e-17).admits_numbers(first, second, floats=True)
    assert not Tolerance(rel_tol=0.1).admits_numbers(Decimal("1"), Decimal("Infinity"), floats=True)


def test_moments_are_within_seconds_and_infinity_only_beside_itself() -> None:
    tolerance = Tolerance(seconds=0.5)
    assert tolerance.admits_moments(0, 500_000)
    assert not tolerance.admits_moments(0, 500_001)
    assert tolerance.admits_moments("infinity", "infinity")
    assert not tolerance.admits_moments("infinity", 0)
    assert not tolerance.admits_moments(0, "infinity")
    assert not tolerance.admits_moments(None, None)


@pytest.mark.parametrize(
    ("source", "target", "case", "space", "both"),
    [
        ("a", "A", True, False, True),
        ("ß", "SS", True, False, True),
        ("a", "a  ", False, True, True),
        ("A ", "a", False, False, True),
        ("a", "a\t", False, False, False),
        ("a", "a\u00a0", False, False, False),
        (" a", "a", False, False, False),
        ("é", "e\u0301", False, False, False),
        ("i", "\u0131", False, False, False),
        ("", " ", False, True, True),
    ],
)
def test_text_is_folded_only_as_asked(source: str, target: str, case: bool, space: bool, both: bool) -> None:
    for tolerance, within in (
        (Tolerance(ignore_case=True), case),
        (Tolerance(ignore_trailing_space=True), space),
        (Tolerance(ignore_case=True, ignore_trailing_space=True), both),
        (NO_TOLERANCE, False),
    ):
        assert tolerance.admits_texts(source, target) is within
        assert tolerance.admits_texts(target, source) is within


def test_foldings_are_tolerances_with_a_name() -> None:
    assert Tolerance(ignore_case=True)
    assert str(Tolerance(ignore_case=True, ignore_trailing_space=True)) == "ignore_case,ignore_trailing_space"
    assert not Tolerance(abs_tol=1).folds_text
