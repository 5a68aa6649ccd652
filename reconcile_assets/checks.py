"""One step per table that compares its partitions and logs a verdict for each.

The step is apart from the asset, so that a person can check a partition again from the UI
without writing to it. It never depends on what the backfill step just did: it compares the
two databases.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from reconcile_assets.check_evaluations import HeldEvaluations, Materializations, build_evaluation
from reconcile_assets.configuration.models import CheckConfig, Config, TableConfig
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.engine.reconcile import run_and_record
from reconcile_assets.resources import ReconcileResource
from reconcile_assets.translator import ReconcileTranslator

BACKFILL_TAG = "dagster/backfill"


@dataclass(frozen=True)
class TableChecks:
    """The checks of one table, ready to be run in any step."""

    config: Config
    table: TableConfig
    asset_key: dg.AssetKey

    def named(self, names: Collection[str]) -> dict[str, CheckConfig]:
        """The table's checks of these names."""
        return {check.check_name: check for check in self.table.checks if check.check_name in names}

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
    return [_build_table_checks(config, table, chosen) for table in config.tables if table.checks]


def _build_table_checks(
    config: Config, table: TableConfig, translator: ReconcileTranslator
) -> dg.AssetChecksDefinition:
    checks = TableChecks(config, table, translator.get_asset_key(table))

    @dg.multi_asset_check(
        name=f"{table.name}_checks",
        specs=[translator.get_check_spec(config, table, check) for check in table.checks],
        can_subset=True,
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
            partitions=_partition_keys(context),
        )
        refuse_downstream(verdicts, checks.named(names))
        yield from ()  # the evaluations were logged: a yielded result would lose its partition

    return reconcile


def _partition_keys(context: dg.AssetCheckExecutionContext) -> Sequence[str]:
    if not (context.has_partition_key or context.has_partition_key_range):
        raise dg.Failure("these checks need partitions: launch them for a partition or a range", allow_retries=False)
    return context.partition_keys


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
    """
    windows = [checks.table.partition.scheme().partition(key) for key in partitions]
    with resource.open(checks.config) as connections:
        verdicts = run_and_record(
            checks.table,
            windows,
            connections=connections,
            run_id=context.run_id,
            backfill_id=context.run.tags.get(BACKFILL_TAG),
            checks=names,
        )
    log_evaluations(context, checks, verdicts, only_news=only_news)
    return tuple(verdicts)


def log_evaluations(
    context: dg.OpExecutionContext, checks: TableChecks, verdicts: Sequence[CheckVerdict], *, only_news: bool = False
) -> int:
    """Log an evaluation for each verdict, naming its partition's latest materialization.

    Returns:
        how many were logged.
    """
    partitions = {verdict.partition for verdict in verdicts}
    found = Materializations.fetch(context.instance, checks.asset_key, partitions)
    named = checks.named({verdict.check for verdict in verdicts})
    held = HeldEvaluations.fetch(context.instance, checks.check_keys, partitions) if only_news else None
    logged = 0
    for verdict in verdicts:
        check = named[verdict.check]
        evaluation = build_evaluation(
            verdict,
            asset_key=checks.asset_key,
            target=found.targets.get(verdict.partition),
            blocking=check.blocking,
            last_write=found.last_write(verdict.partition),
        )
        if held is None or not held.say_the_same(evaluation, moving=check.type == "freshness"):
            context.log_event(evaluation)
            logged += 1
    return logged


def refuse_downstream(verdicts: Sequence[CheckVerdict], checks: Mapping[str, CheckConfig]) -> None:
    """Fail the step when a blocking check of severity ERROR did not match.

    An evaluation that is only logged does not hold back what lies downstream.

    Raises:
        dagster.Failure: naming the partitions.
    """
    bad = {
        verdict.partition
        for verdict in verdicts
        if verdict.verdict is not Verdict.MATCHED
        and checks[verdict.check].blocking
        and checks[verdict.check].severity == "ERROR"
    }
    if bad:
        raise dg.Failure(f"blocking checks did not pass for {name_partitions(bad)}", allow_retries=False)


def name_partitions(keys: Collection[str], *, shown: int = 10) -> str:
    """``3 partitions: a, b, c``; a long list is cut."""
    ordered = sorted(keys)
    noun = "partition" if len(ordered) == 1 else "partitions"
    rest = f" and {len(ordered) - shown} more" if len(ordered) > shown else ""
    return f"{len(ordered)} {noun}: {', '.join(ordered[:shown])}{rest}"
