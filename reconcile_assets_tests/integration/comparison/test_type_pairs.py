"""Pairs of types and values: what is equal, what differs, what is coarser, what can't be compared.

Each is compared in both directions, alone in its table and among thousands of rows.
"""

import pytest

from reconcile_assets_tests.integration.comparison.conftest import Pair

SAME, DIFFERENT, UNKNOWN = "matched", "mismatched", "inconclusive"

EXACT = [
    ("numeric scales", "numeric", "1.2", "numeric", "1.3", DIFFERENT),
    ("numeric trailing zeros", "numeric", "1.10", "numeric(10,4)", "1.1000", SAME),
    ("numeric rounded by scale", "numeric(10,2)", "1.20", "numeric", "1.2049", DIFFERENT),
    ("numeric NaN", "numeric", "'NaN'", "numeric", "'NaN'", SAME),
    ("numeric NaN and NULL", "numeric", "'NaN'", "numeric", None, DIFFERENT),
    (
        "numeric far beyond floats",
        "numeric",
        "12345678901234567890.00000000000000000001",
        "numeric(60,30)",
        "12345678901234567890.00000000000000000002",
        DIFFERENT,
    ),
    ("numeric 1e-20 and 2e-20", "numeric", "1e-20", "numeric", "2e-20", DIFFERENT),
    ("numeric infinity", "numeric", "'Infinity'", "numeric", "'-Infinity'", DIFFERENT),
    ("numeric infinity and float infinity", "numeric", "'Infinity'", "float8", "'Infinity'", SAME),
    ("bigint beyond 2^53", "bigint", "9007199254740993", "bigint", "9007199254740992", DIFFERENT),
    ("bigint and numeric", "bigint", "9007199254740993", "numeric", "9007199254740993.0", SAME),
    ("bigint and numeric beyond 2^53", "bigint", "9007199254740993", "numeric", "9007199254740992", DIFFERENT),
    ("bigint and float beyond 2^53", "bigint", "9007199254740993", "float8", "9007199254740993", DIFFERENT),
    ("smallint and integer", "smallint", "-7", "integer", "-7", SAME),
    ("oid and bigint", "oid", "4294967295", "bigint", "4294967295", SAME),
    ("integer 1 and numeric 1.0001", "integer", "1", "numeric", "1.0001", DIFFERENT),
    ("float 0.1 and numeric 0.1", "float8", "0.1", "numeric", "0.1", SAME),
    (
        "float 0.1 and its exact expansion",
        "float8",
        "0.1",
        "numeric",
        "0.1000000000000000055511151231257827021181583404541015625",
        DIFFERENT,
    ),
    ("float sum and numeric", "float8", "0.1::float8 + 0.2::float8", "numeric", "0.3", DIFFERENT),
    ("float sum", "float8", "0.1::float8 + 0.2::float8", "float8", "0.3", DIFFERENT),
    ("float negative zero", "float8", "'-0'", "float8", "0", SAME),
    ("float negative zero and integer", "float8", "'-0'", "integer", "0", SAME),
    ("float NaN", "float8", "'NaN'", "float8", "'NaN'", SAME),
    ("float NaN and numeric NaN", "float8", "'NaN'", "numeric", "'NaN'", SAME),
    ("float NaN and NULL", "float8", "'NaN'", "float8", None, DIFFERENT),
    ("float infinities", "float8", "'Infinity'", "float8", "'-Infinity'", DIFFERENT),
    ("float infinity", "float8", "'Infinity'", "float8", "'Infinity'", SAME),
    ("float largest", "float8", "1.7976931348623157e308", "numeric", "1.7976931348623157e308", SAME),
    ("float smallest", "float8", "5e-324", "numeric", "5e-324", SAME),
    ("float next", "float8", "1", "float8", "1.0000000000000002", DIFFERENT),
    ("float 1e15", "float8", "1e15", "bigint", "1000000000000000", SAME),
    ("float4 and numeric", "float4", "0.1", "numeric", "0.1", SAME),
    ("float4 and integer", "float4", "16777216", "integer", "16777217", DIFFERENT),
    ("float 0 and NULL", "float8", "0", "float8", None, DIFFERENT),
    ("boolean and integer", "boolean", "true", "integer", "1", SAME),
    ("boolean and smallint 2", "boolean", "true", "smallint", "2", DIFFERENT),
    ("boolean false and 0", "boolean", "false", "numeric", "0.0", SAME),
    ("boolean and NULL", "boolean", "false", "integer", None, DIFFERENT),
    ("bit and integer", "bit(8)", "b'00000101'", "integer", "5", SAME),
    ("bit and another integer", "bit(8)", "b'00000101'", "integer", "101", DIFFERENT),
    ("bit and boolean", "bit(1)", "b'1'", "boolean", "true", SAME),
    ("no bits and 0", "varbit(8)", "b''", "integer", "0", DIFFERENT),
    ("bits of other lengths", "bit(3)", "b'101'", "varbit", "b'0101'", DIFFERENT),
    ("bits", "bit(3)", "b'101'", "varbit", "b'101'", SAME),
    ("text and varchar", "text", "'abc'", "varchar(10)", "'abc'", SAME),
    ("text case", "text", "'a'", "text", "'A'", DIFFERENT),
    ("text trailing space", "text", "'a'", "text", "'a '", DIFFERENT),
    ("text NFC and NFD", "text", "U&'\\00e9'", "text", "U&'e\\0301'", DIFFERENT),
    ("text beyond the BMP", "text", "U&'\\+01F600'", "text", "U&'\\+01F601'", DIFFERENT),
    ("text same emoji", "text", "U&'\\+01F600'", "varchar(3)", "U&'\\+01F600'", SAME),
    ("text end of a megabyte", "text", "repeat('x', 1000000) || 'a'", "text", "repeat('x', 1000000) || 'b'", DIFFERENT),
    ("char padding", "char(5)", "'ab'", "char(9)", "'ab'", SAME),
    ("char and text", "char(5)", "'ab'", "text", "'ab'", SAME),
    ("char and text with a space", "char(5)", "'ab'", "text", "'ab '", DIFFERENT),
    ("name and text", "name", "'ab'", "text", "'ab'", SAME),
    ("bytea", "bytea", "'\\x00ff'", "bytea", "'\\x00ff'", SAME),
    ("bytea with more", "bytea", "'\\x00ff'", "bytea", "'\\x00ff00'", DIFFERENT),
    ("bytea empty and NULL", "bytea", "''", "bytea", None, DIFFERENT),
    (
        "uuid and upper text",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "text",
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        SAME,
    ),
    (
        "uuid and bare text",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "varchar",
        "'a0eebc999c0b4ef8bb6d6bb9bd380a11'",
        SAME,
    ),
    (
        "uuid and braced text",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "text",
        "'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'",
        SAME,
    ),
    (
        "uuid and half a brace",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "text",
        "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        DIFFERENT,
    ),
    (
        "uuid and char",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "char(40)",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        SAME,
    ),
    (
        "uuid and bytes",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "bytea",
        "'\\xa0eebc999c0b4ef8bb6d6bb9bd380a11'",
        SAME,
    ),
    ("uuid and other bytes", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "bytea", "'\\xa0ee'", DIFFERENT),
    (
        "uuid and another",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        "text",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'",
        DIFFERENT,
    ),
    ("date and timestamp at midnight", "date", "'2024-01-01'", "timestamp", "'2024-01-01 00:00:00'", SAME),
    ("date and timestamp a second later", "date", "'2024-01-01'", "timestamp", "'2024-01-01 00:00:01'", DIFFERENT),
    ("date infinity and timestamp infinity", "date", "'infinity'", "timestamp", "'infinity'", SAME),
    ("date BC", "date", "'0044-03-15 BC'", "timestamp", "'0044-03-15 00:00:00 BC'", SAME),
    ("date BC and AD", "date", "'0044-03-15 BC'", "date", "'0044-03-15'", DIFFERENT),
    ("date far away", "date", "'5000000-01-01'", "timestamp", "'2024-01-01'", DIFFERENT),
    ("timestamp infinity", "timestamp", "'infinity'", "timestamp", "'-infinity'", DIFFERENT),
    ("timestamp infinity and NULL", "timestamp", "'infinity'", "timestamp", None, DIFFERENT),
    ("timestamp year 10000", "timestamp", "'10000-01-01'", "timestamp", "'10000-01-01'", SAME),
    ("timestamp microsecond", "timestamp", "'2024-01-01 00:00:00.000001'", "timestamp", "'2024-01-01'", DIFFERENT),
    (
        "instants by other offsets",
        "timestamptz",
        "'2024-11-03 01:30:00-04'",
        "timestamptz",
        "'2024-11-03 01:30:00-05'",
        DIFFERENT,
    ),
    (
        "one instant written twice",
        "timestamptz",
        "'2024-11-03 01:30:00-04'",
        "timestamptz",
        "'2024-11-03 05:30:00+00'",
        SAME,
    ),
    ("time of day", "time", "'23:59:59.999999'", "time", "'24:00:00'", DIFFERENT),
    ("time with zone", "timetz", "'01:00:00+01'", "timetz", "'01:00:00+02'", DIFFERENT),
    ("interval month and days", "interval", "'1 month'", "interval", "'30 days'", DIFFERENT),
    ("interval day and hours", "interval", "'1 day'", "interval", "'24 hours'", DIFFERENT),
    ("interval year and months", "interval", "'1 year'", "interval", "'12 months'", SAME),
    ("jsonb and json", "jsonb", """'{"a":1,"b":2}'""", "json", """'{"b":2, "a":1}'""", SAME),
    ("json numbers", "jsonb", """'{"a":1.0}'""", "jsonb", """'{"a":1}'""", SAME),
    ("json exponents", "json", """'{"a":1e2}'""", "jsonb", """'{"a":100}'""", SAME),
    ("json beyond 2^53", "jsonb", "'9007199254740993'", "jsonb", "'9007199254740992'", DIFFERENT),
    ("json array order", "jsonb", "'[1,2]'", "jsonb", "'[2,1]'", DIFFERENT),
    ("json null member", "jsonb", """'{"a":null}'""", "jsonb", "'{}'", DIFFERENT),
    ("json null and NULL", "jsonb", "'null'", "jsonb", None, DIFFERENT),
    ("json escapes", "json", """'"\\u00e9"'""", "jsonb", "U&'\"\\00e9\"'", SAME),
    ("json true and 1", "jsonb", "'true'", "jsonb", "'1'", DIFFERENT),
    ("json text and number", "jsonb", "'\"1\"'", "jsonb", "'1'", DIFFERENT),
    ("json NUL escape", "json", """'"\\u0000"'""", "json", """'"\\u0000" '""", SAME),
    ("json NUL escape and jsonb", "json", """'"\\u0000"'""", "jsonb", """'""'""", DIFFERENT),
    ("json duplicate keys", "json", """'{"a":1,"a":2}'""", "jsonb", """'{"a":2}'""", SAME),
    ("json and text", "jsonb", """'{"a":1,"b":[true,null]}'""", "text", """'{"b":[true,null],"a":1.0}'""", SAME),
    ("json and other text", "jsonb", """'{"a":1}'""", "text", """'{"a":2}'""", DIFFERENT),
    ("json and text that is none", "jsonb", """'"x"'""", "text", "'x'", DIFFERENT),
    ("arrays", "int[]", "'{1,2}'", "bigint[]", "'{1,2}'", SAME),
    ("array order", "int[]", "'{1,2}'", "int[]", "'{2,1}'", DIFFERENT),
    ("array of decimals", "numeric[]", "'{1.0,2}'", "numeric[]", "'{1,2.00}'", SAME),
    ("array NULL and text", "text[]", "'{NULL}'", "text[]", """'{"NULL"}'""", DIFFERENT),
    ("array of two and one with a comma", "text[]", "'{a,b}'", "text[]", """'{"a,b"}'""", DIFFERENT),
    ("array shapes", "int[]", "'{{1,2},{3,4}}'", "int[]", "'{1,2,3,4}'", DIFFERENT),
    ("array empty and NULL", "int[]", "'{}'", "int[]", None, DIFFERENT),
    ("array quotes and backslashes", "text[]", r"""array['a"b\c', ' ']""", "text[]", r"""array['a"b\c', ' ']""", SAME),
    ("array bounds", "int[]", "'[0:1]={1,2}'", "int[]", "'{1,2}'", DIFFERENT),
    ("addresses", "inet", "'10.0.0.1/32'", "inet", "'10.0.0.1'", SAME),
    ("other addresses", "inet", "'10.0.0.1/24'", "inet", "'10.0.0.1'", DIFFERENT),
    ("ranges", "int4range", "'[1,5)'", "int4range", "'[1,4]'", SAME),
    ("ranges that differ", "int4range", "'[1,5)'", "int4range", "'[1,5]'", DIFFERENT),
]

