"""What a comparison tells, figure by figure; what is summed up; and what a refusal names."""

import pytest

from reconcile_assets.core.canonical import Canonical, Form
from reconcile_assets.core.canonical_arrays import parse_array
from reconcile_assets.core.canonical_json import canonicalize_json, jsonb_text
from reconcile_assets.core.compare import (
    Checksum,
    ColumnComparison,
    Comparison,
    Differences,
    SideCost,
    SideCounts,
)
from reconcile_assets.core.compare_choice import choose_key, choose_pairs, choose_uuids, merge_tolerances
from reconcile_assets.core.compare_pairs import ColumnPair, judge_pair, pair_columns
from reconcile_assets.core.compare_plan import plan_comparison
from reconcile_assets.core.compare_sums import choose_buckets, differing_buckets, sum_windows
from reconcile_assets.core.difference import Difference, DifferenceKind
from reconcile_assets.core.tables import Column, ColumnType, Table, TableName, TypeKind
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.databases.base import BucketSums
from reconcile_assets.errors import MissingObject, NotComparable

K = TypeKind


def of(kind: TypeKind, native: str = "", length: int | None = None) -> ColumnType:
    return ColumnType(kind, native or kind.value, length=length)


def pair(name: str, source: TypeKind, target: TypeKind | None = None) -> ColumnPair:
    return ColumnPair(Column(name, of(source)), Column(name, of(target or source)))


def table(*columns: str, primary: tuple[str, ...] = (), unique: tuple[tuple[str, ...], ...] = ()) -> Table:
    return Table(TableName(None, "t"), tuple(Column(name, of(K.TEXT)) for name in columns), primary, unique)


def test_the_document_holds_each_figure_under_its_own_name() -> None:
    found = Comparison(
        Verdict.MISMATCHED,
        source=SideCounts(11, 12, 13),
        target=SideCounts(21, 22, 23),
        missing_in_target=31,
        missing_in_source=32,
        value_differs=33,
        within_tolerance=34,
        columns={"v": ColumnComparison("exact", 41), "w": ColumnComparison("tolerance:abs_tol=1")},
        differences=Differences([Difference(DifferenceKind.VALUE_DIFFERS, {"id": 1}, {"v": "a"}, {"v": None})]),
        notes=("one", "two"),
        source_cost=SideCost(51, 52, 53),
        target_cost=SideCost(61, 62, 63),
        seconds=0.123456789,
    )
    assert found.to_dict() == {
        "verdict": "mismatched",
        "source": {"rows": 11, "null_keys": 12, "duplicate_keys": 13},
        "target": {"rows": 21, "null_keys": 22, "duplicate_keys": 23},
        "missing_in_target": 31,
        "missing_in_source": 32,
        "value_differs": 33,
        "within_tolerance": 34,
        "columns": {
            "v": {"comparison": "exact", "differs": 41},
            "w": {"comparison": "tolerance:abs_tol=1", "differs": 0},
        },
        "differences": [
            {"kind": "value_differs", "key": {"id": 1}, "source": {"v": "a"}, "target": {"v": None}},
        ],
        "notes": ["one", "two"],
        "cost": {
            "source": {"scans": 51, "rows_read": 52, "bytes": 53},
            "target": {"scans": 61, "rows_read": 62, "bytes": 63},
            "seconds": 0.123457,
        },
    }


def test_costs_add_and_subtract_each_figure() -> None:
    assert SideCost(1, 20, 300) + SideCost(4, 50, 600) == SideCost(5, 70, 900)
    assert SideCost(9, 80, 700) - SideCost(1, 20, 300) == SideCost(8, 60, 400)


def test_a_checksum_keeps_its_lanes_apart_and_wraps_at_64_bits() -> None:
    assert Checksum.of_sums(2, 2**64 + 1, -1).digest == f"{1:016x}{2**64 - 1:016x}"
    assert Checksum.of_sums(1, 1, 2) + Checksum.of_sums(2, 2**64 - 1, 3) == Checksum.of_sums(3, 0, 5)


