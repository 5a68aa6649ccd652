import pytest

from reconcile_assets.core.canonical import FOREIGN, Form
from reconcile_assets.core.compare_choice import (
    choose_key,
    choose_pairs,
    choose_uuids,
    merge_tolerances,
    resolve_names,
)
from reconcile_assets.core.compare_pairs import ColumnPair, PairPlan, judge_pair, pair_columns
from reconcile_assets.core.compare_plan import plan_comparison
from reconcile_assets.core.compare_values import Likeness, compare_values
from reconcile_assets.core.tables import Column, ColumnType, Table, TableName, TypeKind
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.errors import MissingObject, NotComparable

K = TypeKind


def of(kind: TypeKind, native: str | None = None, **limits: object) -> ColumnType:
    return ColumnType(kind, native or kind.value, **limits)  # type: ignore[arg-type]


def judge(source: ColumnType, target: ColumnType, **options: object) -> PairPlan:
    return judge_pair(ColumnPair(Column("v", source), Column("v", target)), **options)  # type: ignore[arg-type]


def table(*columns: str, name: str = "t", primary: tuple[str, ...] = (), unique: tuple[str, ...] = ()) -> Table:
    kept = {*primary, *unique}
    made = tuple(Column(column, of(K.INTEGER), nullable=column not in kept) for column in columns)
    return Table(TableName(None, name), made, primary, (unique,) if unique else ())


def names(pairs: tuple[ColumnPair, ...]) -> list[tuple[str, str]]:
    return [(pair.source.name, pair.target.name) for pair in pairs]


def test_columns_pair_by_exact_name_before_case_is_ignored() -> None:
    pairs, notes = pair_columns(table("Id", "id", "x"), table("id", "ID", "X"))
    assert names(pairs) == [("Id", "ID"), ("id", "id"), ("x", "X")]
    assert notes == ()


def test_an_ambiguous_case_pairs_nothing() -> None:
    pairs, notes = pair_columns(table("id", "Ab"), table("id", "AB", "ab"))
    assert names(pairs) == [("id", "id")]
    assert len(notes) == 3
    pairs, _ = pair_columns(table("id", "AB", "ab"), table("id", "Ab"))
    assert names(pairs) == [("id", "id")]


def test_renames_and_exclusions_are_followed_and_checked() -> None:
    pairs, notes = pair_columns(
        table("id", "dep", "x"), table("departure", "id", "y"), rename={"dep": "departure"}, exclude=["y"]
    )
    assert names(pairs) == [("id", "id"), ("dep", "departure")]
    assert notes == ("column x is in the source only: not compared",)
    for wrong in ({"nope": "id"}, {"id": "nope"}):
        with pytest.raises(MissingObject, match="nope"):
            pair_columns(table("id"), table("id"), rename=wrong)
    with pytest.raises(MissingObject, match="nope"):
        pair_columns(table("id"), table("id"), exclude=["nope"])


