"""The portable form in Python, without a database; its twin test feeds every type through PostgreSQL too."""

import pytest

from reconcile_assets.core.canonical import FOREIGN, Canonical, Form, canonicalize, display_value
from reconcile_assets.core.canonical_arrays import array_text, parse_array
from reconcile_assets.core.canonical_json import jsonb_text
from reconcile_assets.core.canonical_render import date_as_timestamp, renderer
from reconcile_assets.core.canonical_times import (
    civil_from_days,
    cut_moment,
    days_from_civil,
    microseconds_of,
    moment_text,
)
from reconcile_assets.core.row_digest import bucket_of, digest_of, lanes_of, record_bytes
from reconcile_assets.core.tables import ColumnType, TypeKind


def test_rows_never_pass_for_one_another() -> None:
    rows = [
        ("x|y", "z"),
        ("x", "y|z"),
        (None, ""),
        ("", None),
        ("", ""),
        ("",),
        (None,),
        ("NULL",),
        ("a\x00b",),
        ("a",),
    ]
    assert len({record_bytes(row) for row in rows}) == len(rows)


def test_a_digest_has_two_signed_lanes_and_a_bucket() -> None:
    digest = digest_of(record_bytes(("1",)))
    first, second = lanes_of(digest)
    assert (first % 2**64).to_bytes(8, "big") + (second % 2**64).to_bytes(8, "big") == digest
    assert 0 <= bucket_of(digest, 1024) < 1024
    assert bucket_of(digest, 1) == 0


def test_a_foreign_value_stays_as_it_is_and_equals_only_itself() -> None:
    integer, number = ColumnType(TypeKind.DECIMAL, "DECIMAL"), Canonical(Form.NUMBER)
    render = renderer(integer, number)
    assert render is not None
    assert render(f"{FOREIGN}text:1") == f"{FOREIGN}text:1"
    assert canonicalize(f"{FOREIGN}text:1", integer, number) != canonicalize("1", integer, number)
    assert display_value(f"{FOREIGN}text:1", integer) == "text:1"
    assert display_value("a\udcffb", ColumnType(TypeKind.TEXT, "TEXT")) == "a\\xffb"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"b":1,"a":[1.50,-0,1e2]}', '{"a": [1.50, 0, 100], "b": 1}'),
        ('{"a":1,"a":2}', '{"a": 2}'),
        ('{"bb":1,"c":2}', '{"c": 2, "bb": 1}'),
        ('"\\u00e9\\n"', '"\u00e9\\n"'),
        ("nope", "!nope"),
        ('"\\u0000"', '!"\\u0000"'),
        ("1e9999", "!1e9999"),
        ("NaN", "!NaN"),
    ],
)
def test_json_is_written_as_jsonb_writes_it(text: str, written: str) -> None:
    assert jsonb_text(text) == written


@pytest.mark.parametrize("day", [-1_000_000, -719_529, -1, 0, 1, 19_782, 10_000_000])
def test_days_go_to_the_calendar_and_back(day: int) -> None:
    assert days_from_civil(*civil_from_days(day)) == day


@pytest.mark.parametrize(
    "text",
    ["2024-02-29 23:59:59.999999", "0044-03-15 01:02:03 BC", "12345-06-07 08:09:10", "2024-01-01 00:00:00.000000001"],
)
def test_a_moment_is_written_as_it_was_read(text: str) -> None:
    moment = microseconds_of(text)
    assert not isinstance(moment, str)
    assert moment_text(moment) == text


def test_a_moment_is_cut_and_never_rounded() -> None:
    assert cut_moment("2024-01-01 23:59:59.9996", 3) == "2024-01-01 23:59:59.999 AD"
    assert cut_moment("2024-01-01", 0) == "2024-01-01 00:00:00 AD"
    assert cut_moment("0044-03-15 BC", 3) == "0044-03-15 00:00:00.000 BC"
    assert cut_moment("infinity", 3) == "infinity"
    assert cut_moment("12:00:00.5", 3, is_time=True) == "12:00:00.500"


def test_a_date_is_its_midnight_unless_it_is_too_far_away() -> None:
    assert date_as_timestamp("2024-01-01") == "2024-01-01 00:00:00"
    assert date_as_timestamp("0044-03-15 BC") == "0044-03-15 00:00:00 BC"
    assert date_as_timestamp("infinity") == "infinity"
    assert date_as_timestamp("300000-01-01") == "!300000-01-01"


def test_an_array_is_read_as_it_was_written() -> None:
    items = ["a,b", "", "NULL", 'x"\\y', " ", None, "plain"]
    assert parse_array(array_text(items), lambda item: item) == tuple(("value", item) for item in items)
    assert array_text([["1", "2"], []]) == "{{1,2},{}}"
