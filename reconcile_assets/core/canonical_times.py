"""Dates and times as whole microseconds, beyond what ``datetime`` can hold: BC, year 10000, infinity."""

import re
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

_DATE = r"(?P<year>\d{4,})-(?P<month>\d\d)-(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d{2,3}):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?"
_MOMENT = re.compile(rf"(?:{_DATE})?(?:[ T]?{_CLOCK})?(?P<zone>\+00(?::00)?|Z)?(?P<bc> BC)?")
_HOURS = re.compile(_CLOCK)  # MySQL's TIME counts hours: to 838, and below zero
_DAY = 86_400_000_000


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, year 0 being 1 BC.

    After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_date(written: int, year: int, month: int, day: int) -> bool:
    """Whether the calendar has this day: MySQL also keeps days and months 0, and a year 0."""
    if not written or not 1 <= month <= 12 or not 1 <= day <= _MONTHS[month - 1]:
        return False
    return month != 2 or day < 29 or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def microseconds_of(text: str) -> int | Fraction | str:
    """Microseconds since 1970-01-01 00:00 (UTC for instants), or since midnight for a time of day.

    Args:
        text: ISO date, time or timestamp with a zero offset or none, ``BC`` after it where it is; a time of day may
            be below zero.

    Returns:
        The text itself where it is no finite moment: ``infinity``, ``-infinity``, ``0000-00-00``.
        A fraction where it has nanoseconds.
    """
    if text.startswith("-"):
        below = _HOURS.fullmatch(text, 1)
        return text if below is None else -_microseconds_of_clock(below)
    match = _MOMENT.fullmatch(text)
    if match is None or (match["year"] is None and match["hour"] is None):
        return text
    total: int | Fraction = 0
    if match["year"] is not None:
        year = 1 - int(match["year"]) if match["bc"] else int(match["year"])
        if not _is_date(int(match["year"]), year, int(match["month"]), int(match["day"])):
            return text
        total = days_from_civil(year, int(match["month"]), int(match["day"])) * _DAY
    return total if match["hour"] is None else total + _microseconds_of_clock(match)


def _microseconds_of_clock(match: re.Match[str]) -> int | Fraction:
    seconds = (int(match["hour"]) * 60 + int(match["minute"])) * 60 + int(match["second"])
    nanoseconds = int((match["fraction"] or "0").ljust(9, "0"))
    whole = seconds * 1_000_000 + nanoseconds // 1_000
    return whole + Fraction(nanoseconds % 1_000, 1_000) if nanoseconds % 1_000 else whole


_CYCLE = 400  # years after which the calendar repeats


def civil_from_days(days: int) -> tuple[int, int, int]:
    """The inverse of :func:`days_from_civil`."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    part = (5 * day_of_year + 2) // 153
    month = part + 3 if part < 10 else part - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * part + 2) // 5 + 1


def moment_text(microseconds: int | Fraction, *, zone: str = "") -> str:
    """A timestamp as PostgreSQL writes it: the inverse of :func:`microseconds_of`.

    Args:
        zone: written after the clock, e.g. ``+00``.
    """
    whole = int(microseconds // 1)
    days, clock = divmod(whole, _DAY)
    year, month, day = civil_from_days(days)
    seconds, micros = divmod(clock, 1_000_000)
    nanos = micros * 1_000 + int((microseconds - whole) * 1_000)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    shown, end = (year, "") if year > 0 else (1 - year, " BC")
    hour, minute = divmod(seconds // 60, 60)
    return f"{shown:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{seconds % 60:02d}{fraction}{zone}{end}"


def in_zone(text: str, zone: ZoneInfo) -> str:
    """A zoneless time as an instant, as PostgreSQL reads it.

    In the hour that a clock skips, the offset before holds; in the hour that it repeats, the later of the two instants.
    """
    moment = microseconds_of(text)
    if isinstance(moment, str):
        return text
    days, clock = divmod(int(moment // 1), _DAY)
    year, month, day = civil_from_days(days)
    near = year if 1 < year < 9_999 else year % _CYCLE + _CYCLE * (6 if year > 1 else 1)
    local = datetime(near, month, day, tzinfo=zone) + timedelta(microseconds=clock)
    first, second = (_offset(local.replace(fold=fold)) for fold in (0, 1))
    offset = second if first > second else first
    return moment_text(moment - offset // timedelta(microseconds=1), zone="+00")


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


_FRACTION = re.compile(r"\.(\d+)")


def cut_moment(text: str, digits: int, *, is_time: bool = False) -> str:
    """A timestamp cut to so many digits of a second, without zeros at the end of its fraction.

    Args:
        is_time: a time of day: its fraction has as many digits as are asked for.
    """
    if is_time:
        clock, _, fraction = text.partition(".")
        return f"{clock}.{fraction[:digits].ljust(digits, '0')}" if digits else clock
    return _FRACTION.sub(lambda match: f".{match[1][:digits]}".rstrip("0").rstrip("."), text)
