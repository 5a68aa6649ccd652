"""One partitioned asset per configured table; materializing a partition fills it from the source.

A run covers a range of partitions. Each is replaced in its own target transaction, so one that
fails leaves the others done: they are logged as materialized, with their check verdicts, before
the step fails and names the bad ones. Dagster then shows exactly those as failed, and "failed and
missing" runs only them again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from reconcile_assets.checks import BACKFILL_TAG, TableChecks, check_partitions, name_partitions
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.core.windows import Partition
from reconcile_assets.engine.backfill import PartitionFailure, PartitionWrite, backfill_partitions
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.resources import ReconcileResource, pool_of
from reconcile_assets.translator import ReconcileTranslator

ACTOR_TAGS = ("user", "dagster/user")


def build_backfill_assets(
    config: Config, *, translator: ReconcileTranslator | None = None
) -> list[dg.AssetsDefinition]:
    """One asset per table, partitioned as the configuration says.

    Needs the resource ``reconcile_assets`` (a ``ReconcileResource``).

    Args:
        config: the loaded configuration.
        translator: names, groups and describes the assets.
    """
    chosen = translator or ReconcileTranslator()
    return [_build_table_asset(config, table, chosen) for table in config.tables]


def _build_table_asset(config: Config, table: TableConfig, translator: ReconcileTranslator) -> dg.AssetsDefinition:
    checks = TableChecks(config, table, translator.get_asset_key(table))
    spec = translator.get_asset_spec(config, table)

    @dg.multi_asset(
        name=f"{table.name}_backfill",
        specs=[spec],
        partitions_def=spec.partitions_def,
        backfill_policy=dg.BackfillPolicy.multi_run(table.partitions_per_run),
        pool=pool_of(config, table),
    )
    def backfill(context: dg.AssetExecutionContext, reconcile_assets: ReconcileResource) -> dg.MaterializeResult[Any]:
        scheme = table.partition.scheme()
        partitions = [scheme.partition(key) for key in context.partition_keys]
        written, failures = _write(context, reconcile_assets, checks, partitions)
        if failures:
            _fail_some(context, reconcile_assets, checks, written, failures)
        for write in written:
            context.add_asset_metadata(_write_metadata(write), partition_key=write.partition.key)
        return dg.MaterializeResult(asset_key=checks.asset_key)

    return backfill


def _write(
    context: dg.AssetExecutionContext,
    resource: ReconcileResource,
    checks: TableChecks,
    partitions: Sequence[Partition],
) -> tuple[list[PartitionWrite], dict[str, str]]:
    """Fill partitions; returns those written, and by key the reason of each that was not."""
    written: list[PartitionWrite] = []
    failures: dict[str, str] = {}
    try:
        with resource.open(checks.config) as connections:
            for outcome in backfill_partitions(
                checks.table,
                partitions,
                connections=connections,
                run_id=context.run.run_id,
                backfill_id=context.run.tags.get(BACKFILL_TAG),
                actor=_actor(context.run.tags),
            ):
                if isinstance(outcome, PartitionFailure):
                    failures[outcome.partition.key] = str(outcome.error)
                    context.log.error(f"{outcome.partition.key}: {outcome.error}")
                else:
                    written.append(outcome)
    except ReconcileAssetsError as error:
        context.log.error(str(error))
        done = {write.partition.key for write in written}
        failures.update({each.key: str(error) for each in partitions if each.key not in done | failures.keys()})
    context.log.info(f"{len(written)} of {len(partitions)} partitions written")
    return written, failures


def _actor(tags: Mapping[str, str]) -> str:
    return next((tags[name] for name in ACTOR_TAGS if name in tags), "dagster")


def _fail_some(
    context: dg.AssetExecutionContext,
    resource: ReconcileResource,
    checks: TableChecks,
    written: Iterable[PartitionWrite],
    failures: dict[str, str],
) -> None:
    """Log what was done, give every partition its verdicts (the check step won't run), and fail."""
    for write in written:
        context.log_event(
            dg.AssetMaterialization(checks.asset_key, partition=write.partition.key, metadata=_write_metadata(write))
        )
    names = _checks_in_run(context, checks)
    if names:
        _check_anyway(context, resource, checks, names)
    raise dg.Failure(
        f"{name_partitions(failures)} of {checks.table.name} were not written: {_reasons(failures)}",
        metadata={"failed partitions": "\n".join(f"{key}: {why}" for key, why in sorted(failures.items())[:100])},
        allow_retries=False,
    )


def _check_anyway(
    context: dg.AssetExecutionContext, resource: ReconcileResource, checks: TableChecks, names: set[str]
) -> None:
    step = context.op_execution_context
    try:
        check_partitions(step, resource, checks=checks, names=names, partitions=context.partition_keys)
    except dg.Failure as failure:
        context.log.error(str(failure.description))  # the step fails in any case, and says which partitions


def _checks_in_run(context: dg.AssetExecutionContext, checks: TableChecks) -> set[str]:
    present = context.job_def.asset_layer.asset_graph.asset_check_keys
    return {key.name for key in checks.check_keys if key in present}


def _reasons(failures: dict[str, str]) -> str:
    reasons = sorted(set(failures.values()))
    rest = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{rest}"


def _write_metadata(write: PartitionWrite) -> dict[str, Any]:
    return {
        "rows read": write.rows_read,
        "rows deleted": write.rows_deleted,
        "rows inserted": write.rows_inserted,
        "seconds": round(write.seconds, 3),
        "rows per second": round(write.rows_read / write.seconds) if write.seconds > 0 else write.rows_read,
        "batch": str(write.batch_id),
        "checksum": str(write.checksum),
        "storage": write.storage,
    }
