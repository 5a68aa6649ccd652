"""The schema check: every column of the source is in the target, with a type that can hold the same values."""

from collections.abc import Sequence
from dataclasses import replace

from reconcile_assets.configuration.checks import SchemaCheck
from reconcile_assets.core.compare_pairs import FLOATS, NUMBERS, ColumnPair, judge_pair, pair_columns
from reconcile_assets.core.tables import ColumnType, Table, TableName, TypeKind
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
    faults += [
        f"column {pair.source.name}: {pair.target.type.native} can't hold every value of {pair.source.type.native}"
        for pair in pairs
        if is_narrower(pair.source.type, pair.target.type)
    ]
    notes = [plan.note or f"column {plan.name}: {plan.comparison}" for plan in plans if plan.note or plan.unit]
    notes += _nullability(pairs)
    left = known - {pair.target.name for pair in pairs} - set(columns.exclude)
    notes += [f"the target has a column of its own: {name}" for name in sorted(left)]
    return tuple(faults), tuple(notes)


def is_narrower(source: ColumnType, target: ColumnType) -> bool:
    """Whether some number or text of the source's type is beyond the target's.

    Times and floats of less precision are not meant: the rows check takes them for coarser, and says so.
    """
    if {source.kind, target.kind} <= _TEXTS:
        return (
            target.enforced and target.length is not None and (source.length is None or source.length > target.length)
        )
    if not {source.kind, target.kind} <= NUMBERS or {source.kind, target.kind} <= FLOATS:
        return False
    if target.kind in FLOATS:
        whole = source.precision if source.kind is TypeKind.INTEGER or source.scale == 0 else None
        return whole is None or whole > (_FLOAT64_DIGITS if target.kind is TypeKind.FLOAT64 else _FLOAT32_DIGITS)
    if target.kind is TypeKind.DECIMAL and not target.enforced:  # SQLite: whole numbers of 64 bits, else a double
        digits = _INTEGER_DIGITS if source.scale == 0 else _FLOAT64_DIGITS
        return source.precision is None or source.precision > digits
    if target.precision is None:  # numeric without limits
        return False
    if source.precision is None:
        return True
    digits, kept = source.scale or 0, target.scale or 0
    return digits > kept or source.precision - digits > target.precision - kept


_TEXTS = frozenset({TypeKind.TEXT, TypeKind.CHAR})
# Whole numbers of so many digits are exact.
_FLOAT64_DIGITS, _FLOAT32_DIGITS = 15, 7
_INTEGER_DIGITS = 18  # some numbers of 19 digits are beyond 64 bits


def _nullability(pairs: Sequence[ColumnPair]) -> list[str]:
    return [
        f"column {pair.source.name} may be NULL in the {'source' if pair.source.nullable else 'target'} only"
        for pair in pairs
        if pair.source.nullable != pair.target.nullable
    ]
