"""One step per table that compares its partitions and logs a verdict for each.

The step is apart from the asset, so that a person can check a partition again from the UI
without writing to it. It never depends on what the backfill step just did: it compares the
two databases.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from reconcile_assets.check_evaluations import (
    HeldEvaluations,
    build_evaluation,
    fetch_targets,
    is_older,
    log_evaluation,
)
from reconcile_assets.configuration.fingerprint import check_fingerprints
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.reconcile import run_and_record
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import fetch_latest_batches
from reconcile_assets.resources import ReconcileResource, pool_of
from reconcile_assets.translator import ReconcileTranslator

BACKFILL_TAG = "dagster/backfill"
TABLE_TAG = "reconcile_assets/table"
LOGGED_TOGETHER = 50  # logging takes a while, in which partitions may be materialized anew


@dataclass(frozen=True)
class TableChecks:
    """The checks of one table, ready to be run in any step."""

    config: Config
    table: TableConfig
    asset_key: dg.AssetKey

    @property
    def check_keys(self) -> list[dg.AssetCheckKey]:
        """Dagster's keys of all checks of the table."""
        return [dg.AssetCheckKey(self.asset_key, check.check_name) for check in self.table.checks]


def build_reconciliation_checks(
    config: Config, *, translator: ReconcileTranslator | None = None
) -> list[dg.AssetChecksDefinition]:
    """The checks of every table, one step a table.

    Needs the resource ``reconcile_assets`` (a ``ReconcileResource``).

    Args:
        config: the loaded configuration.
        translator: names and describes the checks; pass the one that the assets are built with.
    """
    chosen = translator or ReconcileTranslator()
    return [_build_table_checks(config, table, chosen) for table in config.tables]


def _build_table_checks(
    config: Config, table: TableConfig, translator: ReconcileTranslator
) -> dg.AssetChecksDefinition:
    checks = TableChecks(config, table, translator.get_asset_key(table))

    @dg.multi_asset_check(
        name=f"{table.name}_checks",
        specs=[translator.get_check_spec(config, table, check) for check in table.checks],
        can_subset=True,
        pool=pool_of(config, table),
    )
    def reconcile(
        context: dg.AssetCheckExecutionContext, reconcile_assets: ReconcileResource
    ) -> Iterator[dg.AssetCheckResult]:
        names = {key.name for key in context.selected_asset_check_keys}
        verdicts = check_partitions(
            context.op_execution_context,
            reconcile_assets,
            checks=checks,
            names=names,
            partitions=_partition_keys(context, reconcile_assets, checks),
        )
        if not _has_partitions(context):  # Dagster planned an evaluation without a partition: it gets one
            for name in sorted(names):
                log_evaluation(context.op_execution_context, summarize(name, verdicts, checks))
        refuse_downstream(verdicts, table)
        yield from ()  # the evaluations were logged: a yielded result would lose its partition

    return reconcile


def _has_partitions(context: dg.AssetCheckExecutionContext) -> bool:
    return bool(context.has_partition_key or context.has_partition_key_range)


def _partition_keys(
    context: dg.AssetCheckExecutionContext, resource: ReconcileResource, checks: TableChecks
) -> Sequence[str]:
    """The run's partitions; those that the schedule would choose where it has none, as by "Execute all" in the UI."""
    if _has_partitions(context):
        keys: Sequence[str] = context.partition_keys
        return keys
    chosen = choose_partitions(context.instance, resource, checks)
    if not chosen:
        raise dg.Failure(
            f"nothing to verify: no partition of {checks.table.name} that has ended was ever filled or compared",
            allow_retries=False,
        )
    return chosen


def summarize(name: str, verdicts: Sequence[CheckVerdict], checks: TableChecks) -> dg.AssetCheckEvaluation:
    """One evaluation of a check over all partitions of a run: passed only when each matched."""
    mine = [verdict for verdict in verdicts if verdict.check == name]
    bad = {verdict.partition for verdict in mine if verdict.verdict is not Verdict.MATCHED}
    found = f"did not pass for {name_partitions(bad)}" if bad else "matched"
    return dg.AssetCheckEvaluation(
        asset_key=checks.asset_key,
        check_name=name,
        passed=bool(mine) and not bad,
        metadata={"partitions": len(mine), "not matched": len(bad)},
        severity=dg.AssetCheckSeverity(checks.table.check(name).severity),
        description=f"{found} ({len(mine)} compared)",
    )


def choose_partitions(instance: dg.DagsterInstance, resource: ReconcileResource, checks: TableChecks) -> list[str]:
    """Keys of the partitions to reconcile, oldest first: ended, chosen by the table, filled or compared before.

    Where the table chooses the latest only, those whose verdicts were given under another configuration
    join them: they say nothing any more until they are looked at again.
    """
    scheme, now = checks.table.partition.scheme(), resource.get_now()
    known = _find_known(resource, checks)
    begun = instance.get_materialized_partitions(checks.asset_key) | known.partitions
    chosen = begun
    if checks.table.reconcile.partitions != "all":
        lookback = {partition.key for partition in scheme.lookback_partitions(now)}
        chosen = (begun & lookback) | known.outdated
    return [partition.key for partition in scheme.partitions(now) if partition.key in chosen]


