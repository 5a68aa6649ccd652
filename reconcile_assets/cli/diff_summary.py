"""A comparison as lines for people: what was counted, how each column was compared, and rows that differ."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconcile_assets.cli.diff_rows import difference_lines
from reconcile_assets.cli.styled_lines import Line, Span, pad, print_lines, wrap
from reconcile_assets.core.side_by_side import cut_text, escape_text, text_width

if TYPE_CHECKING:
    from reconcile_assets.core.compare import Comparison

LISTED = 10
"""Differences that are listed where nobody said how many."""

_MOST_EQUAL_COLUMNS = 30  # shown of those in which nothing differs
_BADGES = {"matched": "bold black on green", "mismatched": "bold white on red", "inconclusive": "bold black on yellow"}


def why_inconclusive(comparison: "Comparison") -> str:
    """The one line that says what could not be verified."""
    if comparison.unsettled:
        return (
            f"could not verify: {comparison.unsettled:,} of the rows that differed did not settle,"
            " they went on changing; wait longer with --recheck-after"
        )
    names = [name for name, column in comparison.columns.items() if column.comparison.startswith("uncomparable")]
    return (
        f"could not verify: no exact comparison for {escape_text(', '.join(names))};"
        " leave them out with --exclude, or declare how"
    )


def print_summary(comparison: "Comparison", *, listed: int = LISTED) -> None:
    """Print the summary on stdout."""
    print_lines(lambda width, coloured: summary_lines(comparison, width, listed, carets=not coloured))


def summary_lines(comparison: "Comparison", width: int, listed: int, *, carets: bool) -> Iterator[Line]:
    """The whole summary.

    Args:
        width: cells that a line may take.
        listed: differences that are listed.
        carets: mark the characters that differ in a line of their own.
    """
    verdict = comparison.verdict.value
    yield [Span(verdict.upper(), _BADGES[verdict])]
    yield []
    yield from _count_lines(comparison, width)
    yield from _column_lines(comparison, width)
    yield from _difference_lines(comparison, width, listed, carets=carets)
    yield from _note_lines(comparison, width)
    yield []
    yield from wrap([], _cost(comparison), width, "dim")


def _count_lines(comparison: "Comparison", width: int) -> Iterator[Line]:
    source, target = comparison.source, comparison.target
    for side, name in (("source", comparison.source_name), ("target", comparison.target_name)):
        if name:
            yield from wrap([Span(f"  {side}  ")], escape_text(name), width)
    if comparison.source_name or comparison.target_name:
        yield []
    room = min(max((width - 20) // 2, 8), 16)
    yield [Span(f"  {'':<18}{'source':>{room}}{'target':>{room}}", "bold")]
    for label, left, right in (
        ("rows", source.rows, target.rows),
        ("NULL in the key", source.null_keys, target.null_keys),
        ("rows beyond keys", source.duplicate_keys, target.duplicate_keys),
    ):
        if left or right or label == "rows":
            yield [Span(f"  {label:<18}{left:>{room},}{right:>{room},}")]
    yield []
    for label, count in (
        ("missing in target", comparison.missing_in_target),
        ("missing in source", comparison.missing_in_source),
        ("value differs", comparison.value_differs),
    ):
        yield [Span(f"  {label:<18}"), Span(f"{count:>{room},}", _red(count))]
    for label, count in (("within tolerance", comparison.within_tolerance), ("not settled", comparison.unsettled)):
        if count:
            yield [Span(f"  {label:<18}{count:>{room},}")]


def _column_lines(comparison: "Comparison", width: int) -> Iterator[Line]:
    if not comparison.columns:
        return
    told = [(name, found) for name, found in comparison.columns.items() if found.differs or found.comparison != "exact"]
    quiet = [name for name, found in comparison.columns.items() if not found.differs and found.comparison == "exact"]
    if len(quiet) <= _MOST_EQUAL_COLUMNS:
        told, quiet = list(comparison.columns.items()), []
    names = [cut_text(escape_text(name), max(width // 2 - 12, 8)) for name, _ in told]
    room = max(map(text_width, (*names, "column")))
    yield []
    yield [Span(f"  {'column':<{room}}  {'differs':>13}  compared", "bold")]
    for name, (_, found) in zip(names, told, strict=True):
        differs = f"{found.differs:,}" if found.differs else "-"
        how = ": ".join(found.comparison.split(":", 1))
        head = [Span(f"  {pad(name, room)}  "), Span(f"{differs:>13}", _red(found.differs)), Span("  ")]
        style = "yellow" if how.startswith("uncomparable") else ""
        yield from wrap(head, escape_text(how), width, style)
    if quiet:
        yield [Span(f"  {len(quiet):,} more columns: none differs, compared exactly", "dim")]


def _red(count: int) -> str:
    return "bold red" if count else ""


def _difference_lines(comparison: "Comparison", width: int, listed: int, *, carets: bool) -> Iterator[Line]:
    total = comparison.missing_in_target + comparison.missing_in_source + comparison.value_differs
    shown = comparison.differences[:listed]
    if not total:
        return
    yield []
    if not shown:
        yield [Span(f"differences: none of {total:,} is listed; --limit N lists N of them")]
        return
    heading = f"differences: {len(shown):,} of {total:,}" if len(shown) < total else f"differences: all {total:,}"
    yield [Span(heading, "bold")]
    yield from difference_lines(shown, width, carets=carets)
    if len(shown) < total:
        yield []
        more = f"{total - len(shown):,} more differ; see them with --limit N, --json or --html FILE"
        yield from wrap([], more, width)


def _note_lines(comparison: "Comparison", width: int) -> Iterator[Line]:
    # How many are listed here was said beside them; this note is about the list in --json.
    notes = [note for note in comparison.notes if not note.endswith("differences are listed; all are counted")]
    if not notes:
        return
    yield []
    yield [Span("notes", "bold")]
    for note in notes:
        yield from wrap([Span("  ")], escape_text(note), width)


def _cost(comparison: "Comparison") -> str:
    source, target = comparison.source_cost, comparison.target_cost
    received = (
        f"{source.rows_read:,} and {target.rows_read:,} rows received, {(source.bytes + target.bytes) / 1e6:.2f} MB"
    )
    return f"{comparison.seconds:.2f} s, {source.scans} and {target.scans} scans, {received}"
