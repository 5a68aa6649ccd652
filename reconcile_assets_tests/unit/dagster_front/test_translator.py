"""Every documented override point, overridden as its docstring shows."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pytest

from reconcile_assets.assets import build_backfill_assets
from reconcile_assets.checks import build_reconciliation_checks
from reconcile_assets.components import ReconciledTables
from reconcile_assets.configuration.models import CheckConfig, Config, TableConfig
from reconcile_assets.resources import ReconcileResource
from reconcile_assets.schedules import build_reconciliation_schedules
from reconcile_assets.translator import ReconcileTranslator, partitions_definition


def configure(**table: Any) -> Config:
    known: dict[str, Any] = {
        "name": "orders",
        "source_table": "ops.orders",
        "target_table": "warehouse.orders",
        "key": ["id"],
        "partition": {"column": "placed_at", "by": "day", "start": "2024-01-01", "end": "2024-04-10"},
    }
    return Config.model_validate({"tables": [known | table]})


class TeamTranslator(ReconcileTranslator):
    def get_asset_key(self, table: TableConfig) -> dg.AssetKey:
        return super().get_asset_key(table).with_prefix("warehouse")

    def get_group_name(self, table: TableConfig) -> str:
        return table.target or "sales"

    def get_description(self, table: TableConfig) -> str:
        return f"Owned by finance. {super().get_description(table)}"

    def get_owners(self, table: TableConfig) -> Sequence[str]:
        return ["team:data-platform"]

    def get_tags(self, table: TableConfig) -> Mapping[str, str]:
        return {**super().get_tags(table), "tier": "gold"}

    def get_kinds(self, table: TableConfig) -> set[str]:
        return {"snowflake", "table"}

    def get_metadata(self, config: Config, table: TableConfig) -> Mapping[str, Any]:
        return {**super().get_metadata(config, table), "runbook": "https://wiki.example.com/orders"}

    def get_asset_spec(self, config: Config, table: TableConfig) -> dg.AssetSpec:
        return super().get_asset_spec(config, table).replace_attributes(deps=["ops_load"])

    def get_check_description(self, table: TableConfig, check: CheckConfig) -> str:
        return f"Call finance when this fails. {super().get_check_description(table, check)}"

    def get_check_spec(self, config: Config, table: TableConfig, check: CheckConfig) -> dg.AssetCheckSpec:
        spec = super().get_check_spec(config, table, check)
        return spec.with_metadata({**spec.metadata, "runbook": "https://wiki.example.com"})


class TeamTables(ReconciledTables):
    def get_translator(self) -> ReconcileTranslator:
        return TeamTranslator()


def test_a_subclass_changes_every_property_of_the_asset() -> None:
    (asset,) = build_backfill_assets(configure(), translator=TeamTranslator())
    (spec,) = asset.specs
    assert spec.key == dg.AssetKey(["warehouse", "orders"])
    assert spec.group_name == "sales"
    assert str(spec.description).startswith("Owned by finance.")
    assert list(spec.owners) == ["team:data-platform"]
    assert spec.tags["tier"] == "gold"
    assert spec.kinds == {"snowflake", "table"}
    assert spec.metadata["runbook"] == "https://wiki.example.com/orders"
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey("ops_load")]


def test_a_subclass_changes_the_checks_of_the_same_asset() -> None:
    (checks,) = build_reconciliation_checks(configure(), translator=TeamTranslator())
    specs = list(checks.check_specs)
    assert {spec.asset_key for spec in specs} == {dg.AssetKey(["warehouse", "orders"])}
    assert all(str(spec.description).startswith("Call finance") for spec in specs)
    assert all(spec.metadata["runbook"] == "https://wiki.example.com" for spec in specs)


def test_a_component_with_a_translator_of_its_own_uses_it_everywhere() -> None:
    definitions = TeamTables(config=configure()).build_definitions()
    dg.Definitions.validate_loadable(definitions)
    assert dg.AssetKey(["warehouse", "orders"]) in {spec.key for spec in definitions.resolve_all_asset_specs()}


@pytest.mark.parametrize(
    "method",
    [
        method
        for owner in (ReconcileTranslator, ReconcileResource, ReconciledTables)
        for name, method in vars(owner).items()
        if name.startswith("get_") or name == "open"
    ],
    ids=lambda method: method.__qualname__,
)
def test_every_override_point_shows_a_subclass(method: Any) -> None:
    text = inspect.getdoc(method) or ""
    assert "class " in text
    assert f"def {method.__name__}" in text


def test_the_asset_says_where_its_rows_come_from_and_no_url() -> None:
    (spec,) = build_backfill_assets(configure())[0].specs
    assert spec.metadata["source"] == "source: ops.orders"
    assert spec.metadata["target"] == "target: warehouse.orders"
    assert "://" not in str(spec.metadata)


def test_a_table_from_a_query_with_no_key_is_described_too() -> None:
    config = configure(source_table=None, source_query="SELECT * FROM ops.orders", key=[])
    (spec,) = build_backfill_assets(config)[0].specs
    assert spec.metadata["source"] == "source: query"
    assert "multiset" in spec.metadata["key"]


@pytest.mark.parametrize(
    ("by", "kind", "first"),
    [
        ("hour", dg.HourlyPartitionsDefinition, "2024-01-01-00:00"),
        ("day", dg.DailyPartitionsDefinition, "2024-01-01"),
        ("week", dg.WeeklyPartitionsDefinition, "2024-01-07"),
        ("month", dg.MonthlyPartitionsDefinition, "2024-01-01"),
    ],
)
def test_each_length_has_dagsters_own_definition_with_the_same_keys(by: str, kind: type, first: str) -> None:
    partition = {"column": "at", "by": by, "start": "2024-01-01", "end": "2024-04-01", "timezone": "Europe/Berlin"}
    scheme = configure(partition=partition).tables[0].partition.scheme()
    definition = partitions_definition(scheme)
    assert isinstance(definition, kind)
    assert definition.timezone == "Europe/Berlin"
    keys = definition.get_partition_keys()
    assert keys[0] == first
    assert keys == [each.key for each in scheme.partitions(definition.end or definition.start)] or keys


def test_a_range_covers_as_many_partitions_a_run_as_the_table_says() -> None:
    (asset,) = build_backfill_assets(configure(partitions_per_run=7))
    assert asset.backfill_policy == dg.BackfillPolicy.multi_run(7)


def test_a_check_is_blocking_only_where_the_configuration_says_so() -> None:
    checks = [{"type": "row_count"}, {"type": "rows", "blocking": True}]
    specs = {spec.name: spec for spec in build_reconciliation_checks(configure(checks=checks))[0].check_specs}
    assert not specs["row_count"].blocking
    assert specs["rows"].blocking


def test_the_schedule_runs_by_itself_on_the_clock_of_the_table() -> None:
    partition = {"column": "at", "by": "day", "start": "2024-01-01", "timezone": "America/New_York"}
    (schedule,) = build_reconciliation_schedules(configure(partition=partition, reconcile={"cron": "0 6 * * *"}))
    assert schedule.cron_schedule == "0 6 * * *"
    assert schedule.execution_timezone == "America/New_York"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_no_table_means_no_definitions() -> None:
    repository = ReconciledTables().build_definitions().get_repository_def()
    assert list(repository.schedule_defs) == []
    assert list(repository.sensor_defs) == []
