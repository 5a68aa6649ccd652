"""Cases of dates and times: 18 to 21."""

from reconcile_assets_tests.conformance.cases import by, differ, held, same, unsure
from reconcile_assets_tests.conformance.kinds import (
    date,
    instant,
    interval,
    millis,
    null,
    seconds,
    time,
    timestamp,
)

FOUR = instant("2024-11-03 05:30:00", "2024-11-03 01:30:00-04:00")
FIVE = instant("2024-11-03 06:30:00", "2024-11-03 01:30:00-05:00")
MORNING = instant("2020-01-02 05:00:00").literal  # New York's midnight
INSTANTS = [
    differ(18, "01:30:00-04 and 01:30:00-05", FOUR, FIVE),
    same(18, "01:30:00-04 and 05:30:00Z", FOUR, instant("2024-11-03 05:30:00")),
    same(
        18,
        "one instant in two offsets",
        instant("2024-01-01 00:00:00", "2024-01-01 05:30:00+05:30"),
        instant("2024-01-01 00:00:00", "2023-12-31 16:00:00-08:00"),
    ),
    differ(
        18,
        "an instant a microsecond later",
        instant("2024-01-01 00:00:00.000001"),
        instant("2024-01-01 00:00:00.000002"),
    ),
    differ(18, "an instant an hour later in March", instant("2024-03-10 06:59:59"), instant("2024-03-10 07:59:59")),
    differ(18, "an instant and NULL", FOUR, null(FOUR)),
    unsure(
        18,
        "zoneless and an instant, no zone declared",
        timestamp("'2024-07-01 00:00:00'"),
        instant("2024-07-01 00:00:00"),
    ),
    same(
        18,
        "zoneless and an instant, New York declared",
        timestamp("'2024-07-01 00:00:00'"),
        instant("2024-07-01 04:00:00").padded(MORNING),
        zones={"v": "America/New_York"},
    ),
    differ(
        18,
        "zoneless and an instant, New York, an hour off",
        timestamp("'2024-07-01 00:00:00'"),
        instant("2024-07-01 05:00:00").padded(MORNING),
        zones={"v": "America/New_York"},
    ),
]

ROUNDED = [
    same(
        19,
        ".1236 and .123 of datetime(3): cut",
        timestamp("'2024-01-01 00:00:00.1236'"),
        millis("'2024-01-01 00:00:00.123'"),
    ),
    same(
        19,
        ".1236 and .124 of datetime(3): rounded",
        timestamp("'2024-01-01 00:00:00.1236'"),
        millis("'2024-01-01 00:00:00.124'"),
    ),
    differ(19, ".1236 and .125", timestamp("'2024-01-01 00:00:00.1236'"), millis("'2024-01-01 00:00:00.125'")),
    differ(19, ".1236 and .122", timestamp("'2024-01-01 00:00:00.1236'"), millis("'2024-01-01 00:00:00.122'")),
    differ(
        19,
        ".1236 and .123, strict",
        timestamp("'2024-01-01 00:00:00.1236'"),
        millis("'2024-01-01 00:00:00.123'"),
        strict=True,
    ),
    same(
        19,
        ".123 and .123, strict",
        timestamp("'2024-01-01 00:00:00.123'"),
        millis("'2024-01-01 00:00:00.123'"),
        strict=True,
    ),
    differ(
        19, ".123 and .124: one whole unit", timestamp("'2024-01-01 00:00:00.123'"), millis("'2024-01-01 00:00:00.124'")
    ),
    same(
        19,
        "23:59:59.9996 rounds into the next day",
        timestamp("'2024-01-01 23:59:59.9996'"),
        millis("'2024-01-02 00:00:00'"),
    ),
    same(
        19,
        "23:59:59.999999 rounds into the next year",
        timestamp("'2023-12-31 23:59:59.999999'"),
        millis("'2024-01-01 00:00:00'"),
    ),
    same(19, ".6 and whole seconds, cut", timestamp("'2024-01-01 00:00:00.6'"), seconds("'2024-01-01 00:00:00'")),
    same(19, ".6 and whole seconds, rounded", timestamp("'2024-01-01 00:00:00.6'"), seconds("'2024-01-01 00:00:01'")),
    differ(19, "0.0 and a whole second", timestamp("'2024-01-01 00:00:00'"), seconds("'2024-01-01 00:00:01'")),
    same(19, "before 1970, cut", timestamp("'1969-12-31 23:59:59.9996'"), millis("'1969-12-31 23:59:59.999'")),
    same(
        19,
        "nanoseconds and microseconds",
        timestamp("'2024-01-01 00:00:00.123456'"),
        held(du="TIMESTAMP_NS", literal="'2024-01-01 00:00:00.123456789'", pad="'2020-01-02'"),
    ),
    same(
        19,
        "times of day, cut",
        time("'10:00:00.1236'"),
        held("time(3)", "time(3)", literal="'10:00:00.123'", pad="'01:02:03'"),
    ),
    same(
        19,
        "a second later, seconds 1",
        timestamp("'2024-01-01 00:00:00'"),
        timestamp("'2024-01-01 00:00:01'"),
        seconds={"v": 1},
    ),
    differ(
        19,
        "1.000001 seconds later, seconds 1",
        timestamp("'2024-01-01 00:00:00'"),
        timestamp("'2024-01-01 00:00:01.000001'"),
        seconds={"v": 1},
    ),
    differ(
        19, "NULL within seconds 1e9", timestamp("'2024-01-01 00:00:00'"), null(timestamp("''")), seconds={"v": 1e9}
    ),
]

