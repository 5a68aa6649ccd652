"""How a configured table looks in Dagster: keys, groups, tags, owners, words.

Everything that a team may want to spell its own way is a method here; the builders
take an instance and ask it. Subclass, override one method, pass it in:

.. code-block:: python

    build_backfill_assets(config, translator=TeamTranslator())
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from reconcile_assets.check_evaluations import partitioned_check_spec
from reconcile_assets.configuration.models import CheckConfig, Config, TableConfig
from reconcile_assets.core.windows import Every, PartitionScheme

_DEFINITIONS: Mapping[Every, type[dg.TimeWindowPartitionsDefinition]] = {
    Every.HOUR: dg.HourlyPartitionsDefinition,
    Every.DAY: dg.DailyPartitionsDefinition,
    Every.WEEK: dg.WeeklyPartitionsDefinition,
    Every.MONTH: dg.MonthlyPartitionsDefinition,
}


def partitions_definition(scheme: PartitionScheme) -> dg.TimeWindowPartitionsDefinition:
    """Dagster's form of a partition scheme: the same keys, windows and time zone."""
    make: Any = _DEFINITIONS[scheme.by]
    definition: dg.TimeWindowPartitionsDefinition = make(
        start_date=scheme.start, end_date=scheme.end, timezone=scheme.timezone
    )
    return definition


class ReconcileTranslator:
    """Turns tables and checks of the configuration into Dagster's specs.

    Override the small methods to change one property, or ``get_asset_spec`` and
    ``get_check_spec`` to change the whole.
    """

    def get_asset_key(self, table: TableConfig) -> dg.AssetKey:
        """The asset's key; the ledger keeps calling the table by its name.

        .. code-block:: python

            class PrefixedTranslator(ReconcileTranslator):
                def get_asset_key(self, table):
                    return super().get_asset_key(table).with_prefix("warehouse")
        """
        return dg.AssetKey([table.name])

    def get_group_name(self, table: TableConfig) -> str:
        """The group that the UI shows the asset in.

        .. code-block:: python

            class ByTargetTranslator(ReconcileTranslator):
                def get_group_name(self, table):
                    return table.target or "warehouse"
        """
        return "reconciled_tables"

    def get_description(self, table: TableConfig) -> str:
        """The text on the asset's page.

        .. code-block:: python

            class DescribingTranslator(ReconcileTranslator):
                def get_description(self, table):
                    return f"Owned by finance. {super().get_description(table)}"
        """
        origin = table.source_table or "a query"
        return f"{table.target_table}, filled from {origin}; green only where it has been proved equal to its source."

    def get_owners(self, table: TableConfig) -> Sequence[str]:
        """E-mail addresses or ``team:NAME``.

        .. code-block:: python

            class OwnedTranslator(ReconcileTranslator):
                def get_owners(self, table):
                    return ["team:data-platform"]
        """
        return []

    def get_tags(self, table: TableConfig) -> Mapping[str, str]:
        """Tags of the asset.

        .. code-block:: python

            class TieredTranslator(ReconcileTranslator):
                def get_tags(self, table):
                    return {**super().get_tags(table), "tier": "gold"}
        """
        return {}

    def get_kinds(self, table: TableConfig) -> set[str]:
        """At most three kinds, shown as badges.

        .. code-block:: python

            class SnowyTranslator(ReconcileTranslator):
                def get_kinds(self, table):
                    return {"snowflake", "table"}
        """
        return {"postgres", "table"}

    def get_metadata(self, config: Config, table: TableConfig) -> Mapping[str, Any]:
        """What stands on the asset's definition: names and cadence, never a URL.

        .. code-block:: python

            class LinkedTranslator(ReconcileTranslator):
                def get_metadata(self, config, table):
                    link = dg.MetadataValue.url("https://wiki.example.com/" + table.name)
                    return {**super().get_metadata(config, table), "runbook": link}
        """
        return {
            "source": f"{config.source_of(table)}: {table.source_table or 'query'}",
            "target": f"{config.target_of(table)}: {table.target_table}",
            "key": ", ".join(table.key) or "none (rows are compared as a multiset)",
            "partition column": table.partition.column,
            "reconciled": f"{table.reconcile.cron} ({table.reconcile.partitions})",
        }

    def get_asset_spec(self, config: Config, table: TableConfig) -> dg.AssetSpec:
        """The whole asset spec; the other methods feed it.

        .. code-block:: python

            class UpstreamTranslator(ReconcileTranslator):
                def get_asset_spec(self, config, table):
                    spec = super().get_asset_spec(config, table)
                    return spec.replace_attributes(deps=["ops_load"])
        """
        return dg.AssetSpec(
            key=self.get_asset_key(table),
            description=self.get_description(table),
            group_name=self.get_group_name(table),
            owners=list(self.get_owners(table)),
            tags=dict(self.get_tags(table)),
            kinds=self.get_kinds(table),
            metadata=dict(self.get_metadata(config, table)),
            partitions_def=partitions_definition(table.partition.scheme()),
        )

    def get_check_description(self, table: TableConfig, check: CheckConfig) -> str:
        """The text on the check's page.

        .. code-block:: python

            class PoliteTranslator(ReconcileTranslator):
                def get_check_description(self, table, check):
                    return f"Call finance when this fails. {super().get_check_description(table, check)}"
        """
        against = f" against {check.against}" if check.against else ""
        return f"Compares {check.type} of each partition of {table.target_table}{against or ' with its source'}."

    def get_check_spec(self, config: Config, table: TableConfig, check: CheckConfig) -> dg.AssetCheckSpec:
        """The whole check spec; its name must stay the one that the ledger knows the check by.

        .. code-block:: python

            class TaggedTranslator(ReconcileTranslator):
                def get_check_spec(self, config, table, check):
                    spec = super().get_check_spec(config, table, check)
                    return spec.with_metadata({**spec.metadata, "runbook": "https://wiki.example.com"})
        """
        return partitioned_check_spec(
            check.check_name,
            asset_key=self.get_asset_key(table),
            partitions_def=partitions_definition(table.partition.scheme()),
            description=self.get_check_description(table, check),
            blocking=check.blocking,
            metadata={"type": check.type, "severity": check.severity},
        )