@pytest.mark.parametrize(
    ("source", "target", "form"),
    [
        (of(K.INTEGER), of(K.DECIMAL), Form.NUMBER),
        (of(K.FLOAT32), of(K.INTEGER), Form.NUMBER),
        (of(K.BOOLEAN), of(K.INTEGER), Form.NUMBER),
        (of(K.BIT, length=8), of(K.INTEGER), Form.NUMBER),
        (of(K.BIT, length=1), of(K.BOOLEAN), Form.NUMBER),
        (of(K.CHAR), of(K.TEXT), Form.TEXT),
        (of(K.ENUM, "mood"), of(K.ENUM, "mode"), Form.TEXT),
        (of(K.UUID), of(K.TEXT), Form.UUID),
        (of(K.UUID), of(K.BYTES), Form.UUID),
        (of(K.DATE), of(K.TIMESTAMP), Form.TIMESTAMP),
        (of(K.JSON), of(K.TEXT), Form.JSON),
        (of(K.OPAQUE, "inet"), of(K.OPAQUE, "inet"), Form.OPAQUE),
        (of(K.ARRAY, element=of(K.INTEGER)), of(K.ARRAY, element=of(K.DECIMAL)), Form.ARRAY),
    ],
)
def test_pairs_with_an_exact_common_form(source: ColumnType, target: ColumnType, form: Form) -> None:
    for first, second in ((source, target), (target, source)):
        plan = judge(first, second)
        assert plan.comparison == "exact"
        assert plan.canonical is not None
        assert plan.canonical.form is form
        assert plan.form(source=True).column.name == "v"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (of(K.UNKNOWN, "point"), of(K.UNKNOWN, "point")),
        (of(K.TEXT), of(K.INTEGER)),
        (of(K.BOOLEAN), of(K.TEXT)),
        (of(K.BOOLEAN), of(K.FLOAT64)),
        (of(K.BIT), of(K.INTEGER)),
        (of(K.BIT, length=64), of(K.INTEGER)),
        (of(K.OPAQUE, "inet"), of(K.OPAQUE, "cidr")),
        (of(K.OPAQUE, "inet"), of(K.TEXT)),
        (of(K.TIMESTAMP), of(K.TIMESTAMPTZ)),
        (of(K.DATE), of(K.TIMESTAMPTZ)),
        (of(K.TIME), of(K.TIMETZ)),
        (of(K.UUID), of(K.INTEGER)),
        (of(K.JSON), of(K.BYTES)),
        (of(K.ARRAY, element=of(K.UNKNOWN)), of(K.ARRAY, element=of(K.UNKNOWN))),
        (of(K.ARRAY), of(K.ARRAY)),
        (of(K.ARRAY, element=of(K.BIT, length=3)), of(K.ARRAY, element=of(K.INTEGER))),
        (of(K.ARRAY, element=of(K.CHAR)), of(K.ARRAY, element=of(K.TEXT))),
        (of(K.ARRAY, element=of(K.BOOLEAN)), of(K.ARRAY, element=of(K.INTEGER))),
        (of(K.ARRAY, element=of(K.INTEGER)), of(K.TEXT)),
    ],
)
def test_pairs_without_one_are_uncomparable(source: ColumnType, target: ColumnType) -> None:
    for first, second in ((source, target), (target, source)):
        plan = judge(first, second)
        assert plan.is_uncomparable
        assert plan.comparison.startswith("uncomparable:")
        assert not plan.renders_alike
        with pytest.raises(NotComparable, match="can't be compared"):
            plan.form(source=True)
        assert compare_values(plan, "1", "2") is Likeness.DIFFERENT


def test_types_that_differ_are_noted() -> None:
    assert judge(of(K.DATE), of(K.TIMESTAMP)).note == "column v: date compared with timestamp"
    assert judge(of(K.CHAR), of(K.TEXT)).note == "column v: char compared with text, without the padding of char"
    assert judge(of(K.INTEGER), of(K.INTEGER)).note is None


def test_a_declared_zone_makes_times_comparable() -> None:
    plan = judge(of(K.TIMESTAMP), of(K.TIMESTAMPTZ), zones=("UTC", None))
    assert plan.comparison == "exact"
    assert plan.form(source=True).zone == "UTC"
    assert plan.form(source=False).zone is None


def test_a_zone_is_for_the_zoneless_side_only() -> None:
    plan = judge(of(K.TIMESTAMP), of(K.TIMESTAMPTZ), zones=("UTC", "America/New_York"))
    assert (plan.form(source=True).zone, plan.form(source=False).zone) == ("UTC", None)
    plan = judge(of(K.TIMESTAMPTZ), of(K.DATE), zones=("UTC", "America/New_York"))
    assert (plan.form(source=True).zone, plan.form(source=False).zone) == (None, "America/New_York")


