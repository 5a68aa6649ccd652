"""Data that changes while it is compared: what is never guessed about it."""

from collections.abc import Collection, Sequence

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.compare_pairs import FLOATS, ColumnPair
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.errors import CouldNotVerify

WITHOUT_SNAPSHOT = "no snapshot was held: each statement saw the data of its own moment"

# Equal values of these may have digests that differ: engines write them in more than one way.
_WRITTEN_IN_WAYS = FLOATS | {TypeKind.JSON, TypeKind.ARRAY}


def refuse_unsteady(found: Comparison, pairs: Sequence[ColumnPair], zones: Collection[str] = ()) -> None:
    """Refuse a match whose rows differed when they were summed, and no longer when they were read.

    Args:
        zones: columns with a declared zone, which not every engine can sum up.

    Raises:
        CouldNotVerify: the two moments don't agree, and nothing says which rows have settled.
    """
    if found.verdict is not Verdict.MATCHED or found.within_tolerance:
        return
    if zones or found.source_checksum == found.target_checksum:
        return
    kinds = {column.type.kind for pair in pairs for column in (pair.source, pair.target)}
    coarse = any(not column.comparison.startswith("exact") for column in found.columns.values())
    if not coarse and not kinds & _WRITTEN_IN_WAYS:
        raise CouldNotVerify(
            "rows that differed in one statement were the same in the next; compare again, or with a snapshot"
        )
