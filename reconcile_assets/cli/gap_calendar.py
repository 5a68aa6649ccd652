"""A calendar of gaps in plain characters: readable without colours, in a log, and by a screen reader."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reconcile_assets.core.gaps import GapKind, GapReport, PartitionState
from reconcile_assets.core.windows import Every, Partition

MARKS = {
    GapKind.MATCHED: ("=", "green"),
    GapKind.MISSING: ("M", "bold red"),
    GapKind.SHORT: ("S", "red"),
    GapKind.EXTRA: ("X", "magenta"),
    GapKind.STALE: ("T", "yellow"),
    GapKind.DIFFERENT: ("D", "bold yellow"),
    GapKind.UNVERIFIED: ("?", "yellow"),
}
EMPTY_MARK = ("o", "dim")
NO_PARTITION = (" ", "")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WIDTHS = {Every.HOUR: 24, Every.DAY: 31, Every.WEEK: 53, Every.MONTH: 12}


class Piece(NamedTuple):
    """Text and how it is coloured on a terminal."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


def draw_calendar(partitions: Sequence[Partition], report: GapReport, *, by: Every) -> list[Line]:
    """One line for each month of days, day of hours, or year of weeks or months.

    Hours: only days with a gap have a line, and the others are counted.
    """
    states = {state.key: state for state in report.partitions}
    rows: dict[str, dict[int, list[PartitionState]]] = {}
    for partition in partitions:
        label, place = _place(partition, by)
        rows.setdefault(label, {}).setdefault(place, []).append(states[partition.key])
    whole = [label for label, row in rows.items() if by is Every.HOUR and _is_whole(row)]
    width = max(len(label) for label in rows) if rows else 0
    lines: list[Line] = [(Piece(" " * width + "  " + _heading(by), "dim"),)] if rows else []
    for label, row in rows.items():
        if label not in whole:
            cells = (_cell(row.get(place, ()), by) for place in range(_WIDTHS[by]))
            lines.append((Piece(f"{label:<{width}}  "), *cells))
    if whole:
        lines.append((Piece(f"{len(whole)} days without a gap are not drawn"),))
    return lines


def draw_legend(report: GapReport) -> list[Line]:
    """The marks with their meaning and counts, those that occur only."""
    counts = dict(report.counts())
    empty = sum(_is_empty(state) for state in report.partitions)
    counts[GapKind.MATCHED] -= empty
    pieces: list[Piece] = []
    for kind, (mark, style) in MARKS.items():
        if counts[kind]:
            pieces += [Piece(mark, style), Piece(f" {kind.value} {counts[kind]}   ")]
    if empty:
        pieces += [Piece(*EMPTY_MARK), Piece(f" no rows on either side {empty}   ")]
    return [tuple(pieces)]


def print_lines(lines: Iterable[Line], *, colour: bool) -> None:
    """Print on stdout."""
    if not colour:
        for line in lines:
            print("".join(piece.text for piece in line).rstrip())
        return
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((piece.text, piece.style) for piece in line)))


def _place(partition: Partition, by: Every) -> tuple[str, int]:
    start = partition.local_start
    if by is Every.HOUR:
        return f"{start:%Y-%m-%d}", start.hour
    if by is Every.DAY:
        return f"{start:%Y-%m}", start.day - 1
    if by is Every.WEEK:
        return f"{start:%Y}", (start.timetuple().tm_yday - 1) // 7
    return f"{start:%Y}", start.month - 1


def _heading(by: Every) -> str:
    if by is Every.MONTH:
        return " ".join(_MONTHS)
    first = 0 if by is Every.HOUR else 1
    step = {Every.HOUR: 6, Every.DAY: 5, Every.WEEK: 10, Every.MONTH: 1}[by]
    cell = _cell_width(by)
    text = ""
    for place in range(_WIDTHS[by]):
        number = place + first
        if place == 0 or number % step == 0:
            text = f"{text:<{place * cell}}{number}"
    return text


def _cell(states: Sequence[PartitionState], by: Every) -> Piece:
    width = _cell_width(by)
    if not states:
        return Piece(NO_PARTITION[0] * width)
    gaps = [state for state in states if state.kind is not GapKind.MATCHED]
    if gaps:
        mark, style = MARKS[gaps[0].kind]
    elif all(_is_empty(state) for state in states):
        mark, style = EMPTY_MARK
    else:
        mark, style = MARKS[GapKind.MATCHED]
    return Piece(mark.ljust(width), style)


def _cell_width(by: Every) -> int:
    return {Every.WEEK: 1, Every.MONTH: 4}.get(by, 2)


def _is_empty(state: PartitionState) -> bool:
    return state.kind is GapKind.MATCHED and state.source_rows == 0


def _is_whole(row: dict[int, list[PartitionState]]) -> bool:
    return all(state.kind is GapKind.MATCHED for states in row.values() for state in states)
