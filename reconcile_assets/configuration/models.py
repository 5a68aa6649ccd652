"""The configuration as models: one class per mapping of the YAML.

They hold no secret: connections are names, URLs stand in the environment. They need
neither Dagster nor a database; what needs a database, ``doctor`` and each run check.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, field_validator, model_validator

from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.configuration.base import Frozen, refusal
from reconcile_assets.configuration.checks import (
    AggregateCheck,
    CheckConfig,
    FreshnessCheck,
    RowCountCheck,
    RowsCheck,
    SchemaCheck,
    SqlCheck,
    ToleranceConfig,
)
from reconcile_assets.configuration.standby import CriticalTableConfig, HealthConfig, QueueConfig
from reconcile_assets.configuration.values import (
    ConnectionName,
    Cron,
    DefinitionName,
    Positive,
    Text,
    WallClock,
    ZoneName,
)
from reconcile_assets.core.tables import TableName
from reconcile_assets.core.windows import Every, PartitionScheme

__all__ = [
    "AggregateCheck",
    "AlertsConfig",
    "CheckConfig",
    "ColumnsConfig",
    "Config",
    "CriticalTableConfig",
    "FreshnessCheck",
    "HealthConfig",
    "PartitionConfig",
    "QueueConfig",
    "ReconcileConfig",
    "RowCountCheck",
    "RowsCheck",
    "SchemaCheck",
    "SqlCheck",
    "TableConfig",
    "ToleranceConfig",
]

DEFAULT_CRON = "*/15 * * * *"


def _same_table(one: str, other: str) -> bool:
    return TableName.parse(one) == TableName.parse(other)


def _refuse_repeats(field: str, names: Iterable[str], why: str = "name it once") -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise refusal(field, f"has {name!r} {count} times; {why}")


class PartitionConfig(Frozen):
    """How a table is cut into time partitions; ``start`` is inside, ``end`` is not."""

    column: Text
    by: Every
    start: WallClock
    end: WallClock | None = None
    timezone: ZoneName = "UTC"
    lookback: Positive = 3

    def scheme(self) -> PartitionScheme:
        """The partitions as the pure core computes them."""
        return PartitionScheme(
            column=self.column,
            by=self.by,
            start=self.start,
            end=self.end,
            timezone=self.timezone,
            lookback=self.lookback,
        )

    @model_validator(mode="after")
    def _has_windows(self) -> "PartitionConfig":
        if self.end is not None and self.end <= self.start:
            raise refusal("end", f"is not after start {self.start}; the range is half-open, start < end", str(self.end))
        scheme = self.scheme()
        if self.by is Every.HOUR and scheme.shifts_within_hours:
            raise refusal(
                "timezone", "moves its clock by part of an hour; partition by day, or by hour in UTC", self.timezone
            )
        if scheme.is_empty:
            raise refusal(
                "end", f"leaves no whole {self.by} after start {self.start}; move start or end", str(self.end)
            )
        return self


class ColumnsConfig(Frozen):
    """Which columns are moved and compared, under which names, and which values are never shown.

    Attributes:
        exclude: the source's columns that are neither moved nor compared.
        rename: source name -> target name.
        mask: columns (source names) whose values no report, log or alert shows.
        types: ``uuid`` for columns (source names) whose texts or bytes are UUIDs in whatever spelling.
    """

    exclude: tuple[Text, ...] = ()
    rename: dict[Text, Text] = Field(default_factory=dict)
    mask: tuple[Text, ...] = ()
    types: dict[Text, Literal["uuid"]] = Field(default_factory=dict)

    def target_name(self, column: str) -> str:
        """What the target calls a column of the source."""
        return self.rename.get(column, column)

    @model_validator(mode="after")
    def _is_consistent(self) -> "ColumnsConfig":
        _refuse_repeats("exclude", self.exclude)
        _refuse_repeats("mask", self.mask)
        _refuse_repeats("rename", self.rename.values(), "two columns cannot share a name in the target")
        for name in self.rename:
            if name in self.exclude:
                raise refusal(("rename", name), "is excluded too; keep one of the two")
        for name in self.types:
            if name in self.exclude:
                raise refusal(("types", name), "is excluded too; keep one of the two")
        return self


class ReconcileConfig(Frozen):
    """When the automated reconciliation runs, and over which partitions."""

    cron: Cron = DEFAULT_CRON
    partitions: Literal["lookback", "all"] = "lookback"


class TableConfig(Frozen):
    """One target table: an asset, its source, its partitions and its checks.

    Attributes:
        name: the asset's key.
        source_table, source_query: exactly one; a query is used as a table.
        key: the columns that identify a row, by their source names; empty: rows are a multiset.
        source, target: connection names, where they differ from the configuration's.
        checks: row_count and rows where none is given.
    """

    name: DefinitionName
    source_table: Text | None = None
    source_query: Text | None = None
    target_table: Text
    key: tuple[Text, ...]
    partition: PartitionConfig
    columns: ColumnsConfig = ColumnsConfig()
    write: Literal["replace", "upsert", "append"] = "replace"
    partitions_per_run: Positive = 100
    reconcile: ReconcileConfig = ReconcileConfig()
    source: ConnectionName | None = None
    target: ConnectionName | None = None
    checks: tuple[CheckConfig, ...] = ()

    def check(self, name: str) -> CheckConfig:
        """The check of this name.

        Raises:
            KeyError: when there is none.
        """
        for check in self.checks:
            if check.check_name == name:
                return check
        raise KeyError(name)

    @field_validator("checks", mode="after")
    @classmethod
    def _is_always_checked(cls, checks: tuple[CheckConfig, ...]) -> tuple[CheckConfig, ...]:
        return checks or (RowCountCheck(), RowsCheck())  # a partition is green only when something proved it

    @model_validator(mode="after")
    def _is_consistent(self) -> "TableConfig":
        self._check_relations()
        self._check_columns()
        for index, check in enumerate(self.checks):
            if any(check.check_name == earlier.check_name for earlier in self.checks[:index]):
                raise refusal(("checks", index), "has the name of an earlier check; give it a `name`", check.check_name)
        return self

    def _check_relations(self) -> None:
        if (self.source_table is None) == (self.source_query is None):
            raise refusal("source_table", "or source_query must be given, exactly one of the two")
        for field in ("source_table", "target_table"):
            text = getattr(self, field)
            try:
                TableName.parse(text or "table")
            except ValueError:
                raise refusal(field, "is no table name; write NAME or SCHEMA.NAME", text) from None
        if self.write == "upsert" and not self.key:
            raise refusal("key", "is empty, and write: upsert finds the row to update by it; name its columns")

    def _check_columns(self) -> None:
        _refuse_repeats("key", self.key)
        excluded = self.columns.exclude
        for index, column in enumerate(self.key):
            if column in excluded:
                raise refusal(("key", index), "is excluded by columns.exclude; a key column must be compared", column)
        if self.partition.column in excluded:
            raise refusal(
                ("partition", "column"),
                "is excluded by columns.exclude; it decides the partition",
                self.partition.column,
            )
        for index, check in enumerate(self.checks):
            if isinstance(check, RowsCheck):
                self._check_tolerances(index, check)

    def _check_tolerances(self, index: int, check: RowsCheck) -> None:
        for column in check.tolerances:
            if column in self.key:
                raise refusal(("checks", index, "tolerances", column), "is a key column; a key is compared exactly")
            if column in self.columns.exclude:
                raise refusal(
                    ("checks", index, "tolerances", column), "is excluded by columns.exclude; drop one of the two"
                )


class Config(Frozen):
    """The whole configuration."""

    source: ConnectionName = "source"
    target: ConnectionName = "target"
    tables: tuple[TableConfig, ...] = ()
    alerts: AlertsConfig = AlertsConfig()
    critical_tables: tuple[CriticalTableConfig, ...] = ()
    queue: QueueConfig | None = None
    health: HealthConfig | None = None

    def source_of(self, table: TableConfig) -> str:
        """The name of the connection that a table is read from."""
        return table.source or self.source

    def target_of(self, table: TableConfig) -> str:
        """The name of the connection that a table is written to."""
        return table.target or self.target

    def table(self, name: str) -> TableConfig:
        """The table of this name.

        Raises:
            KeyError: when there is none.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    @property
    def connections(self) -> tuple[str, ...]:
        """The names of all connections that the tables and their checks use, in the order of first use."""
        names: dict[str, None] = {}
        for table in self.tables:
            names.update(dict.fromkeys((self.source_of(table), self.target_of(table))))
            names.update({check.against: None for check in table.checks if check.against is not None})
        return tuple(names)

    @model_validator(mode="after")
    def _is_consistent(self) -> "Config":
        for index, table in enumerate(self.tables):
            if any(table.name == earlier.name for earlier in self.tables[:index]):
                raise refusal(
                    ("tables", index, "name"), "is the name of an earlier table; names are unique", table.name
                )
            self._check_sides(index, table)
            self._check_writers(index, table)
        return self

    def _check_writers(self, index: int, table: TableConfig) -> None:
        mine = (self.target_of(table), TableName.parse(table.target_table))
        for earlier in self.tables[:index]:
            if mine == (self.target_of(earlier), TableName.parse(earlier.target_table)):
                message = f"is written by table {earlier.name!r} too, each would delete the other's rows; name another"
                raise refusal(("tables", index, "target_table"), message, table.target_table)

    def _check_sides(self, index: int, table: TableConfig) -> None:
        source, target = self.source_of(table), self.target_of(table)
        if source == target and table.source_table and _same_table(table.source_table, table.target_table):
            raise refusal(
                ("tables", index, "target_table"), "is the source table itself; name another table", table.target_table
            )
        for number, check in enumerate(table.checks):
            if check.against == target:
                raise refusal(
                    ("tables", index, "checks", number, "against"),
                    "is the target itself; name a third connection",
                    target,
                )
