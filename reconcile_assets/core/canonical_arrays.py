"""PostgreSQL's array literals, read element by element.

The grammar is that of ``array_out``: optional bounds ``[0:1]=``, braces, commas,
double quotes with backslash escapes; an unquoted ``NULL`` is NULL, a quoted one is text.
"""

from collections.abc import Callable, Hashable, Sequence


def parse_array(text: str, read: Callable[[str | None], Hashable]) -> Hashable:
    """Nested tuples of what ``read`` makes of each element, with the array's bounds where they are not 1.

    Args:
        text: the literal.
        read: takes an element's text, or None for NULL.

    Returns:
        The text itself where it is no array literal.
    """
    bounds, separator, rest = text.partition("=") if text.startswith("[") else ("", "", text)
    body = rest if separator or not bounds else text
    try:
        value, end = _read_list(body, 0, read)
    except IndexError:
        return text
    if end != len(body):
        return text
    return ("bounds", bounds, value) if bounds else value


def _read_list(text: str, start: int, read: Callable[[str | None], Hashable]) -> tuple[Hashable, int]:
    if text[start] != "{":
        raise IndexError(start)
    items: list[Hashable] = []
    position = start + 1
    if text[position] == "}":
        return (), position + 1
    while True:
        item, position = _read_item(text, position, read)
        items.append(item)
        if text[position] == "}":
            return tuple(items), position + 1
        position += 1


def _read_item(text: str, start: int, read: Callable[[str | None], Hashable]) -> tuple[Hashable, int]:
    if text[start] == "{":
        return _read_list(text, start, read)
    if text[start] == '"':
        item, position = _read_quoted(text, start + 1)
        return ("value", read(item)), position
    position = start
    while text[position] not in ",}":
        position += 1
    item = text[start:position]
    return ("value", read(None if item == "NULL" else item)), position


def _read_quoted(text: str, start: int) -> tuple[str, int]:
    characters: list[str] = []
    position = start
    while text[position] != '"':
        if text[position] == "\\":
            position += 1
        characters.append(text[position])
        position += 1
    return "".join(characters), position + 1


_QUOTED = frozenset('{}",\\ \t\n\r\v\f')

Nested = Sequence["str | Nested | None"]


def array_text(items: Nested) -> str:
    """Nested lists of texts as PostgreSQL's ``array_out`` writes them."""
    return "{" + ",".join(_item_text(item) for item in items) + "}"


def _item_text(item: "str | Nested | None") -> str:
    if item is None:
        return "NULL"
    if not isinstance(item, str):
        return array_text(item)
    if item and item.upper() != "NULL" and _QUOTED.isdisjoint(item):
        return item
    escaped = item.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
