"""Two values side by side: what is shown of each, and which of its characters differ.

Text stands in quotes, so that NULL is not ``'NULL'`` and a trailing space is seen; numbers, times, UUIDs and bytes
stand bare. Characters that can't be seen, or would steer what shows them, are written as escapes.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from reconcile_assets.core.difference import Masked, Value

ELLIPSIS = "…"
_BARE = re.compile(
    r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
    r"|-?\d{4,}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d(?::?\d\d){0,2})?)?(?: BC)?"
    r"|\d\d:\d\d:\d\d(?:\.\d+)?(?:[-+]\d\d(?::?\d\d){0,2})?"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\\x(?:[0-9a-f]{2})*"
    r"|(?-i:NaN|-?Infinity)",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_ALIGNED = 120  # differing characters up to which equal runs among them are looked for
_SHORTEST_RUN = 3  # an equal run among differing characters that is worth showing as equal


class ShownKind(StrEnum):
    """What a shown value is."""

    VALUE = "value"
    NULL = "null"
    MASKED = "masked"
    ABSENT = "absent"  # the side has no such row


class Piece(NamedTuple):
    """Some characters of a value: all of them differ from the other side's, or none does."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Shown:
    """A value as it is shown.

    Attributes:
        pieces: what is shown, escapes done; more than the room is cut off and ends in an ellipsis.
        characters: of the whole value where it was cut; None where all is shown.
    """

    kind: ShownKind
    pieces: tuple[Piece, ...]
    characters: int | None = None

    @property
    def text(self) -> str:
        """All pieces."""
        return "".join(piece.text for piece in self.pieces)


NULL = Shown(ShownKind.NULL, (Piece("NULL"),))
MASKED_VALUE = Shown(ShownKind.MASKED, (Piece("masked"),))
NO_ROW = Shown(ShownKind.ABSENT, (Piece("no such row"),))


def escape_text(text: str) -> str:
    """The text, characters that can't be seen or that steer what shows them written as escapes."""
    return text if text.isprintable() else "".join(map(_escape, text))


def text_width(text: str) -> int:
    """How many cells of a terminal a printable text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut_text(text: str, room: int) -> str:
    """A printable text cut to the cells there are, with an ellipsis where something is gone."""
    if text_width(text) <= room:
        return text
    kept, used = [], 1
    for character in text:
        used += _cells(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS if room > 0 else ""


def show_value(value: Value, room: int) -> Shown:
    """One value, in at most so many cells."""
    special = _special(value)
    if special is not None:
        return special
    text = _bare(value)
    quoted = isinstance(value, str) and not _BARE.fullmatch(text)
    return _cut(text, quoted=quoted, start=0, differs=range(0), equal=(), room=room)


def show_pair(source: Value, target: Value, room: int) -> tuple[Shown, Shown]:
    """Two values that differ, each in at most so many cells around the first character that differs."""
    specials = _special(source), _special(target)
    if specials[0] is not None or specials[1] is not None:
        return specials[0] or show_value(source, room), specials[1] or show_value(target, room)
    left, right = _bare(source), _bare(target)
    alike = left == right  # the number 5 beside the text '5'
    quotes = [isinstance(value, str) and (alike or not _BARE.fullmatch(_bare(value))) for value in (source, target)]
    whole = alike or isinstance(source, bool) or isinstance(target, bool)
    head = 0 if whole else _common_head(left, right)
    tail = 0 if whole else _common_head(left[head:][::-1], right[head:][::-1])
    changed = range(head, len(left) - tail), range(head, len(right) - tail)
    equal = ((), ()) if whole else _equal_runs(left, right, *changed)
    start = _window_start(left, right, head, room)
    shown = [
        _cut(text, quoted=quotes[side], start=start, differs=changed[side], equal=equal[side], room=room)
        for side, text in enumerate((left, right))
    ]
    return shown[0], shown[1]


def _special(value: Value) -> Shown | None:
    if value is None:
        return NULL
    return MASKED_VALUE if isinstance(value, Masked) else None


def _bare(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _common_head(left: str, right: str) -> int:
    """How many characters both begin with, found by halves: a value may have millions."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _equal_runs(left: str, right: str, differs: range, other: range) -> tuple[tuple[range, ...], tuple[range, ...]]:
    """Runs inside the differing part that are the same on both sides."""
    if not differs or not other or max(len(differs), len(other)) > _LONGEST_ALIGNED:
        return (), ()
    import difflib  # only where something differs

    matcher = difflib.SequenceMatcher(None, left[differs.start : differs.stop], right[other.start : other.stop], False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size >= _SHORTEST_RUN]
    if 2 * sum(block.size for block in blocks) < max(len(differs), len(other)):
        return (), ()  # mostly different: what is equal is so by chance
    return (
        tuple(range(differs.start + block.a, differs.start + block.a + block.size) for block in blocks),
        tuple(range(other.start + block.b, other.start + block.b + block.size) for block in blocks),
    )


def _window_start(left: str, right: str, head: int, room: int) -> int:
    """Where to begin so that what differs is seen with something before it; 0 where that is seen anyway."""
    if all(len(text) < room and _token_width(text) + 2 <= room for text in (left, right)):
        return 0
    if head <= room and _token_width(left[:head]) <= room * 2 // 3:
        return 0
    start, width = head, 0
    while start > 0:
        width += _token_width(left[start - 1])
        if width > room // 3:
            break
        start -= 1
    rest = max(_token_width(text[start : start + room]) for text in (left, right))
    while start > 0 and rest + _token_width(left[start - 1]) <= room - 2:
        start -= 1
        rest += _token_width(left[start])
    return start


def _cut(text: str, *, quoted: bool, start: int, differs: range, equal: tuple[range, ...], room: int) -> Shown:
    """The characters from ``start`` on that fit."""
    opening = ELLIPSIS if start else "'" if quoted else ""
    closing = "'" if quoted else ""
    room -= len(opening)
    pieces: list[Piece] = []
    width = 0
    for at in range(start, len(text)):
        marked = at in differs and not any(at in run for run in equal)
        pieces.append(Piece(_token(text[at], marked=marked, quoted=quoted), marked))
        width += text_width(pieces[-1].text)
        if width > room:
            break
    cut = width + len(closing) > room
    if cut:
        closing = ELLIPSIS
        while pieces and width + len(closing) > room:
            width -= text_width(pieces.pop().text)
    shown = tuple(_joined([Piece(opening), *pieces, Piece(closing)]))
    return Shown(ShownKind.VALUE, shown, len(text) if cut or start else None)


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    for differs, group in itertools.groupby(pieces, key=lambda piece: piece.differs):
        text = "".join(piece.text for piece in group)
        if text:
            yield Piece(text, differs)


def _token(character: str, *, marked: bool, quoted: bool) -> str:
    """A character as it is shown; one that melts into its neighbour is an escape where it differs."""
    if character == "\\" and quoted:
        return "\\\\"
    if marked and unicodedata.category(character).startswith("M"):
        return _escape(character, always=True)
    return _escape(character)


def _token_width(text: str) -> int:
    return sum(text_width(_token(character, marked=False, quoted=True)) for character in text)


def _escape(character: str, *, always: bool = False) -> str:
    if character.isprintable() and not always:
        return character
    return character.encode("unicode_escape").decode()


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
