"""Lines of text with styles: in colour on a terminal that has it, plain elsewhere, never wider than the terminal."""

import io
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from reconcile_assets.core.side_by_side import ELLIPSIS, cut_text, text_width

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_A_PIPE = 100
_NARROWEST = 20


class Span(NamedTuple):
    """Some characters of a line and rich's style for them."""

    text: str
    style: str = ""


Line = list[Span]

Layout = Callable[[int, bool], Iterator[Line]]
"""Lays lines out for a width in cells; whether there is colour comes second."""


def print_lines(layout: Layout) -> None:
    """Print lines on stdout, laid out for what stdout is."""
    if sys.stdout.isatty():
        _print_rich(layout)
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an encoding that lacks a character is no reason to fail
    import shutil  # COLUMNS is honoured

    width = max(shutil.get_terminal_size((_WIDTH_OF_A_PIPE, 24)).columns, _NARROWEST)
    for line in layout(width, False):
        print(plain_text(clip(line, width)))


def plain_text(line: Line) -> str:
    """The characters of a line."""
    return "".join(span.text for span in line).rstrip()


def _print_rich(layout: Layout) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    coloured = console.color_system is not None and not console.no_color
    for line in layout(max(console.width, _NARROWEST), coloured):
        _print_line(console, clip(line, console.width))


def _print_line(console: "Console", line: Line) -> None:
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ignore")
    for span in line:
        text.append(span.text, span.style)
    text.rstrip()
    console.print(text, soft_wrap=True)


def pad(text: str, width: int) -> str:
    """Text filled up with spaces to a width in cells."""
    return text + " " * (width - text_width(text))


def wrap(head: Line, text: str, width: int, style: str = "") -> Iterator[Line]:
    """Text behind a head, its further lines under its first one."""
    used = sum(text_width(span.text) for span in head)
    for number, part in enumerate(_broken(text, max(width - used, 10))):
        yield [*(head if number == 0 else [Span(" " * used)]), Span(part, style)]


def _broken(text: str, room: int) -> list[str]:
    """Text in lines of so many cells, broken between words where that can be."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and text_width(line) + 1 + text_width(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
        while text_width(line) > room:
            head = cut_text(line, room + 1).removesuffix(ELLIPSIS)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line]


def clip(line: Line, width: int) -> Line:
    """No more cells than there are."""
    if sum(text_width(span.text) for span in line) <= width:
        return line
    clipped: Line = []
    for span in line:
        room = width - sum(text_width(each.text) for each in clipped)
        if room <= 0:
            break
        clipped.append(Span(cut_text(span.text, room), span.style))
    return clipped
