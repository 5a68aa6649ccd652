import json
import math
from decimal import Decimal

import pytest

from reconcile_assets.core.canonical import Canonical, Form, canonicalize, display_value, exact_number, natural_form
from reconcile_assets.core.canonical_arrays import parse_array
from reconcile_assets.core.canonical_json import canonicalize_json
from reconcile_assets.core.canonical_times import days_from_civil, microseconds_of
from reconcile_assets.core.tables import ColumnType, TypeKind


def typed(kind: TypeKind, **limits: object) -> ColumnType:
    return ColumnType(kind, kind.value, **limits)  # type: ignore[arg-type]


def read(text: str | None, kind: TypeKind, form: Form, digits: int | None = None) -> object:
    return canonicalize(text, typed(kind), Canonical(form, digits))


def test_null_is_none_and_no_text() -> None:
    assert read(None, TypeKind.TEXT, Form.TEXT) is None
    assert read("", TypeKind.TEXT, Form.TEXT) == ""
    assert read("NULL", TypeKind.TEXT, Form.TEXT) == "NULL"


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        (TypeKind.INTEGER, "9007199254740993", 9007199254740993),
        (TypeKind.DECIMAL, "1.10", Decimal("1.1")),
        (TypeKind.DECIMAL, "NaN", "NaN"),
        (TypeKind.DECIMAL, "Infinity", Decimal("Infinity")),
        (TypeKind.FLOAT64, "-0", 0),
        (TypeKind.FLOAT64, "1e-07", Decimal("0.0000001")),
        (TypeKind.BOOLEAN, "true", 1),
        (TypeKind.BOOLEAN, "false", 0),
        (TypeKind.BIT, "0101", 5),
        (TypeKind.BIT, "", ""),
    ],
)
def test_numbers_are_exact(kind: TypeKind, text: str, number: object) -> None:
    assert read(text, kind, Form.NUMBER) == number


def test_a_number_that_no_decimal_can_hold_stays_its_text() -> None:
    assert exact_number("1e99999999999999999999999999") == "1e99999999999999999999999999"
    assert exact_number("x") == "x"


def test_single_precision_rounds_and_keeps_what_is_beyond_it_apart() -> None:
    assert read("0.1", TypeKind.FLOAT64, Form.FLOAT32) == read("0.1", TypeKind.FLOAT32, Form.FLOAT32)
    assert read("NaN", TypeKind.FLOAT64, Form.FLOAT32) == "NaN"
    assert read("1e300", TypeKind.FLOAT64, Form.FLOAT32) == 1e300
    assert read("Infinity", TypeKind.FLOAT32, Form.FLOAT32) == math.inf


def test_only_blank_padded_text_loses_its_trailing_spaces() -> None:
    assert read("ab  ", TypeKind.CHAR, Form.TEXT) == "ab"
    assert read("ab  ", TypeKind.TEXT, Form.TEXT) == "ab  "


UUID = "a0eebc999c0b4ef8bb6d6bb9bd380a11"
DASHED = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@pytest.mark.parametrize(
    "text", [UUID, UUID.upper(), DASHED, f"{{{DASHED}}}", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"]
)
def test_every_spelling_of_a_uuid_is_the_same(text: str) -> None:
    assert read(text, TypeKind.TEXT, Form.UUID) == UUID
    assert read(f"{text}   ", TypeKind.CHAR, Form.UUID) == UUID


@pytest.mark.parametrize(
    "text", ["", "x", f"{{{UUID}", f"{UUID}}}", UUID[:-1], f"{UUID}0", f"-{UUID}", f"{UUID} ", f"{UUID}\n"]
)
def test_what_is_no_uuid_equals_only_itself(text: str) -> None:
    assert read(text, TypeKind.TEXT, Form.UUID) == f"!{text}"


def test_sixteen_bytes_are_a_uuid_and_others_are_not() -> None:
    assert read(f"\\x{UUID}", TypeKind.BYTES, Form.UUID) == UUID
    assert read("\\x00", TypeKind.BYTES, Form.UUID) == "?\\x00"


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-01 00:00:00.000001", 1),
        ("1969-12-31 23:59:59.999999+00", -1),
        ("2000-03-01 00:00:00", 951_868_800_000_000),
        ("0001-01-01 BC", -62_167_219_200_000_000),
        ("0001-12-31 BC", -62_135_683_200_000_000),
        ("0001-01-01", -62_135_596_800_000_000),
        ("24:00:00", 86_400_000_000),
        ("838:59:59", 3_020_399_000_000),
        ("-01:00:00", -3_600_000_000),
        ("-100:00:00.000001", -360_000_000_001),
        ("-2024-01-01", "-2024-01-01"),
        ("00:00:00.5", 500_000),
        ("infinity", "infinity"),
        ("-infinity", "-infinity"),
        ("", ""),
        ("01:00:00+01", "01:00:00+01"),
    ],
)
def test_moments_are_whole_microseconds(text: str, microseconds: int | str) -> None:
    assert microseconds_of(text) == microseconds


