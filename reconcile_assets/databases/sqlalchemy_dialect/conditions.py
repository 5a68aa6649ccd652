"""Conditions that a person wrote, for engines whose grammar is not known: one condition, and nothing beside it.

The server reads the text inside parentheses of ours. What could end them, or begin a second statement,
is refused here, as some drivers would run it.
"""

from collections.abc import Iterator

from reconcile_assets.databases.base import Relation
from reconcile_assets.errors import QueryRefused

_QUOTES = "'\"`"


def check_relation(relation: Relation, name: str) -> None:
    """Refuse a query or condition that is empty, or not surely one.

    Raises:
        QueryRefused: what is wrong with it.
    """
    for what, text in (("query", relation.query), ("condition", relation.where)):
        if text is None:
            continue
        if not text.strip() or "\x00" in text:
            raise QueryRefused(f"{name}: the {what} is empty or holds a NUL character")
        wrong = _wrong(text.strip().removesuffix(";") if what == "query" else text)
        if wrong:
            raise QueryRefused(f"{name}: the {what} {wrong}")


def _wrong(text: str) -> str | None:
    depth = 0
    for character in _outside_quotes(text):
        if character == ";":
            return "holds more than one statement, or a semicolon outside of quotes"
        if character == "\\":
            return "holds a backslash before a quote; write the quote twice instead"
        if character == "?":
            return "has a quote or comment that does not end"
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    return "has parentheses that don't pair" if depth else None


def _outside_quotes(text: str) -> Iterator[str]:
    """Parentheses and semicolons that are no part of quoted text or comments; ``\\`` and ``?`` for what is unsure."""
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and text[at + 1 : at + 2] in tuple(_QUOTES):
            yield "\\"
        if character in _QUOTES:
            end = text.find(character, at + 1)
            if end < 0:
                yield "?"
                return
            if text[end - 1] == "\\":
                yield "\\"
            at = end
        elif text.startswith("--", at):
            at = text.find("\n", at)
            if at < 0:
                return
        elif text.startswith("/*", at):
            at = text.find("*/", at + 2) + 1
            if at < 1:
                yield "?"
                return
        elif character in "();":
            yield character
        at += 1
