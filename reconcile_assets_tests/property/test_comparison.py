"""Properties of the comparison's centre."""

import json
from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.core.canonical import Canonical, Form, canonicalize
from reconcile_assets.core.canonical_arrays import parse_array
from reconcile_assets.core.canonical_json import canonicalize_json
from reconcile_assets.core.canonical_times import days_from_civil, microseconds_of
from reconcile_assets.core.compare import NO_ROWS, Checksum
from reconcile_assets.core.compare_pairs import ColumnPair, judge_pair
from reconcile_assets.core.compare_plan import plan_comparison
from reconcile_assets.core.compare_rows import Row, RowComparer, Tally
from reconcile_assets.core.compare_values import Likeness, compare_values
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.core.tolerance import Tolerance

DECIMAL = ColumnType(TypeKind.DECIMAL, "numeric")
TEXT = ColumnType(TypeKind.TEXT, "text")
NUMBER = Canonical(Form.NUMBER)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def pair(kind: ColumnType, name: str = "v") -> ColumnPair:
    return ColumnPair(Column(name, kind), Column(name, kind))


@given(decimals, decimals)
def test_numbers_are_equal_exactly_when_their_canonical_forms_are(first: Decimal, second: Decimal) -> None:
    assert (canonicalize(str(first), DECIMAL, NUMBER) == canonicalize(str(second), DECIMAL, NUMBER)) is (
        first == second
    )


@given(st.none() | st.text(), st.none() | st.text())
def test_texts_and_null_are_equal_only_when_they_are_the_same(first: str | None, second: str | None) -> None:
    plan = judge_pair(pair(TEXT))
    assert (compare_values(plan, first, second) is Likeness.SAME) is (first == second)


def typed(value: object) -> object:
    """A JSON value with its types, so that 1 and True differ."""
    if isinstance(value, dict):
        return ("dict", {name: typed(item) for name, item in value.items()})
    if isinstance(value, list):
        return ("list", [typed(item) for item in value])
    return (type(value).__name__, value)


@given(json_values, json_values)
def test_json_is_equal_exactly_when_its_values_are(first: object, second: object) -> None:
    same = canonicalize_json(json.dumps(first)) == canonicalize_json(json.dumps(second, indent=1))
    assert same is (typed(first) == typed(second))


@given(json_values)
def test_json_does_not_depend_on_order_or_escapes(value: object) -> None:
    plain, escaped = json.dumps(value, ensure_ascii=False), json.dumps(value, sort_keys=True)
    assert canonicalize_json(plain) == canonicalize_json(escaped)


def quoted(item: str | None) -> str:
    return "NULL" if item is None else '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(st.none() | st.text(max_size=4), max_size=4))
def test_arrays_are_read_back_as_they_were_written(items: list[str | None]) -> None:
    literal = "{" + ",".join(quoted(item) for item in items) + "}"
    assert parse_array(literal, lambda item: item) == tuple(("value", item) for item in items)


@given(st.datetimes())
def test_moments_agree_with_the_calendar(moment: object) -> None:
    from datetime import datetime

    assert isinstance(moment, datetime)
    micros = microseconds_of(moment.isoformat(sep=" "))
    delta = moment - datetime(1970, 1, 1)
    assert micros == (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


@given(st.integers(min_value=-5000, max_value=300_000), st.integers(1, 12), st.integers(1, 28))
def test_days_always_go_forward(year: int, month: int, day: int) -> None:
    assert days_from_civil(year, month, day) < days_from_civil(year, month, day + 1) <= days_from_civil(year + 1, 1, 1)


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))), st.data())
def test_the_checksums_of_any_split_add_up_to_the_whole(lanes: list[tuple[int, int]], data: st.DataObject) -> None:
    whole = Checksum.of_sums(len(lanes), sum(a for a, _ in lanes), sum(b for _, b in lanes))
    parts: dict[int, list[tuple[int, int]]] = {}
    for lane in lanes:
        parts.setdefault(data.draw(st.integers(0, 3)), []).append(lane)
    added = NO_ROWS
    for part in parts.values():
        added = added + Checksum.of_sums(len(part), sum(a for a, _ in part), sum(b for _, b in part))
    assert added == whole


small = st.none() | st.integers(0, 4).map(str)
groups = st.lists(st.tuples(small, small), max_size=5)


def tally(
    source: list[tuple[str | None, str | None]], target: list[tuple[str | None, str | None]], tol: float
) -> Tally:
    pairs = [pair(ColumnType(TypeKind.INTEGER, "bigint"), name) for name in ("id", "a", "b")]
    plan = plan_comparison(pairs, ["id"], tolerances={"a": Tolerance(abs_tol=tol)} if tol else {})
    found = Tally(100)
    comparer = RowComparer(plan)
    comparer.compare([Row(("1",), row) for row in source], [Row(("1",), row) for row in target], found)
    return found


@given(groups, groups)
def test_a_multiset_is_clean_exactly_when_it_is_the_same(
    source: list[tuple[str | None, str | None]], target: list[tuple[str | None, str | None]]
) -> None:
    found = tally(source, target, 0)
    assert (found.total == 0) is (Counter(source) == Counter(target))
    assert found.missing_in_target - found.missing_in_source == len(source) - len(target)


@given(groups, groups, st.sampled_from([0, 1, 2]))
def test_the_comparison_is_symmetric(
    source: list[tuple[str | None, str | None]], target: list[tuple[str | None, str | None]], tol: int
) -> None:
    one, other = tally(source, target, tol), tally(target, source, tol)
    assert (one.missing_in_target, one.missing_in_source) == (other.missing_in_source, other.missing_in_target)
    assert (one.value_differs, one.within_tolerance) == (other.value_differs, other.within_tolerance)


@given(decimals, decimals, st.floats(0, 10), st.floats(0, 1))
def test_a_tolerance_is_symmetric_and_grows(first: Decimal, second: Decimal, abs_tol: float, rel_tol: float) -> None:
    tolerance, wider = Tolerance(abs_tol, rel_tol), Tolerance(abs_tol + 1, rel_tol)
    within = tolerance.admits_numbers(first, second, floats=False)
    assert within is tolerance.admits_numbers(second, first, floats=False)
    assert not within or wider.admits_numbers(first, second, floats=False)
