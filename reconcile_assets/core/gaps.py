"""Gaps: how a partition of the target falls short of its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconcile_assets.core.verdicts import Verdict


class GapKind(StrEnum):
    """What a partition of the target is, beside its source."""

    MATCHED = "matched"
    MISSING = "missing"  # rows in the source, none in the target
    SHORT = "short"  # fewer rows than the source
    EXTRA = "extra"  # more rows than the source
    STALE = "stale"  # the target stands as last proved, and the source has changed since
    DIFFERENT = "different"  # as many rows, other content
    UNVERIFIED = "unverified"  # alike as far as it was compared, but some column could not be: no gap, and not proved


_NO_GAP = frozenset({GapKind.MATCHED, GapKind.UNVERIFIED})


@dataclass(frozen=True)
class SideState:
    """What one side holds of a partition: rows, and the checksum over the columns that both sides have."""

    rows: int
    digest: str


@dataclass(frozen=True)
class PartitionState:
    """A partition of the target beside its source.

    Attributes:
        key: the partition's key.
        notes: sentences for people.
    """

    key: str
    kind: GapKind
    source_rows: int
    target_rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GapReport:
    """Every partition asked about, and the rows that stand in none.

    Attributes:
        table: the asset's name.
        partitions: in the order asked.
        unpartitioned_source, unpartitioned_target: rows whose partition column is NULL or outside
            every partition of the table; None when they were not counted.
        notes: sentences about the table as a whole.
        verdict: matched without gaps, mismatched with any; inconclusive when no partition was asked about
            or columns could not be compared.
    """

    table: str
    partitions: tuple[PartitionState, ...]
    unpartitioned_source: int | None
    unpartitioned_target: int | None
    notes: tuple[str, ...]
    verdict: Verdict

    @property
    def gaps(self) -> tuple[PartitionState, ...]:
        """The partitions that are proved not to match."""
        return tuple(state for state in self.partitions if state.kind not in _NO_GAP)

    def counts(self) -> Mapping[GapKind, int]:
        """Partitions by kind, every kind present."""
        return {kind: sum(state.kind is kind for state in self.partitions) for kind in GapKind}


def classify_partition(
    key: str, source: SideState, target: SideState, *, proved: tuple[str, str] | None = None
) -> PartitionState:
    """Name what the target is beside the source.

    Args:
        proved: source and target checksum of the last verdict on this partition, where one is known:
            tells a source that moved on (stale) from a target that was changed.
    """
    kind = _kind(source, target)
    notes: tuple[str, ...] = ()
    if source.rows == target.rows == 0:
        notes = ("no rows on either side",)
    if kind is not GapKind.MATCHED and proved is not None:
        source_then, target_then = proved
        if target.rows and source_then == target_then == target.digest != source.digest:
            kind = GapKind.STALE
            notes = ("the source has changed since this partition was last proved equal",)
    return PartitionState(key, kind, source.rows, target.rows, notes)


def _kind(source: SideState, target: SideState) -> GapKind:
    if source == target:
        return GapKind.MATCHED
    if target.rows == 0:
        return GapKind.MISSING
    if target.rows < source.rows:
        return GapKind.SHORT
    if target.rows > source.rows:
        return GapKind.EXTRA
    return GapKind.DIFFERENT
