"""Cases of numbers and booleans: 12 to 17."""

from reconcile_assets_tests.conformance.cases import (
    DU,
    ID,
    MISMATCHED,
    MY,
    PG,
    Case,
    Column,
    Content,
    Expected,
    Literal,
    by,
    differ,
    held,
    same,
)
from reconcile_assets_tests.conformance.kinds import (
    INFINITY,
    MINUS_INFINITY,
    NAN,
    bigint,
    boolean,
    decimal,
    double,
    double_sql,
    fixed,
    integer,
    null,
    single,
    unsigned,
    wide,
)

EXACT = (PG, MY, DU)  # SQLite makes a REAL of a decimal that long
LARGE_DECIMAL = "12345678901234567890.1234567891"
DECIMALS = [
    differ(12, "numeric 1.2 and 1.3", decimal("1.2"), decimal("1.3")),
    differ(12, "numeric 0.4 and 0.1", decimal("0.4"), decimal("0.1")),
    differ(12, "numeric -1.5 and 1.5", decimal("-1.5"), decimal("1.5")),
    same(12, "numeric 1.10 and numeric(10,4) 1.1000", decimal("1.10"), fixed("1.1000", 10, 4)),
    same(12, "numeric(10,2) 100.00 and numeric(10,4) 100.0000", fixed("100.00", 10, 2), fixed("100.0000", 10, 4)),
    same(12, "numeric 1000 and 1e3", decimal("1000"), decimal("1e3")),
    differ(12, "numeric(10,2) 1.20 and numeric 1.2049", fixed("1.20", 10, 2), decimal("1.2049")),
    same(12, "the same, abs_tol 0.005", fixed("1.20", 10, 2), decimal("1.2049"), abs_tol={"v": 0.005}),
    same(
        12, "abs_tol is inclusive: 1.20 and 1.205, 0.005", fixed("1.20", 10, 2), decimal("1.205"), abs_tol={"v": 0.005}
    ),
    differ(
        12, "just beyond abs_tol: 1.20 and 1.2050000001", decimal("1.20"), decimal("1.2050000001"), abs_tol={"v": 0.005}
    ),
    same(12, "0.1 and 0.4, abs_tol 0.3", decimal("0.1"), decimal("0.4"), abs_tol={"v": 0.3}),
    same(12, "100 and 101, rel_tol 0.01", decimal("100"), decimal("101"), rel_tol={"v": 0.01}),
    differ(12, "100 and 101.02, rel_tol 0.01", decimal("100"), decimal("101.02"), rel_tol={"v": 0.01}),
    differ(12, "1.2 and NULL within abs_tol 5", decimal("1.2"), null(decimal("1.2")), abs_tol={"v": 5}),
    differ(12, "0 and NULL within abs_tol 5", decimal("0"), null(decimal("0")), abs_tol={"v": 5}),
    differ(12, "1e-10 and 2e-10", decimal("0.0000000001"), decimal("0.0000000002")),
    differ(12, "1e-20 and 2e-20", decimal("1e-20", 38, 20), decimal("2e-20", 38, 20)),
    differ(
        12,
        "30 digits, the last differs",
        decimal(LARGE_DECIMAL).on(*EXACT),
        decimal("12345678901234567890.1234567892").on(*EXACT),
    ),
    same(12, "30 digits", decimal(LARGE_DECIMAL).on(*EXACT)),
    differ(12, "38 digits, the last differs", wide(by("9" * 38, "9" * 38, "", "9" * 38)), wide("9" * 37 + "8")),
    same(12, "numeric 5 and integer 5", decimal("5.000"), integer("5")),
    differ(12, "numeric 5.0001 and integer 5", decimal("5.0001"), integer("5")),
    same(12, "numeric 0.1 and double 0.1", decimal("0.1"), double("0.1")),
    differ(12, "numeric 0.1000000001 and double 0.1", decimal("0.1000000001"), double("0.1")),
]

TWO53 = 9007199254740992


def with_stranger(left: str, right: str) -> tuple[Content, Content]:
    """A bigint that differs, and a row that only the source has."""
    columns = (ID, Column("v", by("bigint", "bigint", "BIGINT", "BIGINT"), "{g}"))
    rows: tuple[tuple[Literal, ...], ...] = (("1", left), ("2", "5"), ("3", "6"))
    return Content(columns, rows), Content(columns, (("1", right), ("2", "5")))


