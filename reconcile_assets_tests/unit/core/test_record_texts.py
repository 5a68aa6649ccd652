"""A record's values become the exact texts of their columns, or are refused."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from reconcile_assets.core.record_texts import record_text
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.errors import LossyWrite

ZONED = datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
MARK = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


def _text(value: Any, kind: TypeKind, element: TypeKind | None = None) -> str | None:
    inner = None if element is None else ColumnType(element, element.value)
    return record_text(value, Column("c", ColumnType(kind, kind.value, element=inner)))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, TypeKind.TEXT, None),
        (7, TypeKind.INTEGER, "7"),
        (True, TypeKind.INTEGER, "1"),
        (7.0, TypeKind.INTEGER, "7"),
        (Decimal("7.00"), TypeKind.INTEGER, "7"),
        (7.5, TypeKind.INTEGER, "7.5"),  # the database judges
        (" 12 ", TypeKind.INTEGER, "12"),
        (2**70, TypeKind.INTEGER, str(2**70)),
        (Decimal("1E+2"), TypeKind.DECIMAL, "100"),
        (Decimal("1.10"), TypeKind.DECIMAL, "1.10"),
        (0.1, TypeKind.DECIMAL, "0.1"),
        (Decimal("NaN"), TypeKind.DECIMAL, "NaN"),
        (float("-inf"), TypeKind.FLOAT64, "-Infinity"),
        (Decimal("Infinity"), TypeKind.FLOAT64, "Infinity"),
        (True, TypeKind.BOOLEAN, "true"),
        (0, TypeKind.BOOLEAN, "false"),
        ("True", TypeKind.BOOLEAN, "true"),
        ("a", TypeKind.TEXT, "a"),
        (7, TypeKind.TEXT, "7"),
        (1.5, TypeKind.TEXT, "1.5"),
        (False, TypeKind.TEXT, "false"),
        (MARK, TypeKind.CHAR, str(MARK)),
        (ZONED, TypeKind.TEXT, "2024-01-01 14:00:00+02:00"),
        (date(2024, 1, 1), TypeKind.TEXT, "2024-01-01"),
        (timedelta(days=1, seconds=5), TypeKind.TEXT, "1 days 00:00:05"),
        ({"a": [1]}, TypeKind.TEXT, '{"a":[1]}'),
        ("red", TypeKind.ENUM, "red"),
        (b"\x00\xff", TypeKind.BYTES, "\\x00ff"),
        (MARK, TypeKind.BYTES, f"\\x{MARK.hex}"),
        ("\\x00FF", TypeKind.BYTES, "\\x00ff"),
        (date(2024, 1, 1), TypeKind.DATE, "2024-01-01"),
        (datetime(2024, 1, 1), TypeKind.DATE, "2024-01-01"),
        ("2024-01-01T00:00:00", TypeKind.DATE, "2024-01-01"),
        ("infinity", TypeKind.DATE, "infinity"),
        (datetime(2024, 1, 1, 12), TypeKind.TIMESTAMP, "2024-01-01 12:00:00"),
        (ZONED, TypeKind.TIMESTAMP, "2024-01-01 12:00:00"),
        (date(2024, 1, 1), TypeKind.TIMESTAMP, "2024-01-01 00:00:00"),
        ("2024-01-01", TypeKind.TIMESTAMP, "2024-01-01 00:00:00"),
        ("0044-03-15 00:00:00 BC", TypeKind.TIMESTAMP, "0044-03-15 00:00:00 BC"),
        (ZONED, TypeKind.TIMESTAMPTZ, "2024-01-01 12:00:00+00"),
        (datetime(2024, 1, 1, 12), TypeKind.TIMESTAMPTZ, "2024-01-01 12:00:00+00"),
        ("2024-01-01T14:00:00+02:00", TypeKind.TIMESTAMPTZ, "2024-01-01 12:00:00+00"),
        ("infinity", TypeKind.TIMESTAMPTZ, "infinity"),
        (datetime(2024, 1, 1, tzinfo=UTC), TypeKind.DATE, "2024-01-01"),
        (time(1, 2, 3, 4), TypeKind.TIME, "01:02:03.000004"),
        (timedelta(hours=25, microseconds=5), TypeKind.TIME, "25:00:00.000005"),
        (timedelta(days=-1), TypeKind.INTERVAL, "-1 days 00:00:00"),
        ("1 mon", TypeKind.INTERVAL, "1 mon"),
        (MARK, TypeKind.UUID, str(MARK)),
        ('{"a": 1}', TypeKind.JSON, '{"a": 1}'),
        ({"a": [1, Decimal("2.50"), None, True, "\u00e9", ZONED]}, TypeKind.JSON,
         '{"a":[1,2.50,null,true,"\\u00e9","2024-01-01 14:00:00+02:00"]}'),
        (Decimal("12345678901234567890.1"), TypeKind.JSON, "12345678901234567890.1"),
    ],
)  # fmt: skip
def test_values_that_fit(value: Any, kind: TypeKind, expected: str | None) -> None:
    assert _text(value, kind) == expected


def test_lists_become_arrays_of_their_elements() -> None:
    assert _text([1, None, "NULL", 'a"\\', []], TypeKind.ARRAY, TypeKind.TEXT) == '{"1",NULL,"NULL","a\\"\\\\",{}}'
    assert _text([True], TypeKind.ARRAY, TypeKind.BOOLEAN) == '{"true"}'
    assert _text([b"a"], TypeKind.ARRAY, TypeKind.BYTES) == '{"\\\\x61"}'
    assert _text("{1,2}", TypeKind.ARRAY, TypeKind.INTEGER) == "{1,2}"
    assert _text([1], TypeKind.ARRAY) == '{"1"}'


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"a", TypeKind.TEXT),
        (b"a", TypeKind.INTEGER),
        ([1], TypeKind.DECIMAL),
        (2, TypeKind.BOOLEAN),
        ("secret", TypeKind.BYTES),
        ("\\xzz", TypeKind.BYTES),
        (datetime(2024, 1, 1, 12), TypeKind.DATE),
        (7, TypeKind.DATE),
        (7, TypeKind.TIMESTAMP),
        (datetime(2024, 1, 1), TypeKind.TIME),
        (timedelta(seconds=-1), TypeKind.TIME),
        (7, TypeKind.INTERVAL),
        ({"a": float("nan")}, TypeKind.JSON),
        ({"a": b"x"}, TypeKind.JSON),
        (7, TypeKind.ARRAY),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), TypeKind.TIMESTAMPTZ),
        (object(), TypeKind.TEXT),
    ],
)
def test_values_that_would_be_changed_are_refused_by_their_column_without_being_shown(
    value: Any, kind: TypeKind
) -> None:
    with pytest.raises(LossyWrite, match=f"column c: {kind.value} can't hold this .* as it is") as refused:
        _text(value, kind)
    assert "secret" not in str(refused.value)
