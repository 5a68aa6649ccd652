"""What is said of two looks at a partition, and what never is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form
from reconcile_assets.core.changes import NO_BATCH, Change, ChecksumScope, Look, Proof, find_changes
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.core.windows import Every, PartitionScheme

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
PROOF = Proof("s", "t", "form", NOON, "batch")
LOOK = Look("s", "t", "form", "batch")
SCHEME = PartitionScheme("at", Every.DAY, datetime(2024, 1, 1), datetime(2024, 1, 5))


def column(name: str, native: str = "bigint") -> ColumnForm:
    return ColumnForm(Column(name, ColumnType(TypeKind.INTEGER, native)), Canonical(Form.NUMBER))


SCOPE = ChecksumScope(
    "family", "source: a", "target: b", (column("id"), column("x")), (column("id"), column("x")), 1, ("at", "at")
)


def test_the_same_checksums_are_unchanged_since_they_were_proved() -> None:
    assert find_changes(PROOF, LOOK) == (None, NOON)


@pytest.mark.parametrize(
    ("look", "change", "name"),
    [
        (replace(LOOK, target="t2"), Change(NOON, target=("t", "t2")), "unaudited change"),
        (replace(LOOK, source="s2"), Change(NOON, source=("s", "s2")), "stale"),
        (replace(LOOK, source="n", target="n"), Change(NOON, ("s", "n"), ("t", "n")), "unaudited change, stale"),
    ],
)
def test_each_side_that_changed_is_named_with_both_checksums(look: Look, change: Change, name: str) -> None:
    assert find_changes(PROOF, look) == (change, None)
    assert change.name == name
    for pair in (change.source, change.target):
        assert pair is None or all(each in change.sentence for each in pair)
    assert "2024-01-02 12:00:00 UTC" in change.sentence


@pytest.mark.parametrize(
    ("proof", "look"),
    [
        (None, LOOK),
        (PROOF, replace(LOOK, form="another", target="t2")),
        (PROOF, replace(LOOK, batch_id="later", target="t2")),
        (PROOF, replace(LOOK, batch_id=NO_BATCH, target="t2")),
        (PROOF, replace(LOOK, batch_id=None, target="t2")),
        (replace(PROOF, batch_id=None), replace(LOOK, batch_id=None, target="t2")),
    ],
    ids=["never proved", "another form", "a batch since", "batches are gone", "not asked", "not asked twice"],
)
def test_nothing_is_said_of_what_does_not_compare(proof: Proof | None, look: Look) -> None:
    assert find_changes(proof, look) == (None, None)


def test_a_target_that_no_batch_ever_wrote_can_change_too() -> None:
    change, _ = find_changes(replace(PROOF, batch_id=NO_BATCH), replace(LOOK, batch_id=NO_BATCH, target="t2"))
    assert change is not None
    assert change.is_unaudited


def test_a_side_whose_checksum_was_not_known_is_neither_changed_nor_unchanged() -> None:
    assert find_changes(replace(PROOF, source=None), replace(LOOK, source="whatever")) == (None, None)


@pytest.mark.parametrize("change", [Change(NOON), Change(NOON, ("a", "b")), Change(NOON, ("a", "b"), ("c", "d"))])
def test_a_change_and_a_proof_survive_json(change: Change) -> None:
    assert Change.from_dict(change.to_dict()) == change
    assert Proof.from_dict(PROOF.to_dict()) == PROOF


def test_a_form_is_of_its_window_and_begins_with_the_hash_family() -> None:
    first, second = SCHEME.partitions(NOON + timedelta(days=9))[:2]
    assert SCOPE.form(first) == SCOPE.form(first)
    assert SCOPE.form(first).startswith("family/")
    assert len({SCOPE.form(first), SCOPE.form(second), SCOPE.form(None)}) == 3


@pytest.mark.parametrize(
    "other",
    [
        replace(SCOPE, family="md5"),
        replace(SCOPE, source="source: c"),
        replace(SCOPE, target="target: c"),
        replace(SCOPE, columns=(column("id"), column("y"))),
        replace(SCOPE, columns=(column("x"), column("id"))),
        replace(SCOPE, target_columns=(column("id"), column("x", "integer"))),
        replace(SCOPE, target_columns=(column("id"), replace(column("x"), canonical=Canonical(Form.TEXT)))),
        replace(SCOPE, columns=(column("id"), replace(column("x"), native=True))),
        replace(SCOPE, keys=2),
        replace(SCOPE, partition_columns=("at", "seen")),
    ],
)
def test_whatever_decides_a_checksum_besides_the_rows_is_in_its_form(other: ChecksumScope) -> None:
    partition = SCHEME.partitions(NOON + timedelta(days=9))[0]
    assert other.form(partition) != SCOPE.form(partition)
