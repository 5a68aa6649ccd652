"""One value of each type beside another engine's: small and padded to thousands of rows, in both directions."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from reconcile_assets_tests.integration.mysql.conftest import MariadbSide, PostgresSide, compare, make_column


@dataclass(frozen=True)
class Value:
    """A value on each side, as SQL; and what is to be found.

    Attributes:
        alike: equal values have equal digests, so that nothing is shipped.
    """

    name: str
    left: tuple[str, str | None]
    right: tuple[str, str | None]
    verdict: str = "matched"
    alike: bool = True
    options: dict[str, Any] = field(default_factory=dict)


UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
BARE = UUID.replace("-", "")
NUMBERS = [
    ("integers", "bigint", "9007199254740993", "bigint", "9007199254740993", True),
    ("integers beyond 2^53", "bigint", "9007199254740993", "bigint", "9007199254740992", False),
    ("the least integer", "bigint", "-9223372036854775808", "bigint", "-9223372036854775808", True),
    ("unsigned 64 bits", "numeric", "18446744073709551615", "bigint unsigned", "18446744073709551615", True),
    ("unsigned 64 bits by one", "numeric", "18446744073709551614", "bigint unsigned", "18446744073709551615", False),
    ("zero and NULL", "integer", "0", "int", None, False),
    ("zerofill", "integer", "42", "int(8) zerofill", "42", True),
    ("a year", "integer", "2024", "year", "2024", True),
    ("the year zero", "integer", "0", "year", "0000", True),
    ("a scale", "numeric", "1.10", "decimal(10,4)", "1.1", True),
    ("a decimal's tenth", "numeric", "1.2", "decimal(10,4)", "1.3", False),
    ("a decimal's last digit", "numeric(10,2)", "1.20", "decimal(10,4)", "1.2049", False),
    ("a whole decimal", "numeric", "100", "decimal(10,2)", "100", True),
    (
        "a wide decimal",
        "numeric",
        "-" + "9" * 35 + "." + "1" * 29 + "2",
        "decimal(65,30)",
        "-" + "9" * 35 + "." + "1" * 29 + "2",
        True,
    ),
    ("an integer and a decimal", "integer", "5", "decimal(10,3)", "5", True),
    ("a decimal's zero", "numeric", "0.000", "decimal(10,3)", "-0.000", True),
    ("a decimal with zerofill", "numeric", "1.5", "decimal(8,3) zerofill", "1.5", True),
    ("true", "boolean", "true", "tinyint(1)", "1", True),
    ("false", "boolean", "false", "tinyint(1)", "0", True),
    ("true and 2", "boolean", "true", "tinyint(1)", "2", False),
    ("true and -1", "boolean", "true", "tinyint(1)", "-1", False),
    ("false and NULL", "boolean", "false", "tinyint(1)", None, False),
    ("true and a bit", "boolean", "true", "bit(1)", "b'1'", True),
    ("bits as a number", "integer", "5", "bit(8)", "b'00000101'", True),
    ("bits as another number", "integer", "4", "bit(8)", "b'00000101'", False),
    ("bits", "bit(12)", "B'000000000101'", "bit(12)", "b'101'", True),
    ("64 bits", "bit(64)", "B'1" + "0" * 62 + "1'", "bit(64)", "b'1" + "0" * 62 + "1'", True),
    ("doubles", "float8", "0.1::float8 + 0.2::float8", "double", "0.1e0 + 0.2e0", True),
    ("doubles by the last bit", "float8", "0.3", "double", "0.1e0 + 0.2e0", False),
    ("a double and a decimal", "numeric", "0.1", "double", "0.1", True),
    ("a double and another decimal", "numeric", "0.3", "double", "0.1e0 + 0.2e0", False),
    ("a double's zero", "float8", "'-0'", "double", "-0e0", True),
    ("a double's zero and NULL", "float8", None, "double", "0", False),
    ("a decimal fraction", "float8", "1.005", "double", "1.005", True),
    ("1e15", "float8", "1e15", "double", "1e15", True),
    ("1e-7", "float8", "1e-7", "double", "1e-7", True),
    ("1e16 and its neighbour", "float8", "10000000000000002", "double", "1e16", False),
    ("the largest double", "float8", "1.7976931348623157e308", "double", "1.7976931348623157e308", True),
    ("the least double", "float8", "-5e-324", "double", "-5e-324", True),
    ("17 digits and an exponent", "float8", "-1.2345678901234567e-300", "double", "-1.2345678901234567e-300", True),
    ("a double with declared digits", "float8", "1.5", "double(10,3)", "1.5", True),
    ("infinity", "float8", "'Infinity'", "double", "1.7976931348623157e308", False),
    ("NaN and NULL", "float8", "'NaN'", "double", None, False),
    ("floats", "real", "0.1", "float", "0.1", True),
    ("a float of 9 digits", "real", "0.123456789", "float", "0.123456789", True),
    ("floats by the last bit", "real", "16777217", "float", "16777218", False),
    ("floats that look alike in 6 digits", "real", "0.1234567", "float", "0.1234568", False),
    ("a small float", "real", "1e-45", "float", "1e-45", True),
    ("a large float", "real", "3.4028235e38", "float", "3.4028234663852886e38", True),
    ("a float with declared digits", "real", "1.5", "float(10,3)", "1.5", True),
    ("a float's zero", "real", "'-0'", "float", "0", True),
    ("a float and a decimal", "numeric", "0.1", "float", "0.1", True),
    ("a float and another decimal", "numeric", "0.100001", "float", "0.1", False),
    ("a float and an integer", "integer", "3", "float", "3", True),
]
TEXTS = [
    ("texts", "text", "'a|b'", "varchar(9)", "'a|b'", True),
    ("case", "text", "'A'", "varchar(9)", "'a'", False),
    ("an accent", "text", "'é'", "varchar(9) COLLATE utf8mb4_unicode_ci", "'e'", False),
    ("composed and decomposed", "text", "U&'e\\0301'", "varchar(9) COLLATE utf8mb4_unicode_ci", "'é'", False),
    ("a trailing space", "text", "'a '", "varchar(9)", "'a'", False),
    ("a trailing space on both", "text", "'a '", "varchar(9)", "'a '", True),
    ("empty and NULL", "text", "''", "varchar(9)", None, False),
    ("a sentinel", "text", "'NULL'", "varchar(9)", None, False),
    ("another sentinel", "text", "'\\N'", "varchar(9)", None, False),
    ("4 bytes", "text", "U&'\\+01F600'", "varchar(9)", "_utf8mb4 x'f09f9880'", True),
    ("4 bytes by one", "text", "U&'\\+01F600'", "varchar(9)", "_utf8mb4 x'f09f9881'", False),
    ("latin1", "text", "'é€'", "varchar(9) CHARACTER SET latin1", "'é€'", True),
    ("latin1 case", "text", "'É'", "varchar(9) CHARACTER SET latin1", "'é'", False),
    ("utf16", "text", "'é€'", "varchar(9) CHARACTER SET utf16", "'é€'", True),
    ("utf8mb3", "text", "'é€'", "varchar(9) CHARACTER SET utf8mb3", "'é€'", True),
    ("cp932", "text", "'日本'", "varchar(9) CHARACTER SET cp932", "'日本'", True),
    ("greek", "text", "'αβγ'", "varchar(9) CHARACTER SET greek", "'αβγ'", True),
    ("koi8r against its question marks", "text", "'??'", "varchar(9) CHARACTER SET koi8r", "'да'", False),
    ("ascii", "text", "'abc'", "varchar(9) CHARACTER SET ascii", "'abc'", True),
    ("NUL", "text", "'ab'", "varchar(9)", "_utf8mb4 x'610062'", False),
    ("a megabyte", "text", "repeat('x', 1000000) || 'a'", "longtext", "concat(repeat('x', 1000000), 'a')", True),
    (
        "a megabyte's last",
        "text",
        "repeat('x', 1000000) || 'a'",
        "longtext",
        "concat(repeat('x', 1000000), 'b')",
        False,
    ),
    ("char", "char(5)", "'ab'", "char(5)", "'ab'", True),
    ("char and text", "text", "'ab'", "char(5)", "'ab   '", True),
    ("char and text with a space", "text", "'ab '", "char(5)", "'ab '", False),
    ("an enum's label", "text", "'small'", "enum('small','large')", "'small'", True),
    ("an enum's other label", "text", "'Small'", "enum('small','large')", "'small'", False),
    ("an enum's empty value", "text", "''", "enum('small','large')", "0", True),
    ("a set's labels", "text", "'a,c'", "set('a','b','c')", "'c,a'", True),
    ("bytes", "bytea", "'\\x00ff5c'", "varbinary(9)", "x'00ff5c'", True),
    ("bytes and a zero byte", "bytea", "'\\x61'", "binary(2)", "x'61'", False),
    ("a blob", "bytea", "decode(repeat('00', 100000), 'hex')", "mediumblob", "repeat(x'00', 100000)", True),
    ("no bytes and NULL", "bytea", "''", "blob", None, False),
    ("uuids", "uuid", f"'{UUID}'", "uuid", f"'{UUID}'", True),
    ("uuid by one", "uuid", f"'{UUID}'", "uuid", f"'{UUID[:-1]}2'", False),
    ("uuid as text in capitals", "uuid", f"'{UUID}'", "char(36)", f"'{UUID.upper()}'", True),
    ("uuid without dashes", "uuid", f"'{UUID}'", "varchar(36)", f"'{BARE}'", True),
    ("uuid in braces", "uuid", f"'{UUID}'", "varchar(40) CHARACTER SET latin1", f"'{{{UUID}}}'", True),
    ("uuid with a newline", "uuid", f"'{UUID}'", "varchar(40)", f"'{UUID}\\n'", False),
    ("uuid as bytes", "uuid", f"'{UUID}'", "binary(16)", f"x'{BARE}'", True),
    ("uuid as 17 bytes", "uuid", f"'{UUID}'", "varbinary(17)", f"x'{BARE}00'", False),
]
TIMES = [
    ("dates", "date", "'2024-02-29'", "date", "'2024-02-29'", True),
    ("dates by a day", "date", "'2024-02-28'", "date", "'2024-02-29'", False),
    ("the zero date and NULL", "date", None, "date", "'0000-00-00'", False),
    ("the zero date and a date BC", "date", "'0002-11-30 BC'", "date", "'0000-00-00'", False),
    ("a date and the zero time", "timestamp", "'0002-11-30 BC'", "datetime", "'0000-00-00'", False),
    ("infinity", "timestamp", "'infinity'", "datetime(6)", "'9999-12-31 23:59:59.999999'", False),
    ("a date and its midnight", "date", "'2024-01-01'", "datetime(6)", "'2024-01-01'", True),
    ("a date and a second after", "date", "'2024-01-01'", "datetime(6)", "'2024-01-01 00:00:01'", False),
    ("a date on the other side", "timestamp", "'2024-01-01'", "date", "'2024-01-01'", True),
    ("microseconds", "timestamp", "'2024-01-01 10:00:00.123456'", "datetime(6)", "'2024-01-01 10:00:00.123456'", True),
    (
        "a microsecond",
        "timestamp",
        "'2024-01-01 10:00:00.123457'",
        "datetime(6)",
        "'2024-01-01 10:00:00.123456'",
        False,
    ),
    ("tenths", "timestamp", "'2024-01-01 10:00:00.5'", "datetime(6)", "'2024-01-01 10:00:00.5'", True),
    (
        "milliseconds on both",
        "timestamp(3)",
        "'2024-01-01 10:00:00.12'",
        "datetime(3)",
        "'2024-01-01 10:00:00.12'",
        True,
    ),
    ("an instant", "timestamptz", "'2024-01-01 10:00:00.5+02'", "timestamp(6)", "'2024-01-01 08:00:00.5'", True),
    (
        "an instant an hour off",
        "timestamptz",
        "'2024-11-03 01:30:00-04'",
        "timestamp(6)",
        "'2024-11-03 06:30:00'",
        False,
    ),
    ("times", "time", "'23:59:59.999999'", "time(6)", "'23:59:59.999999'", True),
    ("a time beyond the day", "time", "'24:00:00'", "time(6)", "'24:00:00'", True),
    ("a negative time", "time", "'01:00:00'", "time(6)", "'-01:00:00'", False),
    ("838 hours", "time", "'22:00:00'", "time", "'838:59:59'", False),
]
DOCUMENTS = [
    ("json", "jsonb", """'{"a":1,"b":2}'""", "json", """'{"b":2, "a":1}'""", True),
    ("json numbers", "json", """'{"a":1.0}'""", "json", """'{"a":1}'""", True),
    ("json by one", "jsonb", "'9007199254740993'", "json", "'9007199254740992'", False),
    ("json order", "jsonb", "'[1,2]'", "json", "'[2,1]'", False),
    ("json null", "jsonb", """'{"a":null}'""", "json", "'{}'", False),
    ("json null and NULL", "jsonb", "'null'", "json", None, False),
    ("json escapes", "jsonb", """'{"a":"\\u00e9"}'""", "json", """'{"a":"é"}'""", True),
    ("json and text", "jsonb", """'{"a":1,"b":2}'""", "longtext", """'{"b":2, "a":1}'""", True),
    ("text and json", "text", """'{"a":1,"b":2}'""", "json", """'{"b":2, "a":1}'""", True),
    ("marked json and its text", "json", """'{"a":"\\u0000"}'""", "text", """'!{"a":"\\\\u0000"}'""", False),
    ("json with NUL", "json", """'{"a":"\\u0000"}'""", "json", """'{"a":"\\\\u0000"}'""", True),
]


def _values() -> list[Value]:
    rows = [(row, True) for row in (*NUMBERS, *TEXTS, *TIMES)] + [(row, False) for row in DOCUMENTS]
    return [
        Value(
            name, (left_type, left), (right_type, _year(right_type, right)), "matched" if equal else "mismatched", alike
        )
        for (name, left_type, left, right_type, right, equal), alike in rows
    ]


def _year(column_type: str, text: str | None) -> str | None:
    return f"'{text}'" if column_type == "year" else text


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize("value", _values(), ids=lambda value: value.name)
def test_a_value_equals_what_is_equal_and_nothing_else(
    postgres: PostgresSide, mariadb: MariadbSide, value: Value, padded: bool
) -> None:
    make_column(postgres, *value.left, padded=padded)
    make_column(mariadb, *value.right, padded=padded)
    for source, target in ((postgres, mariadb), (mariadb, postgres)):
        found = compare(source, target, **value.options)
        assert found.verdict == value.verdict, found
        assert found.value_differs == (value.verdict == "mismatched")
        assert found.missing_in_source == found.missing_in_target == 0
        if value.verdict == "matched" and value.alike and found.columns["v"].comparison == "exact":
            assert found.source_checksum == found.target_checksum
        else:
            assert value.verdict == "matched" or found.source_checksum != found.target_checksum


@pytest.mark.parametrize("value", [value for value in _values() if value.verdict == "mismatched"], ids=lambda v: v.name)
def test_two_tables_of_mariadb_match_exactly_when_their_values_do(
    mariadb: MariadbSide, other_mariadb: MariadbSide, value: Value
) -> None:
    make_column(mariadb, *value.right, padded=True)
    make_column(other_mariadb, *value.right, padded=True)
    assert compare(mariadb, other_mariadb).verdict == "matched"
    other_mariadb.run("UPDATE t SET v = NULL WHERE id = 1")
    same = value.right[1] is None
    assert compare(mariadb, other_mariadb).verdict == ("matched" if same else "mismatched")
    assert compare(other_mariadb, mariadb).value_differs == (0 if same else 1)
