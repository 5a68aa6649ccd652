"""The flow of a comparison over fake sessions that keep their rows in memory."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from reconcile_assets.core.compare import Checksum, Comparison
from reconcile_assets.core.tables import Column, ColumnType, Table, TableName, TypeKind
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.databases.base import (
    Bucket,
    BucketSums,
    CostMeter,
    PartitionFilter,
    Relation,
    RowsetQuery,
    Session,
    ShippedRow,
)
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.errors import ConnectionLost, CouldNotVerify, MissingObject, NotComparable

T = Relation(TableName(None, "t"))
INTEGER, TEXT, JSON = (ColumnType(kind, kind.value) for kind in (TypeKind.INTEGER, TypeKind.TEXT, TypeKind.JSON))
Cells = Mapping[str, str | None]


class FakeSession(Session):
    """A table in memory that keeps to the dialect contract."""

    engine = "fake"

    def __init__(self, rows: Sequence[Cells], *, estimate: int | None = None, indexed: bool = True) -> None:
        self.name = "fake"
        self.cost = CostMeter()
        self.rows = rows
        self.estimate = len(rows) if estimate is None else estimate
        primary = ("id",) if indexed else ()
        columns = (Column("id", INTEGER, nullable=not indexed), Column("v", TEXT), Column("j", JSON))
        self.table = Table(TableName(None, "t"), columns, primary, indexed=frozenset(primary))
        self.calls: list[str] = []
        self.failure: Exception | None = None
        self.cancelled = False

    hash_family = "fake"  # type: ignore[assignment] # a constant serves the fake

    @property
    def driver_connection(self) -> Any:
        raise NotImplementedError

    def sqlalchemy(self) -> Any:
        raise NotImplementedError

    def export_snapshot(self) -> str:
        raise NotImplementedError

    def fetch_scalar(self, statement: Any, parameters: Any = ()) -> Any:
        raise NotImplementedError

    def fetch_checksums(self, *args: Any, **kwargs: Any) -> dict[str | None, Checksum]:
        raise NotImplementedError

    def cancel(self) -> None:
        self.cancelled = True

    def describe(self, relation: Relation) -> Table:
        return self.table

    def estimate_rows(self, relation: Relation) -> int:
        return self.estimate

    def _hash(self, forms: Any, row: Cells) -> int:
        values = repr([row[form.column.name] for form in forms])
        return int.from_bytes(hashlib.sha256(values.encode()).digest()[:8], "big")

    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        self.calls.append(f"sums {buckets}")
        self.cost.scans += 1
        if self.failure is not None:
            raise self.failure
        found: dict[Bucket, list[Cells]] = {}
        for row in self.rows:
            found.setdefault((None, self._hash(query.key, row) % buckets), []).append(row)
        sums = {}
        for bucket, rows in found.items():
            digests = [self._hash((*query.key, *query.columns), row) for row in rows]
            keys = [tuple(row[form.column.name] for form in query.key) for row in rows]
            nulls = sum(None in key for key in keys)
            repeated = 0 if query.unique else len(keys) - len(set(keys))
            sums[bucket] = BucketSums(len(rows), sum(digests), sum(digests) * 3, nulls, repeated)
        return sums

    def stream_rows(
        self,
        query: RowsetQuery,
        buckets: int,
        wanted: Sequence[Bucket],
        *,
        values: bool,
        per_window: int | None = None,
    ) -> Iterator[ShippedRow]:
        self.calls.append("values" if values else "digests")
        shipped = [self._ship(query, row, buckets, values=values) for row in self.rows]
        chosen = [row for row in shipped if (row.window, row.bucket) in set(wanted)]
        yield from sorted(chosen, key=lambda row: row.bucket)[:per_window]

    def fetch_rows_by_key(self, query: RowsetQuery, keys: Sequence[tuple[str | None, ...]]) -> list[ShippedRow]:
        self.calls.append(f"by key {len(keys)}")
        return [self._ship(query, row, 1, values=True) for row in self.rows if (row["id"],) in set(keys)]

    def _ship(self, query: RowsetQuery, row: Cells, buckets: int, *, values: bool) -> ShippedRow:
        key = tuple(row[form.column.name] for form in query.key)
        texts = tuple(row[form.column.name] for form in query.columns)
        content = texts if values else (self._hash((*query.key, *query.columns), row), 0)
        return ShippedRow(None, self._hash(query.key, row) % buckets, key, content)


def make(count: int, changes: Mapping[int, str | None] | None = None) -> list[Cells]:
    return [{"id": str(number), "v": (changes or {}).get(number, f"v{number}"), "j": "[1]"} for number in range(count)]


def compare(source: FakeSession, target: FakeSession, **options: Any) -> Comparison:
    key = options.pop("key", ["id"])
    return compare_tables(source, target, source_relation=T, target_relation=T, key=key, **options)[None]


def counts(found: Comparison) -> tuple[int, int, int]:
    return found.missing_in_target, found.missing_in_source, found.value_differs


def test_equal_tables_are_scanned_once_and_nothing_is_shipped() -> None:
    source, target = FakeSession(make(3_000)), FakeSession(make(3_000))
    found = compare(source, target)
    assert (found.verdict, found.source_cost.scans) == ("matched", 1)
    assert source.calls == target.calls == ["sums 64"]
    assert found.source_checksum == found.target_checksum


def test_a_few_rows_in_differing_buckets_are_shipped_with_their_values() -> None:
    source = FakeSession(make(3_000), estimate=1_000_000)
    target = FakeSession(make(3_000, {7: "changed"}), estimate=1_000_000)
    assert counts(compare(source, target)) == (0, 0, 1)
    assert source.calls == ["sums 16384", "values"]


def test_few_differences_ship_digests_and_then_values_by_key() -> None:
    source = FakeSession(make(20_000), estimate=2_001)
    changed = [row for row in make(20_001, {7: "changed", 8: None}) if row["id"] != "9"]
    found = compare(source, FakeSession(changed, estimate=2_001))
    assert counts(found) == (1, 1, 2)
    assert found.columns["v"].differs == 2
    assert source.calls == ["sums 32", "digests", "by key 2", "by key 1"]
    assert [item.key["id"] for item in found.differences] == [7, 8, 9, 20_000]


def test_many_differences_ship_values_at_once() -> None:
    source, target = FakeSession(make(6_000)), FakeSession(make(6_000, dict.fromkeys(range(0, 6_000, 2), "x")))
    found = compare(source, target, limit=3)
    assert counts(found) == (0, 0, 3_000)
    assert source.calls == ["sums 128", "values"]
    assert len(found.differences) == 3
    assert any("3 of 3000" in note for note in found.notes)


def test_digests_are_shipped_while_a_single_bucket_is_the_same() -> None:
    changed = {number: "x" for number in range(6_000) if number % 20 == 0}
    source, target = FakeSession(make(6_000)), FakeSession(make(6_000, changed))
    assert counts(compare(source, target)) == (0, 0, 300)
    assert source.calls == ["sums 128", "digests", "by key 300"]


def test_without_an_index_values_are_shipped() -> None:
    source, target = FakeSession(make(9_000), indexed=False), FakeSession(make(9_000, {5: "x"}), indexed=False)
    assert counts(compare(source, target)) == (0, 0, 1)
    assert "digests" not in source.calls


def test_an_estimate_far_too_low_is_mended_by_finer_buckets() -> None:
    source, target = FakeSession(make(21_000), estimate=10), FakeSession(make(21_000, {5: "x"}), estimate=10)
    assert counts(compare(source, target)) == (0, 0, 1)
    assert source.calls[:2] == ["sums 1", "sums 512"]


def test_a_side_without_rows_is_counted_and_listed_to_the_limit() -> None:
    source, target = FakeSession(make(500)), FakeSession([])
    found = compare(source, target, limit=4)
    assert counts(found) == (500, 0, 0)
    assert len(found.differences) == 4
    assert counts(compare(target, source, limit=0)) == (0, 500, 0)


def test_empty_against_empty_matches_with_a_note() -> None:
    found = compare(FakeSession([]), FakeSession([]))
    assert found.verdict == "matched"
    assert "both sides are empty" in found.notes


def test_null_and_duplicate_keys_are_counted_and_noted() -> None:
    rows: list[Cells] = [{"id": None, "v": "a", "j": None}, *make(2), *make(1)]
    found = compare(FakeSession(rows, indexed=False), FakeSession(make(2), indexed=False))
    assert (found.source.null_keys, found.source.duplicate_keys) == (1, 1)
    assert counts(found) == (2, 0, 0)
    assert any("multiset" in note for note in found.notes)


def test_rows_without_a_key_are_compared_whole() -> None:
    source, target = FakeSession([*make(2), *make(1)]), FakeSession(make(2))
    found = compare(source, target, key=[])
    assert counts(found) == (1, 0, 0)
    assert list(found.columns) == ["id", "v", "j"]


def test_tolerances_masks_and_notes_are_carried() -> None:
    found = compare(FakeSession(make(2)), FakeSession(make(2, {1: "secret"})), mask=["v"], notes=["said before"])
    assert found.differences[0].target == {"v": "***"}
    assert found.notes[0] == "said before"
    with pytest.raises(NotComparable, match="are for numbers"):
        compare(FakeSession([]), FakeSession([]), tolerances={"v": Tolerance(abs_tol=1)})
    with pytest.raises(NotComparable, match="masked column x"):
        compare(FakeSession([]), FakeSession([]), mask=["x"])
    with pytest.raises(NotComparable, match="key column x"):
        compare(FakeSession([]), FakeSession([]), key=["x"], columns=[])


def test_a_partition_column_that_is_missing_or_no_time_is_refused() -> None:
    for column, error in (("nope", MissingObject), ("v", NotComparable)):
        with pytest.raises(error, match="partition column"):
            compare(FakeSession([]), FakeSession([]), partitions=PartitionFilter(column, TypeKind.TEXT, ()))


@pytest.mark.parametrize("failing", ["source", "target"])
def test_a_side_that_fails_ends_the_comparison_without_a_verdict(failing: str) -> None:
    sides = {"source": FakeSession(make(2)), "target": FakeSession(make(2))}
    sides[failing].failure = ConnectionLost("cut")
    with pytest.raises(ConnectionLost, match="cut"):
        compare(sides["source"], sides["target"])


def test_when_one_side_fails_the_others_statement_is_cancelled() -> None:
    import threading

    source, target = FakeSession([]), FakeSession([])
    released = threading.Event()

    def fail() -> None:
        raise ConnectionLost("cut")

    def work() -> bool:
        return released.wait(10)

    target.cancel = released.set  # type: ignore[method-assign] # cancelling is what ends the other side
    with pytest.raises(ConnectionLost):
        on_both_sides(source, target, fail, work)
    assert released.is_set()
    released.clear()
    source.cancel = released.set  # type: ignore[method-assign] # as above
    with pytest.raises(ConnectionLost):
        on_both_sides(source, target, work, fail)


class Restless(FakeSession):
    """A table that is another one each time it is read."""

    def __init__(self, first: Sequence[Cells], then: Sequence[Cells], **options: Any) -> None:
        super().__init__(first, **options)
        self._then = then

    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        found = super().fetch_buckets(query, buckets)
        self.rows = self._then
        return found


@pytest.mark.parametrize("count", [10, 20_000])
def test_a_side_that_lost_rows_between_two_reads_is_not_verified(count: int) -> None:
    source = Restless(make(count + 1), make(count), estimate=2_001)
    with pytest.raises(CouldNotVerify, match="hold still"):
        compare(source, FakeSession(make(count), estimate=2_001))


def test_a_side_that_differed_in_one_scan_only_is_not_verified() -> None:
    changed = make(20_000, dict.fromkeys((7, 8, 9, 11, 12), "x"))
    source = Restless(changed, make(20_000), estimate=2_001)
    with pytest.raises(CouldNotVerify, match="hold still"):
        compare(source, FakeSession(make(20_000), estimate=2_001))


def test_a_side_whose_finer_sums_are_the_same_is_not_verified() -> None:
    source = Restless(make(21_000, {5: "x"}), make(21_000), estimate=10)
    with pytest.raises(CouldNotVerify, match="hold still"):
        compare(source, FakeSession(make(21_000), estimate=10))
    assert source.calls == ["sums 1", "sums 512"]


def test_rows_that_can_not_be_found_again_are_not_verified() -> None:
    class Forgetful(FakeSession):
        def fetch_rows_by_key(self, query: RowsetQuery, keys: Sequence[tuple[str | None, ...]]) -> list[ShippedRow]:
            return []

    changed = make(20_000, dict.fromkeys((7, 8, 9, 11, 12), "x"))
    with pytest.raises(CouldNotVerify, match="found again"):
        compare(FakeSession(make(20_000), estimate=2_001), Forgetful(changed, estimate=2_001))