def test_coarser_types_say_why_and_strict_takes_the_excuse_away() -> None:
    fine, coarse = of(K.TIMESTAMP), of(K.TIMESTAMP, "timestamp(3)", precision=3)
    plan = judge(fine, coarse)
    assert plan.comparison == "coarser:timestamp(3) keeps whole milliseconds"
    assert compare_values(plan, "2024-01-01 00:00:00.1236", "2024-01-01 00:00:00.124") is Likeness.NEAR
    assert compare_values(plan, "2024-01-01 00:00:00.123", "2024-01-01 00:00:00.124") is Likeness.DIFFERENT
    assert compare_values(plan, "infinity", "2024-01-01 00:00:00") is Likeness.DIFFERENT
    strict = judge(fine, coarse, strict=True)
    assert strict.comparison == "exact"
    assert compare_values(strict, "2024-01-01 00:00:00.1236", "2024-01-01 00:00:00.124") is Likeness.DIFFERENT
    assert judge(of(K.TIME, precision=1), of(K.TIME)).comparison.endswith("keeps 1 digits of a second")
    assert judge(coarse, coarse).comparison == "exact"


def test_single_and_double_precision_match_within_one_unit() -> None:
    plan = judge(of(K.FLOAT32), of(K.FLOAT64))
    assert plan.comparison == "coarser:float32 keeps 24 bits"
    assert judge(of(K.FLOAT64), of(K.FLOAT32)).comparison == plan.comparison
    assert compare_values(plan, "0.1", "0.10000000149011612") is Likeness.NEAR
    assert compare_values(plan, "0.1", "0.1") is Likeness.SAME
    assert compare_values(plan, "0.1", "0.2") is Likeness.DIFFERENT
    assert compare_values(plan, "Infinity", "1e300") is Likeness.DIFFERENT
    assert compare_values(plan, "1e-45", "1.5e-45") is Likeness.NEAR
    assert compare_values(plan, "NaN", "NaN") is Likeness.SAME


def test_without_an_excuse_a_single_is_the_double_that_it_is() -> None:
    strict = judge(of(K.FLOAT32), of(K.FLOAT64), strict=True)
    assert (strict.comparison, strict.renders_alike) == ("exact", True)
    assert compare_values(strict, "0.1", "0.1") is Likeness.DIFFERENT
    assert compare_values(strict, "0.1", "0.10000000149011612") is Likeness.SAME
    assert compare_values(strict, "0.5", "0.5") is Likeness.SAME
    assert compare_values(strict, "NaN", "NaN") is Likeness.SAME
    assert compare_values(strict, "Infinity", "Infinity") is Likeness.SAME
    assert compare_values(strict, "-0", "0") is Likeness.SAME
    for bound, likeness in ((1e-9, Likeness.DIFFERENT), (2e-9, Likeness.NEAR)):
        plan = judge(of(K.FLOAT32), of(K.FLOAT64), tolerance=Tolerance(abs_tol=bound))
        assert compare_values(plan, "0.1", "0.1") is likeness
    assert compare_values(judge(of(K.FLOAT32), of(K.DECIMAL), strict=True), "0.1", "0.10") is Likeness.SAME


def test_tolerances_fit_their_types_or_are_refused() -> None:
    plan = judge(of(K.DECIMAL), of(K.FLOAT64), tolerance=Tolerance(abs_tol=0.005))
    assert plan.comparison == "tolerance:abs_tol=0.005"
    assert not plan.renders_alike
    assert compare_values(plan, "1.20", "1.2049") is Likeness.NEAR
    assert compare_values(plan, "1.20", "1.3") is Likeness.DIFFERENT
    assert compare_values(plan, "1.20", None) is Likeness.DIFFERENT
    assert compare_values(plan, None, None) is Likeness.SAME
    times = judge(of(K.TIMESTAMP), of(K.DATE), tolerance=Tolerance(seconds=1))
    assert compare_values(times, "2024-01-01 00:00:01", "2024-01-01") is Likeness.NEAR
    assert compare_values(times, "2024-01-01 00:00:02", "2024-01-01") is Likeness.DIFFERENT
    for kind, tolerance in (
        (K.TEXT, Tolerance(abs_tol=1)),
        (K.INTERVAL, Tolerance(seconds=1)),
        (K.BOOLEAN, Tolerance(rel_tol=1)),
    ):
        with pytest.raises(NotComparable, match="are for"):
            judge(of(kind), of(kind), tolerance=tolerance)
    with pytest.raises(NotComparable, match="are for numbers"):
        judge(of(K.UNKNOWN), of(K.UNKNOWN), tolerance=Tolerance(abs_tol=1))


