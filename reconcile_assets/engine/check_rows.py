"""The rows check: every row of a partition, column by column."""

from collections.abc import Mapping
from dataclasses import replace

from reconcile_assets.configuration.checks import RowsCheck
from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.tolerance import Tolerance
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.engine.checking import Sides
from reconcile_assets.engine.comparison import compare_tables


def compare_rows(check: RowsCheck, sides: Sides) -> Mapping[str, Comparison]:
    """Compare every partition in one scan a side; only those that differ are looked into."""
    with sides.open() as opened:
        table = opened.table
        found = compare_tables(
            opened.source,
            opened.target,
            source_relation=table.source,
            target_relation=table.target,
            key=[pair.source.name for pair in table.key],
            columns=table.pairs,
            tolerances={
                name: Tolerance(abs_tol=each.abs_tol, rel_tol=each.rel_tol, seconds=each.seconds)
                for name, each in check.tolerances.items()
            },
            partitions=table.source_windows(sides.partitions),
            limit=0,
        )
    return {key: comparison for key, comparison in found.items() if key is not None}


def rows_verdicts(check: RowsCheck, sides: Sides, found: Mapping[str, Comparison]) -> tuple[CheckVerdict, ...]:
    """The verdict of each partition, with the differences by kind."""
    verdicts = []
    for partition in sides.partitions:
        comparison = found[partition.key]
        verdict, notes = _judge(check, comparison)
        verdicts.append(
            replace(
                sides.verdict(check, partition, verdict),
                notes=notes,
                source_rows=comparison.source.rows,
                target_rows=comparison.target.rows,
                missing_in_target=comparison.missing_in_target,
                missing_in_source=comparison.missing_in_source,
                value_differs=comparison.value_differs,
                source_checksum=comparison.source_checksum,
                target_checksum=comparison.target_checksum,
                measures=_measures(comparison),
            )
        )
    return tuple(verdicts)


def _judge(check: RowsCheck, comparison: Comparison) -> tuple[Verdict, tuple[str, ...]]:
    notes = tuple(note for note in comparison.notes if not note.startswith("0 of "))  # none was to be listed
    differing = comparison.missing_in_target + comparison.missing_in_source + comparison.value_differs
    if comparison.verdict is not Verdict.MISMATCHED or differing > check.max_differences:
        return comparison.verdict, notes
    notes = (*notes, f"{differing} rows differ; up to {check.max_differences} are allowed (max_differences)")
    if any(column.comparison.startswith("uncomparable") for column in comparison.columns.values()):
        return Verdict.INCONCLUSIVE, notes
    return Verdict.MATCHED, notes


def _measures(comparison: Comparison) -> dict[str, str]:
    columns = comparison.columns.items()
    measures = {f"differs: {name}": str(column.differs) for name, column in columns if column.differs}
    if comparison.within_tolerance:
        measures["within_tolerance"] = str(comparison.within_tolerance)
    return measures
