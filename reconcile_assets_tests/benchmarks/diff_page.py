"""The figures of a measured comparison as lines, as a page's table, and as a picture of their growth."""

import math
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- make bench-diff writes from here -->", "<!-- to here -->"


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock, and of processor time of client and server together (NaN where nobody tells)."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Timed:
    """Medians; None for what was not run."""

    name: str
    rows: int
    ours: Taken | None
    raw: Taken | None
    reladiff: Taken | None


@dataclass(frozen=True)
class Measured:
    """What one comparison cost on the side where it cost more.

    Attributes:
        memory: the client's most, in bytes.
        scans, whole_scans: by the server's count: begun, and rows read for each row of the table.
        bytes: by the proxy's count.
        told_scans, told_bytes: by our own.
        deviation: of the bytes told from those counted, on the side where it is larger.
        listed: differences of which the values were given.
    """

    name: str
    rows: int
    memory: int
    scans: int
    whole_scans: float
    bytes: int
    told_scans: int
    told_bytes: int
    deviation: float
    listed: int
    differences: int


@dataclass(frozen=True)
class Growth:
    """Identical tables of one size: seconds, and bytes of memory."""

    rows: int
    seconds: float
    memory: int


_BOUNDS = {  # at most so many times the raw digest, at least so many times faster than reladiff
    ("identical", 1_000_000): (1.5, 3.5),
    ("identical", 3_000_000): (1.3, 5.0),
    ("1,000 differences", 1_000_000): (None, 3.0),
    ("1,000 differences", 3_000_000): (None, 3.0),
}
_MOST_BYTES = {"1,000 differences": 10_000_000, "100 differences": 1_000_000}
_MOST_MEMORY = 300_000_000


@dataclass(frozen=True)
class Figures:
    """All that was measured on one server."""

    major: int
    timed: tuple[Timed, ...]
    measured: tuple[Measured, ...]
    growth: tuple[Growth, ...]

    def lines(self) -> Iterator[str]:
        """For the terminal, each figure beside its bound."""
        yield f"\nPostgreSQL {self.major}, {_machine()}"
        for each in self.timed:
            most, least = _BOUNDS.get((each.name, each.rows), (None, None))
            yield (
                f"  {each.name}, {each.rows:,} rows: {_shown(each.ours)}; "
                f"{_times(each.ours, each.raw)} times the raw digest{_at('most', most)}; "
                f"{_times(each.reladiff, each.ours)} times faster than reladiff{_at('least', least)}"
            )
        for found in self.measured:
            most = _MOST_BYTES.get(found.name)
            yield (
                f"  {found.name}, {found.rows:,} rows: {found.scans} scans ({found.whole_scans:.2f} times the table; "
                f"at most 2), {found.bytes / 1e6:.2f} MB{_at('most', most and most / 1e6)}, "
                f"{found.memory / 1e6:.0f} MB of memory (at most {_MOST_MEMORY / 1e6:.0f}); "
                f"told {found.told_scans} scans, {found.told_bytes / 1e6:.2f} MB ({found.deviation:.1%} off)"
            )

    def table(self) -> Iterator[str]:
        """For the page."""
        yield f"PostgreSQL {self.major}, {_machine()}. Medians, in seconds on the clock / of processor time of client"
        yield "and server together; the machine was busy with other work where the two are far apart."
        yield ""
        yield "| tables | ours | bare digest of both sides | ours beside it | reladiff 0.6.0 | ours is faster |"
        yield "|---|---|---|---|---|---|"
        for each in self.timed:
            beside = "" if each.raw is None else f"{_times(each.ours, each.raw)} times"
            faster = "" if each.reladiff is None else f"{_times(each.reladiff, each.ours)} times"
            cells = [_shown(each.ours), _shown(each.raw), beside, _shown(each.reladiff), faster]
            yield f"| {each.rows:,} rows, {each.name} | {' | '.join(cells)} |"
        yield ""
        yield "| tables | scans of a side | received by a side | told by `cost` | memory of the client | listed |"
        yield "|---|---|---|---|---|---|"
        for found in self.measured:
            yield (
                f"| {found.rows:,} rows, {found.name} | {found.whole_scans:.2f} | {found.bytes / 1e6:.2f} MB "
                f"| {found.told_scans} scans, {found.told_bytes / 1e6:.2f} MB | {found.memory / 1e6:.0f} MB "
                f"| {found.listed:,} of {found.differences:,} |"
            )


