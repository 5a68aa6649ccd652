"""Verdicts are three-valued: ``matched`` is said only of what was compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconcile_assets.core.changes import Change

CONFIGURATION_CHANGED = "configuration changed: not proved under this configuration"


class Verdict(StrEnum):
    """What a comparison found out."""

    MATCHED = "matched"
    MISMATCHED = "mismatched"
    INCONCLUSIVE = "inconclusive"


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """A proven difference stands; else one part that could not be verified spoils the whole.

    No verdict at all is ``inconclusive``: nothing was compared.
    """
    found = set(verdicts)
    if Verdict.MISMATCHED in found:
        return Verdict.MISMATCHED
    if Verdict.INCONCLUSIVE in found or not found:
        return Verdict.INCONCLUSIVE
    return Verdict.MATCHED


@dataclass(frozen=True)
class CheckVerdict:
    """The outcome of one check on one partition.

    Attributes:
        table: the asset's name.
        check: the check's name.
        partition: the partition's key.
        severity: ``ERROR`` or ``WARN``.
        notes: sentences for people, without row values.
        missing_in_target, missing_in_source, value_differs: rows; None where the check does not count them.
        source_checksum, target_checksum: hex; equal when the two sets of rows were equal.
        checksum_form: what the checksums are of, see `changes.ChecksumScope`; None without checksums.
        batch_id: the last batch that wrote the partition, ``""`` where none did; None when nobody asked.
        change: what changed since the partition was last proved equal, though no batch wrote it since.
        unchanged_since: since when both checksums are as they were proved; aware; None where it is not known.
        configuration: the fingerprint of the configuration that the check ran under; None where it is not known.
        measures: further figures by name, e.g. ``{"source": "12.5", "target": "12.4"}``; aggregates, no row values.
        seconds: time spent on this partition's share of the check.
        evaluated_at: aware, UTC.
    """

    table: str
    check: str
    partition: str
    verdict: Verdict
    severity: str = "ERROR"
    notes: tuple[str, ...] = ()
    source_rows: int | None = None
    target_rows: int | None = None
    missing_in_target: int | None = None
    missing_in_source: int | None = None
    value_differs: int | None = None
    source_checksum: str | None = None
    target_checksum: str | None = None
    checksum_form: str | None = None
    batch_id: str | None = None
    change: Change | None = None
    unchanged_since: datetime | None = None
    configuration: str | None = None
    measures: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    evaluated_at: datetime | None = None

    def is_of_configuration(self, fingerprint: str | None) -> bool:
        """Whether the verdict says something under the configuration of this fingerprint; None asks for none.

        What could not be verified, and nobody knows under which configuration, is as open as before.
        """
        if fingerprint is None or self.configuration == fingerprint:
            return True
        return self.configuration is None and self.verdict is Verdict.INCONCLUSIVE
