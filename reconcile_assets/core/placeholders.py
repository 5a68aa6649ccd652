"""``:partition_start`` and ``:partition_end`` in a query that a person wrote."""

import re
from enum import StrEnum


class Placeholder(StrEnum):
    """A bound of the partition that the query is run for."""

    START = "partition_start"
    END = "partition_end"


# Texts, quoted names, dollar-quoted bodies, comments and casts are stepped over: a colon in them is no placeholder.
_TOKEN = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
      | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)
      | --[^\n]*
      | /\*.*?\*/
      | ::
      | :(?P<name>partition_start|partition_end)\b
    """,
    re.VERBOSE | re.DOTALL,
)


def split_placeholders(query: str) -> tuple[str | Placeholder, ...]:
    """The query in pieces: its text, and a `Placeholder` wherever a bound belongs."""
    pieces: list[str | Placeholder] = []
    end = 0
    for found in _TOKEN.finditer(query):
        if found["name"] is None:
            continue
        pieces.extend((query[end : found.start()], Placeholder(found["name"])))
        end = found.end()
    pieces.append(query[end:])
    return tuple(piece for piece in pieces if isinstance(piece, Placeholder) or piece)


def has_placeholders(query: str) -> bool:
    """Whether the query asks for the partition's bounds."""
    return any(isinstance(piece, Placeholder) for piece in split_placeholders(query))
