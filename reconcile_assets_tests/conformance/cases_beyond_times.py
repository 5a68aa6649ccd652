"""Times at their edges (31)."""

from reconcile_assets_tests.conformance.cases import (
    Held,
    by,
    held,
)
from reconcile_assets_tests.conformance.cases_beyond import differ, same, unsure
from reconcile_assets_tests.conformance.kinds import (
    date,
    interval,
    null,
    time,
    timestamp,
)


def far(literal: str, duckdb: str | None = None) -> Held:
    """A zoneless time that MariaDB can't hold."""
    return held(
        "timestamp",
        "",
        "DATETIME",
        "TIMESTAMP",
        by(f"'{literal}'", "", f"'{literal}'", f"'{duckdb or literal}'"),
        "'2020-01-02 00:00:00'",
    )


def clock(literal: str) -> Held:
    """A time of MariaDB, which counts hours."""
    return held("", "time(6)", literal=f"'{literal}'", pad="'01:02:03'")


def clock3(literal: str) -> Held:
    """The same in whole milliseconds."""
    return held("", "time(3)", literal=f"'{literal}'", pad="'01:02:03'")


PAST = by("'1800-01-01 00:00:00+00:00'", "", "'1800-01-01 00:00:00+00:00'", "'1800-01-01 00:00:00+00:00'")
NOON = "'2020-01-02 00:00:00+00:00'"
LONG_AGO = held("timestamptz", "", "TIMESTAMPTZ", "TIMESTAMPTZ", PAST, NOON)


def zoned(utc: str) -> Held:
    """An instant that MariaDB can't hold, beside New York's midnight of the padding."""
    there = f"'{utc}+00:00'"
    return held(
        "timestamptz", "", "TIMESTAMPTZ", "TIMESTAMPTZ", by(there, "", there, there), "'2020-01-02 05:00:00+00:00'"
    )


