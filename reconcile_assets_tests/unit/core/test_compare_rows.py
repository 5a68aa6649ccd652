import pytest

from reconcile_assets.core.compare import Checksum, Comparison, Differences, SideCost
from reconcile_assets.core.compare_pairs import ColumnPair
from reconcile_assets.core.compare_plan import ComparisonPlan, plan_comparison
from reconcile_assets.core.compare_rows import Row, RowComparer, Tally
from reconcile_assets.core.compare_sums import choose_buckets, differing_buckets, sum_windows
from reconcile_assets.core.difference import Difference, DifferenceKind
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.databases.base import BucketSums


def pair(name: str, kind: TypeKind) -> ColumnPair:
    return ColumnPair(Column(name, ColumnType(kind, kind.value)), Column(name, ColumnType(kind, kind.value)))


def plan(*, tolerance: float = 0.0, keyless: bool = False) -> ComparisonPlan:
    pairs = [pair("id", TypeKind.INTEGER), pair("n", TypeKind.DECIMAL), pair("j", TypeKind.JSON)]
    given = {"n": Tolerance(abs_tol=tolerance)} if tolerance else {}
    return plan_comparison(pairs, [] if keyless else ["id"], tolerances=given)


def row(key: str, number: str | None, document: str | None = None) -> Row:
    return Row((key,), (number, document))


def tally_of(comparer: RowComparer, source: list[Row], target: list[Row], limit: int = 10) -> Tally:
    tally = Tally(limit)
    comparer.compare(source, target, tally)
    return tally


def figures(tally: Tally) -> tuple[int, int, int, int]:
    return tally.missing_in_target, tally.missing_in_source, tally.value_differs, tally.within_tolerance


def test_one_row_a_side_is_compared_column_by_column() -> None:
    comparer = RowComparer(plan())
    assert figures(tally_of(comparer, [row("1", "1.0", "[1]")], [row("1", "1", "[1.0]")])) == (0, 0, 0, 0)
    tally = tally_of(comparer, [row("1", "1", "[1]")], [row("1", "2", "[2]")])
    assert figures(tally) == (0, 0, 1, 0)
    assert tally.differs == {"n": 1, "j": 1}
    assert tally.differences == [
        Difference(DifferenceKind.VALUE_DIFFERS, {"id": 1}, {"n": "1", "j": "[1]"}, {"n": "2", "j": "[2]"})
    ]


def test_rows_of_one_key_are_a_multiset() -> None:
    comparer = RowComparer(plan())
    one, two, three = row("1", "1"), row("1", "2"), row("1", "3")
    assert figures(tally_of(comparer, [one, two, two], [two, one])) == (1, 0, 0, 0)
    assert figures(tally_of(comparer, [one, two], [two, three])) == (0, 0, 1, 0)
    assert figures(tally_of(comparer, [], [one])) == (0, 1, 0, 0)
    assert figures(tally_of(comparer, [one, one], [row("1", "1.00"), row("1", "1.0")])) == (0, 0, 0, 0)


def test_near_rows_are_matched_as_many_as_possible() -> None:
    comparer = RowComparer(plan(tolerance=1))
    source = [row("1", "2"), row("1", "1")]
    target = [row("1", "3"), row("1", "2.5")]
    assert figures(tally_of(comparer, source, target)) == (0, 0, 1, 1)
    chain = [row("1", "10"), row("1", "11.5")]
    assert figures(tally_of(comparer, chain, [row("1", "10.75"), row("1", "9.5")])) == (0, 0, 0, 2)
    assert figures(tally_of(comparer, chain[::-1], [row("1", "10.75"), row("1", "9.5")])) == (0, 0, 0, 2)


def test_a_long_chain_of_near_rows_is_matched_to_the_end() -> None:
    comparer = RowComparer(plan(tolerance=1))
    source = [row("1", str(value)) for value in range(0, 100, 2)]
    target = [row("1", str(value)) for value in range(1, 101, 2)]
    assert figures(tally_of(comparer, source, target)) == (0, 0, 0, 50)
    assert figures(tally_of(comparer, source[::-1], target)) == (0, 0, 0, 50)


def test_within_tolerance_is_counted_and_null_never_is() -> None:
    comparer = RowComparer(plan(tolerance=1))
    assert figures(tally_of(comparer, [row("1", "1")], [row("1", "2")])) == (0, 0, 0, 1)
    assert figures(tally_of(comparer, [row("1", None)], [row("1", "0")])) == (0, 0, 1, 0)
    assert figures(tally_of(comparer, [row("1", "1", "1")], [row("1", "2", "2")])) == (0, 0, 1, 0)


def test_without_a_key_nothing_is_paired() -> None:
    comparer = RowComparer(plan(keyless=True))
    left, right = Row(("1", "2"), ("[1]",)), Row(("1", "2"), ("[2]",))
    tally = tally_of(comparer, [left], [right])
    assert figures(tally) == (1, 1, 0, 0)
    assert tally.differences[0] == Difference(
        DifferenceKind.MISSING_IN_TARGET, {}, {"id": 1, "n": "2", "j": "[1]"}, None
    )
    assert figures(tally_of(comparer, [left, left], [right, left])) == (1, 1, 0, 0)


