"""The project's own database (`DATABASE_URL`): verdicts, alerts, attempts, copies of audit chains.

Each method is one transaction (a page of a reading one). Wire it with `open_ledger`, which
migrates first, and close it at the end::

    ledger = open_ledger(os.environ["DATABASE_URL"])
    ledger.record_verdicts(verdicts, run_id=run_id)
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from reconcile_assets.core.changes import Proof
from reconcile_assets.core.verdicts import CheckVerdict
from reconcile_assets.ledger import attempts, changes, configurations, copies, outbox, pruning
from reconcile_assets.ledger import verdicts as verdict_rows
from reconcile_assets.ledger.audit import AuditEntry
from reconcile_assets.ledger.connection import HoldsSecret, LedgerDatabase, create_ledger_engine, database_now
from reconcile_assets.ledger.migrations import migrate_ledger
from reconcile_assets.ledger.records import (
    Alert,
    Attempt,
    Delivery,
    DueAlert,
    LatestVerdict,
    Pruned,
    RecordedChange,
    RecordedVerdicts,
    SetAside,
    VerdictKey,
    VerdictSummary,
)
from reconcile_assets.ledger.verification import AuditVerification

LABEL = "DATABASE_URL"
_RANDOM = secrets.SystemRandom().random


def open_ledger(url: str | HoldsSecret, *, label: str = LABEL) -> "Ledger":
    """Open the ledger and bring its tables up to this version.

    Args:
        url: PostgreSQL or a SQLite file; plain or a SecretStr.
        label: what messages call the database.

    Raises:
        ConfigurationError: not a URL, or a newer version has migrated the ledger.
        UnknownEngine: neither PostgreSQL nor SQLite.
        DatabaseUnavailable, AuthenticationFailed, MissingObject, PermissionDenied: it cannot be used.
    """
    ledger = Ledger(create_ledger_engine(url, label=label), label=label)
    migrate_ledger(ledger.database)
    return ledger


class Ledger:
    """The ledger in one database.

    Args:
        engine: of `create_ledger_engine`, over a migrated database.
        label: what messages call the database.
        random: uniform over [0, 1), for the jitter of tries.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        label: str = LABEL,
        random: Callable[[], float] = _RANDOM,
    ) -> None:
        self.database = LedgerDatabase(engine, label=label)
        self._random = random

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()

    # Verdicts

    def record_verdicts(
        self, verdicts: Sequence[CheckVerdict], *, run_id: str, backfill_id: str | None = None
    ) -> RecordedVerdicts:
        """Record verdicts, their latest state and the alerts they cause, in one transaction.

        A ``failed`` alert for each table and check lists the partitions newly bad (a worsening
        from "could not verify" to mismatched is new, being still bad is not); a ``recovered``
        one follows when none of the check's partitions is bad any more.
        """
        if not verdicts:
            return RecordedVerdicts()
        with self.database.writing() as connection:
            return verdict_rows.record_verdicts(connection, verdicts, run_id=run_id, backfill_id=backfill_id)

    def fetch_latest_verdicts(
        self, tables: Collection[str] | None = None, *, after: VerdictKey | None = None, page: int = verdict_rows.PAGE
    ) -> tuple[LatestVerdict, ...]:
        """One page of latest verdicts by table, check and partition; go on with ``after=rows[-1].key``."""
        with self.database.reading() as connection:
            return verdict_rows.fetch_latest_verdicts(connection, tables=tables, after=after, page=page)

    def iterate_latest_verdicts(self, tables: Collection[str] | None = None) -> Iterator[LatestVerdict]:
        """All latest verdicts by table, check and partition, read page by page."""
        after: VerdictKey | None = None
        while rows := self.fetch_latest_verdicts(tables, after=after):
            yield from rows
            after = rows[-1].key

    def fetch_verdict_summary(self) -> tuple[VerdictSummary, ...]:
        """The latest verdicts counted for each table and check."""
        with self.database.reading() as connection:
            return verdict_rows.fetch_verdict_summary(connection)

    def fetch_known_partitions(self, table: str, *, target: str) -> frozenset[str]:
        """Keys of a table's partitions that were written or compared, by whatever means.

        Args:
            table: the asset's name.
            target: the name of the connection that it is written through.
        """
        with self.database.reading() as connection:
            return verdict_rows.fetch_known_partitions(connection, table=table, target=target)

    def fetch_proofs(
        self, table: str, *, checks: Collection[str], partitions: Collection[str]
    ) -> dict[tuple[str, str], Proof]:
        """What stood on both sides when each check last matched, by check and partition."""
        with self.database.reading() as connection:
            return changes.fetch_proofs(connection, table=table, checks=checks, partitions=partitions)

    def fetch_changes(self, tables: Collection[str]) -> tuple[RecordedChange, ...]:
        """Every change without a batch that verdicts on these tables have told of, the latest first."""
        with self.database.reading() as connection:
            return changes.fetch_changes(connection, tables=tables)

    def fetch_outdated(self, table: str, configurations_now: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Partitions, by check, whose latest verdict was given under another configuration.

        Args:
            configurations_now: the fingerprint of each configured check, by its name.
        """
        with self.database.reading() as connection:
            return configurations.fetch_outdated(connection, table=table, configurations=configurations_now)

    def close_removed_checks(self, table: str, configured: Collection[str], *, before: datetime) -> tuple[str, ...]:
        """Close the state of a table's checks that are configured no more; returns their names.

        A check that was alerted gives a ``recovered`` that says so.

        Args:
            configured: the names of the table's checks.
            before: aware; a check with a verdict since then is somebody else's, and stays.
        """
        return configurations.close_removed_checks(self.database, table=table, configured=configured, before=before)

    def prune(self, before: datetime) -> Pruned:
        """Remove what is older than an instant: verdict history, alerts delivered everywhere, ended attempts.

        Latest verdicts, alerts still to be delivered and audit entries always stay.
        """
        with self.database.writing() as connection:
            return pruning.prune(connection, before)

    # Attempts

    def start_attempt(
        self,
        run_id: str,
        step: str,
        table: str,
        checks: Mapping[str, str] | Iterable[str],
        partitions: Collection[str],
        *,
        now: datetime | None = None,
    ) -> Attempt:
        """Write that a run begins to work on a table.

        Args:
            step: ``backfill`` or ``reconcile``.
            checks: severity by check, or names only (then ERROR).
        """
        severities = checks if isinstance(checks, Mapping) else dict.fromkeys(checks, "ERROR")
        with self.database.writing() as connection:
            return attempts.insert_attempt(
                connection,
                run_id=run_id,
                step=step,
                table=table,
                checks=severities,
                partitions=partitions,
                now=now or database_now(connection),
            )

    def beat(self, attempt: Attempt, *, now: datetime | None = None) -> None:
        """Write that the work goes on."""
        with self.database.writing() as connection:
            attempts.update_heartbeat(connection, attempt.attempt_id, now or database_now(connection))

    def finish_attempt(self, attempt: Attempt, *, now: datetime | None = None, interrupted: bool = False) -> bool:
        """Write that the work has ended; False when it had been taken for dead and buried.

        Args:
            interrupted: ended by hand, e.g. by Ctrl-C: what it has not verified stays as it was.
        """
        with self.database.writing() as connection:
            when = now or database_now(connection)
            return attempts.update_finished(connection, attempt.attempt_id, when, interrupted=interrupted)

    def was_interrupted(self, run_id: str) -> bool:
        """Whether some work of a run was ended by hand."""
        with self.database.reading() as connection:
            return attempts.was_interrupted(connection, run_id)

    def find_dead_attempts(self, stale_after: timedelta, now: datetime | None = None) -> tuple[Attempt, ...]:
        """Attempts without an end whose last beat is older than ``stale_after``, the longest silent first."""
        with self.database.reading() as connection:
            silent_since = (now or database_now(connection)) - stale_after
            return attempts.fetch_dead_attempts(connection, silent_since=silent_since)

    def bury_attempt(self, attempt: Attempt, *, now: datetime | None = None) -> bool:
        """Claim a dead attempt; True for the one process that has it.

        In the same transaction each check and partition that it left without verdict becomes
        ``inconclusive`` ("could not verify"), with its alert: nothing more is to be recorded.
        """
        with self.database.writing() as connection:
            return attempts.bury(connection, attempt, now=now or database_now(connection))

    # Alerts

    def route_alerts(
        self, destinations_for: Callable[[Alert], Collection[str]], *, now: datetime, limit: int = outbox.PAGE
    ) -> int:
        """Work out where alerts that are new have to go, oldest first; returns how many it has looked at.

        Args:
            destinations_for: asked once for each alert; one that goes nowhere is done with.
            now: aware; from then on the alerts are due.
        """
        with self.database.writing() as connection:
            return outbox.route_alerts(connection, now=now, limit=limit, destinations_for=destinations_for)

    def fetch_open_destinations(self) -> tuple[str, ...]:
        """Destinations to which some alert has yet to be delivered."""
        with self.database.reading() as connection:
            return outbox.fetch_open_destinations(connection)

    def claim_due_alerts(
        self, destination: str, *, now: datetime, limit: int = outbox.PAGE, lease: timedelta = outbox.LEASE
    ) -> tuple[DueAlert, ...]:
        """Claim what is due for one destination, oldest first, so that no other sender takes it.

        Args:
            now: aware.
            lease: how long others leave it alone; longer than sending can take.
        """
        with self.database.writing() as connection:
            return outbox.claim_due(connection, destination=destination, now=now, limit=limit, lease=lease)

    def fetch_due_alerts(
        self,
        now: datetime,
        limit: int = outbox.PAGE,
        *,
        destinations_for: Callable[[Alert], Collection[str]],
        lease: timedelta = outbox.LEASE,
    ) -> tuple[DueAlert, ...]:
        """Route all that is new, then claim what is due for each destination, at most ``limit`` for each."""
        while self.route_alerts(destinations_for, now=now) == outbox.PAGE:
            pass
        claimed = (
            self.claim_due_alerts(name, now=now, limit=limit, lease=lease) for name in self.fetch_open_destinations()
        )
        return tuple(due for found in claimed for due in found)

    def record_delivery(
        self,
        alert_id: str,
        destination: str,
        *,
        delivered_at: datetime | None = None,
        error: str | None = None,
        now: datetime | None = None,
        next_try_at: datetime | None = None,
    ) -> None:
        """Mark an alert as delivered to a destination, or as failed and when to try again.

        Args:
            delivered_at: when it was delivered; then no error.
            error: class name and status only, never a URL or a reply; then not delivered.
            next_try_at: exponential back-off with full jitter (at most 5 minutes) from ``now`` when None.

        Raises:
            ValueError: not exactly one of delivered_at and error.
        """
        if (delivered_at is None) == (error is None):
            raise ValueError("give delivered_at or error")
        with self.database.writing() as connection:
            if delivered_at is not None:
                outbox.mark_delivered(connection, alert_id, destination, delivered_at)
                return
            outbox.mark_failed(
                connection,
                alert_id,
                destination,
                error=error or "",
                now=now or database_now(connection),
                next_try_at=next_try_at,
                random=self._random,
            )

    def fetch_alerts(self, *, after: int = 0, limit: int = 100) -> tuple[Alert, ...]:
        """A page of the outbox in the order of writing; go on with ``after=rows[-1].position``."""
        with self.database.reading() as connection:
            return outbox.fetch_alerts(connection, after=after, limit=limit)

    def fetch_deliveries(self, alert_ids: Collection[str]) -> tuple[Delivery, ...]:
        """How far these alerts have come, by alert and destination."""
        with self.database.reading() as connection:
            return outbox.fetch_deliveries(connection, alert_ids)

    # Copies of audit chains

    def copy_audit_entries(self, target: str, connection: sa.Connection) -> int:
        """Extend the copy of a target's audit chain; returns how many entries were new.

        Args:
            target: the connection's name.
            connection: to the target, in no transaction that began before this call.

        Raises:
            LedgerCorrupt: the chain does not go on where its copy ends.
        """
        return copies.copy_entries(self.database, target, connection)

    def verify_audit(self, target: str, connection: sa.Connection) -> AuditVerification:
        """Verify a target's audit chain against itself, its copy here and its batches.

        Args:
            target: the connection's name.
            connection: to the target, in no transaction that began before this call.
        """
        return copies.verify_target(self.database, target, connection)

    def set_aside_audit_copy(self, target: str, connection: sa.Connection, *, by: str, reason: str) -> SetAside:
        """Keep the copy of a target's chain under another name, so that a target made anew can begin another.

        Nothing is lost: the copy stays, under the target's name and its chain's id.

        Args:
            target: the connection's name.
            connection: to the target, in no transaction that began before this call.
            by, reason: who does it, and why; kept beside the copy.

        Raises:
            ConfigurationError: there is no copy, or the target's chain is sound and goes on from it.
        """
        return copies.set_aside(self.database, target, connection, by=by, reason=reason)

    def fetch_set_aside_copies(self, target: str) -> tuple[SetAside, ...]:
        """The copies that were set aside for a target, oldest first."""
        with self.database.reading() as connection:
            return copies.fetch_set_aside(connection, target)

    def iterate_audit_copy(self, target: str) -> Iterator[AuditEntry]:
        """The copy of a target's audit chain in the order of its numbers."""
        return copies.iterate_copy(self.database, target)


def copy_audit_entries(ledger: Ledger, target_name: str, connection: sa.Connection) -> int:
    """As `Ledger.copy_audit_entries`."""
    return ledger.copy_audit_entries(target_name, connection)
