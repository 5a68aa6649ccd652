"""Numbers and tolerances at their edges (31)."""

from reconcile_assets_tests.conformance.cases import (
    DU,
    PG,
    SL,
    Held,
    by,
    held,
)
from reconcile_assets_tests.conformance.cases_beyond import differ, same, unsure
from reconcile_assets_tests.conformance.kinds import (
    INFINITY,
    bigint,
    boolean,
    date,
    decimal,
    double,
    integer,
    interval,
    null,
    quoted,
    raw,
    single,
    time,
    timestamp,
    unsigned,
    wide,
)


def scaled(literal: str, precision: int = 38, scale: int = 37) -> Held:
    """A decimal of many digits after the point, written as text where a literal would be a double."""
    limits = f"({precision},{scale})"
    return held("numeric", f"decimal{limits}" if scale <= 30 else "", "", f"DECIMAL{limits}", f"'{literal}'", "1")


UHUGE = "340282366920938463463374607431768211455"

NUMBERS = [
    same("scale 37", scaled("1." + "0" * 36 + "1")),
    differ("scale 37, the last digit", scaled("1." + "0" * 36 + "1"), scaled("1." + "0" * 36 + "2")),
    same("scale 30", scaled("1." + "1" * 30, 38, 30)),
    differ("scale 30, the last digit", scaled("1." + "1" * 30, 38, 30), scaled("1." + "1" * 29 + "2", 38, 30)),
    same("65 digits", held("numeric", "decimal(65,30)", literal="'" + "9" * 35 + "." + "1" * 30 + "'", pad="1")),
    differ(
        "65 digits, the last",
        held("numeric", "decimal(65,30)", literal="'" + "9" * 35 + "." + "1" * 30 + "'", pad="1"),
        held("numeric", "decimal(65,30)", literal="'" + "9" * 35 + "." + "1" * 29 + "2'", pad="1"),
    ),
    same("128 bits unsigned", held("numeric", "decimal(39,0)", "", "UHUGEINT", UHUGE, "1")),
    differ(
        "128 bits unsigned and one less",
        held("numeric", "decimal(39,0)", "", "UHUGEINT", UHUGE, "1"),
        held("numeric", "decimal(39,0)", "", "UHUGEINT", UHUGE[:-1] + "4", "1"),
    ),
    same("-2^127", held("numeric", "decimal(39,0)", "", "HUGEINT", "-170141183460469231731687303715884105728", "1")),
    same("1,000 digits", held("numeric", literal="repeat('7', 1000)::numeric", pad="1")),
    differ(
        "1,000 digits, the last",
        held("numeric", literal="repeat('7', 1000)::numeric", pad="1"),
        held("numeric", literal="repeat('7', 1000)::numeric + 1", pad="1"),
    ),
    differ(
        "1e-300 and 2e-300 numeric",
        held("numeric", literal="1e-300", pad="1"),
        held("numeric", literal="2e-300", pad="1"),
    ),
    same("numeric -0 and 0", held("numeric", "decimal(10,3)", literal="-0.000", pad="1"), integer("0")),
    same("an unsigned 64-bit integer and a decimal", unsigned("18446744073709551615"), wide("18446744073709551615")),
    differ(
        "double 0.1 and its exact decimal",
        double("0.1"),
        held("numeric", "decimal(60,30)", "", "DECIMAL(38,30)", "'0.100000000000000005551115123126'", "1"),
    ),
    same("subnormal double 5e-324", double("5e-324"), double("4.9406564584124654e-324")),
    differ("subnormal doubles", double("5e-324"), double("1e-323")),
    differ("the smallest double and 0", double("5e-324"), double("0")),
    same("subnormal float 1e-45", single("1e-45")),
    differ("subnormal floats", single("1e-45"), single("3e-45")),
    same("float and double, subnormal (coarser)", single("1e-45"), double("1.5e-45")),
    same("float 0 and double 1e-50 (coarser)", single("0"), double("1e-50")),
    differ("float 0 and double 1e-44", single("0"), double("1e-44")),
    differ("double 1e300 and float infinity", double("1e300"), Held({PG: "real", DU: "FLOAT"}, "'Infinity'", "1")),
    same("the largest float and double", single("3.4028235e38"), double("3.4028234663852886e38")),
    same("float -0 and 0", single("-0.0"), single("0")),
    same("double -0 and decimal 0", double("-0.0"), decimal("0")),
    same("float(10,3) of MariaDB", held("", "float(10,3)", literal="1.5", pad="1"), double("1.5")),
    same("double(10,3) of MariaDB", held("", "double(10,3)", literal="1.25", pad="1"), decimal("1.25")),
    same("year and integer", held("", "year", literal="2024", pad="2001"), integer("2024").padded("2001")),
    same("year 0000 and 0", held("", "year", literal="'0000'", pad="2001"), integer("0").padded("2001")),
    same("zerofill", held("", "int(8) zerofill", literal="42", pad="1"), integer("42")),
    same("oid beyond 2^31", held("oid", literal="4294967295", pad="1"), bigint("4294967295")),
    same("a REAL in a SQLite INTEGER", held(sl="INTEGER", literal="1.5", pad="1"), decimal("1.5")),
    differ("text in a SQLite INTEGER", held(sl="INTEGER", literal="'1x'", pad="1"), integer("1")),
    differ("text in a SQLite REAL and NULL", held(sl="REAL", literal="'nan'", pad="1"), null(double("1"))),
    differ(
        "a SQLite INTEGER's 2^63-1 and 2^63",
        held(sl="INTEGER", literal="9223372036854775807", pad="1"),
        wide("9223372036854775808"),
    ),
    unsure("bit(64) and an integer", held("bit(64)", "bit(64)", literal=by("1::bit(64)", "1")), bigint("1")),
    differ(
        "bit(8) and bit(12) of one number",
        held("bit(8)", "bit(8)", literal="b'00000101'"),
        held("bit(12)", "bit(12)", literal="b'000000000101'"),
    ),
    same("bit strings of PostgreSQL and DuckDB", held("varbit", "", "", "BIT", by("b'0101'", "", "", "'0101'"))),
    differ(
        "bit strings by a leading zero",
        held("varbit", "", "", "BIT", by("b'0101'", "", "", "'0101'")),
        held("varbit", "", "", "BIT", by("b'101'", "", "", "'101'")),
    ),
    unsure("boolean and double", boolean("true").on(PG, SL, DU), double("1")),
    unsure("text and integer", quoted("1"), integer("1")),
    unsure("text and boolean", quoted("true"), boolean("true").on(PG, SL, DU)),
    unsure("bytes and text", raw("61"), quoted("a")),
    unsure("interval and time", interval("'1 hour'"), time("'01:00:00'")),
]