NEW_YORK = {"zones": {"v": "America/New_York"}}
TIMES = [
    same("year 294000", far("294000-01-01 00:00:00")),
    same("4000 BC", far("4000-01-01 00:00:00 BC", "4000-01-01 (BC) 00:00:00")),
    differ(
        "4000 BC and 4001 BC",
        far("4000-01-01 00:00:00 BC", "4000-01-01 (BC) 00:00:00"),
        far("4001-01-01 00:00:00 BC", "4001-01-01 (BC) 00:00:00"),
    ),
    differ(
        "1 BC and AD 1", far("0001-01-01 00:00:00 BC", "0001-01-01 (BC) 00:00:00"), timestamp("'0001-01-01 00:00:00'")
    ),
    same("29 February 1 BC", far("0001-02-29 00:00:00 BC", "0001-02-29 (BC) 00:00:00")),
    same("dates of year 5000000", held("date", "", "", "DATE", "'5000000-01-01'", "'2020-01-02'")),
    differ(
        "a date beyond timestamps and a timestamp",
        held("date", "", "", "DATE", "'5000000-01-01'", "'2020-01-02'"),
        far("infinity"),
    ),
    same("an instant of 1800", LONG_AGO),
    same(
        "an instant of 1800 in an offset",
        LONG_AGO,
        held(
            "timestamptz",
            "",
            "TIMESTAMPTZ",
            "TIMESTAMPTZ",
            by("'1799-12-31 19:00:00-05:00'", "", "'1799-12-31 19:00:00-05:00'", "'1799-12-31 19:00:00-05:00'"),
            NOON,
        ),
    ),
    same(
        "New York's local mean time in 1850",
        timestamp("'1850-01-01 00:00:00'"),
        zoned("1850-01-01 04:56:02"),
        **NEW_YORK,
    ),
    differ("1850 by today's offset", timestamp("'1850-01-01 00:00:00'"), zoned("1850-01-01 05:00:00"), **NEW_YORK),
    same("New York's summer of 2050", timestamp("'2050-07-01 00:00:00'"), zoned("2050-07-01 04:00:00"), **NEW_YORK),
    same("the hour that is repeated", timestamp("'2024-11-03 01:30:00'"), zoned("2024-11-03 06:30:00"), **NEW_YORK),
    same("the hour that is skipped", timestamp("'2024-03-10 02:30:00'"), zoned("2024-03-10 07:30:00"), **NEW_YORK),
    same("a date's midnight in New York", date("'2024-07-01'"), zoned("2024-07-01 04:00:00"), **NEW_YORK),
    same(
        "infinity in New York",
        far("infinity"),
        held("timestamptz", "", "TIMESTAMPTZ", "TIMESTAMPTZ", "'infinity'", "'2020-01-02 05:00:00+00:00'"),
        **NEW_YORK,
    ),
    differ(
        "a leap second's text in SQLite",
        held(sl="DATETIME", literal="'2016-12-31 23:59:60'", pad="'2020-01-02 00:00:00'"),
        timestamp("'2017-01-01 00:00:00'"),
    ),
    differ(
        "no day of the calendar in SQLite",
        held(sl="DATE", literal="'2023-02-29'", pad="'2020-01-02'"),
        date("'2023-03-01'"),
    ),
    unsure(
        "a number as a time in SQLite",
        held(sl="DATETIME", literal="1704067200", pad="'2020-01-02 00:00:00'"),
        timestamp("'2024-01-01 00:00:00'"),
    ),
    same("24:00:00", time("'24:00:00'")),
    differ("24:00:00 and 00:00:00", time("'24:00:00'"), time("'00:00:00'")),
    same("838 hours", clock("838:59:59")),
    same("-1 hour", clock("-01:00:00")),
    differ("-1 hour and 1 hour", clock("-01:00:00"), time("'01:00:00'")),
    differ("-0.5 and 0.5 seconds", clock("-00:00:00.5"), clock("00:00:00.5")),
    differ("100 hours and 10", clock("100:00:00"), time("'10:00:00'")),
    same("100 hours in milliseconds (coarser)", clock("100:00:00.1236"), clock3("100:00:00.123")),
    same("-1 hour in milliseconds (coarser)", clock("-01:00:00.1236"), clock3("-01:00:00.123")),
    same("-1 hour in milliseconds, rounded", clock("-01:00:00.1236"), clock3("-01:00:00.124")),
    differ("-1 hour and 1 hour in milliseconds", clock("-01:00:00.123"), clock3("01:00:00.123")),
    same("100 hours and a second, seconds 1", clock("100:00:00"), clock("100:00:01"), seconds={"v": 1}),
    same("-1 second and 1 second, seconds 2", clock("-00:00:01"), clock("00:00:01"), seconds={"v": 2}),
    differ("-1 second and 1 second, seconds 1", clock("-00:00:01"), clock("00:00:01"), seconds={"v": 1}),
    same("timetz", held("timetz", "", "", "TIMETZ", "'01:00:00+01'", "'01:00:00+00'")),
    differ(
        "timetz of one moment in two offsets",
        held("timetz", "", "", "TIMETZ", "'01:00:00+01'", "'01:00:00+00'"),
        held("timetz", "", "", "TIMETZ", "'02:00:00+02'", "'01:00:00+00'"),
    ),
    differ(
        "nanoseconds",
        held(du="TIMESTAMP_NS", literal="'2024-01-01 00:00:00.000000001'"),
        held(du="TIMESTAMP_NS", literal="'2024-01-01 00:00:00.000000002'"),
    ),
    same("-1 year and -12 months", interval("'-1 year'"), interval("'-12 months'")),
    differ("1 month -1 day and 29 days", interval("'1 month -1 day'"), interval("'29 days'")),
    differ("90 seconds and 1 minute 31 seconds", interval("'90 seconds'"), interval("'1 minute 31 seconds'")),
    same("90 seconds and 1 minute 30 seconds", interval("'90 seconds'"), interval("'1 minute 30 seconds'")),
    differ("no interval and NULL", interval("'0 seconds'"), null(interval("''"))),
    differ("-1 and 1 microsecond", interval("'-0.000001 seconds'"), interval("'0.000001 seconds'")),
    same("100,000 years", interval("'100000 years'")),
    same("1,000 hours", interval("'1000:00:00'")),
    same(
        "seconds and milliseconds of DuckDB",
        held(du="TIMESTAMP_S", literal="'2024-01-01 00:00:00'"),
        held(du="TIMESTAMP_MS", literal="'2024-01-01 00:00:00.9'"),
    ),
]

CASES = TIMES
