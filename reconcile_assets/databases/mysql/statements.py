"""Putting statements together: names and values enter only quoted, by type.

Text is written as hexadecimal with its character set, so that no quoting mode of a server can read it otherwise.
"""

import re
from collections.abc import Iterable
from typing import LiteralString

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\+?\d+)?", re.ASCII)
_CLOCK = re.compile(r"[-0-9:. ]+", re.ASCII)
_BITS = re.compile(r"[01]+", re.ASCII)


class Sql(str):
    """A piece of SQL; plain text only becomes one through the functions here."""

    __slots__ = ()


def sql(text: LiteralString) -> Sql:
    """A piece of SQL that stands in the source code."""
    return Sql(text)


def fill(template: LiteralString, **parts: Sql) -> Sql:
    """A template whose fields are other pieces of SQL."""
    return Sql(template.format_map(parts))


def join(separator: LiteralString, parts: Iterable[Sql]) -> Sql:
    """Pieces with a separator between them."""
    return Sql(separator.join(parts))


def user_sql(text: str) -> Sql:
    """SQL that a person wrote, to stand in a statement as it is: the server takes one statement at a time."""
    return Sql(text)


def identifier(*names: str) -> Sql:
    """A name, or a qualified one."""
    return Sql(".".join("`" + name.replace("`", "``") + "`" for name in names))


def text_literal(text: str) -> Sql:
    """A text."""
    return Sql(f"_utf8mb4 x'{text.encode('utf-8', 'surrogateescape').hex()}'")


def bytes_literal(value: bytes) -> Sql:
    """A binary string."""
    return Sql(f"_binary x'{value.hex()}'")


def integer_literal(value: int) -> Sql:
    """A whole number."""
    return Sql(f"{int(value)}")


def number_literal(text: str) -> Sql:
    """A number by its decimal text.

    Raises:
        ValueError: it is none.
    """
    return Sql(_only(_NUMBER, text))


def clock_literal(text: str) -> Sql:
    """A date or time by its ISO text.

    Raises:
        ValueError: it holds anything but digits and their separators.
    """
    return Sql(f"'{_only(_CLOCK, text)}'")


def bits_literal(text: str) -> Sql:
    """Bits by their digits.

    Raises:
        ValueError: it holds anything but 0 and 1.
    """
    return Sql(f"b'{_only(_BITS, text)}'")


def _only(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("a value does not look like its own type")
    return text