MIDNIGHTS = [
    same(20, "date and midnight", date("'2024-01-01'"), timestamp("'2024-01-01 00:00:00'")),
    differ(20, "date and 00:00:01", date("'2024-01-01'"), timestamp("'2024-01-01 00:00:01'")),
    differ(20, "date and 00:00:00.000001", date("'2024-01-01'"), timestamp("'2024-01-01 00:00:00.000001'")),
    differ(20, "date and the midnight before", date("'2024-01-02'"), timestamp("'2024-01-01 00:00:00'")),
    same(20, "date and midnight of datetime(3)", date("'2024-02-29'"), millis("'2024-02-29 00:00:00'")),
    same(20, "date and date", date("'2024-02-29'")),
    differ(20, "29 February and 1 March", date("'2024-02-29'"), date("'2024-03-01'")),
    unsure(20, "date and an instant", date("'2024-01-01'"), instant("2024-01-01 00:00:00")),
]

NO_DATE = held("", "datetime(6)", literal="'0000-00-00 00:00:00'", pad="'2020-01-02 00:00:00'")
NO_DAY = held("", "date", literal="'0000-00-00'", pad="'2020-01-02'")
ZEROS = [
    differ(21, "0000-00-00 00:00:00 and NULL", NO_DATE, null(timestamp("''"))),
    differ(21, "0000-00-00 and NULL", NO_DAY, null(date("''"))),
    differ(21, "0000-00-00 and 0001-01-01", NO_DAY, date("'0001-01-01'")),
    differ(21, "0000-00-00 00:00:00 and 1970-01-01", NO_DATE, timestamp("'1970-01-01 00:00:00'")),
    same(21, "0000-00-00 and 0000-00-00", NO_DAY),
    differ(
        21,
        "2024-02-00 and 2024-02-01",
        held("", "date", literal="'2024-02-00'", pad="'2020-01-02'"),
        date("'2024-02-01'"),
    ),
]

ENDLESS = held("timestamp", "", "DATETIME", "TIMESTAMP", "'infinity'", "'2020-01-02 00:00:00'")
BC = held(
    "timestamp",
    "",
    "DATETIME",
    "TIMESTAMP",
    by("'0044-03-15 00:00:00 BC'", "", "'0044-03-15 00:00:00 BC'", "'0044-03-15 (BC) 00:00:00'"),
    "'2020-01-02 00:00:00'",
)
FAR = [
    same(18, "infinity and infinity", ENDLESS),
    differ(
        18,
        "infinity and -infinity",
        ENDLESS,
        held("timestamp", "", "DATETIME", "TIMESTAMP", "'-infinity'", "'2020-01-02 00:00:00'"),
    ),
    differ(18, "infinity and NULL", ENDLESS, null(ENDLESS)),
    differ(18, "-infinity and NULL", held("date", "", "DATE", "DATE", "'-infinity'", "'2020-01-02'"), null(date("''"))),
    same(18, "44 BC", BC),
    differ(18, "44 BC and AD 44", BC, timestamp("'0044-03-15 00:00:00'")),
    same(18, "AD 1", timestamp("'0001-01-01 00:00:00'")),
    same(18, "year 9999", timestamp("'9999-12-31 23:59:59.999999'")),
    differ(
        18,
        "year 9999 by a microsecond",
        timestamp("'9999-12-31 23:59:59.999999'"),
        timestamp("'9999-12-31 23:59:59.999998'"),
    ),
    same(
        18,
        "year 12345",
        held("timestamp", "", "DATETIME", "TIMESTAMP", "'12345-06-07 08:09:10'", "'2020-01-02 00:00:00'"),
    ),
    differ(18, "1 month and 30 days", interval("'1 month'"), interval("'30 days'")),
    differ(18, "1 day and 24 hours", interval("'1 day'"), interval("'24 hours'")),
    same(18, "1 year and 12 months", interval("'1 year'"), interval("'12 months'")),
    same(18, "-1 month +2 days -03:04:05.6", interval("'-1 month 2 days -03:04:05.6'")),
    differ(18, "intervals by a microsecond", interval("'1.000001 seconds'"), interval("'1.000002 seconds'")),
    differ(18, "23:59:59.999999 and 00:00:00", time("'23:59:59.999999'"), time("'00:00:00'")),
    same(18, "time of day", time("'12:00:00.5'")),
]

CASES = [*INSTANTS, *FAR, *ROUNDED, *MIDNIGHTS, *ZEROS]