TOLERANCES = [
    differ("2^53+1 and 2^53, abs_tol 0.5", bigint("9007199254740993"), bigint("9007199254740992"), abs_tol={"v": 0.5}),
    same("2^53+1 and 2^53, abs_tol 1", bigint("9007199254740993"), bigint("9007199254740992"), abs_tol={"v": 1}),
    differ(
        "2^63-1 and 2^63-2, rel_tol 1e-20",
        bigint("9223372036854775807"),
        bigint("9223372036854775806"),
        rel_tol={"v": 1e-20},
    ),
    same(
        "2^63-1 and 2^63-2, rel_tol 1e-18",
        bigint("9223372036854775807"),
        bigint("9223372036854775806"),
        rel_tol={"v": 1e-18},
    ),
    differ("doubles 1.0 and 1.1, abs_tol 0.1 as isclose", double("1.0"), double("1.1"), abs_tol={"v": 0.1}),
    same("decimals 1.0 and 1.1, abs_tol 0.1", decimal("1.0"), decimal("1.1"), abs_tol={"v": 0.1}),
    differ("0 and 1e-300, rel_tol 0.5", double("0"), double("1e-300"), rel_tol={"v": 0.5}),
    same("0 and 1e-300, abs_tol 1e-299", double("0"), double("1e-300"), abs_tol={"v": 1e-299}),
    differ("1 and -1, rel_tol 1", double("1"), double("-1"), rel_tol={"v": 1.0}),
    same("1 and -1, rel_tol 2", double("1"), double("-1"), rel_tol={"v": 2.0}),
    differ("infinity and the largest, abs_tol 1e308", INFINITY, double("1.7976931348623157e308"), abs_tol={"v": 1e308}),
    same("either tolerance is enough", decimal("100"), decimal("101"), abs_tol={"v": 0.5}, rel_tol={"v": 0.01}),
    differ("rel_tol 1e-9 of a decimal", decimal("1000000000"), decimal("1000000001.0000001"), rel_tol={"v": 1e-9}),
    differ("a float's tolerance is of what it is", single("0.1"), double("0.1"), abs_tol={"v": 1e-9}),
    same("a float within 2e-9", single("0.1"), double("0.1"), abs_tol={"v": 2e-9}),
    same(
        "12 hours of dates in seconds", date("'2024-01-01'"), timestamp("'2024-01-01 12:00:00'"), seconds={"v": 43200}
    ),
    differ(
        "infinity within seconds 1e18",
        held("timestamp", "", "DATETIME", "TIMESTAMP", "'infinity'", "'2020-01-02 00:00:00'"),
        timestamp("'2024-01-01 00:00:00'"),
        seconds={"v": 1e18},
    ),
    differ(
        "0000-00-00 within seconds 1e18",
        held("", "datetime(6)", literal="'0000-00-00 00:00:00'", pad="'2020-01-02 00:00:00'"),
        timestamp("'2024-01-01 00:00:00'"),
        seconds={"v": 1e18},
    ),
]

CASES = [*NUMBERS, *TOLERANCES]
