"""What a partition's write must have done, by its mode: what is refused before it, and what is proved after it."""

from collections.abc import Mapping

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.compare_plan import plan_comparison
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.engine.check_rows import shown_notes
from reconcile_assets.engine.tables import ResolvedTable
from reconcile_assets.errors import ConfigurationError, NotComparable


def refuse_unwritable(table: ResolvedTable) -> None:
    """Refuse, before anything is written, what the types and keys already rule out.

    Raises:
        NotComparable: a column of which nothing could be proved; it is named.
        ConfigurationError: the table is to be written by its key, which the target does not keep unique.
    """
    columns = table.config.columns
    plan = plan_comparison(table.pairs, table.key_names, uuids=columns.types)
    for column in plan.uncomparable:
        raise NotComparable(
            f"table {table.name}: column {column.name} can't be written and proved: "
            f"{column.comparison.removeprefix('uncomparable:')}; give the target's column a type that fits, or leave "
            "it out by columns.exclude"
        )
    if WriteMode(table.config.write) is WriteMode.REPLACE or not table.key:
        return
    key, there = {pair.target.name for pair in table.key}, table.target_table
    if not any(names and set(names) == key for names in (there.primary_key, *there.unique_keys)):
        raise ConfigurationError(
            f"table {table.name}: write: {table.config.write} needs a target that keeps the key unique; declare "
            f"({', '.join(sorted(key))}) the primary key of {there.name}, or a unique key without NULLs"
        )


def is_proved(proof: Comparison, mode: WriteMode) -> bool:
    """Whether the target holds what was read; modes that delete nothing may leave rows that the source has not."""
    if proof.verdict is Verdict.MATCHED:
        return True
    only_extra = proof.verdict is Verdict.MISMATCHED and not proof.missing_in_target and not proof.value_differs
    return only_extra and mode is not WriteMode.REPLACE


def count_changes(mode: WriteMode, *, before: int, read: int, after: int) -> tuple[int, int]:
    """Rows deleted and inserted; a row that takes another's place counts as both."""
    if mode is WriteMode.REPLACE:
        return before, after
    if mode is WriteMode.APPEND:
        return 0, max(0, after - before)
    return max(0, before + read - after), read


def write_notes(proof: Comparison, deleted: int, mode: WriteMode) -> tuple[str, ...]:
    """Sentences for people about a partition that was written."""
    stay = f"{proof.missing_in_source} rows that the source does not have stay (write: {mode})"
    notes = (stay,) if proof.missing_in_source else ()
    if proof.source.rows:
        return (*shown_notes(proof), *notes)
    return ("the source has no rows", *((f"{deleted} deleted in the target",) if deleted else ()), *notes)


_HINTS = {
    WriteMode.REPLACE: "Look at the types, defaults and triggers of the target",
    WriteMode.UPSERT: "Look at the types, defaults, triggers and other unique keys of the target",
    WriteMode.APPEND: "write: append changes no row that is there; write: upsert or replace does",
}


def explain_failure(table: str, bad: Mapping[str, Comparison], mode: WriteMode) -> str:
    """Why partitions are not proved: the first one's counts and columns, without values.

    Args:
        bad: by partition key.
    """
    key, proof = next(iter(bad.items()))
    others = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    differing = [
        f"{name} ({column.differs} rows)" if column.differs else f"{name} ({column.comparison})"
        for name, column in proof.columns.items()
        if column.differs or column.comparison.startswith("uncomparable")
    ]
    return (
        f"table {table}, partition {key}{others}: what stood in the target was not what was read "
        f"({proof.missing_in_target} missing, {proof.missing_in_source} extra, {proof.value_differs} changed"
        f"{': ' + ', '.join(differing[:5]) if differing else ''}); rolled back. {_HINTS[mode]}"
    )
