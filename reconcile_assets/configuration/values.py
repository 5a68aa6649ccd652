"""Types of single values in the configuration, each with its own plain refusal."""

import keyword
import math
import re
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FIRST_YEAR, _LAST_YEAR = 1000, 9000
_LONGEST = timedelta(days=36500)
_CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTHS = {"2": 29, "4": 30, "6": 30, "9": 30, "11": 30}
_CRON_NAMES = {
    "month": {name: number for number, name in enumerate(_MONTHS, start=1)},
    "weekday": {name: number for number, name in enumerate(_WEEKDAYS)},
}
RESERVED_NAMES = frozenset(
    {"context", "conf", "config", "meta", "arg_dict", "dict", "input_arg_dict", "output_arg_dict", "int", "str"}
    | {"float", "bool", "input", "output", "type"}
)  # Dagster's own; a test compares them
_CRON_SHORTHAND = frozenset({"@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually", "@midnight"})


def _refusal(message: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{message}", {"message": message})


def _number(value: object) -> float:
    """Numbers as YAML writes them; ``1e-9`` is text to YAML 1.1, so text is read too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _refusal("is not a number; write e.g. 0.01")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise _refusal("is not a number; write e.g. 0.01") from None
    if math.isnan(number) or math.isinf(number):
        raise _refusal("is not a finite number; write e.g. 0.01")
    if number < 0:
        raise _refusal("is negative; a tolerance is 0 or more")
    return number


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refusal("is not a whole number")
    return value


def _wall_clock(value: object) -> datetime:
    """A date is its midnight; a time has no zone, because ``timezone`` says it."""
    moment: object = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise _refusal("is neither a date nor a time; write e.g. 2013-01-01 or 2013-01-01T06:00") from None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if not isinstance(moment, datetime):
        raise _refusal("is neither a date nor a time; write e.g. 2013-01-01 or 2013-01-01T06:00")
    if moment.tzinfo is not None:
        raise _refusal("carries an offset; write the wall clock of `timezone`, e.g. 2013-01-01T06:00")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise _refusal(f"is out of range; years {_FIRST_YEAR} to {_LAST_YEAR} can be partitioned")
    return moment


def _zone_name(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown, absolute, a folder
        raise _refusal("is no time zone; write an IANA name, e.g. UTC or America/New_York") from None
    return value


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        duration = value
    else:
        found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise _refusal("is no duration; write e.g. 30s, 15m, 2h or 1d")
        seconds = float(found[1]) * _UNIT_SECONDS[found[2]]
        duration = timedelta(seconds=min(seconds, 2 * _LONGEST.total_seconds()))
    if not timedelta(0) < duration <= _LONGEST:
        raise _refusal("is out of range; a duration is more than 0 and at most 100 years")
    return duration


def _cron(value: str) -> str:
    """Five fields with their ranges; what Dagster's scheduler refuses beyond that, it says itself."""
    if value in _CRON_SHORTHAND:
        return value
    fields = value.lower().split()
    if len(fields) != len(_CRON_FIELDS):
        raise _refusal(f"has {len(fields)} fields, a cron line has 5; write e.g. */15 * * * *")
    for text, (name, low, high) in zip(fields, _CRON_FIELDS, strict=True):
        for part in text.split(","):
            if not _is_cron_part(part, low, high, _CRON_NAMES.get(name, {}), is_day=name == "day"):
                raise _refusal(f"the {name} field {text!r} is not within {low}-{high}; write e.g. */15 * * * *")
    month = _CRON_NAMES["month"].get(fields[3], fields[3])
    if fields[2].isdigit() and int(fields[2]) > _LONGEST_MONTHS.get(str(month).lstrip("0"), 31):
        raise _refusal(f"names day {fields[2]} of month {fields[3]}, which never comes; write e.g. 0 6 28 2 *")
    return value


def _is_cron_part(part: str, low: int, high: int, names: dict[str, int], *, is_day: bool) -> bool:
    if part == "l":
        return is_day  # the month's last day
    base, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 1 <= int(step) <= high):
        return False
    if base == "*" or (part == "?" and high in (31, 7)):
        return True
    ends = [names.get(end, int(end) if end.isascii() and end.isdigit() else -1) for end in base.split("-")]
    return 1 <= len(ends) <= 2 and all(low <= end <= high for end in ends) and ends == sorted(ends)


def _text(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise _refusal("is empty or holds a NUL character; write a name or a query")
    return value


def _definition_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,200}", value):
        raise _refusal("is no name for Dagster; use letters, digits and underscores, at most 200")
    if keyword.iskeyword(value) or value in RESERVED_NAMES:
        raise _refusal("is a word that Dagster or Python keeps for itself; choose another, e.g. with a prefix")
    return value


def _connection_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", value):
        raise _refusal("is no connection name; use lower-case letters, digits and underscores, e.g. source")
    return value


def _variable_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", value):
        raise _refusal("is no variable name; name the variable that holds the URL, not the URL")
    return value


Amount = Annotated[float, BeforeValidator(_number)]
"""A tolerance: a finite number of 0 or more."""

WholeNumber = Annotated[int, BeforeValidator(_whole)]

WallClock = Annotated[datetime, BeforeValidator(_wall_clock)]
"""A naive time on the wall clock of the partition's zone; a date is its midnight."""

ZoneName = Annotated[str, AfterValidator(_zone_name)]

Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""Text such as ``30s``, ``15m``, ``2h``, ``1d``."""

Cron = Annotated[str, AfterValidator(_cron)]

Text = Annotated[str, AfterValidator(_text)]
"""Anything but nothing; no NUL, which no database takes in a name or a query."""

DefinitionName = Annotated[str, AfterValidator(_definition_name)]
"""A table's or a check's name: Dagster takes letters, digits and underscores."""

ConnectionName = Annotated[str, AfterValidator(_connection_name)]
"""Lower case, because upper case is the variable that holds the URL."""

VariableName = Annotated[str, AfterValidator(_variable_name)]

Positive = Annotated[WholeNumber, Field(ge=1)]
NotNegative = Annotated[WholeNumber, Field(ge=0)]
