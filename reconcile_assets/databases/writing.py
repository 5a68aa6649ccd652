"""The writing part of the dialect contract: one transaction that writes windows of one table.

An engine that can be a target gives a :class:`Writer` by :meth:`Database.writing`. All that is done
through it, the rows, the ledger's batches and audit entries, becomes visible with one
:meth:`Writer.commit`, or not at all. Its :attr:`Writer.session` reads through the same transaction,
so that what was written is proved before it is committed.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from reconcile_assets.core.compare_pairs import ColumnPair
from reconcile_assets.core.tables import Column, Table
from reconcile_assets.core.windows import Partition
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import PartitionFilter, Relation, Session
from reconcile_assets.errors import AlreadyRunning


class PartitionsHeld(AlreadyRunning):
    """Another run was writing these partitions for longer than we waited."""

    def __init__(self, message: str, keys: frozenset[str]) -> None:
        super().__init__(message)
        self.keys = keys


@dataclass(frozen=True)
class Transfer:
    """What is moved: the rows of some windows of the source, into a table of the target.

    Attributes:
        relation: of the source.
        reading, writing: the same windows, by the source's and by the target's column.
        table: of the target, as its catalog describes it.
        pairs: the columns; one that the target computes itself is compared, and not written.
        key: the pairs that identify a row; empty for a keyless table.
        mode: what becomes of the target's rows.
    """

    relation: Relation
    reading: PartitionFilter
    table: Table
    writing: PartitionFilter
    pairs: tuple[ColumnPair, ...]
    key: tuple[ColumnPair, ...]
    mode: WriteMode = WriteMode.REPLACE

    @property
    def written(self) -> tuple[ColumnPair, ...]:
        """The pairs whose values are written."""
        return tuple(pair for pair in self.pairs if not pair.target.generated)

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """The source's columns of the pairs that are written, in their order."""
        return tuple(pair.source for pair in self.written)

    @property
    def target_names(self) -> tuple[str, ...]:
        """The target's names of the columns that are written, in the same order."""
        return tuple(pair.target.name for pair in self.written)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The target's names of the key's columns."""
        return tuple(pair.target.name for pair in self.key)

    @property
    def updated_names(self) -> tuple[str, ...]:
        """The target's names of the written columns that an upsert changes: those outside the key."""
        return tuple(pair.target.name for pair in self.written if pair not in self.key and not pair.target.identity)

    def without(self, keys: Collection[str]) -> "Transfer":
        """The same transfer of fewer windows."""
        windows = [each for each in self.partitions if each.key not in keys]
        return replace(
            self, reading=replace(self.reading, partitions=windows), writing=replace(self.writing, partitions=windows)
        )

    @property
    def partitions(self) -> Sequence[Partition]:
        """The windows."""
        return self.writing.partitions


class Writer(ABC):
    """One writing transaction of a target; rolled back at its end where it was not committed.

    Attributes:
        session: reads through the same connection and transaction.
        token: names this transaction's connection to :meth:`end_lost`; None where none can be left behind.
    """

    session: Session
    token: object | None = None

    @abstractmethod
    def lock_partitions(self, table: Table, partitions: Sequence[str]) -> None:
        """Wait until no other run of ours writes these partitions, and keep others away until the end.

        Raises:
            PartitionsHeld: another run held some for longer than ``lock_wait``.
            SerializationConflict: they were let go just then: try again.
        """

    def end_lost(self, token: object) -> None:  # noqa: B027 - an engine without a server leaves nothing behind
        """End what an earlier writer of this target left behind when its connection broke; it then holds no locks."""

    def write(self, transfer: Transfer, source: Session) -> Mapping[str, int]:
        """Move the rows, by the engine's own bulk path, memory flat; constraints that can wait act before it returns.

        Args:
            source: reads the source, in one snapshot that began after the partitions were locked.

        Returns:
            Rows that stood in each window before, by partition key; partitions without any may be missing.

        Raises:
            LossyWrite: a value that the target can't hold; its column is named.
            ConstraintRefused: a constraint refused a row; it is named, without values.
            ReconcileAssetsError: a database failed.
        """
        self.prepare(transfer)
        replaces = transfer.mode is WriteMode.REPLACE
        before = self.delete_windows(transfer) if replaces else self.count_windows(transfer)
        if transfer.mode is WriteMode.APPEND and not transfer.key:
            # Nothing tells rows apart: a window that has rows had them appended before.
            transfer = transfer.without({key for key, count in before.items() if count})
        if transfer.partitions:
            self.insert_rows(transfer, source)
        self.finish(transfer)
        return before

    def prepare(self, transfer: Transfer) -> None:  # noqa: B027 - most engines have nothing to do
        """Before anything is deleted: refuse what can't be written as a whole, let constraints wait."""

    def finish(self, transfer: Transfer) -> None:  # noqa: B027 - most engines have nothing to do
        """After everything is inserted: let constraints act that have waited, so that the proof sees what they did."""

    @abstractmethod
    def count_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """The target's rows in each window that has any."""

    @abstractmethod
    def delete_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """Delete the target's rows of the windows; how many, by partition key.

        Raises:
            ConstraintRefused: rows of other tables, or of other windows, would go or change with them.
        """

    @abstractmethod
    def insert_rows(self, transfer: Transfer, source: Session) -> None:
        """Insert the source's rows of the windows.

        UPSERT: a row takes the place of the one with its key. APPEND: a row whose key is there is left out. Both need
        a unique key, which the caller has made sure of.
        """

    @abstractmethod
    def commit(self, seconds: float) -> None:
        """Commit, and wait at most so long for a server's reply.

        Raises:
            UnknownOutcome: nobody said whether it was committed; look a batch id up.
            ReconcileAssetsError: it was refused, and rolled back.
        """