UNCOMPARABLE = [
    ("money", "money", "'1'", "money", "'1'"),
    ("points", "point", "'(1,2)'", "point", "'(1,2)'"),
    ("ranges of decimals", "numrange", "'[1,2]'", "numrange", "'[1,2]'"),
    ("text and integer", "text", "'1'", "integer", "1"),
    ("text and boolean", "text", "'true'", "boolean", "true"),
    ("timestamp and instant", "timestamp", "'2024-01-01'", "timestamptz", "'2024-01-01+00'"),
    ("date and instant", "date", "'2024-01-01'", "timestamptz", "'2024-01-01+00'"),
    ("bytes and text", "bytea", "'a'", "text", "'a'"),
    ("array and text", "int[]", "'{1}'", "text", "'{1}'"),
    ("array of points", "point[]", "'{}'", "point[]", "'{}'"),
    ("address and text", "inet", "'10.0.0.1'", "text", "'10.0.0.1'"),
    ("array of bits and array of integers", "bit(3)[]", "'{101}'", "int[]", "'{101}'"),
    ("array of char and array of text", "char(3)[]", "'{a}'", "text[]", """'{"a  "}'"""),
    ("long bits and integer", "bit(70)", "b'1'::bit(70)", "integer", "1"),
    ("float and boolean", "float8", "1", "boolean", "true"),
    ("time and timestamp", "time", "'00:00'", "timestamp", "'2024-01-01'"),
]

