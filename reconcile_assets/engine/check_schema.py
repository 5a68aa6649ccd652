"""The schema check: every column of the source is in the target, with a type that can hold the same values."""

from collections.abc import Sequence
from dataclasses import replace

from reconcile_assets.configuration.checks import SchemaCheck
from reconcile_assets.core.compare_pairs import ColumnPair, judge_pair, pair_columns
from reconcile_assets.core.tables import Table, TableName
from reconcile_assets.core.verdicts import CheckVerdict
from reconcile_assets.databases.base import Relation
from reconcile_assets.engine.checking import Sides, judge
from reconcile_assets.engine.tables import source_relation


def schema_verdicts(check: SchemaCheck, sides: Sides) -> tuple[CheckVerdict, ...]:
    """The same verdict for every partition: a schema has no partitions."""
    with sides.sessions() as (source, target):
        here = source.describe(source_relation(sides.table))
        there = target.describe(Relation(table=TableName.parse(sides.table.target_table)))
    faults, notes = compare_schemas(sides, here, there)
    return tuple(
        replace(sides.verdict(check, each, judge(not faults)), notes=(*faults, *notes)) for each in sides.partitions
    )


def compare_schemas(sides: Sides, source: Table, target: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What makes the schemas differ, and what is only worth saying."""
    columns = sides.table.columns
    known = {column.name for column in target.columns}
    lost = [name for name, wanted in columns.rename.items() if wanted not in known]
    rename = {name: wanted for name, wanted in columns.rename.items() if name not in lost}
    pairs, _ = pair_columns(source, target, rename=rename, exclude=(*columns.exclude, *lost))
    paired = {pair.source.name for pair in pairs} | set(columns.exclude)
    faults = [
        f"the target has no column {columns.target_name(column.name)}"
        for column in source.columns
        if column.name not in paired
    ]
    plans = [judge_pair(pair) for pair in pairs]
    unlike = [plan for plan in plans if plan.is_uncomparable]
    faults += [f"column {plan.name} can't hold the same values: {plan.comparison}" for plan in unlike]
    notes = [plan.note for plan in plans if plan.note]
    notes += _nullability(pairs)
    left = known - {pair.target.name for pair in pairs} - set(columns.exclude)
    notes += [f"the target has a column of its own: {name}" for name in sorted(left)]
    return tuple(faults), tuple(notes)


def _nullability(pairs: Sequence[ColumnPair]) -> list[str]:
    return [
        f"column {pair.source.name} may be NULL in the {'source' if pair.source.nullable else 'target'} only"
        for pair in pairs
        if pair.source.nullable != pair.target.nullable
    ]
