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
from reconcile_assets.core.row_digest import bucket_of, bucket_of_integer, digest_of, md5_of, record_text
from reconcile_assets.core.tables import ColumnType, TypeKind

TWO_ROWS = [
    ("x|y", "z"), ("x", "y|z"), (None, ""), ("", None), ("", ""), (None, None), ("*", None), (None, "*"), ("*", "*"),
    ("1,2", "3"), ("1", "2,3"), ("1", ",23"), ("a\x00b", ""), ("a", "\x00b"), ("é", "x"), ("", "éx"), ("0,", "0"),
    ("0", ",0"), (f"{FOREIGN}text:1,2", "3"), (f"{FOREIGN}text:1", "2,3"), ("a\udcff", ""), ("a", "\udcff"),
]  # fmt: skip


@pytest.mark.parametrize("long", [(True, True), (True, False), (False, True), (False, False)])
def test_rows_never_pass_for_one_another(long: tuple[bool, bool]) -> None:
    digests = {md5_of(record_text(row, long)) for row in TWO_ROWS}
    assert len(digests) == len(TWO_ROWS)


def test_a_row_is_its_fields_then_its_long_texts() -> None:
    assert record_text(("7", "añb", None, "x,y", None), (False, True, True, True, False)) == "7,4,*,3,*,añbx,y"
    assert record_text(("7", None), (False, False)) == "7,*"


def test_a_digest_is_signed_and_a_bucket_is_a_part_of_it() -> None:
    found = [md5_of(record_text((str(number),), (False,))) for number in range(100)]
    assert {digest_of(md5) < 0 for md5 in found} == {True, False}
    assert all(-(2**63) <= digest_of(md5) < 2**63 and 0 <= bucket_of(md5, 1024) < 1024 for md5 in found)
    assert {bucket_of(md5, 1) for md5 in found} == {0}


def test_whole_numbers_are_spread_over_the_buckets_wherever_their_bits_differ() -> None:
    for step in (1, 1_000, 1_000_000, 2**20, 2**32):
        found = [bucket_of_integer(str(-number * step), 256) for number in range(20_000)]
        fullest = max(found.count(bucket) for bucket in set(found))
        assert fullest <= 20_000 / 256 * 4, step
    assert bucket_of_integer(None, 256) == bucket_of_integer(f"{FOREIGN}text:a", 256) == 0
    assert bucket_of_integer("1.5", 256) == bucket_of_integer("٣", 256) == 0


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
    assert cut_moment("2024-01-01 23:59:59.9996", 3) == "2024-01-01 23:59:59.999"
    assert cut_moment("2024-01-01 23:59:59.9006", 3) == "2024-01-01 23:59:59.9"
    assert cut_moment("2024-01-01 23:59:59.0006+00", 3) == "2024-01-01 23:59:59+00"
    assert cut_moment("2024-01-01 23:59:59.9", 0) == "2024-01-01 23:59:59"
    assert cut_moment("0044-03-15 00:00:00.123456+00 BC", 5) == "0044-03-15 00:00:00.12345+00 BC"
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
