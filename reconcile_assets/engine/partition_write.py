"""One transaction that replaces some partitions of the target, proved before it commits.

A crash at any point leaves the old partitions or the new ones: the rows, the batches and
the audit entries become visible with one COMMIT, and that comes only after what stands in
the target has been compared with what was read.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import Database, Session
from reconcile_assets.databases.writing import Transfer, Writer
from reconcile_assets.engine.check_rows import compare_resolved
from reconcile_assets.engine.tables import ResolvedTable
from reconcile_assets.engine.write_proofs import count_changes, explain_failure, is_proved, write_notes
from reconcile_assets.errors import ProofFailed, ReconcileAssetsError, UnknownOutcome
from reconcile_assets.ledger import ACTIONS, Batch, find_batch, record_batches

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartitionWrite:
    """A partition that was written, proved, and committed.

    Attributes:
        batch_id: of its batch row and audit entry in the target.
        checksum: of its rows in the target, hex.
        source_checksum: of the source's rows; another one only where equal values render in two ways.
        checksum_form: what both are of, as `Comparison` has it; None where rows of the target stay that the source
            has not.
        seconds: its share of the transaction's time, by rows.
        committed_at: aware, UTC.
        attempts: transactions it took.
        notes: sentences for people, e.g. that the source has no rows.
    """

    partition: Partition
    batch_id: str
    rows_read: int
    rows_deleted: int
    rows_inserted: int
    checksum: str
    seconds: float
    committed_at: datetime
    storage: str = "postgresql"
    attempts: int = 1
    notes: tuple[str, ...] = ()
    source_checksum: str | None = None
    checksum_form: str | None = None


@dataclass(frozen=True)
class PartitionFailure:
    """A partition that stands as it stood before."""

    partition: Partition
    error: ReconcileAssetsError


@dataclass(frozen=True)
class WriteOrder:
    """Who writes, and why: kept in every batch and audit entry."""

    run_id: str
    actor: str
    backfill_id: str | None = None
    reason: str | None = None


class PartitionsUnproved(ProofFailed):
    """Some partitions of the transaction did not prove equal; all of it was rolled back."""

    def __init__(self, message: str, keys: frozenset[str]) -> None:
        super().__init__(message)
        self.keys = keys


@dataclass
class GroupWriter:
    """Writes one group of partitions, in one transaction; call `attempt` again after a transient error.

    Attributes:
        partitions: ordered by start.
        lock_wait: the most seconds to wait for another run's lock.
        commit_wait: the most seconds to wait for the reply to COMMIT.
        attempts: transactions begun so far.
    """

    table: ResolvedTable
    partitions: Sequence[Partition]
    source: Database
    target: Database
    order: WriteOrder
    lock_wait: float = 60.0
    commit_wait: float = 30.0
    attempts: int = 0
    _ids: dict[str, str] = field(default_factory=dict)
    _token: object | None = None
    _unsettled: tuple[PartitionWrite, ...] = ()

    def attempt(self) -> tuple[PartitionWrite, ...]:
        """Replace, prove, record, commit; or, after a lost reply to COMMIT, find out that it was done.

        Raises:
            PartitionsUnproved: some partitions did not prove equal; they are named.
            UnknownOutcome: the reply to COMMIT was lost; the next attempt settles it.
            ReconcileAssetsError: anything else that went wrong; nothing was written.
        """
        self.attempts += 1
        with self.target.writing(lock_wait=self.lock_wait) as writer:
            if self._unsettled and self._token is not None:
                writer.end_lost(self._token)
            writer.lock_partitions(self.table.target_table, [each.key for each in self.partitions])
            if self._unsettled and self._is_committed(writer.session):
                return tuple(replace(write, attempts=self.attempts) for write in self._unsettled)
            self._token, self._unsettled = writer.token, ()
            writes = self._write(writer)
            try:
                writer.commit(self.commit_wait)
            except UnknownOutcome:
                self._unsettled = writes
                raise
            return writes

    def settled(self, error: ReconcileAssetsError) -> ReconcileAssetsError:
        """The error to report after the last attempt: an outcome still unknown is not hidden by a later trouble."""
        if not self._unsettled:
            return error
        batches = ", ".join(write.batch_id for write in self._unsettled[:3])
        return UnknownOutcome(
            f"{self.target.name}: the reply to COMMIT was lost, and the target could not be asked since ({error}); "
            f"look for batch {batches} in its batches of reconcile_assets, or run this again"
        )

    def _is_committed(self, target: Session) -> bool:
        """Looked up with the partitions' locks held, so that the lost transaction can't commit any more."""
        return find_batch(target.sqlalchemy(), self._unsettled[0].batch_id) is not None

    def _write(self, writer: Writer) -> tuple[PartitionWrite, ...]:
        started, clock = datetime.now(UTC), time.perf_counter()
        # The source's snapshot begins after the locks: an older one could put back what another run replaced.
        with self.source.session() as source:
            before = writer.write(self._transfer(), source)
            proofs = self._prove(source, writer.session)
        writes = self._describe(before, proofs, seconds=time.perf_counter() - clock)
        batches = [self._batch(write, started) for write in writes]
        record_batches(writer.session.sqlalchemy(), batches, label=self.target.name, action=ACTIONS[self.mode])
        return writes

    @property
    def mode(self) -> WriteMode:
        """What becomes of the target's rows of a partition."""
        return WriteMode(self.table.config.write)

    def _transfer(self) -> Transfer:
        return Transfer(
            relation=self.table.source,
            reading=self.table.source_windows(self.partitions),
            table=self.table.target_table,
            writing=self.table.target_windows(self.partitions),
            pairs=self.table.pairs,
            key=self.table.key,
            mode=self.mode,
        )

    def _prove(self, source: Session, target: Session) -> Mapping[str, Comparison]:
        """Compare what was read with what stands in the target: the same snapshot, the same transaction."""
        uuids = self.table.config.columns.types
        found = compare_resolved(self.table, source, target, self.partitions, tolerances={}, uuids=uuids)
        proofs = {each.key: found[each.key] for each in self.partitions}
        bad = {key: proof for key, proof in proofs.items() if not is_proved(proof, self.mode)}
        if bad:
            raise PartitionsUnproved(explain_failure(self.table.name, bad, self.mode), frozenset(bad))
        return proofs

    def _describe(
        self, before: Mapping[str, int], proofs: Mapping[str, Comparison], *, seconds: float
    ) -> tuple[PartitionWrite, ...]:
        total = sum(proof.source.rows + 1 for proof in proofs.values())
        return tuple(
            self._describe_one(
                each,
                proofs[each.key],
                before.get(each.key, 0),
                seconds=seconds * (proofs[each.key].source.rows + 1) / total,
            )
            for each in self.partitions
        )

    def _describe_one(self, partition: Partition, proof: Comparison, before: int, *, seconds: float) -> PartitionWrite:
        deleted, inserted = count_changes(self.mode, before=before, read=proof.source.rows, after=proof.target.rows)
        return PartitionWrite(
            partition=partition,
            batch_id=self._ids.setdefault(partition.key, str(uuid4())),
            rows_read=proof.source.rows,
            rows_deleted=deleted,
            rows_inserted=inserted,
            checksum=proof.target_checksum,
            seconds=seconds,
            committed_at=datetime.now(UTC),
            storage=self.target.engine,
            attempts=self.attempts,
            notes=write_notes(proof, deleted, self.mode),
            source_checksum=proof.source_checksum,
            checksum_form=proof.checksum_form if proof.verdict is Verdict.MATCHED else None,  # else nothing is equal
        )

    def _batch(self, write: PartitionWrite, started: datetime) -> Batch:
        return Batch(
            batch_id=write.batch_id,
            table=self.table.name,
            target_table=str(self.table.target_table.name),
            partition=write.partition.key,
            run_id=self.order.run_id,
            backfill_id=self.order.backfill_id,
            actor=self.order.actor,
            reason=self.order.reason,
            rows_read=write.rows_read,
            rows_deleted=write.rows_deleted,
            rows_inserted=write.rows_inserted,
            source_checksum=write.source_checksum or write.checksum,
            target_checksum=write.checksum,
            checksum_form=write.checksum_form,
            started_at=started,
            attempts=self.attempts,
        )
