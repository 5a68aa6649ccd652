"""Filling partitions of the target from the source: grouped, retried, and split where one is bad."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import tenacity

from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.writing import PartitionsHeld
from reconcile_assets.engine.attempts import attempt_recorded
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.partition_write import (
    GroupWriter,
    PartitionFailure,
    PartitionsUnproved,
    PartitionWrite,
    WriteOrder,
)
from reconcile_assets.engine.tables import ResolvedTable, resolve_table
from reconcile_assets.engine.write_proofs import refuse_unwritable
from reconcile_assets.errors import (
    ConfigurationError,
    ConnectionLost,
    ConstraintRefused,
    DatabaseUnavailable,
    LossyWrite,
    ProofFailed,
    QueryRefused,
    ReconcileAssetsError,
    RowsCollide,
    SerializationConflict,
    StatementTimeout,
    UnknownOutcome,
)
from reconcile_assets.ledger import copy_audit_entries, ensure_target_ledger

__all__ = ["PartitionFailure", "PartitionWrite", "WriteRules", "backfill_partitions"]

logger = logging.getLogger(__name__)

Outcome = PartitionWrite | PartitionFailure

RETRIED = (SerializationConflict, ConnectionLost, DatabaseUnavailable, UnknownOutcome)
# One partition of the group may be the cause; the others can be written without it.
# A connection that never lasts for a whole group may last for a part of it.
SPLIT = (
    ConstraintRefused,
    LossyWrite,
    ProofFailed,
    QueryRefused,
    StatementTimeout,
    ConnectionLost,
)
MOST_TIMEOUTS = 3  # in a row, until a group that ran into one is no longer split


@dataclass(frozen=True)
class WriteRules:
    """How partitions are grouped and how long a group is tried.

    Attributes:
        group_rows, group_partitions: a transaction holds about this many rows, and at most this many
            partitions, where an index finds them on both sides.
        scan_partitions: at most this many partitions in a transaction where each one costs a whole scan.
        tries: transactions begun for a group before a passing trouble counts as a failure.
        lock_wait, commit_wait: seconds, as `GroupWriter` has them.
        outage_wait: seconds of pauses for which a group waits for a server that went away, whatever ``tries`` says:
            a restart takes longer than a deadlock.
        longest_pause: seconds between two tries at most; the pause is random below a doubling bound.
        sleep: waits; injected by tests.
    """

    group_rows: int = 50_000
    group_partitions: int = 25
    scan_partitions: int = 1_000
    tries: int = 5
    lock_wait: float = 60.0
    commit_wait: float = 30.0
    outage_wait: float = 30.0
    longest_pause: float = 10.0
    sleep: Callable[[float], None] = time.sleep


def backfill_partitions(
    table: TableConfig,
    partitions: Sequence[Partition],
    *,
    connections: Connections,
    run_id: str,
    backfill_id: str | None = None,
    actor: str,
    reason: str | None = None,
    progress: Callable[[Outcome], None] | None = None,
    rules: WriteRules | None = None,
) -> Iterator[Outcome]:
    """Replace partitions of the target by what the source holds, each proved equal before it is committed.

    Partitions are written in groups, one transaction each; an outcome is given only after its
    group was committed, or after nothing of it was. Where one partition of a group can't be
    written, the group is split until that one stands alone: the others are written.

    Args:
        partitions: any, in any order.
        run_id, backfill_id, actor, reason: kept in every batch and audit entry.
        progress: called with each outcome before it is given.

    Yields:
        One outcome per partition, oldest first within a group.

    Raises:
        ReconcileAssetsError: nothing could be begun: a connection, a table or a column is missing.
    """
    chosen = rules or WriteRules()
    order = WriteOrder(run_id=run_id, actor=actor, backfill_id=backfill_id, reason=reason)
    run = _Backfill(table, connections, order, chosen)
    ordered = sorted(set(partitions))
    with _attempt(table, ordered, connections, run_id):
        for outcome in run.outcomes(ordered):
            if progress is not None:
                progress(outcome)
            yield outcome


@contextmanager
def _attempt(
    table: TableConfig, partitions: Sequence[Partition], connections: Connections, run_id: str
) -> Iterator[None]:
    """Noted in the ledger where there is one; a ledger in trouble keeps no one from writing to the target."""
    with ExitStack() as stack:
        if connections.has_ledger() and partitions:
            try:
                stack.enter_context(
                    attempt_recorded(
                        connections.ledger(), run_id=run_id, step="backfill", table=table, partitions=partitions
                    )
                )
            except ReconcileAssetsError as error:
                logger.warning("the run is not noted in the ledger: %s", error, extra={"run": run_id})
        yield


class _Backfill:
    """One call of `backfill_partitions`."""

    def __init__(self, table: TableConfig, connections: Connections, order: WriteOrder, rules: WriteRules) -> None:
        config = connections.config
        self._config = table
        self._connections = connections
        self._source = connections.database(config.source_of(table))
        self._target = connections.database(config.target_of(table))
        self._order = order
        self._rules = rules
        self._fatal: ReconcileAssetsError | None = None
        self._timeouts = 0
        self._last_write: Partition | None = None

    def outcomes(self, partitions: Sequence[Partition]) -> Iterator[Outcome]:
        """Every partition's outcome, group by group."""
        if not partitions:
            return
        table = self._retrying("")(self._prepare)
        collided: list[PartitionFailure] = []
        try:
            for outcome in self._write_all(table, partitions):
                if isinstance(outcome, PartitionFailure) and isinstance(outcome.error, RowsCollide):
                    collided.append(outcome)
                else:
                    yield outcome
            yield from self._write_collided(table, collided)
        finally:
            self._copy_audit()

    def _write_all(self, table: ResolvedTable, partitions: Sequence[Partition]) -> Iterator[Outcome]:
        rest, size = list(partitions), first_group_size(table, self._rules)
        while rest:
            group, rest = rest[:size], rest[size:]
            rows = 0
            for outcome in self._write_group(table, group):
                rows += outcome.rows_read if isinstance(outcome, PartitionWrite) else 0
                yield outcome
            size = next_group_size(table, self._rules, partitions=len(group), rows=rows)

    def _write_collided(self, table: ResolvedTable, failures: Sequence[PartitionFailure]) -> Iterator[Outcome]:
        """Once more, together, what other rows were in the way of: a row that moved from one partition to another.

        Where it stood before may have been emptied since, or is among these: they are emptied together.
        """
        if len(failures) == 1 and not self._wrote_since(failures[0]):
            yield _with_hint(failures[0])
            return
        rest = sorted(failure.partition for failure in failures)
        if rest:
            logger.info("trying again what other rows were in the way of", extra=self._extra(rest[0].key))
        while rest:
            group, rest = rest[: self._rules.scan_partitions], rest[self._rules.scan_partitions :]
            yield from map(_with_hint, self._write_group(table, group))

    def _wrote_since(self, failure: PartitionFailure) -> bool:
        return self._last_write is not None and failure.partition < self._last_write

    def _prepare(self) -> ResolvedTable:
        with self._source.session() as source, self._target.session() as target:
            table = resolve_table(self._config, source, target)
        if table.target_table.is_view:
            raise ConfigurationError(
                f"table {table.name}: the target {table.config.target_table} is a view; name the table beneath it"
            )
        refuse_unwritable(table)
        with self._target.writing(lock_wait=self._rules.lock_wait) as writer:
            connection = writer.session.sqlalchemy()
            connection.begin()  # so that the commit is ours, with its deadline
            ensure_target_ledger(connection, label=self._target.name)
            writer.commit(self._rules.commit_wait)
        return table

    def _write_group(self, table: ResolvedTable, group: Sequence[Partition]) -> Iterator[Outcome]:
        stack = [tuple(group)]
        while stack:
            part = stack.pop()
            if not part:
                continue
            try:
                yield from self._write(table, part)
            except PartitionsHeld as error:
                stack.append(tuple(each for each in part if each.key not in error.keys))
                for partition in (each for each in part if each.key in error.keys):
                    yield self._fail(partition, error)
            except SPLIT as error:
                pieces = split_group(part, error) if self._may_split(error) else (part,)
                if len(pieces) > 1:
                    stack.extend(reversed(pieces))
                    continue
                for partition in part:
                    yield self._fail(partition, error)
            except ReconcileAssetsError as error:
                if not isinstance(error, SerializationConflict | UnknownOutcome):
                    self._fatal = error  # the next group would meet the same
                for partition in part:
                    yield self._fail(partition, error)

    def _may_split(self, error: ReconcileAssetsError) -> bool:
        """Smaller parts may be quicker, but where something blocks the whole table each of them would wait in vain."""
        if not isinstance(error, StatementTimeout):
            return True
        self._timeouts += 1
        return self._timeouts <= MOST_TIMEOUTS

    def _write(self, table: ResolvedTable, part: Sequence[Partition]) -> tuple[PartitionWrite, ...]:
        if self._fatal is not None:
            raise self._fatal
        writer = GroupWriter(
            table,
            part,
            self._source,
            self._target,
            self._order,
            lock_wait=self._rules.lock_wait,
            commit_wait=self._rules.commit_wait,
        )
        try:
            writes = self._retrying(part[0].key, outage_wait=self._rules.outage_wait)(writer.attempt)
        except ReconcileAssetsError as error:
            raise writer.settled(error) from None
        self._timeouts = 0
        self._last_write = part[-1]
        for write in writes:
            logger.info("partition written, rows: %d", write.rows_inserted, extra=self._extra(write.partition.key))
        return writes

    def _retrying(self, partition: str, *, outage_wait: float = 0.0) -> tenacity.Retrying:
        def log(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            logger.warning("trying again after: %s", error, extra=self._extra(partition))

        def is_over(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            is_away = isinstance(error, DatabaseUnavailable) and state.idle_for < outage_wait
            return state.attempt_number >= self._rules.tries and not is_away

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RETRIED),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=self._rules.longest_pause),  # full jitter
            stop=is_over,
            sleep=self._rules.sleep,
            before_sleep=log,
            reraise=True,
        )

    def _fail(self, partition: Partition, error: ReconcileAssetsError) -> PartitionFailure:
        logger.error("partition not written: %s", error, extra=self._extra(partition.key))
        return PartitionFailure(partition, error)

    def _extra(self, partition: str) -> dict[str, str]:
        return {"run": self._order.run_id, "table": self._config.name, "partition": partition}

    def _copy_audit(self) -> None:
        """Bring the copy of the target's audit chain up to date; the next run catches up on what fails here."""
        if not self._connections.has_ledger():
            return
        try:
            with self._target.session() as session:
                copy_audit_entries(self._connections.ledger(), self._target.name, session.sqlalchemy())
        except ReconcileAssetsError as error:
            logger.warning("the audit log was not copied: %s", error, extra={"run": self._order.run_id})