def test_a_time_below_zero_is_cut_like_its_digits() -> None:
    assert read("-01:00:00.1239", TypeKind.TIME, Form.TIME, 3) == -3_600_123_000
    assert read("-01:00:00.123", TypeKind.TIME, Form.TIME, 3) == -3_600_123_000
    assert read("01:00:00.1239", TypeKind.TIME, Form.TIME, 3) == 3_600_123_000
    assert read("1969-12-31 23:59:59.9999", TypeKind.TIMESTAMP, Form.TIMESTAMP, 3) == -1_000


def test_days_follow_the_calendar() -> None:
    assert days_from_civil(1970, 1, 1) == 0
    assert days_from_civil(2024, 3, 1) - days_from_civil(2024, 2, 28) == 2
    assert days_from_civil(1900, 3, 1) - days_from_civil(1900, 2, 28) == 1


def test_cut_seconds_go_down_before_1970_too() -> None:
    assert read("1970-01-01 00:00:00.1239", TypeKind.TIMESTAMP, Form.TIMESTAMP, 3) == 123_000
    assert read("1969-12-31 23:59:59.9999", TypeKind.TIMESTAMP, Form.TIMESTAMP, 3) == -1_000
    assert read("infinity", TypeKind.TIMESTAMP, Form.TIMESTAMP, 3) == "infinity"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b":[1,2],"a":1.0}'),
        ('"\\u00e9"', '"é"'),
        ("1e2", "100"),
        ('{"a": 1, "a": 2}', '{"a": 2}'),
        ("-0", "0.0"),
    ],
)
def test_json_is_its_value(source: str, target: str) -> None:
    assert canonicalize_json(source) == canonicalize_json(target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("9007199254740993", "9007199254740992"),
        ("[1, 2]", "[2, 1]"),
        ('{"a": null}', "{}"),
        ("true", "1"),
        ("false", "0"),
        ("null", '"null"'),
        ('"1"', "1"),
        ("[]", "{}"),
        ("[[1], 2]", "[1, [2]]"),
        ('{"a": true}', '{"a": 1}'),
        ("1e999999999999999999999", "1e999999999999999999998"),
        ("not json", '"not json"'),
        ("NaN", '"NaN"'),
        ("[1.0000000000000000000000000000000001]", "[1]"),
    ],
)
def test_json_of_other_values_differs(source: str, target: str) -> None:
    assert canonicalize_json(source) != canonicalize_json(target)


def test_json_too_deep_to_read_equals_only_the_same_text() -> None:
    deep = "[" * 200_000 + "]" * 200_000
    assert canonicalize_json(deep) == canonicalize_json(deep) != canonicalize_json(deep[1:-1])


def test_a_number_of_many_digits_is_read() -> None:
    assert canonicalize_json("1" * 5_000) != canonicalize_json("1" * 4_999 + "2")
    assert json.loads("1") == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", ()),
        ("{1,NULL}", (("value", "1"), ("value", None))),
        ('{"NULL"}', (("value", "NULL"),)),
        ('{"a,b","\\"\\\\"}', (("value", "a,b"), ("value", '"\\'))),
        ("{{1},{2}}", ((("value", "1"),), (("value", "2"),))),
        ("[0:1]={1,2}", ("bounds", "[0:1]", (("value", "1"), ("value", "2")))),
        ('{"[1]={"}', (("value", "[1]={"),)),
        ("{1", "{1"),
        ("{1}x", "{1}x"),
        ("", ""),
        ("1", "1"),
        ('{"a', '{"a'),
        ("[1", "[1"),
    ],
)
def test_array_literals_are_read_element_by_element(text: str, value: object) -> None:
    assert parse_array(text, lambda item: item) == value


def test_arrays_compare_by_the_form_of_their_elements() -> None:
    decimals = ColumnType(TypeKind.ARRAY, "numeric[]", element=typed(TypeKind.DECIMAL))
    form = natural_form(decimals)
    assert form is not None
    assert canonicalize("{1.0,NaN}", decimals, form) == canonicalize("{1,NaN}", decimals, form)
    assert canonicalize("{1}", ColumnType(TypeKind.ARRAY, "x[]"), Canonical(Form.ARRAY)) == "{1}"


def test_types_without_an_exact_form_have_none() -> None:
    assert natural_form(typed(TypeKind.UNKNOWN)) is None
    assert natural_form(ColumnType(TypeKind.ARRAY, "point[]", element=typed(TypeKind.UNKNOWN))) is None
    assert natural_form(ColumnType(TypeKind.ARRAY, "anyarray")) is None


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (TypeKind.TEXT, None, None),
        (TypeKind.BOOLEAN, "true", True),
        (TypeKind.BOOLEAN, "false", False),
        (TypeKind.INTEGER, "9007199254740992", 9007199254740992),
        (TypeKind.INTEGER, "9007199254740993", "9007199254740993"),
        (TypeKind.INTEGER, "-9007199254740993", "-9007199254740993"),
        (TypeKind.FLOAT64, "0.1", 0.1),
        (TypeKind.FLOAT64, "NaN", "NaN"),
        (TypeKind.FLOAT32, "-Infinity", "-Infinity"),
        (TypeKind.DECIMAL, "1.10", "1.10"),
        (TypeKind.BYTES, "\\x00", "\\x00"),
    ],
)
def test_values_are_shown_as_json_can_hold_them(kind: TypeKind, text: str | None, shown: object) -> None:
    assert display_value(text, typed(kind)) == shown
