"""How commands speak: results on stdout, everything else on stderr.

Rich output only on a terminal, plain lines otherwise; rich is imported only when it is used,
because importing it costs more than the smallest command takes.
"""

import json
import re
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 5.0


def print_json(document: Any) -> None:
    """Print the one JSON document of a command on stdout.

    Times are ISO text, durations seconds; a NaN is refused, because JSON has none.
    """
    print(json.dumps(document, ensure_ascii=False, allow_nan=False, default=_json_value))


def say(line: str) -> None:
    """Print one line for people on stderr."""
    print(printable(line), file=sys.stderr, flush=True)


def say_notes(table: str, notes: Iterable[tuple[str, str]]) -> None:
    """Print a table's notes on stderr, those that differ by their figures only as one line.

    Args:
        table: the table's name.
        notes: a partition's key and what was noted about it.
    """
    together: dict[str, dict[str, str]] = {}
    for partition, note in notes:
        together.setdefault(re.sub(r"\d+", "#", note), {}).setdefault(partition, note)
    for by_partition in together.values():
        partition, note = next(iter(by_partition.items()))
        more = f" and {len(by_partition) - 1} more" if len(by_partition) > 1 else ""
        say(f"note: {table} {partition}{more}: {note}")


def untold(error: object, table: str, partition: str = "") -> str:
    """An error's line without the table and partition that it begins with, for a line that has told them already."""
    text = str(error)
    for subject in (f"table {table}, partition {partition}: ", f"table {table}: "):
        text = text.removeprefix(subject)
    return text


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control and bidirectional characters are written as escapes."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print rows under their columns on stdout: boxed on a terminal, aligned text otherwise."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich_table(columns, cells, title)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    if title:
        print(title)
    for row in (list(columns), *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Progress:
    """A progress bar on stderr; a line every few seconds where stderr is no terminal.

    ::

        with Progress("backfill flights", total=365) as progress:
            progress.advance(note="2013-01-01: 842 rows")

    Attributes:
        done: how many steps have been made.
    """

    def __init__(self, what: str, *, total: int, quiet: bool = False) -> None:
        self.done = 0
        self._what, self._total, self._quiet = printable(what), total, quiet
        self._rich: tuple[RichProgress, TaskID] | None = None
        self._started = self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            self._rich = _rich_progress(self._what, self._total)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._rich is not None:
            self._rich[0].stop()
        elif not self._quiet:
            seconds = time.monotonic() - self._started
            say(f"{self._what}: {self.done} of {self._total} in {seconds:.1f} s")

    def advance(self, steps: int = 1, *, note: str = "") -> None:
        """Count steps done; the note is shown until the next one."""
        self.done += steps
        if self._rich is not None:
            progress, task = self._rich
            progress.update(task, advance=steps, note=printable(note))
        elif not self._quiet and time.monotonic() - self._spoke >= _SECONDS_BETWEEN_LINES:
            self._spoke = time.monotonic()
            say(f"{self._what}: {self.done} of {self._total}" + (f", {note}" if note else ""))


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _print_rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None)
    for column in columns:
        table.add_column(Text(column))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: a name in brackets is no markup
    Console().print(table)


def _rich_progress(what: str, total: int) -> "tuple[RichProgress, TaskID]":
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    plain = TextColumn("{task.fields[note]}", markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Bar(*columns, TimeRemainingColumn(), plain, console=Console(stderr=True))
    task = progress.add_task(escape(what), total=total, note="")
    progress.start()
    return progress, task
