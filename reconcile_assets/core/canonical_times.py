"""Dates and times as whole microseconds, beyond what ``datetime`` can hold: BC, year 10000, infinity."""

import re

_DATE = r"(?P<year>\d{4,})-(?P<month>\d\d)-(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?"
_MOMENT = re.compile(rf"(?:{_DATE})?(?:[ T]?{_CLOCK})?(?P<zone>\+00(?::00)?|Z)?(?P<bc> BC)?")
_DAY = 86_400_000_000


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, year 0 being 1 BC.

    After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def microseconds_of(text: str) -> int | str:
    """Microseconds since 1970-01-01 00:00 (UTC for instants), or since midnight for a time of day.

    Args:
        text: ISO date, time or timestamp with a zero offset or none, ``BC`` after it where it is.

    Returns:
        The text itself where it is no finite moment: ``infinity``, ``-infinity``.
    """
    match = _MOMENT.fullmatch(text)
    if match is None or (match["year"] is None and match["hour"] is None):
        return text
    total = 0
    if match["year"] is not None:
        year = 1 - int(match["year"]) if match["bc"] else int(match["year"])
        total = days_from_civil(year, int(match["month"]), int(match["day"])) * _DAY
    if match["hour"] is not None:
        seconds = (int(match["hour"]) * 60 + int(match["minute"])) * 60 + int(match["second"])
        total += seconds * 1_000_000 + int((match["fraction"] or "0").ljust(6, "0"))
    return total
