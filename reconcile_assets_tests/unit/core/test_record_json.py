"""Records go into JSON and come back as they were."""

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.core.record_json import decode_record, encode_record, hash_record

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters()),
    st.decimals(allow_nan=False),
    st.datetimes().map(lambda value: value.replace(fold=0)),  # no database keeps the fold
    st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30)))).map(lambda value: value.replace(fold=0)),
    st.dates(),
    st.times().map(lambda value: value.replace(fold=0)),
    st.timedeltas(),
    st.uuids(),
    st.binary(),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.dictionaries(st.text(), VALUES))
def test_what_goes_in_comes_back(record: dict[str, object]) -> None:
    found = decode_record(encode_record(record))
    assert found == record
    assert encode_record(found) == encode_record(record)  # tells 1 from 1.0 and True, as == does not


@pytest.mark.parametrize(
    "value",
    [
        2**64 - 1,
        Decimal("1.10"),
        Decimal("NaN"),
        float("inf"),
        -0.0,
        datetime(2024, 11, 3, 1, 30, tzinfo=UTC),
        date(1, 1, 1),
        time(23, 59, 59, 999999),
        timedelta(days=-1, microseconds=1),
        UUID(int=5),
        b"\x00\xff",
        {"$": "decimal", "v": "1"},
        {"a": {"$": 1}, "b": [None, {"$": []}]},
        "a\x00b\U0001f600",
    ],
)
def test_values_that_json_does_not_know(value: object) -> None:
    assert repr(decode_record(encode_record({"v": value}))) == repr({"v": value})


def test_a_float_that_is_no_number_comes_back_as_one() -> None:
    assert math.isnan(decode_record(encode_record({"v": math.nan}))["v"])


def test_order_does_not_matter_and_type_does() -> None:
    assert hash_record({"a": 1, "b": 2}) == hash_record({"b": 2, "a": 1})
    assert len({hash_record({"a": value}) for value in (1, "1", True, 1.5, Decimal(1), None, [1])}) == 7


def test_a_value_without_an_exact_form_is_refused_by_its_column_and_type() -> None:
    with pytest.raises(TypeError, match="column email: a value of type object has no exact form"):
        encode_record({"email": object()})
    with pytest.raises(TypeError, match="column a: an object's names are text"):
        encode_record({"a": {1: 2}})
    with pytest.raises(TypeError, match="a column's name is text, not int"):
        encode_record({1: 2})  # type: ignore[dict-item]


@pytest.mark.parametrize("text", ["[]", "1", '{"a":{"$":"pickle","v":"x"}}', '{"a":{"$":"uuid","v":1}}', "{", ""])
def test_a_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"record|Expecting|property name"):
        decode_record(text)
