"""Single values: what each type takes, and with which words it refuses the rest."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from reconcile_assets.configuration import values


def take(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refuse(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        take(kind, value)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    "cron",
    [
        "*/15 * * * *",
        "0 6 * * mon-fri",
        "0,30 8-18/2 1,15 JAN-jun 0-7",
        "@hourly",
        "@daily",
        "0 0 l * *",
        "5 4 ? * *",
        "0 0 29 feb *",
    ],
)
def test_cron_lines_that_are_good(cron: str) -> None:
    assert take(values.Cron, cron) == cron


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields"),
        ("* * * * * *", "has 6 fields"),
        ("@sometimes", "has 1 fields"),
        ("60 * * * *", "the minute field '60' is not within 0-59"),
        ("* 24 * * *", "the hour field '24' is not within 0-23"),
        ("* * 0 * *", "the day field '0' is not within 1-31"),
        ("* * * foo *", "the month field 'foo' is not within 1-12"),
        ("* * * * 8", "the weekday field '8' is not within 0-7"),
        ("*/0 * * * *", "the minute field '*/0'"),
        ("*/x * * * *", "the minute field '*/x'"),
        ("5-1 * * * *", "the minute field '5-1'"),
        ("1-2-3 * * * *", "the minute field '1-2-3'"),
        (", * * * *", "the minute field ','"),
        ("0 0 30 2 *", "names day 30 of month 2, which never comes"),
        ("0 0 31 apr *", "names day 31 of month apr, which never comes"),
        ("0 0 * * l", "the weekday field 'l'"),
        ("0 0 l/2 * *", "the day field 'l/2'"),
        ("² * * * *", "the minute field '²'"),
    ],
)
def test_cron_lines_that_are_refused_by_field(cron: str, message: str) -> None:
    assert message in refuse(values.Cron, cron)


@pytest.mark.parametrize(
    ("text", "duration"),
    [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86400), ("1w", 604800), ("1.5h", 5400), (" 2 h ", 7200)],
)
def test_durations_are_a_number_and_a_unit(text: str, duration: int) -> None:
    assert take(values.Duration, text) == timedelta(seconds=duration)


@pytest.mark.parametrize("value", ["2", "h", "-1h", "2 hours", "", 2, None, 1.5, ["2h"], "1h30m", "nan"])
def test_anything_else_is_no_duration(value: object) -> None:
    assert "is no duration; write e.g. 30s" in refuse(values.Duration, value)


@pytest.mark.parametrize("value", ["0s", "0.0h", timedelta(0), timedelta(seconds=-1), "36501d", "9" * 400 + "w"])
def test_a_duration_is_more_than_nothing_and_less_than_a_century(value: object) -> None:
    assert "is out of range" in refuse(values.Duration, value)


@pytest.mark.parametrize(("value", "amount"), [(0, 0.0), (1, 1.0), (0.01, 0.01), ("1e-9", 1e-9), (".5", 0.5)])
def test_amounts_are_numbers_also_when_yaml_takes_them_for_text(value: object, amount: float) -> None:
    assert take(values.Amount, value) == amount


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "is negative"),
        ("-1e-9", "is negative"),
        (float("nan"), "is not a finite number"),
        ("inf", "is not a finite number"),
        (float("-inf"), "is not a finite number"),
        (10**400, "is not a number"),
        ("much", "is not a number"),
        (True, "is not a number"),
        (None, "is not a number"),
        ([1], "is not a number"),
    ],
)
def test_other_amounts_are_refused(value: object, message: str) -> None:
    assert message in refuse(values.Amount, value)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2013-01-01", datetime(2013, 1, 1)),
        ("2013-01-01T06:30", datetime(2013, 1, 1, 6, 30)),
        ("2013-01-01 06:30:15", datetime(2013, 1, 1, 6, 30, 15)),
        (date(2013, 1, 1), datetime(2013, 1, 1)),
        (datetime(2013, 1, 1, 6), datetime(2013, 1, 1, 6)),
    ],
)
def test_a_date_is_its_midnight(value: object, moment: datetime) -> None:
    assert take(values.WallClock, value) == moment


@pytest.mark.parametrize("value", ["2013-13-01", "01/02/2013", "", "now", 20130101, None, 1.5])
def test_other_moments_are_refused(value: object) -> None:
    assert "is neither a date nor a time" in refuse(values.WallClock, value)


@pytest.mark.parametrize("value", ["2013-01-01T00:00Z", "2013-01-01T00:00-05:00"])
def test_an_offset_belongs_into_the_time_zone(value: str) -> None:
    assert "write the wall clock of `timezone`" in refuse(values.WallClock, value)


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("UTC", True),
        ("America/New_York", True),
        ("", False),
        ("Mars/Base", False),
        ("../etc/passwd", False),
        ("America", False),
        ("\0", False),
    ],
)
def test_a_time_zone_is_an_iana_name(value: str, good: bool) -> None:
    if good:
        assert take(values.ZoneName, value) == value
    else:
        assert "is no time zone" in refuse(values.ZoneName, value)


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_a_whole_number_is_not_made_of_something_else(value: object) -> None:
    assert "is not a whole number" in refuse(values.Positive, value)


@pytest.mark.parametrize("value", ["type", "class", "None", "input"])
def test_a_word_that_dagster_or_python_keeps_is_no_name(value: str) -> None:
    assert "choose another" in refuse(values.DefinitionName, value)


@pytest.mark.parametrize("value", ["flights", "f2", "_x", "TYPE", "a" * 200])
def test_other_words_are_names(value: str) -> None:
    assert take(values.DefinitionName, value) == value


@pytest.mark.parametrize("value", ["a" * 201, "a b", "a-b", "a.b", "é", "", "a\n"])
def test_names_are_letters_digits_and_underscores(value: str) -> None:
    assert "use letters, digits and underscores" in refuse(values.DefinitionName, value)
