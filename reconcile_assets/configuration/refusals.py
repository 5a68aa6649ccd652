"""One clear line for each thing that validation found: which field, which value, and the next step."""

import difflib
import types
from collections.abc import Iterable
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Location = tuple[str | int, ...]
_LONGEST_VALUE = 60
_MESSAGES = {
    "string_type": "is not text; put it in quotes",
    "bool_type": "is neither true nor false",
    "tuple_type": "is not a list; write [a, b] or one item a line after a dash",
    "dict_type": "is not a mapping; write `key: value`",
    "model_type": "is not a mapping; write `key: value`",
    "model_attributes_type": "is not a mapping; write `key: value`",
    "too_short": "is empty; name at least one",
}
_CHECK_TYPES = ("row_count", "rows", "aggregate", "sql", "schema", "freshness")
_MISSING = {
    "partition": "tables without partitions are not supported in this version; "
    "write partition: {column: ..., by: day, start: ...}",
    "key": "name the columns that identify a row, or [] to compare rows as a multiset",
}


def refusals(error: ValidationError, model: type[BaseModel]) -> list[tuple[Location, str]]:
    """Each error as its place in the input and a message that begins with the field.

    A value is shown only where it is short and cannot carry a secret. A field that is missing
    because its name is mistyped is told once, as the unknown field.
    """
    found = error.errors(include_url=False)
    mistyped = {_meant(details, model) for details in found if details["type"] == "extra_forbidden"}
    return [
        _refusal(details, model)
        for details in found
        if not (details["type"] == "missing" and _walk(details["loc"], model)[0] in mistyped)
    ]


def near_name(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` when a known name is near, else what is known."""
    names = sorted(known)
    near = _nearest(name, names)
    return f"did you mean {near!r}?" if near is not None else f"known: {', '.join(names) or 'none'}"


def shown(value: object) -> str:
    """A value for a message, after a space; nothing where it is long, nested, or may carry a secret."""
    if not isinstance(value, str | int | float) and not hasattr(value, "isoformat"):
        return ""
    text = str(value)
    if len(text) > _LONGEST_VALUE or "://" in text or "@" in text or not text.isprintable():
        return ""
    return f" {value!r}" if isinstance(value, str) else f" {text}"


def dotted(place: Location) -> str:
    """A place as people write it: ``tables[0].checks[2].type``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part or repr(part)}" for part in place)
    return text.lstrip(".") or "the configuration"


def _refusal(details: ErrorDetails, model: type[BaseModel]) -> tuple[Location, str]:
    kind, context = details["type"], details.get("ctx", {})
    place, around = _walk(details["loc"], model)
    value = shown(details["input"])
    if kind == "refused":
        place, value, message = (*place, *context["place"]), shown(context["value"]), str(context["message"])
    elif kind == "value":
        message = str(context["message"])
    elif kind == "extra_forbidden":
        value, message = "", f"unknown field; {near_name(str(place[-1]), around.model_fields)}"
    elif kind == "missing":
        value, message = "", f"is missing; {_MISSING.get(str(place[-1]), 'add it')}"
    elif kind.startswith("union_tag"):
        place, value = (*place, "type"), shown(context.get("tag"))
        message = f"is no kind of check; {near_name(str(context.get('tag', '')), _CHECK_TYPES)}"
    elif kind in ("literal_error", "enum"):
        message = f"is not one of {context['expected']}"
    elif kind == "greater_than_equal":
        message = f"is less than {context['ge']}"
    else:
        message = _MESSAGES.get(kind, f"is not accepted ({kind})")
    return place, f"{dotted(place)}:{value} {message}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _meant(details: ErrorDetails, model: type[BaseModel]) -> Location:
    """The place of the field that an unknown one was probably meant to be."""
    place, around = _walk(details["loc"], model)
    return (*place[:-1], _nearest(str(place[-1]), around.model_fields) or "")


def _walk(location: Location, model: type[BaseModel]) -> tuple[Location, type[BaseModel]]:
    """A place without the tags that pydantic puts in for unions, and the last model on the way."""
    kind: Any = model
    around = model
    place: list[str | int] = []
    for part in location:
        kind = _bare(kind)
        if isinstance(kind, dict):
            kind = kind.get(str(part))
            continue
        if part == "[key]":
            break
        place.append(part)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            around = kind
            found = kind.model_fields.get(str(part))
            kind = None if found is None else found.annotation
        else:
            kind = next(iter(get_args(kind)[-1:] if get_origin(kind) is dict else get_args(kind)), None)
    return tuple(place), around


def _bare(kind: Any) -> Any:
    """A type without Annotated and Optional; a union with a discriminator as a mapping of its tags."""
    while get_origin(kind) is Annotated:
        base, *extras = get_args(kind)
        for extra in extras:
            if isinstance(extra, FieldInfo) and extra.discriminator is not None:
                return {member.model_fields[str(extra.discriminator)].default: member for member in get_args(base)}
        kind = base
    if get_origin(kind) in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _bare(members[0])
    return kind