def test_texts_and_bytes_are_uuids_where_it_is_declared() -> None:
    digits = "a0eebc999c0b4ef8bb6d6bb9bd380a11"
    plan = judge(of(K.TEXT), of(K.BYTES), as_uuid=True)
    assert plan.comparison == "exact"
    assert plan.note == "column v: text compared with bytes as uuid"
    assert plan.renders_alike
    assert compare_values(plan, f"{{{digits.upper()}}}", f"\\x{digits}") is Likeness.SAME
    assert compare_values(plan, "\\x00", "\\x00") is Likeness.DIFFERENT
    assert compare_values(plan, digits, None) is Likeness.DIFFERENT
    texts = judge(of(K.TEXT), of(K.TEXT), as_uuid=True)
    assert compare_values(texts, "no uuid", "no uuid") is Likeness.SAME
    assert compare_values(texts, "no uuid", "No uuid") is Likeness.DIFFERENT
    assert not texts.keeps_unique(source=True)
    assert judge(of(K.TEXT), of(K.TEXT)).keeps_unique(source=True)
    assert judge(of(K.BYTES), of(K.BYTES), as_uuid=True).keeps_unique(source=False)
    assert judge(of(K.UUID), of(K.UUID), as_uuid=True).note is None
    for a, b in ((K.INTEGER, K.TEXT), (K.TEXT, K.ENUM), (K.JSON, K.UUID), (K.UNKNOWN, K.TEXT)):
        with pytest.raises(NotComparable, match="only text, bytes and uuid"):
            judge(of(a), of(b), as_uuid=True)


def test_a_zero_date_makes_a_column_nullable_and_no_key_unique() -> None:
    for kind in (K.DATE, K.TIMESTAMP, K.TIMESTAMPTZ):
        pair = ColumnPair(Column("v", of(kind), nullable=False), Column("v", of(kind), nullable=False))
        plan = judge_pair(pair, zero_is_null=True)
        assert plan.form(source=True).zero_is_null
        assert plan.form(source=False).column.nullable
        assert not plan.keeps_unique(source=True)
        assert judge_pair(pair).keeps_unique(source=True)
        assert not judge_pair(pair).form(source=True).column.nullable
    for kind in (K.TIME, K.TEXT, K.INTEGER):
        plan = judge(of(kind), of(kind), zero_is_null=True)
        assert not plan.form(source=True).zero_is_null
        assert plan.keeps_unique(source=True)


def test_only_uuid_can_be_declared() -> None:
    pairs, _ = choose_pairs(table("dep"), table("departure"), columns=["dep:departure"])
    assert choose_uuids(pairs, {"departure": "uuid"}) == ("dep",)
    assert choose_uuids(pairs, {}) == ()
    for wrong, error in (({"dep": "text"}, NotComparable), ({"nope": "uuid"}, MissingObject)):
        with pytest.raises(error):
            choose_uuids(pairs, wrong)
    with pytest.raises(NotComparable, match="not compared"):
        plan_comparison(pairs, ["dep"], uuids=["x"])