@dataclass(frozen=True)
class _Known:
    """What the ledger knows of, e.g. partitions filled from the command line, which Dagster never heard of.

    Attributes:
        outdated: partitions with a verdict that was given under another configuration.
    """

    partitions: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()


def _find_known(resource: ReconcileResource, checks: TableChecks) -> _Known:
    """Without a ledger Dagster's own memory must do: the run will say that it could not be reached."""
    try:
        with resource.open(checks.config) as connections:
            ledger, table = connections.ledger(), checks.table
            partitions = ledger.fetch_known_partitions(table.name, target=checks.config.target_of(table))
            outdated = ledger.fetch_outdated(table.name, check_fingerprints(checks.config, table))
            return _Known(partitions, frozenset().union(*outdated.values()))
    except ReconcileAssetsError:
        return _Known()


def check_partitions(
    context: dg.OpExecutionContext,
    resource: ReconcileResource,
    *,
    checks: TableChecks,
    names: Collection[str],
    partitions: Sequence[str],
    only_news: bool = False,
) -> tuple[CheckVerdict, ...]:
    """Compare partitions, record the verdicts in the ledger, and log them to Dagster.

    Args:
        context: of the running step.
        resource: opens the connections.
        checks: the table's checks.
        names: which of them to run.
        partitions: keys, in order.
        only_news: log an evaluation only where Dagster does not show the same already.

    Raises:
        dagster.Failure: the ledger could not be written, so nothing was recorded.
    """
    scheme = checks.table.partition.scheme()
    windows = [scheme.partition(key) for key in partitions]
    try:
        with resource.open(checks.config) as connections:
            verdicts = run_and_record(
                checks.table,
                windows,
                connections=connections,
                run_id=context.run.run_id,
                backfill_id=context.run.tags.get(BACKFILL_TAG),
                checks=names,
            )
            writes = _fetch_last_writes(connections, checks, partitions)
    except ReconcileAssetsError as error:
        raise dg.Failure(f"could not verify: {error}", allow_retries=False) from None
    log_evaluations(context, checks, verdicts, writes=writes, only_news=only_news)
    return verdicts


def _fetch_last_writes(
    connections: Connections, checks: TableChecks, partitions: Collection[str]
) -> dict[str, dict[str, int]]:
    """Rows deleted and inserted by each partition's last batch, as the target's ledger has it.

    An ornament of the page: a target that does not answer, or was never written by us, has none.
    """
    try:
        with connections.database(checks.config.target_of(checks.table)).session() as session:
            batches = fetch_latest_batches(
                session.sqlalchemy(), tables=[checks.table.name], partitions=partitions, limit=len(partitions)
            )
    except ReconcileAssetsError:
        return {}
    return {
        batch.partition: {"rows deleted": batch.rows_deleted, "rows inserted": batch.rows_inserted} for batch in batches
    }


def log_evaluations(
    context: dg.OpExecutionContext,
    checks: TableChecks,
    verdicts: Sequence[CheckVerdict],
    *,
    writes: Mapping[str, Mapping[str, int]],
    only_news: bool = False,
) -> int:
    """Log an evaluation for each verdict, naming its partition's latest materialization.

    Args:
        context: of the running step.
        checks: the table's checks.
        verdicts: what to log.
        writes: by partition, rows deleted and inserted by its last write.
        only_news: leave out what Dagster shows already, and looks at partitions that were written since:
            whoever wrote them says what stands there now.

    Returns:
        how many were logged.
    """
    partitions = {verdict.partition for verdict in verdicts}
    held = HeldEvaluations.fetch(context.instance, checks.check_keys, partitions) if only_news else None
    logged = 0
    for first in range(0, len(verdicts), LOGGED_TOGETHER):
        chunk = verdicts[first : first + LOGGED_TOGETHER]
        targets = fetch_targets(context.instance, checks.asset_key, {verdict.partition for verdict in chunk})
        for verdict in chunk:
            target = targets.get(verdict.partition)
            if held is not None and is_older(verdict, target):
                continue
            check = checks.table.check(verdict.check)
            evaluation = build_evaluation(
                verdict,
                asset_key=checks.asset_key,
                target=target,
                blocking=check.blocking,
                last_write=writes.get(verdict.partition),
            )
            if held is None or not held.say_the_same(evaluation, moving=check.type == "freshness"):
                log_evaluation(context, evaluation)
                logged += 1
    return logged


def refuse_downstream(verdicts: Sequence[CheckVerdict], table: TableConfig) -> None:
    """Fail the step when a blocking check of severity ERROR did not match.

    An evaluation that is only logged does not hold back what lies downstream.

    Raises:
        dagster.Failure: naming the partitions.
    """
    bad = {
        verdict.partition
        for verdict in verdicts
        if verdict.verdict is not Verdict.MATCHED
        and table.check(verdict.check).blocking
        and verdict.severity == "ERROR"
    }
    if bad:
        raise dg.Failure(f"blocking checks did not pass for {name_partitions(bad)}", allow_retries=False)


def name_partitions(keys: Collection[str], *, shown: int = 10) -> str:
    """``3 partitions: a, b, c``; a long list is cut."""
    ordered = sorted(keys)
    noun = "partition" if len(ordered) == 1 else "partitions"
    rest = f" and {len(ordered) - shown} more" if len(ordered) > shown else ""
    return f"{len(ordered)} {noun}: {', '.join(ordered[:shown])}{rest}"
