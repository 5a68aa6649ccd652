"""What stands in a row's digest for each type and form, and intervals, UUIDs and local times as PostgreSQL has them."""

from zoneinfo import ZoneInfo

import pytest

from reconcile_assets.core.canonical import FOREIGN, Canonical, Form, canonicalize
from reconcile_assets.core.canonical_intervals import interval_text
from reconcile_assets.core.canonical_render import date_as_timestamp, renderer
from reconcile_assets.core.canonical_times import cut_moment, in_zone
from reconcile_assets.core.canonical_uuids import dashed, uuid_digits
from reconcile_assets.core.tables import ColumnType, TypeKind

K = TypeKind
DIGITS = "a0eebc999c0b4ef8bb6d6bb9bd380a11"
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


def rendered(text: str, kind: TypeKind, canonical: Canonical, native: str | None = None) -> str:
    render = renderer(ColumnType(kind, native or kind.value), canonical)
    return text if render is None else render(text)


@pytest.mark.parametrize(
    ("kind", "form", "text", "digest"),
    [
        (K.DECIMAL, Form.NUMBER, "1.500", "1.5"),
        (K.DECIMAL, Form.NUMBER, "1e3", "1000"),
        (K.INTEGER, Form.NUMBER, "42", "42"),
        (K.FLOAT64, Form.NUMBER, "1e-07", "0.0000001"),
        (K.FLOAT32, Form.NUMBER, "0.1", "0.1"),
        (K.BOOLEAN, Form.NUMBER, "true", "1"),
        (K.BOOLEAN, Form.NUMBER, "false", "0"),
        (K.BOOLEAN, Form.NUMBER, "2", "2"),
        (K.BIT, Form.NUMBER, "0101", "5"),
        (K.BIT, Form.NUMBER, "", "!"),
        (K.FLOAT32, Form.FLOAT32, "0.1", "0.10000000149011612"),
        (K.FLOAT64, Form.FLOAT32, "0.1", "0.10000000149011612"),
        (K.FLOAT64, Form.FLOAT32, "1e300", "~1" + "0" * 300),
        (K.FLOAT64, Form.FLOAT32, "-1e300", "~-1" + "0" * 300),
        (K.FLOAT64, Form.FLOAT32, "1e-40", "~0." + "0" * 39 + "1"),
        (K.FLOAT64, Form.FLOAT32, "1.1754943508222875e-38", "0." + "0" * 37 + "11754943508222875"),
        (K.FLOAT64, Form.FLOAT32, "3.4028234663852886e38", "340282346638528860000000000000000000000"),
        (K.FLOAT64, Form.FLOAT32, "0", "0"),
        (K.FLOAT64, Form.FLOAT32, "NaN", "NaN"),
        (K.FLOAT32, Form.DOUBLE, "0.1", "0.10000000149011612"),
        (K.FLOAT64, Form.DOUBLE, "0.1", "0.1"),
        (K.UUID, Form.UUID, UUID, UUID),
        (K.TEXT, Form.UUID, UUID.upper(), UUID),
        (K.TEXT, Form.UUID, f"{{{DIGITS}}}", UUID),
        (K.TEXT, Form.UUID, "ab", "!6162"),
        (K.BYTES, Form.UUID, f"\\x{DIGITS}", UUID),
        (K.BYTES, Form.UUID, "\\xa0ee", "?\\xa0ee"),
        (K.JSON, Form.JSON, '{"b":1,"a":2}', '{"a": 2, "b": 1}'),
        (K.TEXT, Form.JSON, "[1,2]", "[1, 2]"),
        (K.DATE, Form.TIMESTAMP, "2024-01-01", "2024-01-01 00:00:00"),
        (K.TIMESTAMP, Form.TIMESTAMP, "2024-01-01 00:00:00.5", "2024-01-01 00:00:00.5"),
        (K.TIMESTAMPTZ, Form.TIMESTAMPTZ, "2024-01-01 00:00:00.5+00", "2024-01-01 00:00:00.5+00"),
        (K.TIME, Form.TIME, "10:00:00.5", "10:00:00.5"),
        (K.TEXT, Form.TEXT, "a ", "a "),
    ],
)
def test_a_values_digest_text(kind: TypeKind, form: Form, text: str, digest: str) -> None:
    assert rendered(text, kind, Canonical(form)) == digest
    assert rendered(f"{FOREIGN}text:{text}", kind, Canonical(form)) == f"{FOREIGN}text:{text}"


@pytest.mark.parametrize(
    ("kind", "form", "text", "digest"),
    [
        (K.TIMESTAMP, Form.TIMESTAMP, "2024-01-01 00:00:00.1239", "2024-01-01 00:00:00.123"),
        (K.TIMESTAMPTZ, Form.TIMESTAMPTZ, "2024-01-01 00:00:00.1239+00", "2024-01-01 00:00:00.123+00"),
        (K.TIME, Form.TIME, "10:00:00.5", "10:00:00.500"),
        (K.TIME, Form.TIME, "10:00:00.1239", "10:00:00.123"),
        (K.TIME, Form.TIME, "10:00:00", "10:00:00.000"),
    ],
)
def test_a_time_is_cut_to_milliseconds(kind: TypeKind, form: Form, text: str, digest: str) -> None:
    assert rendered(text, kind, Canonical(form, 3)) == digest


def test_jsonb_is_its_own_text_and_json_is_not() -> None:
    assert rendered('{"a":1}', K.JSON, Canonical(Form.JSON), "jsonb") == '{"a":1}'
    assert rendered('{"a":1}', K.JSON, Canonical(Form.JSON), "json") == '{"a": 1}'