def _with_hint(outcome: Outcome) -> Outcome:
    if not isinstance(outcome, PartitionFailure) or not isinstance(outcome.error, RowsCollide):
        return outcome
    hint = "the other row is of a partition or table that this run did not write; write it first, or both together"
    return replace(outcome, error=RowsCollide(f"{outcome.error}; {hint}"))


def first_group_size(table: ResolvedTable, rules: WriteRules) -> int:
    """Partitions in the first transaction, before any rows were counted."""
    return min(5, rules.group_partitions) if table.indexed else rules.scan_partitions


def next_group_size(table: ResolvedTable, rules: WriteRules, *, partitions: int, rows: int) -> int:
    """Partitions in the next transaction, by the rows that those of the last one had."""
    if not table.indexed:
        return rules.scan_partitions
    per_partition = max(1, rows) / partitions
    return max(1, min(rules.group_partitions, int(rules.group_rows / per_partition)))


def split_group(part: Sequence[Partition], error: ReconcileAssetsError) -> tuple[tuple[Partition, ...], ...]:
    """Where to cut after a failure: around the partitions that are known to be bad, else in the middle."""
    if isinstance(error, PartitionsUnproved):
        bad = tuple(each for each in part if each.key in error.keys)
        good = tuple(each for each in part if each.key not in error.keys)
        if bad and good:
            return good, bad
    middle = len(part) // 2
    return tuple(piece for piece in (tuple(part[:middle]), tuple(part[middle:])) if piece)