COARSER = [
    ("cut milliseconds", "timestamp", "'2024-01-01 00:00:00.1236'", "timestamp(3)", "'2024-01-01 00:00:00.123'", SAME),
    (
        "rounded milliseconds",
        "timestamp",
        "'2024-01-01 00:00:00.1236'",
        "timestamp(3)",
        "'2024-01-01 00:00:00.124'",
        SAME,
    ),
    (
        "a millisecond off",
        "timestamp",
        "'2024-01-01 00:00:00.1236'",
        "timestamp(3)",
        "'2024-01-01 00:00:00.125'",
        DIFFERENT,
    ),
    (
        "exactly one unit",
        "timestamp",
        "'2024-01-01 00:00:00.123'",
        "timestamp(3)",
        "'2024-01-01 00:00:00.124'",
        DIFFERENT,
    ),
    ("rounded into the next day", "timestamp", "'2024-01-01 23:59:59.9999'", "timestamp(3)", "'2024-01-02'", SAME),
    (
        "seconds of instants",
        "timestamptz",
        "'2024-01-01 00:00:00.9+00'",
        "timestamptz(0)",
        "'2024-01-01 00:00:01+00'",
        SAME,
    ),
    ("tenths", "timestamp(1)", "'2024-01-01 00:00:00.1'", "timestamp(4)", "'2024-01-01 00:00:00.1999'", SAME),
    (
        "before Christ",
        "timestamp",
        "'0044-03-15 00:00:00.1239 BC'",
        "timestamp(3)",
        "'0044-03-15 00:00:00.123 BC'",
        SAME,
    ),
    ("BC and AD", "timestamp", "'0044-03-15 BC'", "timestamp(3)", "'0044-03-15'", DIFFERENT),
    ("infinity", "timestamp", "'infinity'", "timestamp(3)", "'infinity'", SAME),
    ("infinity and NULL", "timestamp", "'infinity'", "timestamp(3)", None, DIFFERENT),
    ("times of day", "time", "'10:00:00.1236'", "time(3)", "'10:00:00.123'", SAME),
    ("floats", "float8", "0.1", "float4", "0.1", SAME),
    ("floats cut", "float8", "0.30000000000000004", "float4", "0.3", SAME),
    ("floats that differ", "float8", "0.1", "float4", "0.1000001", DIFFERENT),
    ("float beyond single", "float8", "1e300", "float4", "'Infinity'", DIFFERENT),
    ("float below single", "float8", "1e-300", "float4", "1", DIFFERENT),
    ("float NaN", "float8", "'NaN'", "float4", "'NaN'", SAME),
]


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize("case", EXACT, ids=[case[0] for case in EXACT])
def test_values_are_equal_only_when_they_are_the_same(pair: Pair, case: tuple[str, ...], padded: bool) -> None:
    _, source_type, source_value, target_type, target_value, expected = case
    pair.column(0, source_type, source_value, padded=padded)
    pair.column(1, target_type, target_value, padded=padded)
    for turned in (False, True):
        found = pair.diff(turned=turned)
        assert (found.verdict, found.columns["v"].comparison) == (expected, "exact"), found.notes
        assert found.value_differs == found.columns["v"].differs == (expected == DIFFERENT)


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize("case", UNCOMPARABLE, ids=[case[0] for case in UNCOMPARABLE])
def test_what_has_no_exact_common_form_is_never_called_equal(pair: Pair, case: tuple[str, ...], padded: bool) -> None:
    _, source_type, source_value, target_type, target_value = case
    pair.column(0, source_type, source_value, padded=padded)
    pair.column(1, target_type, target_value, padded=padded)
    for turned in (False, True):
        found = pair.diff(turned=turned)
        assert found.verdict == UNKNOWN
        assert found.columns["v"].comparison.startswith("uncomparable:")
        assert any("could not be verified" in note for note in found.notes)


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize("case", COARSER, ids=[case[0] for case in COARSER])
def test_a_coarser_type_matches_within_less_than_one_of_its_units(
    pair: Pair, case: tuple[str, ...], padded: bool
) -> None:
    _, source_type, source_value, target_type, target_value, expected = case
    pair.column(0, source_type, source_value, padded=padded)
    pair.column(1, target_type, target_value, padded=padded)
    for turned in (False, True):
        found = pair.diff(turned=turned)
        assert found.verdict == expected, found.notes
        assert found.columns["v"].comparison.startswith("coarser:")
        assert any("coarser" in note for note in found.notes)


def test_strict_takes_no_coarser_value_for_the_same(pair: Pair) -> None:
    pair.column(0, "timestamp", "'2024-01-01 00:00:00.1236'", padded=True)
    pair.column(1, "timestamp(3)", "'2024-01-01 00:00:00.123'", padded=True)
    assert pair.diff().verdict == SAME
    for turned in (False, True):
        assert pair.diff(turned=turned, strict=True).verdict == DIFFERENT


def test_a_declared_zone_makes_zoneless_times_instants(pair: Pair) -> None:
    pair.column(0, "timestamp", "'2024-07-01 08:00:00'", padded=True)
    pair.column(1, "timestamptz", "'2024-07-01 12:00:00+00'", padded=True)
    for turned in (False, True):
        assert pair.diff(turned=turned, zones={"v": "America/New_York"}).verdict == SAME
        assert pair.diff(turned=turned, zones={"v": "UTC"}).verdict == DIFFERENT
