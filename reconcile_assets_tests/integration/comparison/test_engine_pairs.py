"""One value beside another, on every pair of engines that can hold the two: small and padded, in both directions."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from reconcile_assets_tests.integration.comparison.engines import ENGINES, Engines

MATCHED, MISMATCHED, INCONCLUSIVE = "matched", "mismatched", "inconclusive"


@dataclass(frozen=True)
class Held:
    """A value: by engine its column's type and the literal."""

    by_engine: dict[str, tuple[str, str]]


def held(pg: str = "", sqlite: str = "", duckdb: str = "", literal: str = "NULL", **literals: str) -> Held:
    """``type`` for each engine that can hold the value; the literal for all, or one by engine."""
    types = {"postgresql": pg, "sqlite": sqlite, "duckdb": duckdb}
    return Held({engine: (name, literals.get(f"in_{engine}", literal)) for engine, name in types.items() if name})


def text(literal: str) -> Held:
    return held("text", "TEXT", "VARCHAR", literal)


@dataclass(frozen=True)
class Case:
    name: str
    left: Held
    right: Held
    verdict: str
    options: dict[str, Any] = field(default_factory=dict)
    within: int = 0  # rows within a tolerance or a coarser type


def case(name: str, left: Held, right: Held, verdict: str, *, within: int = 0, **options: Any) -> Case:
    return Case(name, left, right, verdict, options, within)


def numeric(literal: str, **literals: str) -> Held:
    return held("numeric", "DECIMAL(30,10)", "DECIMAL(30,10)", literal, **literals)


def double(literal: str, **literals: str) -> Held:
    return held("float8", "DOUBLE", "DOUBLE", literal, **literals)


def bigint(literal: str) -> Held:
    return held("bigint", "BIGINT", "BIGINT", literal)


def boolean(literal: str) -> Held:
    return held("boolean", "BOOLEAN", "BOOLEAN", literal)


def timestamp(literal: str) -> Held:
    return held("timestamp", "DATETIME", "TIMESTAMP", literal)


def instant(literal: str) -> Held:
    return held("timestamptz", "TIMESTAMPTZ", "TIMESTAMPTZ", literal)


def date(literal: str) -> Held:
    return held("date", "DATE", "DATE", literal)


def json(literal: str) -> Held:
    return held("jsonb", "JSON", "JSON", literal)


def raw(digits: str) -> Held:
    bytes_ = "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))
    return held(
        "bytea", "BLOB", "BLOB", in_postgresql=f"'\\x{digits}'", in_sqlite=f"x'{digits}'", in_duckdb=f"'{bytes_}'::BLOB"
    )


NULL = "NULL"
UUID = "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"
WITH_NUL = held("", "TEXT", "VARCHAR", in_sqlite="CAST(x'610062' AS TEXT)", in_duckdb="'a' || chr(0) || 'b'")
BIG = "'{\"n\": 9007199254740993}'"

