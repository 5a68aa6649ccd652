"""Rows that differ, source beside target, as lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reconcile_assets.cli.styled_lines import Line, Span, pad
from reconcile_assets.core.side_by_side import NO_ROW, Shown, cut_text, escape_text, show_pair, show_value, text_width

if TYPE_CHECKING:
    from reconcile_assets.core.difference import Difference, Value

_WIDEST_VALUE = 60
_NARROWEST_VALUE = 20  # a time to the second
_MOST_COLUMNS = 8  # shown of a row whose values differ


def difference_lines(shown: "Sequence[Difference]", width: int, *, carets: bool) -> Iterator[Line]:
    """The differences, each with its values side by side; one above the other where the width is too small.

    Args:
        carets: mark the characters that differ in a line of their own.
    """
    layout = _Layout.of(shown, width)
    if not layout.stacked:
        yield [Span(layout.row("", "source", "target"), "bold")]
    for item in shown:
        yield from _lines_of(item, layout, carets=carets)


class _Layout(NamedTuple):
    """Cells of a column's name and of each value; stacked where two values don't fit side by side."""

    width: int
    name: int
    value: int
    stacked: bool

    @classmethod
    def of(cls, shown: "Sequence[Difference]", width: int) -> "_Layout":
        names = [name for item in shown for name in (*(item.source or ()), *(item.target or ()))]
        name = min(max([text_width(escape_text(name)) for name in names] or [0]), max(width // 4, 8))
        value = (width - name - 9) // 2
        if value < _NARROWEST_VALUE:
            return cls(width, name, max(width - 13, 4), stacked=True)
        return cls(width, name, min(value, _WIDEST_VALUE), stacked=False)

    def row(self, name: str, source: str, target: str) -> str:
        return f"    {pad(name, self.name)}  {pad(source, self.value)} | {target}"


def _lines_of(item: "Difference", layout: _Layout, *, carets: bool) -> Iterator[Line]:
    key = ", ".join(f"{escape_text(name)}={show_value(value, 40).text}" for name, value in item.key.items())
    yield [Span(f"  {item.kind.value}  ", "red"), Span(key, "bold")]
    if item.source is None or item.target is None:
        yield from _missing_lines(item.source or item.target or {}, layout, in_source=item.source is not None)
        return
    names = list(item.source)
    for name in names[:_MOST_COLUMNS]:
        pair = show_pair(item.source[name], item.target.get(name), layout.value)
        yield from _pair_lines(name, pair, layout, carets=carets)
    if len(names) > _MOST_COLUMNS:
        yield [Span(f"    and {len(names) - _MOST_COLUMNS:,} more columns", "dim")]


def _missing_lines(values: "Mapping[str, Value]", layout: _Layout, *, in_source: bool) -> Iterator[Line]:
    """The row that only one side has, as much of it as fits a line, on its side."""
    texts: list[str] = []
    for name, value in values.items():
        texts.append(f"{escape_text(name)}={show_value(value, 30).text}")
        if sum(map(len, texts)) > layout.value:
            break
    row = cut_text(", ".join(texts), layout.value)
    if not row:
        return
    if layout.stacked:
        yield [Span("      source  " if in_source else "      target  "), Span(row)]
        return
    left, right = (row, NO_ROW.text) if in_source else (NO_ROW.text, row)
    yield [
        Span(f"    {' ' * layout.name}  "),
        Span(pad(left, layout.value), "" if in_source else "dim italic"),
        Span(" | "),
        Span(right, "dim italic" if in_source else ""),
    ]


def _pair_lines(name: str, pair: tuple[Shown, Shown], layout: _Layout, *, carets: bool) -> Iterator[Line]:
    label = cut_text(escape_text(name), layout.name)
    if layout.stacked:
        yield [Span(f"    {cut_text(escape_text(name), layout.width - 4)}")]
        for side, shown in zip(("source", "target"), pair, strict=True):
            yield [Span(f"      {side} "), *_spans(shown, side)]
            if carets and _marks(shown).strip():
                yield [Span(f"             {_marks(shown)}")]
            if shown.characters:
                yield [Span(f"             {_length(shown)}", "dim")]
        return
    yield [
        Span(f"    {pad(label, layout.name)}  "),
        *_spans(pair[0], "source"),
        Span(" " * (layout.value - text_width(pair[0].text)) + " | "),
        *_spans(pair[1], "target"),
    ]
    if carets and any(_marks(shown).strip() for shown in pair):
        yield [Span(layout.row("", _marks(pair[0]), _marks(pair[1])).replace(" | ", "   ", 1).rstrip())]
    if any(shown.characters for shown in pair):
        yield [Span(layout.row("", _length(pair[0]), _length(pair[1])), "dim")]


_SPECIAL = {"null": "italic magenta", "masked": "dim italic", "absent": "dim italic"}
_MARKED = {"source": "bold black on red", "target": "bold black on green"}


def _spans(shown: Shown, side: str) -> Line:
    style = _SPECIAL.get(shown.kind.value, "")
    return [Span(piece.text, _MARKED[side] if piece.differs else style) for piece in shown.pieces]


def _length(shown: Shown) -> str:
    return f"{shown.characters:,} characters" if shown.characters else ""


def _marks(shown: Shown) -> str:
    return "".join(("^" if piece.differs else " ") * text_width(piece.text) for piece in shown.pieces)
