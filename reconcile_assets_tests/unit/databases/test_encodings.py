"""Exact texts as what SQLite, MySQL and DuckDB take into a column."""

import pytest

from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.duckdb import encoding as duckdb_encoding
from reconcile_assets.databases.duckdb.types import resolve_type as duckdb_type
from reconcile_assets.databases.mysql import encoding as mysql_encoding
from reconcile_assets.databases.sqlite import encoding as sqlite_encoding

K = TypeKind


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (K.INTEGER, "-9223372036854775808", -(2**63)),
        (K.INTEGER, "9223372036854775807", 2**63 - 1),
        (K.INTEGER, "1.5", 1.5),
        (K.DECIMAL, "1.10", 1.1),
        (K.DECIMAL, "7.000", 7),
        (K.DECIMAL, "123456789012.345", 123456789012.345),
        (K.DECIMAL, "Infinity", float("inf")),
        (K.FLOAT64, "5e-324", 5e-324),
        (K.FLOAT64, "-Infinity", float("-inf")),
        (K.BOOLEAN, "true", 1),
        (K.BOOLEAN, "false", 0),
        (K.BYTES, "\\x00ff", b"\x00\xff"),
        (K.BYTES, "\\x", b""),
        (K.TEXT, "a\x00b", "a\x00b"),
        (K.TIMESTAMPTZ, "2024-01-01 00:00:00+00", "2024-01-01 00:00:00+00"),
    ],
)
def test_sqlite_keeps_the_value(kind: TypeKind, text: str, value: object) -> None:
    found = sqlite_encoding.encoder(ColumnType(kind, kind.value))(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (K.INTEGER, "9223372036854775808"),
        (K.DECIMAL, "18446744073709551616"),
        (K.DECIMAL, "1234567890123456.25001"),
        (K.DECIMAL, "NaN"),
        (K.FLOAT64, "NaN"),
        (K.BYTES, "\\x0"),
        (K.TEXT, "\udcff"),
    ],
)
def test_sqlite_refuses_what_it_would_change(kind: TypeKind, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        sqlite_encoding.encoder(ColumnType(kind, kind.value))(text)


@pytest.mark.parametrize(
    ("kind", "text", "literal"),
    [
        (K.INTEGER, "18446744073709551615", "18446744073709551615"),
        (K.DECIMAL, "-1.10", "-1.10"),
        (K.FLOAT64, "0.1", "0.1e0"),
        (K.FLOAT64, "1e+23", "1e+23"),
        (K.FLOAT32, "0.1", "0.10000000149011612e0"),
        (K.TEXT, "it's\\\x00", "'it\\'s\\\\\\0'"),
        (K.BYTES, "\\x00ff", "_binary x'00ff'"),
        (K.BIT, "0101", "b'0101'"),
        (K.TIMESTAMPTZ, "2024-01-01 00:00:00.5+00", "'2024-01-01 00:00:00.5'"),
        (K.DATE, "0000-00-00", "'0000-00-00'"),
        (K.UUID, "a0ee", "'a0ee'"),
    ],
)
def test_mysql_is_given_a_literal(kind: TypeKind, text: str, literal: str) -> None:
    assert mysql_encoding.encoder(ColumnType(kind, kind.value))(text) == literal


def test_a_year_is_given_as_text() -> None:
    assert mysql_encoding.encoder(ColumnType(K.INTEGER, "year(4)"))("0") == "'0000'"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (K.INTEGER, "1; DROP TABLE t"),
        (K.FLOAT64, "NaN"),
        (K.FLOAT64, "Infinity"),
        (K.DATE, "infinity"),
        (K.DATE, "0044-03-15 BC"),
        (K.TIMESTAMP, "2024'"),
        (K.BIT, "2"),
        (K.TEXT, "\udcff"),
    ],
)
def test_mysql_is_given_nothing_that_is_no_literal_of_the_type(kind: TypeKind, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        mysql_encoding.encoder(ColumnType(kind, kind.value))(text)


@pytest.mark.parametrize(
    ("native", "text", "cast"),
    [
        ("BIGINT", "-7", "-7"),
        ("BLOB", "\\x00ff", "00ff"),
        ("DATE", "0044-03-15 BC", "0044-03-15 (BC)"),
        ("TIMESTAMP WITH TIME ZONE", "0044-03-15 01:02:03+00 BC", "0044-03-15 (BC) 01:02:03+00"),
        ("INTERVAL", "1 year 2 mons -3 days +04:05:06.5", "14 months -3 days 14706500000 microseconds"),
        ("INTERVAL", "-1 days -00:00:00.000001", "0 months -1 days -1 microseconds"),
        ("INTERVAL", "00:00:00", "0 months 0 days 0 microseconds"),
        ("INTEGER[]", "{1,NULL,-3}", "[\"1\", null, \"-3\"]"),
        ("INTEGER[]", "{}", "[]"),
        ("VARCHAR[]", '{"a,b","","NULL",NULL,"x\\"y"}', '["a,b", "", "NULL", null, "x\\"y"]'),
        ("INTEGER[][]", "{{1,2},{3,4}}", '[["1", "2"], ["3", "4"]]'),
        ("BLOB[]", '{"\\\\x00ff"}', '["\\\\x00\\\\xff"]'),
    ],
)  # fmt: skip
def test_duckdb_is_given_a_text_that_it_casts(native: str, text: str, cast: str) -> None:
    write = duckdb_encoding.encoder(duckdb_type(native))
    assert write is not None
    assert write(text) == cast


@pytest.mark.parametrize(
    ("native", "text"),
    [
        ("BIGINT", "1.5"),
        ("VARCHAR", "\udcff"),
        ("INTEGER[]", "[0:1]={1,2}"),
        ("INTEGER[]", "{{1},{2}}"),
        ("INTEGER[][]", "{1,2}"),
        ("INTEGER[]", "no list"),
    ],
)
def test_duckdb_is_given_nothing_that_a_cast_would_change(native: str, text: str) -> None:
    write = duckdb_encoding.encoder(duckdb_type(native))
    assert write is not None
    with pytest.raises(ValueError, match=r"."):
        write(text)


def test_duckdbs_casts_are_of_the_columns_own_type() -> None:
    assert duckdb_encoding.value_sql(duckdb_type("DECIMAL(4,1)"), "c1") == "CAST(c1 AS DECIMAL(4,1))"
    assert duckdb_encoding.value_sql(duckdb_type("BLOB"), "c1") == "unhex(c1)"
    lists = duckdb_encoding.value_sql(duckdb_type("INTEGER[][]"), "c1")
    assert lists == """CAST(from_json(c1, '[["VARCHAR"]]') AS INTEGER[][])"""
