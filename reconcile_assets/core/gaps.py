"""Gaps: how a partition of the target falls short of its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconcile_assets.core.changes import Change
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
        source_checksum, target_checksum: hex.
        change: what changed since the partition was last proved equal, though no batch wrote it since.
        unchanged_since: since when both checksums are as they were proved; aware; None where it is not known.
    """

    key: str
    kind: GapKind
    source_rows: int
    target_rows: int
    notes: tuple[str, ...] = ()
    source_checksum: str = ""
    target_checksum: str = ""
    change: Change | None = None
    unchanged_since: datetime | None = None


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
        outdated: partitions asked about, by check, whose latest verdict was given under another configuration.
    """

    table: str
    partitions: tuple[PartitionState, ...]
    unpartitioned_source: int | None
    unpartitioned_target: int | None
    notes: tuple[str, ...]
    verdict: Verdict
    outdated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def gaps(self) -> tuple[PartitionState, ...]:
        """The partitions that are proved not to match."""
        return tuple(state for state in self.partitions if state.kind not in _NO_GAP)

    def counts(self) -> Mapping[GapKind, int]:
        """Partitions by kind, every kind present."""
        return {kind: sum(state.kind is kind for state in self.partitions) for kind in GapKind}


def classify_partition(
    key: str,
    source: SideState,
    target: SideState,
    *,
    change: Change | None = None,
    unchanged_since: datetime | None = None,
) -> PartitionState:
    """Name what the target is beside the source.

    Args:
        change: since the partition was last proved equal, where that is known: tells a source that moved on
            (stale) from a target that was changed.
        unchanged_since: as `PartitionState` has it.
    """
    kind = _kind(source, target)
    moved_on = change is not None and not change.is_unaudited
    if kind is not GapKind.MATCHED and moved_on and target.rows:
        kind = GapKind.STALE
    notes: tuple[str, ...] = () if change is None else (change.sentence,)
    if source.rows == target.rows == 0:
        notes = (*notes, "no rows on either side")
    return PartitionState(
        key, kind, source.rows, target.rows, notes, source.digest, target.digest, change, unchanged_since
    )


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