def write_page(figures: Figures, page: Path | None, picture: Path | None) -> None:
    """Put the figures between the page's marks, and the picture where it is wanted."""
    if page is not None:
        text = page.read_text(encoding="utf-8")
        head, rest = text.split(BEGIN, 1)
        tail = rest.split(END, 1)[1]
        page.write_text(head + BEGIN + "\n" + "\n".join(figures.table()) + "\n" + END + tail, encoding="utf-8")
    if picture is not None and figures.growth:
        picture.write_text(draw(figures.growth), encoding="utf-8")


def draw(growth: Sequence[Growth]) -> str:
    """Two logarithmic charts side by side, as SVG: seconds and megabytes over rows."""
    charts = [
        _chart(60, "seconds", [(each.rows, each.seconds) for each in growth], lambda value: f"{value:.2g}"),
        _chart(460, "MB of memory", [(each.rows, each.memory / 1e6) for each in growth], lambda value: f"{value:.0f}"),
    ]
    style = "text{font:12px sans-serif;fill:#24292f}.t{font-weight:bold}.a{stroke:#8c959f}.d{stroke-dasharray:4 4}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300" role="img" '
        'aria-label="Time and memory of a comparison over the rows of each table">'
        f'<style>{style}</style><rect width="800" height="300" fill="#fff"/>{"".join(charts)}</svg>\n'
    )


def _chart(left: int, title: str, points: list[tuple[int, float]], shown: Callable[[float], str]) -> str:
    width, height, top = 310, 200, 40
    first, last = points[0], points[-1]
    low = min(value for _, value in points) / 2
    high = max(first[1] * last[0] / first[0], *(value for _, value in points)) * 1.5
    span = math.log(last[0] / first[0]) or 1.0

    def place(rows: float, value: float) -> tuple[float, float]:
        x = left + width * math.log(rows / first[0]) / span
        return x, top + height * (1 - math.log(value / low) / math.log(high / low))

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    (x1, y1), (x2, y2) = place(*first), place(last[0], first[1] * last[0] / first[0])
    parts = [
        f'<text class="t" x="{left}" y="24">{title}</text>',
        f'<path class="a" fill="none" d="M{left} {top}V{top + height}H{left + width}"/>',
        f'<path class="a d" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>',
        f'<polyline points="{line}" fill="none" stroke="#0969da" stroke-width="2"/>',
    ]
    for rows, value in points:
        x, y = place(rows, value)
        name = f"{rows // 1_000_000}M" if rows >= 1_000_000 else f"{rows // 1000}k"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#0969da"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{shown(value)}</text>')
        parts.append(f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{name}</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 38}" text-anchor="middle">rows of each table</text>')
    parts.append(
        f'<text x="{(x1 + x2) / 2 - 8:.1f}" y="{(y1 + y2) / 2 - 8:.1f}" text-anchor="end">in proportion</text>'
    )
    return "".join(parts)


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"


def _shown(taken: Taken | None) -> str:
    return "" if taken is None else f"{taken.seconds:.2f} / {taken.cpu:.2f}"


def _times(larger: Taken | None, smaller: Taken | None) -> str:
    if larger is None or smaller is None:
        return "-"
    return f"{larger.seconds / smaller.seconds:.2f} / {larger.cpu / smaller.cpu:.2f}"


def _at(word: str, bound: float | None) -> str:
    return "" if bound is None else f" (at {word} {bound:g})"