def test_windows_add_up_their_buckets_side_by_side() -> None:
    source = {("a", 0): BucketSums(1, 10, 0, 1, 2), ("a", 1): BucketSums(2, 20, 0, 3, 4), ("b", 0): BucketSums(5, 1, 0)}
    target = {("a", 1): BucketSums(7, 30, 0, 5, 6), ("c", 0): BucketSums(8, 2, 0)}
    found = sum_windows(source, target)
    assert list(found) == ["a", "b", "c"]
    assert (found["a"].source, found["a"].target) == (SideCounts(3, 4, 6), SideCounts(7, 5, 6))
    assert found["a"].source_digest == Checksum.of_sums(3, 30, 0).digest
    assert found["a"].target_digest == Checksum.of_sums(7, 30, 0).digest
    assert [found[window].buckets for window in "abc"] == [2, 1, 1]
    assert [found[window].is_one_sided for window in "abc"] == [False, True, True]
    assert (found["b"].target, found["c"].source) == (SideCounts(), SideCounts())
    assert found["b"].target_digest == found["c"].source_digest == "0" * 32


def test_a_bucket_differs_by_its_rows_or_by_either_sum() -> None:
    one = {("a", 0): BucketSums(3, 1, 1)}
    assert differing_buckets(one, dict(one)) == {}
    for other, rows in ((BucketSums(4, 1, 1), 4), (BucketSums(3, 2, 1), 3), (BucketSums(3, 1, 2), 3)):
        assert differing_buckets(one, {("a", 0): other}) == {("a", 0): rows}
    assert differing_buckets(one, {}) == differing_buckets({}, one) == {("a", 0): 3}
    assert differing_buckets(one, {("a", 0): BucketSums(3, 1, 1, 9, 9)}) == {}


def test_few_rows_are_not_divided_and_many_have_a_bound() -> None:
    assert [choose_buckets(rows, 1) for rows in (0, 2_000, 2_001, 4_096)] == [1, 1, 32, 128]
    assert choose_buckets(10**9, 1) == 32_768
    assert choose_buckets(10**9, 2) == 16_384
    assert [choose_buckets(4_000, 2), choose_buckets(4_002, 2), choose_buckets(5_000, 0)] == [1, 32, 1]


def test_a_key_is_told_by_its_kind_and_its_side() -> None:
    source, target = table("a", "b"), table("a", "b", primary=("a",))
    pairs, _ = choose_pairs(source, target)
    assert choose_key(source, target, pairs, ()) == (("a",), ("the key is the primary key of the target: a",))
    source = table("a", "b", unique=(("b", "a"),))
    assert choose_key(source, target, pairs, ()) == (("b", "a"), ("the key is the unique key of the source: b, a",))
    assert choose_key(source, target, pairs, ("b",)) == (("b",), ())
    renamed, _ = choose_pairs(table("x"), table("y", primary=("y",)), columns=["x:y"])
    assert choose_key(table("x"), table("y", primary=("y",)), renamed, ())[0] == ("x",)


def test_a_key_that_is_not_compared_is_named() -> None:
    source, target = table("a", "b", primary=("a",)), table("a", "b")
    pairs = tuple(found for found in choose_pairs(source, target)[0] if found.source.name == "b")
    with pytest.raises(NotComparable, match=r"^the primary key a is not among the compared columns; name another"):
        choose_key(source, target, pairs, ())
    with pytest.raises(NotComparable, match=r"^neither table has a primary or unique key; name the key with -k COLUMN"):
        choose_key(target, target, pairs, ())
    with pytest.raises(NotComparable, match="in common"):
        choose_key(source, target, (), ())
    with pytest.raises(NotComparable, match="in common"):
        choose_key(source, target, (), ("a",))


def test_a_missing_column_is_refused_with_those_that_are_there() -> None:
    many = table(*(f"c{at:02}" for at in range(30)))
    with pytest.raises(MissingObject) as refused:
        pair_columns(many, table("c00"), rename={"zz": "c00"})
    names = ", ".join(f"c{at:02}" for at in range(20))
    assert str(refused.value) == f"there is no column zz in t; its columns are {names}, ..."
    with pytest.raises(MissingObject) as refused:
        pair_columns(table("b", "a"), table("a"), exclude=["zz"])
    assert str(refused.value) == "there is no column zz in t; its columns are a, b"


def test_each_tolerance_is_kept_under_the_sources_name() -> None:
    source, target = table("n", "t", "d"), table("N", "t", "d")
    pairs, _ = choose_pairs(source, target)
    found = merge_tolerances(pairs, {"N": 1.0}, {"n": 0.5}, {"d": 2.0}, ignore_case=["t"], ignore_trailing_space=["t"])
    assert found == {
        "n": Tolerance(abs_tol=1.0, rel_tol=0.5),
        "d": Tolerance(seconds=2.0),
        "t": Tolerance(ignore_case=True, ignore_trailing_space=True),
    }
    assert merge_tolerances(pairs, {}, {}, {}, ignore_trailing_space=["t"]) == {
        "t": Tolerance(ignore_trailing_space=True)
    }
    with pytest.raises(MissingObject, match="zz"):
        merge_tolerances(pairs, {}, {"zz": 1.0}, {})


