"""What every kind of check shares: its two sides, and verdicts made alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from reconcile_assets.configuration.models import CheckConfig, TableConfig
from reconcile_assets.core.changes import Proof
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Database, Session
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.engine.tables import ResolvedTable, resolve_table

UNVERIFIED = "could not verify: "

_Here = TypeVar("_Here")
_There = TypeVar("_There")


@dataclass(frozen=True)
class Sides:
    """Both databases of a check, with the partitions it is about.

    Attributes:
        open_source, open_target: give the databases; they may raise what is wrong with a URL.
        now: when the looking began; aware.
        configurations: the fingerprint of each check, by its name.
        proofs: what stood there when a check last matched, by check and partition.
    """

    table: TableConfig
    partitions: Sequence[Partition]
    open_source: Callable[[], Database]
    open_target: Callable[[], Database]
    now: datetime
    configurations: Mapping[str, str] = field(default_factory=dict)
    proofs: Mapping[tuple[str, str], Proof] = field(default_factory=dict)

    @contextmanager
    def sessions(self) -> Iterator[tuple[Session, Session]]:
        """One snapshot of each side."""
        with self.open_source().session() as source, self.open_target().session() as target:
            yield source, target

    @contextmanager
    def open(self) -> "Iterator[OpenSides]":
        """One snapshot of each side, the columns paired."""
        with self.sessions() as (source, target):
            yield OpenSides(self, source, target, resolve_table(self.table, source, target))

    def verdict(self, check: CheckConfig, partition: Partition, verdict: Verdict) -> CheckVerdict:
        """A bare verdict; add what was found by `dataclasses.replace`."""
        return CheckVerdict(
            table=self.table.name,
            check=check.check_name,
            partition=partition.key,
            verdict=verdict,
            severity=check.severity,
            evaluated_at=self.now,
            configuration=self.configurations.get(check.check_name),
        )

    def unverified(self, check: CheckConfig, error: Exception) -> tuple[CheckVerdict, ...]:
        """Every partition of a check that could not be looked at."""
        return tuple(
            replace(self.verdict(check, each, Verdict.INCONCLUSIVE), notes=(f"{UNVERIFIED}{error}",))
            for each in self.partitions
        )


@dataclass(frozen=True)
class OpenSides:
    """Both sides connected."""

    sides: Sides
    source: Session
    target: Session
    table: ResolvedTable

    def both(self, here: Callable[[], _Here], there: Callable[[], _There]) -> tuple[_Here, _There]:
        """Ask both databases at once."""
        return on_both_sides(self.source, self.target, here, there)


def judge(agrees: bool) -> Verdict:
    """Matched or mismatched."""
    return Verdict.MATCHED if agrees else Verdict.MISMATCHED
