"""The second look at what differed, over tables in memory that change while it waits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.engine import recheck as module
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.recheck import Recheck
from reconcile_assets.errors import CouldNotVerify, NotComparable
from reconcile_assets_tests.unit.engine.test_comparison import Cells, FakeSession, Restless, T, make

Changes = Mapping[int, str | None]


class Waits:
    """Stands in for the clock: what happens while it is waited for, and for how long that was."""

    def __init__(self, happen: Callable[[], None] = lambda: None) -> None:
        self.seconds: list[float] = []
        self._happen = happen

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._happen()


def look_twice(
    source: FakeSession, target: FakeSession, happen: Callable[[], None] = lambda: None, **options: Any
) -> tuple[Comparison, Waits]:
    waits = Waits(happen)
    recheck = Recheck(5.0, sleep=waits, snapshot=options.pop("snapshot", True))
    key = options.pop("key", ["id"])
    found = compare_tables(
        source, target, source_relation=T, target_relation=T, key=key, recheck=recheck, **options
    )  # fmt: skip
    if recheck.is_needed:
        recheck.wait()
        found = recheck.settle(source, target, found)
    return found[None], waits


def counts(found: Comparison) -> tuple[str, int, int, int]:
    return found.verdict.value, found.missing_in_target, found.missing_in_source, found.value_differs


def then(session: FakeSession, rows: Sequence[Cells]) -> Callable[[], None]:
    def change() -> None:
        session.rows = rows

    return change


SIZES = pytest.mark.parametrize("size", [12, 6_000], ids=["small", "bucketed"])


@SIZES
def test_what_is_equal_at_the_second_look_is_no_difference(size: int) -> None:
    source = FakeSession(make(size, {5: "new"}))
    target = FakeSession(make(size - 1))
    found, waits = look_twice(source, target, then(target, make(size, {5: "new"})))
    assert counts(found) == ("matched", 0, 0, 0)
    assert (found.source.rows, found.target.rows) == (size, size)
    assert waits.seconds == [5.0]
    assert any("of 2, 2 settled, 0 differ as before, 0 did not settle" in note for note in found.notes)
    assert (found.source_checksum, found.target_checksum) == ("", "")  # they were of the first look
    assert not found.differences


@SIZES
def test_what_differs_as_before_is_a_difference(size: int) -> None:
    source = FakeSession(make(size, {5: "old", 6: "x"}))
    target = FakeSession(make(size - 2))
    found, _ = look_twice(source, target, then(target, make(size - 1, {6: "x"})))
    assert counts(found) == ("mismatched", 1, 0, 1)
    assert found.columns["v"].differs == 1
    assert [(item.kind, item.key) for item in found.differences] == [
        ("value_differs", {"id": 5}),
        ("missing_in_target", {"id": size - 1}),
    ]
    assert found.source.rows - found.target.rows == 1
    assert any("of 4, 2 settled, 2 differ as before" in note for note in found.notes)


@SIZES
def test_what_differs_in_another_way_has_not_settled_and_is_never_matched(size: int) -> None:
    source = FakeSession(make(size, {5: "a"}))
    target = FakeSession(make(size))
    found, _ = look_twice(source, target, then(source, make(size, {5: "b"})))
    assert counts(found) == ("inconclusive", 0, 0, 0)
    assert found.unsettled == 1
    assert any("could not verify: 1 keys did not settle" in note for note in found.notes)


def test_a_difference_that_stays_is_told_beside_one_that_does_not_settle() -> None:
    source = FakeSession(make(9, {5: "a", 6: "x"}))
    found, _ = look_twice(source, FakeSession(make(9)), then(source, make(9, {5: "b", 6: "x"})))
    assert (counts(found), found.unsettled) == (("mismatched", 0, 0, 1), 1)


@pytest.mark.parametrize("lost", ["source", "target"])
def test_a_row_that_goes_from_one_side_only_has_not_settled(lost: str) -> None:
    sides = {"source": FakeSession(make(9, {8: "a"})), "target": FakeSession(make(9))}
    found, _ = look_twice(sides["source"], sides["target"], then(sides[lost], make(8)))
    assert counts(found)[0] == "inconclusive"


def test_a_row_that_is_gone_on_both_sides_has_settled() -> None:
    source, target = FakeSession(make(9)), FakeSession(make(8))
    found, _ = look_twice(source, target, then(source, make(8)))
    assert counts(found) == ("matched", 0, 0, 0)
    assert (found.source.rows, found.target.rows) == (8, 8)


def test_what_differs_only_later_is_not_looked_for() -> None:
    """The verdict is about the rows as they were at the first look, and about those that differed then."""
    source, target = FakeSession(make(9, {5: "a"})), FakeSession(make(9))
    found, _ = look_twice(source, target, then(source, make(9, {6: "later"})))
    assert counts(found) == ("matched", 0, 0, 0)


def test_where_nothing_differs_nothing_is_waited_for() -> None:
    source = FakeSession(make(9))
    found, waits = look_twice(source, FakeSession(make(9)))
    assert (counts(found)[0], waits.seconds, source.calls) == ("matched", [], ["sums 1"])
    assert found.source_checksum


def test_more_keys_than_can_be_kept_stay_as_they_were_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 3)
    source = FakeSession(make(9, dict.fromkeys(range(4), "x")))
    found, waits = look_twice(source, FakeSession(make(9)), then(source, make(9)))
    assert (counts(found), waits.seconds) == (("mismatched", 0, 0, 4), [])
    assert any("were not looked at again" in note for note in found.notes)
    assert found.source_checksum


def test_keys_too_long_to_be_kept_stay_as_they_were_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_CHARACTERS", 10)
    source = FakeSession(make(9, dict.fromkeys(range(9), "x" * 20)))
    found, waits = look_twice(source, FakeSession([]), key=[])
    assert (counts(found), waits.seconds) == (("mismatched", 9, 0, 0), [])


def test_rows_without_a_key_settle_as_a_multiset() -> None:
    twice = [*make(9), *make(2)]
    source, target = FakeSession(twice), FakeSession([*make(9), {"id": "77", "v": "x", "j": "1"}])
    arrived, _ = look_twice(source, target, then(target, twice), key=[])
    assert counts(arrived) == ("matched", 0, 0, 0)
    target.rows = make(9)
    stayed, _ = look_twice(source, target, then(target, [*make(9), *make(1)]), key=[])
    assert counts(stayed) == ("mismatched", 1, 0, 0)
    assert "rows that differed were looked at again" in " ".join(stayed.notes)
    source.rows, target.rows = [*make(9), *make(1), *make(1)], make(9)
    restless, _ = look_twice(source, target, then(target, [*make(9), *make(1)]), key=[])
    assert (counts(restless), restless.unsettled) == (("inconclusive", 0, 0, 0), 1)


def test_rows_that_share_a_key_settle_together() -> None:
    rows: list[Cells] = [{"id": "1", "v": text, "j": "1"} for text in ("a", "b")]
    source, target = FakeSession(rows, indexed=False), FakeSession(rows[:1], indexed=False)
    found, _ = look_twice(source, target, then(target, rows[::-1]))
    assert counts(found) == ("matched", 0, 0, 0)
    target.rows = rows[:1]
    found, _ = look_twice(source, target, then(source, [*rows, *rows]))
    assert counts(found)[0] == "inconclusive"


def test_rows_that_nothing_tells_apart_are_refused_before_anything_is_read() -> None:
    source = FakeSession(make(3))
    json = [pair for pair in module_pairs(source) if pair.source.name == "j"]
    with pytest.raises(NotComparable, match="name a key"):
        look_twice(source, FakeSession(make(2)), key=[], columns=json)
    assert source.calls == []


def module_pairs(session: FakeSession) -> Any:
    from reconcile_assets.core.compare_pairs import pair_columns

    return pair_columns(session.table, session.table)[0]


def test_the_list_ends_at_the_limit_and_the_counts_do_not() -> None:
    source = FakeSession(make(9, dict.fromkeys(range(6), "x")))
    found, _ = look_twice(source, FakeSession(make(9)), then(source, make(9, dict.fromkeys(range(5), "x"))), limit=2)
    assert counts(found) == ("mismatched", 0, 0, 5)
    assert len(found.differences) == 2
    assert [note for note in found.notes if "are listed" in note] == ["2 of 5 differences are listed; all are counted"]


def test_near_enough_at_the_second_look_is_settled() -> None:
    source, target = FakeSession(make(9, {5: "a"})), FakeSession(make(9))
    tolerances = {"v": Tolerance(ignore_case=True)}
    found, _ = look_twice(source, target, then(source, make(9, {5: "V5"})), tolerances=tolerances)
    assert (counts(found), found.within_tolerance) == (("matched", 0, 0, 0), 1)


def test_masked_values_stay_masked() -> None:
    source = FakeSession(make(9, {5: "secret"}))
    found, _ = look_twice(source, FakeSession(make(9)), mask=["v"])
    assert counts(found) == ("mismatched", 0, 0, 1)
    assert "secret" not in repr(found)


class Fickle(FakeSession):
    """A table whose rows are other ones each time they are shipped, as of a view over random values."""

    then: Sequence[Cells] = ()

    def stream_rows(self, *args: Any, **options: Any) -> Any:
        shipped = list(super().stream_rows(*args, **options))
        self.rows = self.then
        return iter(shipped)


def test_a_snapshot_that_does_not_hold_still_is_not_verified() -> None:
    source = Fickle(make(9, {5: "a"}))
    source.then = make(9, {5: "a", 6: "b"})
    with pytest.raises(CouldNotVerify, match="hold still"):
        look_twice(source, FakeSession(make(9)))


def test_without_a_snapshot_what_settled_before_the_keys_were_kept_has_settled() -> None:
    source = Fickle(make(9, {5: "a"}))
    source.then = make(9)
    found, waits = look_twice(source, FakeSession(make(9)), snapshot=False)
    assert (counts(found), waits.seconds) == (("matched", 0, 0, 0), [5.0])


def test_without_a_snapshot_counts_that_do_not_add_up_are_not_verified() -> None:
    source = Fickle(make(10))
    source.then = make(9)
    with pytest.raises(CouldNotVerify, match="add up"):
        look_twice(source, FakeSession(make(9)), snapshot=False)


def test_the_cost_of_all_looks_is_counted() -> None:
    plain = FakeSession(make(6_000, {5: "a"}))
    compare_tables(plain, FakeSession(make(6_000)), source_relation=T, target_relation=T, key=["id"])
    source = FakeSession(make(6_000, {5: "a"}))
    found, _ = look_twice(source, FakeSession(make(6_000)))
    assert found.source_cost.scans == source.cost.scans > plain.cost.scans


@pytest.mark.parametrize("after", [-1.0, float("nan"), float("inf"), 86_401.0])
def test_it_waits_no_senseless_time(after: float) -> None:
    with pytest.raises(NotComparable, match="0 to 86400 seconds"):
        Recheck(after)


def test_a_side_that_fails_at_the_second_look_gives_no_verdict() -> None:
    class Failing(FakeSession):
        def stream_rows(self, *args: Any, **options: Any) -> Any:
            if self.failure is not None:
                raise self.failure
            return super().stream_rows(*args, **options)

    source = Failing(make(9, {5: "a"}))

    def fail() -> None:
        source.failure = CouldNotVerify("cut")

    with pytest.raises(CouldNotVerify, match="cut"):
        look_twice(source, FakeSession(make(9)), fail)


def test_rows_lost_between_two_scans_of_the_first_look_are_not_verified() -> None:
    with pytest.raises(CouldNotVerify):
        look_twice(Restless(make(11), make(10)), FakeSession(make(10)))
