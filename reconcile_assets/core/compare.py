"""What a comparison found out, as plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconcile_assets.core.difference import Difference, Differences
from reconcile_assets.core.verdicts import Verdict


@dataclass(frozen=True)
class Checksum:
    """A checksum of a set of rows, independent of their order; of two disjoint sets it adds up.

    Attributes:
        rows: how many.
        digest: 32 hex digits: two sums, each modulo 2^64, of independent 64-bit row digests.
    """

    rows: int
    digest: str

    @classmethod
    def of_sums(cls, rows: int, first: int, second: int) -> "Checksum":
        """The checksum of rows whose digests add up to ``first`` and ``second`` in the two lanes."""
        return cls(rows, f"{first % 2**64:016x}{second % 2**64:016x}")

    def __add__(self, other: "Checksum") -> "Checksum":
        first = int(self.digest[:16], 16) + int(other.digest[:16], 16)
        second = int(self.digest[16:], 16) + int(other.digest[16:], 16)
        return Checksum.of_sums(self.rows + other.rows, first, second)


@dataclass(frozen=True)
class SideCounts:
    """One side's rows.

    Attributes:
        null_keys: rows with NULL in any key column.
        duplicate_keys: rows minus distinct keys.
    """

    rows: int = 0
    null_keys: int = 0
    duplicate_keys: int = 0


@dataclass(frozen=True)
class ColumnComparison:
    """How a pair of columns was compared.

    Attributes:
        comparison: ``exact``, ``coarser:<why>``, ``tolerance:<which>`` or ``uncomparable:<why>``.
        differs: rows found on both sides whose values differ in this column.
    """

    comparison: str
    differs: int = 0


@dataclass(frozen=True)
class SideCost:
    """What one side's answers cost: whole scans, rows received, bytes received."""

    scans: int = 0
    rows_read: int = 0
    bytes: int = 0

    def __sub__(self, other: "SideCost") -> "SideCost":
        return SideCost(self.scans - other.scans, self.rows_read - other.rows_read, self.bytes - other.bytes)

    def __add__(self, other: "SideCost") -> "SideCost":
        return SideCost(self.scans + other.scans, self.rows_read + other.rows_read, self.bytes + other.bytes)


NO_COUNTS = SideCounts()
NO_COST = SideCost()
NO_DIFFERENCES = Differences()
NO_ROWS = Checksum(0, "0" * 32)


@dataclass(frozen=True)
class Comparison:
    """A source and a target, compared; ``matched`` says that every row and column was proved equal.

    Attributes:
        missing_in_target, missing_in_source: rows found on one side only.
        value_differs: rows found on both sides with some column different.
        columns: by the source's name, the compared columns that are not in the key.
        differences: the first of them, as many as were asked for; calling it gives a pandas DataFrame.
        notes: sentences for people, without row values.
        source_checksum, target_checksum: of the rows of each side.
        checksum_form: what they are of; only checksums of one form compare with those of another time.
        within_tolerance: rows that differ, but only within the declared tolerances or the coarser type.
        unsettled: keys that differed in one way at the first look and in another at the second: nothing is known.
        source_cost, target_cost: for the whole call, where several partitions were compared in it.
        seconds: likewise.
        source_name, target_name: what was compared, for people; empty where nobody said.
        compared_at: when it began; has a zone, None where nobody said.
    """

    verdict: Verdict
    source: SideCounts = NO_COUNTS
    target: SideCounts = NO_COUNTS
    missing_in_target: int = 0
    missing_in_source: int = 0
    value_differs: int = 0
    columns: Mapping[str, ColumnComparison] = field(default_factory=dict)
    differences: Differences = NO_DIFFERENCES
    notes: tuple[str, ...] = ()
    source_checksum: str = ""
    target_checksum: str = ""
    checksum_form: str = ""
    within_tolerance: int = 0
    unsettled: int = 0
    source_cost: SideCost = NO_COST
    target_cost: SideCost = NO_COST
    seconds: float = 0.0
    source_name: str = ""
    target_name: str = ""
    compared_at: datetime | None = None

    def to_html(self) -> str:
        """The comparison as one HTML page, which needs no script and nothing from elsewhere.

        The page shows the listed differences with their values, except of masked columns.
        """
        from reconcile_assets.core.compare_html import render_comparison  # loads a template engine

        return render_comparison(self)

    def to_dict(self) -> dict[str, object]:
        """The comparison as JSON: the document that ``reconcile-assets diff --json`` prints."""
        return {
            "verdict": self.verdict.value,
            "source": _counts(self.source),
            "target": _counts(self.target),
            "missing_in_target": self.missing_in_target,
            "missing_in_source": self.missing_in_source,
            "value_differs": self.value_differs,
            "within_tolerance": self.within_tolerance,
            "columns": {
                name: {"comparison": column.comparison, "differs": column.differs}
                for name, column in self.columns.items()
            },
            "differences": [difference.to_dict() for difference in self.differences],
            "notes": list(self.notes),
            "cost": {
                "source": _cost(self.source_cost),
                "target": _cost(self.target_cost),
                "seconds": round(self.seconds, 6),
            },
        }


def _counts(side: SideCounts) -> dict[str, int]:
    return {"rows": side.rows, "null_keys": side.null_keys, "duplicate_keys": side.duplicate_keys}


def _cost(cost: SideCost) -> dict[str, int]:
    return {"scans": cost.scans, "rows_read": cost.rows_read, "bytes": cost.bytes}


__all__ = [
    "NO_COUNTS",
    "NO_ROWS",
    "Checksum",
    "ColumnComparison",
    "Comparison",
    "Difference",
    "Differences",
    "SideCost",
    "SideCounts",
]