def test_text_may_be_folded_and_nothing_else_may() -> None:
    folded = Tolerance(ignore_case=True, ignore_trailing_space=True)
    plan = judge(of(K.TEXT), of(K.CHAR), tolerance=folded)
    assert plan.comparison == "tolerance:ignore_case,ignore_trailing_space"
    assert not plan.renders_alike
    assert compare_values(plan, "a ", "A   ") is Likeness.NEAR
    assert compare_values(plan, "a", "a   ") is Likeness.SAME
    assert compare_values(plan, "a", "b") is Likeness.DIFFERENT
    assert compare_values(plan, "", None) is Likeness.DIFFERENT
    assert compare_values(plan, f"{FOREIGN}text:a", "A") is Likeness.DIFFERENT
    for a, b in ((K.INTEGER, K.INTEGER), (K.UUID, K.TEXT), (K.JSON, K.TEXT), (K.BYTES, K.BYTES), (K.UNKNOWN, K.TEXT)):
        with pytest.raises(NotComparable, match="are for text"):
            judge(of(a), of(b), tolerance=Tolerance(ignore_case=True))
    with pytest.raises(NotComparable, match="are for text"):
        judge(of(K.DECIMAL), of(K.DECIMAL), tolerance=Tolerance(abs_tol=1, ignore_case=True))


def test_equal_texts_of_other_kinds_are_not_the_same() -> None:
    assert compare_values(judge(of(K.BIT, length=3), of(K.INTEGER)), "101", "101") is Likeness.DIFFERENT
    assert compare_values(judge(of(K.BIT, length=3), of(K.INTEGER)), "101", "5") is Likeness.SAME


def test_digests_alone_decide_only_where_equal_values_render_alike() -> None:
    assert judge(of(K.TEXT), of(K.TEXT)).renders_alike
    assert not judge(of(K.JSON), of(K.JSON)).renders_alike
    assert judge(of(K.ARRAY, element=of(K.INTEGER)), of(K.ARRAY, element=of(K.INTEGER))).renders_alike
    assert not judge(of(K.ARRAY, element=of(K.DECIMAL)), of(K.ARRAY, element=of(K.DECIMAL))).renders_alike


def test_a_key_is_chosen_from_the_primary_key_then_a_unique_one() -> None:
    both = table("a", "b", primary=("b",), unique=("a",))
    pairs, _ = choose_pairs(both, table("a", "b"))
    assert choose_key(both, table("a", "b"), pairs, ()) == (("b",), ("the key is the primary key of the source: b",))
    plain = table("a", "b")
    assert choose_key(plain, both, pairs, ())[0] == ("b",)
    unique = table("a", "b", unique=("a",))
    assert choose_key(unique, plain, pairs, ())[1] == ("the key is the unique key of the source: a",)
    with pytest.raises(NotComparable, match="--keyless"):
        choose_key(plain, plain, pairs, ())
    with pytest.raises(MissingObject, match="did you mean"):
        choose_key(plain, plain, choose_pairs(table("abc"), table("abc"))[0], ["abd"])


def test_columns_are_chosen_by_name_and_by_pair() -> None:
    source, target = table("id", "dep", "a:b", "Up", primary=("id",)), table("id", "departure", "a:b", "up")
    pairs, notes = choose_pairs(source, target, columns=["dep:departure", "a:b", "Up"])
    assert names(pairs) == [("id", "id"), ("dep", "departure"), ("a:b", "a:b"), ("Up", "up")]
    assert notes == ()
    for columns, message in (
        (["dpe"], "did you mean dep"),
        (["dep:nope"], "no column nope"),
        (["dep"], "no column dep"),
    ):
        with pytest.raises(MissingObject, match=message):
            choose_pairs(source, target, columns=columns)
    with pytest.raises(MissingObject, match="either side"):
        choose_pairs(source, target, exclude=["nope"])
    with pytest.raises(NotComparable, match="dep is both asked for and excluded"):
        choose_pairs(source, target, columns=["dep:departure"], exclude=["dep"])


def test_names_of_either_side_are_understood() -> None:
    pairs, _ = choose_pairs(table("dep"), table("departure"), columns=["dep:departure"])
    assert resolve_names(["departure", "dep"], pairs) == ("dep", "dep")
    folded = merge_tolerances(pairs, {}, {}, {}, ignore_case=["dep"], ignore_trailing_space=["departure"])
    assert folded == {"dep": Tolerance(ignore_case=True, ignore_trailing_space=True)}
    with pytest.raises(MissingObject, match="no column nope"):
        merge_tolerances(pairs, {}, {}, {}, ignore_case=["nope"])
    merged = merge_tolerances(pairs, {"dep": 1.0}, {"departure": 0.5}, {})
    assert merged == {"dep": Tolerance(abs_tol=1.0, rel_tol=0.5)}