CASES = [
    *(case(f"NULL and {sentinel}", text(NULL), text(sentinel), MISMATCHED) for sentinel in (
        "''", "'NULL'", "'<null>'", "'_null_recon_'", "'DATACOMPY_NULL'", "'\\N'", "'None'", "'nan'", "'!'", "'~'",
    )),
    case("NULL and NULL", text(NULL), text(NULL), MATCHED),
    case("text", text("'x|y'"), text("'x|y'"), MATCHED),
    case("case", text("'a'"), text("'A'"), MISMATCHED),
    case("trailing space", text("'a'"), text("'a '"), MISMATCHED),
    case("NFC and NFD", text("'\u00e9'"), text("'e\u0301'"), MISMATCHED),
    case("4-byte characters", text("'\U0001f600'"), text("'\U0001f600'"), MATCHED),
    case("4-byte characters differ", text("'\U0001f600'"), text("'\U0001f601'"), MISMATCHED),
    case("NUL inside text", WITH_NUL, WITH_NUL, MATCHED),
    case("NUL ends no text", WITH_NUL, text("'a'"), MISMATCHED),
    case("no UTF-8", held("", "TEXT", literal="CAST(x'ff' AS TEXT)"), text("'\u00ff'"), MISMATCHED),
    case("char padding", held("char(5)", literal="'ab'"), text("'ab'"), MATCHED),
    case("0 and NULL", double("0"), double(NULL), MISMATCHED),
    case("-0.0 and 0.0", double("-0.0", in_postgresql="'-0'"), double("0"), MATCHED),
    case("numeric scale", numeric("1.10"), numeric("1.1000"), MATCHED),
    case("numeric", numeric("1.2"), numeric("1.3"), MISMATCHED),
    case("tiny numeric", held("numeric", literal="1e-20"), numeric("0"), MISMATCHED),
    case("numeric rounds", numeric("1.20"), numeric("1.2049"), MISMATCHED),
    case("numeric tolerance", numeric("1.20"), numeric("1.2049"), MATCHED, within=1, abs_tol={"v": 0.005}),
    case("tolerance and NULL", numeric("1.20"), numeric(NULL), MISMATCHED, abs_tol={"v": 5}),
    case("2^53", bigint("9007199254740993"), bigint("9007199254740992"), MISMATCHED),
    case("2^53 and numeric", bigint("9007199254740993"), held("numeric", "", "HUGEINT", "9007199254740993"), MATCHED),
    case("2^53 and double", bigint("9007199254740993"), double("9007199254740992"), MISMATCHED),
    case("2^53 as double", bigint("9007199254740992"), double("9007199254740992"), MATCHED),
    case("64 bits unsigned", held("numeric", "", "UBIGINT", "18446744073709551615"),
         held("numeric", "", "UHUGEINT", "18446744073709551615"), MATCHED),
    case("128 bits", held("numeric", "", "HUGEINT", "170141183460469231731687303715884105727"),
         held("numeric", "", "HUGEINT", "170141183460469231731687303715884105726"), MISMATCHED),
    case("infinity", double("'Infinity'", in_sqlite="9e999"), double("'Infinity'", in_sqlite="9e999"), MATCHED),
    case("infinities", double("'Infinity'", in_sqlite="9e999"), double("'-Infinity'", in_sqlite="-9e999"), MISMATCHED),
    case("infinity in rel_tol", double("1.0"), double("'Infinity'", in_sqlite="9e999"), MISMATCHED, rel_tol={"v": 0.1}),
    case("NaN", held("float8", "", "DOUBLE", "'NaN'"), held("float8", "", "DOUBLE", "'NaN'"), MATCHED),
    case("NaN and NULL", held("float8", "", "DOUBLE", "'NaN'"), double(NULL), MISMATCHED),
    case("0.1 + 0.2", double("0.30000000000000004"), double("0.3"), MISMATCHED),
    case("0.1 + 0.2 in rel_tol", double("0.30000000000000004"), double("0.3"), MATCHED, within=1, rel_tol={"v": 1e-9}),
    *(case(f"double {value}", *[double(value, in_duckdb=f"{value}::DOUBLE")] * 2, MATCHED)
      for value in ("0.285", "1.005", "1e15", "1e-7", "1.0", "1e23", "5e-324", "1.7976931348623157e308")),
    case("double and decimal", double("0.1", in_duckdb="0.1::DOUBLE"), numeric("0.1"), MATCHED),
    case("double and decimal differ", double("0.1", in_duckdb="0.1::DOUBLE"), numeric("0.1000000001"), MISMATCHED),
    case("single and single", held("real", "", "FLOAT", "0.1"), held("real", "", "FLOAT", "0.1"), MATCHED),
    case("single and double", held("real", "", "FLOAT", "0.1"), double("0.1"), MATCHED),
    case("single and double, strict", held("real", "", "FLOAT", "0.1"), double("0.1"), MISMATCHED, strict=True),
    case("single and its own double, strict", held("real", "", "FLOAT", "0.1"), double("0.10000000149011612"), MATCHED,
         strict=True),
    case("single and double differ", held("real", "", "FLOAT", "0.1"), double("0.1001"), MISMATCHED),
    case("true", boolean("true"), boolean("true"), MATCHED),
    case("true and false", boolean("true"), boolean("false"), MISMATCHED),
    case("false and NULL", boolean("false"), boolean(NULL), MISMATCHED),
    case("true and 1", boolean("true"), bigint("1"), MATCHED),
    case("true and 2", boolean("true"), bigint("2"), MISMATCHED),
    case("true and a BOOLEAN that is 2", boolean("true"), held("", "BOOLEAN", literal="2"), MISMATCHED),
    case("bytes", raw("00ff"), raw("00ff"), MATCHED),
    case("bytes differ", raw("00ff"), raw("00fe"), MISMATCHED),
    case("no bytes and NULL", raw(""), held("bytea", "BLOB", "BLOB", NULL), MISMATCHED),
    case("text in an INTEGER", bigint("1"), held("", "INTEGER", literal="'one'"), MISMATCHED),
    case("a blob in a TEXT", text("'a'"), held("", "TEXT", literal="x'61'"), MISMATCHED),
    case("its spelling as text", text("'blob:\\x61'"), held("", "TEXT", literal="x'61'"), MISMATCHED),
    case("a REAL in an INTEGER", numeric("1.5"), held("", "INTEGER", literal="1.5"), MATCHED),
    case("a DECIMAL kept as text", numeric("1.25"), held("", "DECIMAL", literal="'1.25'"), MATCHED),
    case("date", date("'2024-02-29'"), date("'2024-02-29'"), MATCHED),
    case("date differs", date("'2024-02-29'"), date("'2024-03-01'"), MISMATCHED),
    case("infinite date", held("date", "DATE", "DATE", "'infinity'"), date("'infinity'"), MATCHED),
    case("BC", held("date", "DATE", literal="'0044-03-15 BC'"),
         held("date", "", "DATE", in_postgresql="'0044-03-15 BC'", in_duckdb="'0044-03-15 (BC)'"), MATCHED),
    case("BC and AD", date("'0044-03-15'"), held("date", "", "DATE", in_postgresql="'0044-03-15 BC'",
         in_duckdb="'0044-03-15 (BC)'"), MISMATCHED),
    case("year 12345", timestamp("'12345-06-07 08:09:10'"), timestamp("'12345-06-07 08:09:10'"), MATCHED),
    case("microseconds", timestamp("'2024-01-01 00:00:00.123456'"), timestamp("'2024-01-01 00:00:00.123456'"), MATCHED),
    case("a microsecond", timestamp("'2024-01-01 00:00:00.123456'"), timestamp("'2024-01-01 00:00:00.123457'"),
         MISMATCHED),
    case("a microsecond in seconds", timestamp("'2024-01-01 00:00:00.123456'"),
         timestamp("'2024-01-01 00:00:00.123457'"), MATCHED, within=1, seconds={"v": 0.001}),
    case("ISO with T", timestamp("'2024-01-01 12:00:00'"), held("", "DATETIME", literal="'2024-01-01T12:00'"), MATCHED),
    case("nanoseconds", held("timestamp", "DATETIME", "TIMESTAMP", "'2024-01-01 00:00:00.123456'"),
              held("", "", "TIMESTAMP_NS", "'2024-01-01 00:00:00.123456789'"), MATCHED),
    case("nanoseconds differ", timestamp("'2024-01-01 00:00:00.123455'"),
         held("", "", "TIMESTAMP_NS", "'2024-01-01 00:00:00.123456789'"), MISMATCHED),
    case("milliseconds", timestamp("'2024-01-01 00:00:00.1236'"),
         held("timestamp(3)", "", "TIMESTAMP_MS", "'2024-01-01 00:00:00.123'"), MATCHED),
    case("milliseconds rounded", timestamp("'2024-01-01 23:59:59.9996'"),
         held("timestamp(3)", "", "TIMESTAMP_MS", "'2024-01-02 00:00:00'"), MATCHED, within=1),
    case("milliseconds, strict", timestamp("'2024-01-01 00:00:00.1236'"),
         held("timestamp(3)", "", "TIMESTAMP_MS", "'2024-01-01 00:00:00.123'"), MISMATCHED, strict=True),
    case("milliseconds differ", timestamp("'2024-01-01 00:00:00.1236'"),
         held("timestamp(3)", "", "TIMESTAMP_MS", "'2024-01-01 00:00:00.125'"), MISMATCHED),
    case("seconds", timestamp("'2024-01-01 00:00:00.6'"),
         held("timestamp(0)", "", "TIMESTAMP_S", "'2024-01-01 00:00:00'"), MATCHED),
    case("date and midnight", date("'2024-01-01'"), timestamp("'2024-01-01 00:00:00'"), MATCHED),
    case("date and a second later", date("'2024-01-01'"), timestamp("'2024-01-01 00:00:01'"), MISMATCHED),
    case("an instant", instant("'2024-11-03 01:30:00-04:00'"), instant("'2024-11-03 05:30:00+00:00'"), MATCHED),
    case("the hour that is repeated", instant("'2024-11-03 01:30:00-04:00'"), instant("'2024-11-03 01:30:00-05:00'"),
         MISMATCHED),
    case("zoneless and an instant", timestamp("'2024-01-01 00:00:00'"), instant("'2024-01-01 00:00:00+00:00'"),
         INCONCLUSIVE),
    case("a declared zone", timestamp("'2024-07-01 00:00:00'"), instant("'2024-07-01 04:00:00+00:00'"), MATCHED,
         zones={"v": "America/New_York"}),
    case("a declared zone differs", timestamp("'2024-07-01 00:00:00'"), instant("'2024-07-01 05:00:00+00:00'"),
         MISMATCHED, zones={"v": "America/New_York"}),
    case("a repeated local time", timestamp("'2024-11-03 01:30:00'"), instant("'2024-11-03 06:30:00+00:00'"), MATCHED,
         zones={"v": "America/New_York"}),
    case("a skipped local time", timestamp("'2024-03-10 02:30:00'"), instant("'2024-03-10 07:30:00+00:00'"), MATCHED,
         zones={"v": "America/New_York"}),
    case("a number as time", timestamp("'2024-01-01 00:00:00'"), held("", "DATETIME", literal="1704067200"),
         INCONCLUSIVE),
    case("no date", timestamp("'2024-01-01 00:00:00'"), held("", "DATETIME", literal="'2024-02-30'"), MISMATCHED),
    case("time of day", held("time", "TIME", "TIME", "'12:00:00.5'"), held("time", "TIME", "TIME", "'12:00:00.5'"),
         MATCHED),
    case("time of day differs", held("time", "TIME", "TIME", "'12:00:00.5'"),
         held("time", "TIME", "TIME", "'12:00:00.500001'"), MISMATCHED),
    case("interval", held("interval", "", "INTERVAL", "'1 year 2 months -3 days 04:05:06.5'"),
         held("interval", "", "INTERVAL", "'14 months -3 days 04:05:06.5'"), MATCHED),
    case("a month and 30 days", held("interval", "", "INTERVAL", "'1 month'"),
         held("interval", "", "INTERVAL", "'30 days'"), MISMATCHED),
    case("uuid", held("uuid", "UUID", "UUID", UUID), held("uuid", "UUID", "UUID", UUID), MATCHED),
    case("uuid and text", held("uuid", "", "UUID", UUID), text("'A0EEBC999C0B4EF8BB6D6BB9BD380A11'"), MATCHED),
    case("uuid and braces", held("uuid", "", "UUID", UUID), text("'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"), MATCHED),
    case("uuid and no uuid", held("uuid", "", "UUID", UUID), text("'a0eebc99'"), MISMATCHED),
    case("uuid and bytes", held("uuid", "UUID", "UUID", UUID), raw("a0eebc999c0b4ef8bb6d6bb9bd380a11"), MATCHED),
    case("uuid and other bytes", held("uuid", "UUID", "UUID", UUID), raw("a0eebc999c0b4ef8bb6d6bb9bd380a12"),
         MISMATCHED),
    case("json order", json("'{\"a\": 1, \"b\": [1, 2]}'"), json("'{\"b\":[1,2],\"a\":1.0}'"), MATCHED),
    case("json and text", json("'{\"a\": 1, \"b\": 2}'"), text("'{\"b\":2, \"a\":1}'"), MATCHED),
    case("json escapes", json("'\"\\u00e9\"'"), text("'\"\u00e9\"'"), MATCHED),
    case("json numbers", json(BIG), json("'{\"n\": 9007199254740992}'"), MISMATCHED),
    case("json arrays", json("'[1, 2]'"), json("'[2, 1]'"), MISMATCHED),
    case("json null and nothing", json("'{\"a\": null}'"), json("'{}'"), MISMATCHED),
    case("json null and NULL", json("'null'"), json(NULL), MISMATCHED),
    case("json and no json", json("'{}'"), text("'{'"), MISMATCHED),
    case("arrays", held("int[]", "", "INTEGER[]", in_postgresql="'{1,NULL,3}'", in_duckdb="[1, NULL, 3]"),
         held("numeric[]", "", "DECIMAL(9,2)[]", in_postgresql="'{1.0,NULL,3}'", in_duckdb="[1, NULL, 3]"), MATCHED),
    case("arrays of text", *[held("text[]", "", "VARCHAR[]", in_postgresql="ARRAY['a,b', '', 'NULL', 'x\"y']",
         in_duckdb="['a,b', '', 'NULL', 'x\"y']")] * 2, MATCHED),
    case("arrays of booleans", held("bool[]", "", "BOOLEAN[]", in_postgresql="'{t,f}'", in_duckdb="[true, false]"),
         held("bool[]", "", "BOOLEAN[]", in_postgresql="'{t,f}'", in_duckdb="[true, false]"), MATCHED),
    case("arrays differ", held("int[]", "", "INTEGER[]", in_postgresql="'{1,2}'", in_duckdb="[1, 2]"),
         held("int[]", "", "INTEGER[]", in_postgresql="'{2,1}'", in_duckdb="[2, 1]"), MISMATCHED),
    case("nested arrays", held("int[]", "", "INTEGER[][]", in_postgresql="'{{1,2},{3,4}}'", in_duckdb="[[1,2],[3,4]]"),
         held("int[]", "", "INTEGER[2][]", in_postgresql="'{{1,2},{3,4}}'", in_duckdb="[[1,2],[3,4]]"), MATCHED),
    case("bits", held("bit(4)", "", "BIT", in_postgresql="b'0101'", in_duckdb="'0101'"),
         held("varbit", "", "BIT", in_postgresql="b'0101'", in_duckdb="'0101'"), MATCHED),
    case("bits of other lengths", held("varbit", "", "BIT", in_postgresql="b'0101'", in_duckdb="'0101'"),
         held("varbit", "", "BIT", in_postgresql="b'101'", in_duckdb="'101'"), MISMATCHED),
    case("an enum and text", held("", "", "ENUM('a', 'b')", "'a'"), text("'a'"), MATCHED),
    case("structs", held("", "", "STRUCT(a INTEGER)", "{'a': 1}"), held("", "", "STRUCT(a INTEGER)", "{'a': 1}"),
         INCONCLUSIVE),
    case("text and a number", text("'1'"), bigint("1"), INCONCLUSIVE),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_a_value_beside_another(engines: Engines, case: Case, padded: bool) -> None:
    for engine, (column_type, literal) in case.left.by_engine.items():
        engines.make(engine, 0, column_type, literal, padded=padded)
    for engine, (column_type, literal) in case.right.by_engine.items():
        engines.make(engine, 1, column_type, literal, padded=padded)
    wrong = []
    for source in case.left.by_engine:
        for target in case.right.by_engine:
            for turned in (False, True) if not padded else (bool(len(case.name) % 2),):
                found = engines.diff(source, target, turned=turned, **case.options)
                expected = (case.verdict, 1 if case.verdict == MISMATCHED else 0, case.within)
                same_type = case.left.by_engine[source] == case.right.by_engine[target]
                counted = (found.verdict.value, found.value_differs, found.within_tolerance)
                if counted != expected and not (same_type and case.verdict == MATCHED and counted == (MATCHED, 0, 0)):
                    wrong.append((source, target, turned, counted, found.columns["v"].comparison))
    assert wrong == []


def test_every_engine_is_among_the_pairs() -> None:
    assert {engine for case in CASES for engine in case.left.by_engine} == set(ENGINES)
