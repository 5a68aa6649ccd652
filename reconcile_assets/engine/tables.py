"""A configured table, met with what stands in the two databases.

Prevents: a run that starts to write and then finds that a column is missing, that the
partition column is text, or that two columns can't be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.compare_pairs import ColumnPair, pair_columns
from reconcile_assets.core.tables import Table, TableName, TypeKind
from reconcile_assets.core.windows import Every, Partition
from reconcile_assets.databases.base import PartitionFilter, Relation, Session
from reconcile_assets.errors import ConfigurationError, MissingObject

PARTITION_KINDS = frozenset({TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})


@dataclass(frozen=True)
class ResolvedTable:
    """A table's two sides and how their columns pair.

    Attributes:
        config: what was asked for.
        source, target: what SQL selects from.
        source_table, target_table: as the catalogs describe them.
        pairs: the columns that are moved and compared, in the source's order.
        key: the key's pairs, in the order configured; empty for a keyless table.
        partition: the pair of the partition column.
        notes: sentences about the table as a whole.
    """

    config: TableConfig
    source: Relation
    target: Relation
    source_table: Table
    target_table: Table
    pairs: tuple[ColumnPair, ...]
    key: tuple[ColumnPair, ...]
    partition: ColumnPair
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The asset's name."""
        return self.config.name

    def source_windows(self, partitions: Sequence[Partition]) -> PartitionFilter:
        """The partitions as the source's column sees them."""
        return PartitionFilter(self.partition.source.name, self.partition.source.type.kind, partitions)

    def target_windows(self, partitions: Sequence[Partition]) -> PartitionFilter:
        """The partitions as the target's column sees them."""
        return PartitionFilter(self.partition.target.name, self.partition.target.type.kind, partitions)

    @property
    def key_names(self) -> list[str]:
        """The key's columns by the source's names."""
        return [pair.source.name for pair in self.key]

    @property
    def indexed(self) -> bool:
        """Whether a few partitions can be found on both sides without reading the whole table."""
        return (
            self.partition.source.name in self.source_table.indexed
            and self.partition.target.name in self.target_table.indexed
        )


def source_relation(table: TableConfig) -> Relation:
    """What the table is read from: a table's name, or a query used as one."""
    if table.source_query is not None:
        return Relation(query=table.source_query.strip().rstrip(";"))
    return Relation(table=TableName.parse(table.source_table or ""))


def resolve_table(table: TableConfig, source: Session, target: Session) -> ResolvedTable:
    """Pair the columns of both sides.

    Columns pair by the configured rename, else by the same name, else by a name that differs
    in case only, when that is unambiguous. A target column that the source doesn't have keeps
    its default; a source column that the target doesn't have would be lost, so it is refused.

    Raises:
        MissingObject: a table or column is not there.
        ConfigurationError: both sides are one table; the partition column is not a time, or its two sides are
            not the same kind of time.
        ReconcileAssetsError: a database could not be asked.
    """
    reading, writing = source_relation(table), Relation(table=TableName.parse(table.target_table))
    here, there = source.describe(reading), target.describe(writing)
    identity = source.fetch_identity(reading)
    if identity is not None and identity == target.fetch_identity(writing):
        raise ConfigurationError(
            f"table {table.name}: {source.name} and {target.name} lead to the same table {there.name}, which is equal "
            "to itself whatever it holds; point one of the two URLs, or the table's name, elsewhere"
        )
    _check_names(table, here)
    pairs, notes = _pair_columns(table, here, there)
    partition = _find(table, pairs, table.partition.column, "partition.column")
    _check_partition(table, partition)
    return ResolvedTable(
        config=table,
        source=reading,
        target=writing,
        source_table=here,
        target_table=there,
        pairs=pairs,
        key=tuple(_find(table, pairs, name, "key") for name in table.key),
        partition=partition,
        notes=notes,
    )


def _pair_columns(table: TableConfig, source: Table, target: Table) -> tuple[tuple[ColumnPair, ...], tuple[str, ...]]:
    pairs, notes = pair_columns(source, target, rename=table.columns.rename, exclude=table.columns.exclude)
    paired = {pair.source.name for pair in pairs} | set(table.columns.exclude)
    for column in source.columns:
        if column.name not in paired:
            raise MissingObject(
                f"table {table.name}: the target {table.target_table} has no column "
                f"{table.columns.target_name(column.name)!r}; add it there, rename it by columns.rename, "
                "or leave it out by columns.exclude"
            )
    return pairs, notes


def _check_names(table: TableConfig, source: Table) -> None:
    known = {column.name for column in source.columns}
    origin = table.source_table or "source_query"
    for field, names in (("partition.column", [table.partition.column]), ("key", table.key)):
        for name in names:
            if name not in known:
                raise MissingObject(
                    f"table {table.name}: {origin} has no column {name!r} ({field}); it has "
                    f"{', '.join(sorted(known)[:12]) or 'no columns'}"
                )


def _find(table: TableConfig, pairs: Sequence[ColumnPair], name: str, field: str) -> ColumnPair:
    for pair in pairs:
        if pair.source.name == name:
            return pair
    raise ConfigurationError(f"table {table.name}: {field} {name!r} is excluded; it must be compared")


def _check_partition(table: TableConfig, pair: ColumnPair) -> None:
    for side, column in (("source", pair.source), ("target", pair.target)):
        if column.type.kind not in PARTITION_KINDS:
            raise ConfigurationError(
                f"table {table.name}: the partition column {column.name!r} is {column.type.native} in the {side}; "
                "partition by a date, timestamp or timestamptz column"
            )
    zoned = [column.type.kind is TypeKind.TIMESTAMPTZ for column in (pair.source, pair.target)]
    if zoned[0] != zoned[1]:
        raise ConfigurationError(
            f"table {table.name}: the partition column {pair.source.name!r} has a time zone on one side only "
            f"({pair.source.type.native}, {pair.target.type.native}); make both the same kind of time"
        )
    if table.partition.by is not Every.HOUR:
        return
    if TypeKind.DATE in (pair.source.type.kind, pair.target.type.kind):
        raise ConfigurationError(
            f"table {table.name}: the partition column {pair.source.name!r} is a date; partition by day or longer"
        )
    if not zoned[0] and table.partition.scheme().repeats_an_hour:
        raise ConfigurationError(
            f"table {table.name}: {pair.source.name!r} has no time zone, and {table.partition.timezone} repeats an "
            "hour within the range; partition by day, or set the timezone that the column is written in, e.g. UTC"
        )