def test_the_list_ends_at_its_limit_and_the_counts_do_not() -> None:
    comparer = RowComparer(plan())
    tally = Tally(1)
    for key in ("1", "2", "3"):
        comparer.compare([row(key, "1")], [row(key, "2")], tally)
        comparer.compare([row(key, "1")], [], tally)
    assert (tally.total, len(tally.differences), tally.is_full) == (6, 1, True)


def test_masked_values_are_stars_in_keys_too() -> None:
    comparer = RowComparer(plan(), frozenset({"id", "n"}))
    tally = tally_of(comparer, [row("1", "7", "[]")], [row("1", "8", "[]")])
    assert tally.differences[0].to_dict() == {
        "kind": "value_differs",
        "key": {"id": "***"},
        "source": {"n": "***"},
        "target": {"n": "***"},
    }


def test_keys_that_are_the_same_value_are_one_key() -> None:
    pairs = [ColumnPair(Column("k", ColumnType(TypeKind.UUID, "uuid")), Column("k", ColumnType(TypeKind.TEXT, "text")))]
    comparer = RowComparer(plan_comparison(pairs, ["k"]))
    text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert comparer.identity((text,), source=True) == comparer.identity((text.upper(),), source=False)
    assert comparer.identity((None,), source=True) == (None,)


def test_a_checksum_adds_up_and_counts_rows() -> None:
    first, second = Checksum.of_sums(2, 2**64 - 1, 5), Checksum.of_sums(1, 3, 2**70)
    assert first + second == Checksum.of_sums(3, 2**64 + 2, 2**70 + 5)
    assert first.digest == "f" * 16 + "0" * 15 + "5"


def test_negative_sums_of_signed_digests_fold_too() -> None:
    assert Checksum.of_sums(1, -1, -(2**63)).digest == "f" * 16 + "8" + "0" * 15


def test_buckets_differ_by_rows_or_digests_or_by_being_alone() -> None:
    same = BucketSums(1, 5, 6)
    source = {(None, 0): same, (None, 1): same, (None, 2): same, (None, 3): BucketSums(9, 1, 1)}
    target = {(None, 0): same, (None, 1): BucketSums(1, 5, 7), (None, 3): BucketSums(8, 1, 1), (None, 4): same}
    assert differing_buckets(source, target) == {(None, 1): 1, (None, 2): 1, (None, 3): 9, (None, 4): 1}


def test_windows_add_their_buckets_up() -> None:
    source = {("a", 0): BucketSums(1, 1, 2, 1, 0), ("a", 1): BucketSums(2, 3, 4, 0, 1), ("b", 0): BucketSums(1, 0, 0)}
    windows = sum_windows(source, {("c", 0): BucketSums(4, 1, 1)})
    assert windows["a"].source.rows == 3
    assert (windows["a"].source.null_keys, windows["a"].source.duplicate_keys) == (1, 1)
    assert windows["a"].source_digest == Checksum.of_sums(3, 4, 6).digest
    assert windows["a"].is_one_sided
    assert windows["c"].target.rows == 4


@pytest.mark.parametrize(
    ("rows", "windows", "buckets"),
    [
        (0, 1, 1),
        (2_000, 1, 1),
        (2_001, 1, 32),
        (300_000, 1, 8_192),
        (300_000, 365, 1),
        (3_000_000, 365, 64),
        (10**9, 1, 32_768),
        (100, 0, 1),
    ],
)
def test_a_bucket_has_some_dozens_of_rows(rows: int, windows: int, buckets: int) -> None:
    assert choose_buckets(rows, windows) == buckets


def test_the_document_has_every_field_that_scripts_rely_on() -> None:
    difference = Difference(DifferenceKind.MISSING_IN_SOURCE, {"id": 1}, None, {"v": None})
    found = Comparison(
        Verdict.MISMATCHED, differences=Differences([difference]), source_cost=SideCost(3, 2, 1) - SideCost(1, 1, 1)
    )
    document = found.to_dict()
    assert document["verdict"] == "mismatched"
    assert document["differences"] == [
        {"kind": "missing_in_source", "key": {"id": 1}, "source": None, "target": {"v": None}}
    ]
    assert document["cost"] == {
        "source": {"scans": 2, "rows_read": 1, "bytes": 0},
        "target": {"scans": 0, "rows_read": 0, "bytes": 0},
        "seconds": 0.0,
    }


def test_differences_are_a_frame_when_called() -> None:
    changed = Difference(DifferenceKind.VALUE_DIFFERS, {"id": 1}, {"v": "a"}, {"v": "b"})
    alone = Difference(DifferenceKind.MISSING_IN_TARGET, {"id": 2}, {"v": "c"}, None)
    frame = Differences([changed, alone])()
    assert list(frame.columns) == ["kind", "id", "v_source", "v_target"]
    assert len(Differences()()) == 0
