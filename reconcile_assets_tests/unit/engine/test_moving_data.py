"""Data that changes while it is compared, over tables in memory."""

import pytest

from reconcile_assets.core.compare_pairs import ColumnPair
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.engine.moving_data import refuse_unsteady
from reconcile_assets.errors import CouldNotVerify
from reconcile_assets_tests.unit.engine.test_comparison import FakeSession, Restless, compare, make

TEXT = Column("v", ColumnType(TypeKind.TEXT, "text"))
JSON = Column("j", ColumnType(TypeKind.JSON, "json"))


def test_rows_that_differed_in_one_statement_only_are_no_match() -> None:
    found = compare(Restless(make(10, {5: "x"}), make(10)), FakeSession(make(10)))
    assert found.verdict == "matched"
    with pytest.raises(CouldNotVerify, match="same in the next"):
        refuse_unsteady(found, [ColumnPair(TEXT, TEXT)])
    refuse_unsteady(found, [ColumnPair(JSON, JSON)])  # whose digests differ for equal values too
    refuse_unsteady(found, [ColumnPair(TEXT, TEXT)], ["v"])


def test_what_was_summed_alike_or_differs_stands() -> None:
    refuse_unsteady(compare(FakeSession(make(10)), FakeSession(make(10))), [ColumnPair(TEXT, TEXT)])
    found = compare(FakeSession(make(10, {5: "x"})), FakeSession(make(10)))
    refuse_unsteady(found, [ColumnPair(TEXT, TEXT)])
    assert found.verdict == "mismatched"


def test_rows_within_a_tolerance_differ_in_their_sums() -> None:
    tolerances = {"v": Tolerance(ignore_case=True)}
    found = compare(FakeSession(make(10, {5: "V5"})), FakeSession(make(10)), tolerances=tolerances)
    assert (found.verdict, found.within_tolerance) == ("matched", 1)
    refuse_unsteady(found, [ColumnPair(TEXT, TEXT)])
