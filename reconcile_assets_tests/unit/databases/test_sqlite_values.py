"""SQLite's values, held to the types that their columns declare."""

from typing import Any

import pytest

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.sqlite.types import declared_kind, resolve_type
from reconcile_assets.databases.sqlite.values import EXACT

K = TypeKind


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (K.INTEGER, 5, "5"),
        (K.INTEGER, 1.5, "1.5"),
        (K.DECIMAL, 0.1, "0.1"),
        (K.DECIMAL, "1.10", "1.10"),
        (K.FLOAT64, 0.1 + 0.2, "0.30000000000000004"),
        (K.FLOAT64, 3, "3"),
        (K.BOOLEAN, 1, "true"),
        (K.BOOLEAN, 0, "false"),
        (K.BOOLEAN, 2, "2"),
        (K.TEXT, "a\x00b", "a\x00b"),
        (K.BYTES, b"\x00\xff", "\\x00ff"),
        (K.DATE, "2024-02-29", "2024-02-29"),
        (K.DATE, "infinity", "infinity"),
        (K.TIME, "12:30", "12:30:00"),
        (K.TIME, "12:30:01.500", "12:30:01.5"),
        (K.TIME, "24:00", "24:00:00"),
        (K.TIME, "24:00:00.000", "24:00:00"),
        (K.TIMESTAMP, "2024-01-01T12:00", "2024-01-01 12:00:00"),
        (K.TIMESTAMP, "2024-01-01", "2024-01-01 00:00:00"),
        (K.TIMESTAMP, "2024-01-01 00:00:00.123456789", "2024-01-01 00:00:00.123456789"),
        (K.TIMESTAMPTZ, "2024-01-01 00:00:00+05:30", "2023-12-31 18:30:00+00"),
        (K.TIMESTAMPTZ, "2024-01-01T00:00:00.5Z", "2024-01-01 00:00:00.5+00"),
        (K.UUID, "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (K.UUID, bytes(16), "00000000-0000-0000-0000-000000000000"),
        (K.JSON, "{}", "{}"),
        (K.JSON, 5, "5"),
    ],
)
def test_a_value_of_its_type_is_written_exactly(kind: TypeKind, value: Any, text: str) -> None:
    assert EXACT[kind](value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (K.INTEGER, "1"),
        (K.INTEGER, b"1"),
        (K.DECIMAL, "0x10"),
        (K.DECIMAL, "1,5"),
        (K.FLOAT64, 2**53 + 1),
        (K.FLOAT64, "NaN"),
        (K.BOOLEAN, "true"),
        (K.TEXT, b"a"),
        (K.TEXT, 5),
        (K.BYTES, "a"),
        (K.DATE, "2024-02-30"),
        (K.DATE, "2023-02-29"),
        (K.DATE, 19_000),
        (K.DATE, "0000-01-01"),
        (K.DATE, "2024-01-01 00:00:00"),
        (K.TIME, "25:00"),
        (K.TIME, "12:00:60"),
        (K.TIME, "24:00:01"),
        (K.TIME, "24:00:00.001"),
        (K.TIMESTAMP, "2024-01-01 00:00:00+00:00"),
        (K.TIMESTAMP, 1.5),
        (K.TIMESTAMPTZ, "2024-01-01 00:00:00"),
        (K.UUID, "a0eebc99"),
        (K.UUID, b"\x00"),
        (K.UUID, 5),
        (K.JSON, b"{}"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_foreign(kind: TypeKind, value: Any) -> None:
    text = EXACT[kind](value)
    assert text is not None
    assert text.startswith(FOREIGN)


@pytest.mark.parametrize("kind", list(EXACT))
def test_null_is_null(kind: TypeKind) -> None:
    assert EXACT[kind](None) is None


def test_values_of_different_storage_classes_never_look_alike() -> None:
    assert len({EXACT[K.BYTES](value) for value in ("1", 1, 1.5, b"1")}) == 4


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("INTEGER", K.INTEGER),
        ("int", K.INTEGER),
        ("UNSIGNED BIG INT", None),
        ("bigint unsigned", K.INTEGER),
        ("VARCHAR(20)", K.TEXT),
        ("NATIVE CHARACTER(70)", K.TEXT),
        ("DECIMAL(10, 2)", K.DECIMAL),
        ("double  precision", K.FLOAT64),
        ("TIMESTAMP WITH TIME ZONE", K.TIMESTAMPTZ),
        ("INTERVAL", None),
        ("POINT", None),
        ("", None),
    ],
)
def test_a_declared_type_has_a_kind_or_its_values_are_asked(declared: str, kind: TypeKind | None) -> None:
    assert declared_kind(declared) is kind


def test_what_values_say_where_the_declared_type_says_nothing() -> None:
    assert resolve_type("", {"integer"}).kind is K.INTEGER
    assert resolve_type("", {"integer", "real"}).kind is K.DECIMAL
    assert resolve_type("", {"integer", "text"}).kind is K.UNKNOWN
    assert resolve_type("DATETIME", {"text"}).kind is K.TIMESTAMP
    assert resolve_type("DATETIME", {"text", "real"}).kind is K.UNKNOWN
