"""The configured checks of a table, for some of its partitions.

A check that could not look is ``inconclusive``, never green and never an exception: each
(check, partition) asked for gets a verdict.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import tenacity

from reconcile_assets.configuration.checks import RowCountCheck, RowsCheck, SchemaCheck, SqlCheck
from reconcile_assets.configuration.fingerprint import check_fingerprints
from reconcile_assets.configuration.models import CheckConfig, TableConfig
from reconcile_assets.core.changes import Proof
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.engine.attempts import attempt_recorded
from reconcile_assets.engine.check_figures import FigureCheck, count_verdicts, figure_verdicts
from reconcile_assets.engine.check_rows import compare_rows, rows_verdicts
from reconcile_assets.engine.check_schema import schema_verdicts
from reconcile_assets.engine.check_sql import sql_verdicts
from reconcile_assets.engine.checking import Sides
from reconcile_assets.engine.connections import Connections
from reconcile_assets.errors import (
    AuthenticationFailed,
    ConnectionLost,
    DatabaseUnavailable,
    ReconcileAssetsError,
    SerializationConflict,
)

logger = logging.getLogger(__name__)

RETRIED = (ConnectionLost, DatabaseUnavailable, SerializationConflict)
# What no other check of the same two databases can get past either.
SHARED = (AuthenticationFailed, DatabaseUnavailable)


def reconcile_partitions(
    table: TableConfig,
    partitions: Sequence[Partition],
    *,
    connections: Connections,
    checks: Collection[str] | None = None,
    proofs: Mapping[tuple[str, str], Proof] | None = None,
    tries: int = 2,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[CheckVerdict, ...]:
    """Run checks of a table; nothing is written or recorded.

    Checks of one pair of databases share their scans: rows and row_count one comparison,
    counts, aggregates and freshness one grouped query a side.

    Args:
        checks: names; None for all of the table's.
        proofs: what stood there when a check last matched, by check and partition, as the ledger has it.
        tries: looks at a database in passing trouble, before it counts as not verifiable.
        sleep: waits between two tries, and before rows are looked at again; injected by tests.

    Returns:
        One verdict for each check and partition, in the order of the table's checks. A check or
        partition that could not be looked at is inconclusive; no database trouble is raised.
    """
    if not partitions:
        return ()
    chosen = [check for check in table.checks if checks is None or check.check_name in checks]
    ordered = sorted(set(partitions))
    found: dict[tuple[str, str], CheckVerdict] = {}
    for against in dict.fromkeys(check.against for check in chosen):
        run = _Reconciliation(table, ordered, connections, proofs or {}, tries, sleep)
        for verdict in run.verdicts(against, [check for check in chosen if check.against == against]):
            found[verdict.check, verdict.partition] = verdict
    return tuple(found[check.check_name, each.key] for check in chosen for each in ordered)


def run_and_record(
    table: TableConfig,
    partitions: Sequence[Partition],
    *,
    connections: Connections,
    run_id: str,
    backfill_id: str | None = None,
    checks: Collection[str] | None = None,
) -> tuple[CheckVerdict, ...]:
    """Reconcile under an attempt with a heartbeat, then record the verdicts and the alerts they cause.

    Raises:
        ReconcileAssetsError: the ledger could not be written; then nothing was recorded.
    """
    ledger = connections.ledger()
    names = [check.check_name for check in table.checks]
    ledger.close_removed_checks(table.name, names, before=connections.opened_at)
    with attempt_recorded(ledger, run_id=run_id, step="reconcile", table=table, partitions=partitions, checks=checks):
        rows = [check.check_name for check in table.checks if isinstance(check, RowsCheck)]
        proofs = ledger.fetch_proofs(table.name, checks=rows, partitions=[each.key for each in partitions])
        verdicts = reconcile_partitions(table, partitions, connections=connections, checks=checks, proofs=proofs)
        ledger.record_verdicts(verdicts, run_id=run_id, backfill_id=backfill_id)
    bad = sum(verdict.verdict is not Verdict.MATCHED for verdict in verdicts)
    logger.info(
        "reconciled: %d verdicts, %d not matched", len(verdicts), bad, extra={"run": run_id, "table": table.name}
    )
    return verdicts


class _Reconciliation:
    """The checks of one table; every look at the databases ends in verdicts."""

    def __init__(
        self,
        table: TableConfig,
        partitions: Sequence[Partition],
        connections: Connections,
        proofs: Mapping[tuple[str, str], Proof],
        tries: int,
        sleep: Callable[[float], None],
    ) -> None:
        self._table = table
        self._partitions = partitions
        self._connections = connections
        self._proofs = proofs
        self._tries = tries
        self._sleep = sleep
        self._shared: ReconcileAssetsError | None = None

    def verdicts(self, against: str | None, checks: Sequence[CheckConfig]) -> list[CheckVerdict]:
        """The verdicts of checks that compare the target with one other database."""
        config = self._connections.config
        sides = Sides(
            self._table,
            self._partitions,
            open_source=lambda: self._connections.database(against or config.source_of(self._table)),
            open_target=lambda: self._connections.database(config.target_of(self._table)),
            now=datetime.now(UTC),
            configurations=check_fingerprints(config, self._table),
            proofs=self._proofs,
        )
        counts: dict[str, tuple[int, int]] = {}
        found: list[CheckVerdict] = []
        for rows in (check for check in checks if isinstance(check, RowsCheck)):
            found += self._look(sides, [rows], partial(_rows, rows, counts, self._sleep))
        found += self._figures(sides, [check for check in checks if isinstance(check, FigureCheck)], counts)
        for query in (check for check in checks if isinstance(check, SqlCheck)):
            found += self._look(sides, [query], partial(sql_verdicts, query))
        for schema in (check for check in checks if isinstance(check, SchemaCheck)):
            found += self._look(sides, [schema], partial(schema_verdicts, schema))
        return found

    def _figures(
        self, sides: Sides, checks: Sequence[FigureCheck], counts: dict[str, tuple[int, int]]
    ) -> list[CheckVerdict]:
        counted = [check for check in checks if counts and isinstance(check, RowCountCheck)]
        others = [check for check in checks if check not in counted]
        found = [verdict for check in counted for verdict in count_verdicts(check, sides, counts)]
        if not others:
            return found
        together = self._look(sides, others, partial(figure_verdicts, others))
        if len(others) > 1 and all(verdict.verdict is Verdict.INCONCLUSIVE for verdict in together):
            # One check's column may have spoilt the query of all.
            alone = [self._look(sides, [check], partial(figure_verdicts, [check])) for check in others]
            together = [verdict for verdicts in alone for verdict in verdicts]
        return found + together

    def _look(
        self, sides: Sides, checks: Sequence[CheckConfig], look: Callable[[Sides], Sequence[CheckVerdict]]
    ) -> list[CheckVerdict]:
        sides = replace(sides, now=datetime.now(UTC))  # before the snapshot: a verdict is never younger than its data
        started = time.perf_counter()
        try:
            if self._shared is not None:
                raise self._shared
            verdicts = self._retrying()(look, sides)
        except ReconcileAssetsError as error:
            self._shared = error if isinstance(error, SHARED) else None
            logger.info("could not verify: %s", error, extra={"table": self._table.name})
            return [verdict for check in checks for verdict in sides.unverified(check, error)]
        share = (time.perf_counter() - started) / max(1, len(verdicts))
        return [replace(verdict, seconds=share) for verdict in verdicts]

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RETRIED),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=5.0),  # full jitter
            stop=tenacity.stop_after_attempt(self._tries),
            sleep=self._sleep,
            reraise=True,
        )


def _rows(
    check: RowsCheck, counts: dict[str, tuple[int, int]], sleep: Callable[[float], None], sides: Sides
) -> Sequence[CheckVerdict]:
    found = compare_rows(check, sides, sleep=sleep)
    counts.update({key: (each.source.rows, each.target.rows) for key, each in found.comparisons.items()})
    return rows_verdicts(check, sides, found)