def test_only_uuid_is_a_type_that_can_be_declared() -> None:
    pairs, _ = choose_pairs(table("a"), table("A"))
    assert set(choose_uuids(pairs, {"A": "uuid"})) == {"a"}
    with pytest.raises(NotComparable, match="uuid"):
        choose_uuids(pairs, {"a": "int"})
    with pytest.raises(
        NotComparable, match=r"^column v: only text, bytes and uuid can hold UUIDs, not integer and text$"
    ):
        judge_pair(pair("v", K.INTEGER, K.TEXT), as_uuid=True)


def test_every_column_outside_the_key_is_told_in_the_plans_order() -> None:
    pairs = [pair("id", K.INTEGER), pair("v", K.TEXT), pair("u", K.UNKNOWN), pair("j", K.JSON)]
    plan = plan_comparison(pairs, ["id"])
    assert {name: (found.comparison, found.differs) for name, found in plan.column_comparisons({"v": 2}).items()} == {
        "v": ("exact", 2),
        "j": ("exact", 0),
        "u": ("uncomparable:unknown has no exact canonical form", 0),
    }
    keyless = plan_comparison(pairs, [])
    assert list(keyless.column_comparisons({})) == ["id", "v", "j", "u"]
    assert plan.type_notes == ("column u could not be verified: uncomparable:unknown has no exact canonical form",)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"b":{"d":null,"c":[true,false]}}', '{"b": {"c": [true, false], "d": null}}'),
        ('["a/b", "\\u007f", "\\"", "\\\\"]', '["a/b", "\x7f", "\\"", "\\\\"]'),
        ("[-0.0, -0, 0.10, 1E2, 1.5e-3]", "[0.0, 0, 0.10, 100, 0.0015]"),
        ('{"":1,"é":2,"zz":3}', '{"": 1, "zz": 3, "é": 2}'),
        ("Infinity", "!Infinity"),
        ("-Infinity", "!-Infinity"),
        ("[1", "![1"),
    ],
)
def test_documents_as_jsonb_has_them(text: str, written: str) -> None:
    assert jsonb_text(text) == written


def test_what_is_no_json_equals_only_its_own_text() -> None:
    for text in ("NaN", "Infinity", "-Infinity", "[NaN]", "{", "", "nope"):
        assert canonicalize_json(text) == ("text", text)
    assert canonicalize_json("[1]") != canonicalize_json('["1"]') != canonicalize_json("[true]")
    assert canonicalize_json("1e999999999999999999999") != canonicalize_json("1e999999999999999999998")
    assert canonicalize_json("true") == ("literal", "true")


@pytest.mark.parametrize(
    "text", ["", "{", "{1", "{1,", '{"a', "[0:1]", "[0:1]=", "[0:1]={1", "{1}x", "x", '{"a"', "{{1}", "[0:0]=x"]
)
def test_what_is_no_array_is_its_text(text: str) -> None:
    assert parse_array(text, lambda item: item) == text


def test_arrays_are_read_with_their_bounds_and_depth() -> None:
    assert parse_array("{}", lambda item: item) == ()
    assert parse_array("[0:1]={1,2}", str) == ("bounds", "[0:1]", (("value", "1"), ("value", "2")))
    assert parse_array('{{1,NULL},{"NULL","a\\"b"}}', lambda item: item) == (
        (("value", "1"), ("value", None)),
        (("value", "NULL"), ("value", 'a"b')),
    )


def test_an_array_without_a_known_element_is_its_text() -> None:
    from reconcile_assets.core.canonical import canonicalize

    element = ColumnType(K.DECIMAL, "numeric")
    array = ColumnType(K.ARRAY, "numeric[]", element=element)
    numbers = Canonical(Form.ARRAY, element=Canonical(Form.NUMBER))
    assert (
        canonicalize("{1.0}", array, numbers)
        == canonicalize("{1}", array, numbers)
        != canonicalize("{2}", array, numbers)
    )
    assert canonicalize("{1}", ColumnType(K.ARRAY, "x[]"), numbers) == "{1}"
    assert canonicalize("{1}", array, Canonical(Form.ARRAY)) == "{1}"
