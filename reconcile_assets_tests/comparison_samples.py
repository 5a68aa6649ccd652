"""Comparisons with everything in them that a page or a summary must show, and hostile values."""

from dataclasses import replace
from datetime import UTC, datetime

from reconcile_assets.core.compare import ColumnComparison, Comparison, Differences, SideCost, SideCounts
from reconcile_assets.core.difference import MASKED, Difference, DifferenceKind, Value
from reconcile_assets.core.verdicts import Verdict

HOSTILE = "<script>alert(1)</script>"
STEERING = "a\u202eb\x1b[2J\nc"
LONG = 1_000_000


def changed(key: Value, source: dict[str, Value], target: dict[str, Value]) -> Difference:
    """A row whose values differ."""
    return Difference(DifferenceKind.VALUE_DIFFERS, {"id": key}, source, target)


DIFFERENCES = Differences(
    [
        changed(1, {"name": "Ann Smith", "amount": "12.50"}, {"name": "Ann Smyth", "amount": "12.51"}),
        changed(2, {"name": None}, {"name": "NULL"}),
        changed(3, {"name": HOSTILE}, {"name": STEERING}),
        changed(4, {"email": MASKED}, {"email": MASKED}),
        changed(5, {"name": "x" * LONG + "Q" + "y" * LONG}, {"name": "x" * LONG + "R" + "y" * LONG}),
        changed(HOSTILE, {HOSTILE: 5}, {HOSTILE: "5"}),
        Difference(DifferenceKind.MISSING_IN_TARGET, {"id": 7}, {"name": "Bob", "amount": None, "email": MASKED}, None),
        Difference(DifferenceKind.MISSING_IN_SOURCE, {"id": 8}, None, {"name": "Eve", "amount": "3", "email": MASKED}),
    ]
)

SAMPLE = Comparison(
    verdict=Verdict.MISMATCHED,
    source=SideCounts(1_000_000, 2, 1),
    target=SideCounts(1_000_000),
    missing_in_target=1,
    missing_in_source=1,
    value_differs=1_234,
    columns={
        "name": ColumnComparison("exact", 4),
        "amount": ColumnComparison("tolerance:abs_tol=0.001", 1),
        "email": ColumnComparison("exact", 1),
        HOSTILE: ColumnComparison(f"uncomparable:{HOSTILE} beside integer"),
    },
    differences=DIFFERENCES,
    notes=("the key is the primary key of the source: id", HOSTILE, STEERING),
    within_tolerance=17,
    source_cost=SideCost(1, 1_500, 40_000),
    target_cost=SideCost(2, 1_501, 41_000),
    seconds=12.34,
    source_name="ops.orders (postgresql, shop on db.example.org)",
    target_name=f"{HOSTILE} (mysql)",
    compared_at=datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC),
)

MATCHED = Comparison(
    verdict=Verdict.MATCHED,
    source=SideCounts(3),
    target=SideCounts(3),
    columns={"name": ColumnComparison("exact")},
    notes=("the key is the primary key of the source: id",),
)

INCONCLUSIVE = replace(
    MATCHED,
    verdict=Verdict.INCONCLUSIVE,
    columns={"name": ColumnComparison("exact"), "place": ColumnComparison("uncomparable:point beside text")},
)