INTEGERS = [
    *(
        differ(13, f"bigint {left} and {right}", bigint(str(left)), bigint(str(right)))
        for left, right in (
            (TWO53 + 1, TWO53),
            (TWO53 + 3, TWO53 + 4),
            (-TWO53 - 1, -TWO53),
            (2**63 - 1, 2**63 - 2),
            (-(2**63), -(2**63) + 1),
            (1234567890123456789, 1234567890123456788),
        )
    ),
    Case(
        13,
        "bigint 2^53+1 and 2^53, an unmatched row beside",
        *with_stranger(str(TWO53 + 1), str(TWO53)),
        Expected(MISMATCHED, missing_in_target=1, value_differs=1, differs={"v": 1}),
    ),
    same(13, "bigint 2^63-1", bigint(str(2**63 - 1))),
    same(13, "bigint and numeric 2^53+1", bigint(str(TWO53 + 1)), wide(str(TWO53 + 1))),
    differ(13, "bigint 2^53+1 and double 2^53", bigint(str(TWO53 + 1)), double(str(TWO53))),
    same(13, "bigint 2^53 and double 2^53", bigint(str(TWO53)), double(str(TWO53))),
    same(13, "unsigned 2^64-1", unsigned(str(2**64 - 1))),
    differ(13, "unsigned 2^64-1 and 2^64-2", unsigned(str(2**64 - 1)), unsigned(str(2**64 - 2))),
    differ(13, "unsigned 2^64-1 and -1", unsigned(str(2**64 - 1)), bigint("-1")),
    same(13, "128 bits", wide(str(2**126 + 1))),
    differ(13, "128 bits, the last differs", wide(str(2**126 + 1)), wide(str(2**126))),
]

SPECIALS = [
    same(14, "Infinity and Infinity", INFINITY),
    same(14, "-Infinity and -Infinity", MINUS_INFINITY),
    differ(14, "Infinity and -Infinity", INFINITY, MINUS_INFINITY),
    same(14, "NaN and NaN", NAN),
    differ(14, "NaN and NULL", NAN, null(NAN)),
    differ(14, "Infinity and NULL", INFINITY, null(INFINITY)),
    differ(14, "NaN and Infinity", NAN, INFINITY),
    differ(14, "NaN and 0", NAN, double("0")),
    differ(14, "1.0 and Infinity, rel_tol 0.1", double("1.0"), INFINITY, rel_tol={"v": 0.1}),
    differ(14, "1.0 and NaN, rel_tol 0.1", double("1.0"), NAN, rel_tol={"v": 0.1}),
    differ(14, "Infinity and -Infinity, abs_tol 1e300", INFINITY, MINUS_INFINITY, abs_tol={"v": 1e300}),
    same(14, "NaN and NaN, abs_tol 1", NAN, NAN, abs_tol={"v": 1}),
    same(14, "numeric NaN and NaN", held("numeric", literal="'NaN'", pad="1")),
    same(14, "numeric NaN and double NaN", held("numeric", literal="'NaN'", pad="1"), NAN),
    differ(14, "numeric NaN and NULL", held("numeric", literal="'NaN'", pad="1"), null(decimal("1"))),
    differ(
        14,
        "numeric Infinity and -Infinity",
        held("numeric", literal="'Infinity'", pad="1"),
        held("numeric", literal="'-Infinity'", pad="1"),
    ),
    same(14, "numeric Infinity and double Infinity", held("numeric", literal="'Infinity'", pad="1"), INFINITY),
    differ(14, "the largest double and Infinity", double("1.7976931348623157e308"), INFINITY),
]