def pairs_of(**types: ColumnType) -> list[ColumnPair]:
    return [
        ColumnPair(Column(name, made, nullable=False), Column(name, made, nullable=False))
        for name, made in types.items()
    ]


def test_a_plan_splits_key_columns_and_what_can_not_be_compared() -> None:
    plan = plan_comparison(pairs_of(id=of(K.INTEGER), v=of(K.TEXT), p=of(K.UNKNOWN)), ["id"])
    assert [item.name for item in plan.key] == ["id"]
    assert [item.name for item in plan.columns] == ["v"]
    assert list(plan.column_comparisons({"v": 2})) == ["v", "p"]
    assert plan.column_comparisons({"v": 2})["v"].differs == 2
    assert any("could not be verified" in note for note in plan.type_notes)


def test_a_keyless_plan_tells_rows_apart_by_what_renders_alike() -> None:
    plan = plan_comparison(pairs_of(a=of(K.INTEGER), j=of(K.JSON), p=of(K.UNKNOWN)), [])
    assert ([item.name for item in plan.key], [item.name for item in plan.columns]) == (["a"], ["j"])
    assert plan.keyless
    assert list(plan.column_comparisons({})) == ["a", "j", "p"]
    assert plan.is_unique(table("a"), source=True)


@pytest.mark.parametrize(
    ("types", "key", "options", "message"),
    [
        ({}, [], {}, "no column in common"),
        ({"a": of(K.TEXT)}, ["b"], {}, "key column b"),
        ({"a": of(K.TEXT)}, ["a", "a"], {}, "twice"),
        ({"a": of(K.UNKNOWN)}, ["a"], {}, "can't be compared"),
        ({"a": of(K.JSON)}, ["a"], {}, "has no one form"),
        ({"a": of(K.INTEGER)}, ["a"], {"tolerances": {"a": Tolerance(abs_tol=1)}}, "is in the key"),
        ({"a": of(K.INTEGER)}, [], {"tolerances": {"a": Tolerance(abs_tol=1)}}, "without a key"),
        ({"a": of(K.INTEGER)}, ["a"], {"tolerances": {"b": Tolerance(abs_tol=1)}}, "not compared"),
        ({"a": of(K.TIMESTAMP)}, ["a"], {"zones": {"a": "Mars/Base"}}, "no time zone"),
        ({"a": of(K.TEXT)}, ["a"], {"zones": {"a": "UTC"}}, "without a zone"),
    ],
)
def test_plans_that_are_not_defined_are_refused(
    types: dict[str, ColumnType], key: list[str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(NotComparable, match=message):
        plan_comparison(pairs_of(**types), key, **options)  # type: ignore[arg-type]


def test_a_key_is_known_to_be_unique_only_where_the_table_promises_it() -> None:
    plan = plan_comparison(pairs_of(a=of(K.INTEGER), b=of(K.INTEGER)), ["a"])
    assert plan.is_unique(table("a", "b", primary=("a",)), source=True)
    assert plan.is_unique(table("a", "b", unique=("a",)), source=False)
    assert not plan.is_unique(table("a", "b"), source=True)
    assert not plan.is_unique(table("a", "b", primary=("b",)), source=True)
    assert not plan.is_unique(table("a", "b", primary=("a", "b")), source=True)
    lossy = plan_comparison(
        [ColumnPair(Column("a", of(K.TEXT), nullable=False), Column("a", of(K.UUID), nullable=False))], ["a"]
    )
    promised = table("a", primary=("a",))
    assert not lossy.is_unique(promised, source=True)
    assert lossy.is_unique(promised, source=False)