def test_a_decimal_may_have_all_digits_of_a_scale() -> None:
    scaled = Canonical(Form.NUMBER, scale=3)
    assert rendered("1.5", K.DECIMAL, scaled) == "1.500"
    assert rendered("2", K.DECIMAL, scaled) == "2.000"
    assert rendered("NaN", K.DECIMAL, scaled) == "NaN"
    assert rendered(f"{FOREIGN}text:x", K.DECIMAL, scaled) == f"{FOREIGN}text:x"


def test_dates_beyond_what_a_timestamp_holds_are_marked() -> None:
    assert date_as_timestamp("294276-12-31") == "294276-12-31 00:00:00"
    assert date_as_timestamp("294277-01-01") == "!294277-01-01"
    assert date_as_timestamp("4713-01-01 BC") == "4713-01-01 00:00:00 BC"
    assert date_as_timestamp("4714-12-31 BC") == "!4714-12-31 BC"
    assert date_as_timestamp("-infinity") == "-infinity"


@pytest.mark.parametrize(
    ("months", "days", "microseconds", "text"),
    [
        (0, 0, 0, "00:00:00"),
        (1, 0, 0, "1 mon"),
        (2, 0, 0, "2 mons"),
        (12, 0, 0, "1 year"),
        (25, 0, 0, "2 years 1 mon"),
        (-1, 0, 0, "-1 mons"),
        (-25, 0, 0, "-2 years -1 mons"),
        (0, 1, 0, "1 day"),
        (0, -1, 0, "-1 days"),
        (0, 2, 3_600_000_000, "2 days 01:00:00"),
        (0, -2, 3_600_000_000, "-2 days +01:00:00"),
        (1, -2, 3_004_005, "1 mon -2 days +00:00:03.004005"),
        (-1, 2, -1, "-1 mons +2 days -00:00:00.000001"),
        (-1, 0, 1, "-1 mons +00:00:00.000001"),
        (0, 0, 500_000, "00:00:00.5"),
        (0, 0, -90_000_000, "-00:01:30"),
        (0, 0, 3_661_000_000, "01:01:01"),
        (0, 0, 360_000_000_000_000, "100000:00:00"),
        (-12, 5, 0, "-1 years +5 days"),
    ],
)
def test_an_interval_is_written_as_postgresql_does(months: int, days: int, microseconds: int, text: str) -> None:
    assert interval_text(months, days, microseconds) == text


def test_a_uuids_digits_and_dashes() -> None:
    assert dashed(DIGITS) == UUID
    for text in (UUID, UUID.upper(), DIGITS, f"{{{UUID}}}", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"):
        assert uuid_digits(text) == DIGITS
    for text in (UUID[:-1], f"{UUID} ", f"{{{UUID}", f"{UUID}}}", f"a0e-ebc{UUID[8:]}", "", "x" * 32, f"{DIGITS}0"):
        assert uuid_digits(text) == f"!{text}"
    assert uuid_digits(f"\\x{DIGITS}", is_bytes=True) == DIGITS
    assert uuid_digits("\\x00", is_bytes=True) == "?\\x00"
    char = ColumnType(K.CHAR, "char(40)")
    assert canonicalize(f"{UUID}    ", char, Canonical(Form.UUID)) == DIGITS
    assert canonicalize(f"{UUID} ", ColumnType(K.TEXT, "text"), Canonical(Form.UUID)) == f"!{UUID} "


NEW_YORK, KATHMANDU = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2024-07-01 00:00:00", NEW_YORK, "2024-07-01 04:00:00+00"),
        ("2024-01-01 00:00:00.000001", NEW_YORK, "2024-01-01 05:00:00.000001+00"),
        ("2024-01-01", NEW_YORK, "2024-01-01 05:00:00+00"),
        ("2024-03-10 01:59:59", NEW_YORK, "2024-03-10 06:59:59+00"),
        ("2024-03-10 02:30:00", NEW_YORK, "2024-03-10 07:30:00+00"),
        ("2024-11-03 00:59:59", NEW_YORK, "2024-11-03 04:59:59+00"),
        ("2024-11-03 01:30:00", NEW_YORK, "2024-11-03 06:30:00+00"),
        ("1850-01-01 00:00:00", NEW_YORK, "1850-01-01 04:56:02+00"),
        ("0001-01-01 00:00:00", NEW_YORK, "0001-01-01 04:56:02+00"),
        ("0044-03-15 00:00:00 BC", NEW_YORK, "0044-03-15 04:56:02+00 BC"),
        ("9998-07-01 00:00:00", NEW_YORK, "9998-07-01 04:00:00+00"),
        ("9999-07-01 00:00:00", NEW_YORK, "9999-07-01 04:00:00+00"),
        ("12024-07-01 00:00:00", NEW_YORK, "12024-07-01 04:00:00+00"),
        ("2024-01-01 00:00:00", KATHMANDU, "2023-12-31 18:15:00+00"),
        ("infinity", NEW_YORK, "infinity"),
        ("0000-00-00", NEW_YORK, "0000-00-00"),
    ],
)
def test_a_wall_clocks_reading_is_an_instant(text: str, zone: ZoneInfo, instant: str) -> None:
    assert in_zone(text, zone) == instant


def test_a_zoneless_day_is_cut_like_its_midnight() -> None:
    assert cut_moment("10:00:00", 0, is_time=True) == "10:00:00"
    assert cut_moment("10:00:00.5", 0, is_time=True) == "10:00:00"
    assert cut_moment("-01:00:00.1239", 3, is_time=True) == "-01:00:00.123"
    assert cut_moment("2024-01-01 00:00:00.100", 3) == "2024-01-01 00:00:00.1"
    assert cut_moment("2024-01-01 00:00:00.1", 2) == "2024-01-01 00:00:00.1"