SUM = double_sql(by("0.1::float8 + 0.2::float8", "0.1e0 + 0.2e0", "0.1 + 0.2", "0.1::DOUBLE + 0.2::DOUBLE"))
FLOATS = [
    differ(15, "double 0.1 + 0.2 and 0.3", SUM, double("0.3")),
    same(15, "double 0.1 + 0.2 and 0.3, rel_tol 1e-9", SUM, double("0.3"), rel_tol={"v": 1e-9}),
    same(15, "double 0.1 + 0.2 and 0.30000000000000004", SUM, double("0.30000000000000004")),
    differ(15, "double 0.1 + 0.2 and decimal 0.3", SUM, decimal("0.3")),
    differ(15, "double 1 and the next", double("1"), double("1.0000000000000002")),
    differ(15, "double 1e16 and the next", double("1e16"), double("10000000000000002")),
    differ(
        15,
        "1.1 + 2.2 and 3.3",
        double_sql(by("1.1::float8 + 2.2::float8", "1.1e0 + 2.2e0", "1.1 + 2.2", "1.1::DOUBLE + 2.2::DOUBLE")),
        double("3.3"),
    ),
    differ(15, "float 0.1234567 and 0.1234568", single("0.1234567"), single("0.1234568")),
    differ(15, "float 16777216 and 16777218", single("16777216"), single("16777218")),
]

WRITTEN = (
    "0.285",
    "1.005",
    "1e15",
    "1e-7",
    "1.0",
    "2.675",
    "1e16",
    "1e17",
    "1e20",
    "1e21",
    "1e22",
    "1e23",
    "123456789.125",
    "1e-4",
    "1e-5",
    "1e-6",
    "0.1",
    "1234567890123456.7",
    "9007199254740993",
    "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072014e-308",
    "1e100",
    "-1.5",
    "-0.0",
    "3.141592653589793",
)
FORMS = [
    *(same(16, f"double {value}", double(value)) for value in WRITTEN),
    *(
        same(16, f"double and decimal {value}", double(value), decimal(written))
        for value, written in (
            ("0.285", "0.285"),
            ("1.005", "1.005"),
            ("1.0", "1.0"),
            ("1e15", "1000000000000000"),
            ("1e-7", "0.0000001"),
        )
    ),
    *(
        same(16, f"float {value}", single(value))
        for value in ("0.1", "1e15", "1e-7", "16777216", "3.4028235e38", "1e-45", "0.3")
    ),
    same(16, "float 0.1 and decimal 0.1", single("0.1"), decimal("0.1")),
    same(16, "float 0.1 and double 0.1 (coarser)", single("0.1"), double("0.1")),
    differ(16, "float 0.1 and double 0.1, strict", single("0.1"), double("0.1"), strict=True),
    differ(16, "float 0.1 and double 0.1001", single("0.1"), double("0.1001")),
    same(16, "float 0.5 and double 0.5, strict", single("0.5"), double("0.5"), strict=True),
]

BIT8 = held("bit(8)", "bit(8)", "", "", "b'00000101'", "b'00000001'")
BOOLEANS = [
    same(17, "true and true", boolean("true")),
    same(17, "false and false", boolean("false")),
    differ(17, "true and false", boolean("true"), boolean("false")),
    differ(17, "false and NULL", boolean("false"), null(boolean("false"))),
    same(17, "true and integer 1", boolean("true"), integer("1")),
    same(17, "false and integer 0", boolean("false"), integer("0")),
    same(17, "NULL and integer NULL", null(boolean("true")), null(integer("1"))),
    differ(17, "true and integer 2", boolean("true"), integer("2")),
    differ(17, "true and integer -1", boolean("true"), integer("-1")),
    differ(17, "true and TINYINT(1) 2", boolean("true"), held("", "tinyint(1)", literal="2", pad="1")),
    differ(17, "true and a SQLite BOOLEAN 2", boolean("true"), held(sl="BOOLEAN", literal="2", pad="1")),
    differ(17, "a SQLite BOOLEAN 'true' is no true", boolean("true"), held(sl="BOOLEAN", literal="'true'", pad="1")),
    same(17, "true and decimal 1.0", boolean("true"), decimal("1.0")),
    same(17, "BIT(8) b'00000101' and 5", BIT8, integer("5")),
    differ(17, "BIT(8) b'00000101' and 101", BIT8, integer("101")),
    same(17, "BIT(1) and true", held("bit(1)", "bit(1)", "", "", "b'1'", "b'1'"), boolean("true")),
    same(17, "BIT(8) and BIT(8)", BIT8),
]

CASES = [*DECIMALS, *INTEGERS, *SPECIALS, *FLOATS, *FORMS, *BOOLEANS]
