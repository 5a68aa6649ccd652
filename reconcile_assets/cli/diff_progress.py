"""How far a long diff is, on stderr: a bar on a terminal, a line now and then elsewhere, nothing for a short one."""

import os
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from reconcile_assets.cli.output import say

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from reconcile_assets.databases.base import CostMeter

SECONDS_TO_A_BAR = 1.0
SECONDS_TO_A_LINE = 5.0
_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_LOOKS = 0.2


class Standing(NamedTuple):
    """How far a diff is.

    Attributes:
        total: steps of the phase; None where nobody knows.
        rows, bytes: read from both sides so far.
    """

    phase: str = "connecting"
    done: int = 0
    total: int | None = None
    unit: str = ""
    rows: int = 0
    bytes: int = 0

    @property
    def steps(self) -> str:
        """The steps done, for people; a number of rows to come is the planners' estimate."""
        if self.total is None:
            return ""
        of = "of about" if self.unit == "rows" else "of"
        return f"{self.done:,} {of} {self.total:,} {self.unit}"

    @property
    def received(self) -> str:
        """What was read, for people; of files, which are not counted in bytes, only what the steps don't tell."""
        if self.bytes:
            return f"{self.rows:,} rows, {self.bytes / 1e6:,.1f} MB received"
        return f"{self.rows:,} rows read" if self.rows and self.unit != "rows" else ""


class DiffProgress:
    """Listens to a comparison (:class:`reconcile_assets.engine.progress.Progress`) and shows how far it is.

    A thread looks every fifth of a second, so that the comparison never waits for a terminal, and what shows the bar
    is not even loaded for a diff that is done within a second.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing = Standing()
        self._advanced = self._read_before = 0
        self._meters: tuple[CostMeter, ...] = ()
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def begin(self, source: "CostMeter", target: "CostMeter") -> None:
        """See :meth:`reconcile_assets.engine.progress.Progress.begin`."""
        self._meters = source, target
        self.phase("reading the tables' columns")

    def phase(self, name: str, total: int | None = None, *, unit: str = "") -> None:
        """See :meth:`reconcile_assets.engine.progress.Progress.phase`."""
        with self._lock:
            self._standing = Standing(name, 0, total, unit)
            self._advanced, self._read_before = 0, self._rows()

    def advance(self, steps: int = 1) -> None:
        """See :meth:`reconcile_assets.engine.progress.Progress.advance`."""
        with self._lock:
            self._advanced += steps

    def standing(self) -> Standing:
        """How far it is now; never more done than there is."""
        with self._lock:
            done = self._advanced
            if self._standing.unit == "rows":
                done += self._rows() - self._read_before
            if self._standing.total is not None:
                done = min(done, self._standing.total)
            received = sum(meter.bytes for meter in self._meters)
            return self._standing._replace(done=done, rows=self._rows(), bytes=received)

    def _rows(self) -> int:
        return sum(meter.rows_read for meter in self._meters)

    def _show(self) -> None:
        with suppress(OSError, ValueError):  # stderr has gone: the result still stands on stdout
            if _is_animated():
                self._show_bar()
            else:
                self._say_lines()

    def _say_lines(self) -> None:
        wait = SECONDS_TO_A_LINE
        while not self._ended.wait(wait):
            wait = _SECONDS_BETWEEN_LINES
            now = self.standing()
            told = [now.phase, now.steps, now.received, f"{time.monotonic() - self._started:.0f} s"]
            say("diff: " + ", ".join(each for each in told if each))

    def _show_bar(self) -> None:
        if self._ended.wait(SECONDS_TO_A_BAR):
            return
        bar, task = _rich_bar(self._started)
        self._update(bar, task)
        with bar:
            while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
                self._update(bar, task)
                bar.refresh()

    def _update(self, bar: "RichProgress", task: "TaskID") -> None:
        now = self.standing()
        bar.update(task, description=now.phase, completed=now.done, total=now.total, steps=now.steps, read=now.received)


def _is_animated() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def _rich_bar(started: float) -> "tuple[RichProgress, TaskID]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[steps]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[read]}", markup=False),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,  # what was found takes its place
        redirect_stdout=False,
        redirect_stderr=False,
        get_time=time.monotonic,
    )
    task = bar.add_task("", total=None, steps="", read="")
    bar.tasks[0].start_time = started
    return bar, task
