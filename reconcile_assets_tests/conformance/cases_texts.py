"""Cases of texts, NULLs and sentinels: 1, 2, 3, 22, 23."""

from reconcile_assets_tests.conformance.cases import (
    ID,
    MATCHED,
    MISMATCHED,
    TEXT,
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
    bigint,
    boolean,
    date,
    decimal,
    double,
    integer,
    long_text,
    null,
    quoted,
    raw,
    single,
    sql_text,
    text,
    timestamp,
)


def two(rows: list[tuple[str | None, ...]], columns: str = "vw", types: dict[str, str] | None = None) -> Content:
    """t(id, v, w) of texts."""
    literals: list[tuple[Literal, ...]] = [
        (str(at), *("NULL" if value is None else sql_text(value) for value in row)) for at, row in enumerate(rows, 1)
    ]
    pads = [Column(name, types or TEXT, "'pad'") for name in columns]
    return Content((ID, *pads), tuple(literals))


def shifted(name: str, left: tuple[str | None, ...], right: tuple[str | None, ...]) -> Case:
    """A value that moved over the border between two columns."""
    expected = Expected(MISMATCHED, value_differs=1, differs={"v": 1, "w": 1})
    return Case(1, name, two([left]), two([right]), expected)


SHIFTED = [
    *(
        shifted(f"('x{shown}y', 'z') and ('x', 'y{shown}z')", (f"x{mark}y", "z"), ("x", f"y{mark}z"))
        for mark, shown in (
            ("|", "|"),
            (",", ","),
            ("#", "#"),
            ("-", "-"),
            ("\x1f", "\\x1f"),
            ("\x1e", "\\x1e"),
            ("\t", "\\t"),
            ("\n", "\\n"),
            (";", ";"),
            ("||", "||"),
            ("\\", "\\"),
            ("'", "'"),
            ('"', '"'),
        )
    ),
    shifted("('a', '') and ('', 'a')", ("a", ""), ("", "a")),
    shifted("('ab', 'c') and ('a', 'bc')", ("ab", "c"), ("a", "bc")),
    shifted("('1:a', 'b') and ('1', 'a:b')", ("1:a", "b"), ("1", "a:b")),
    shifted("('1:a', 'b') and ('a', '1:b')", ("1:a", "b"), ("a", "1:b")),
    shifted("('12', '3') and ('1', '23')", ("12", "3"), ("1", "23")),
    shifted("('3:abc', '') and ('', '3:abc')", ("3:abc", ""), ("", "3:abc")),
    shifted("('a|NULL', 'b') and ('a', 'NULL|b')", ("a|NULL", "b"), ("a", "NULL|b")),
    shifted("(NULL, 'a') and ('a', NULL)", (None, "a"), ("a", None)),
    shifted("(NULL, '') and ('', NULL)", (None, ""), ("", None)),
    shifted("('a','b','c') joined by quotes", ("a','b", "c"), ("a", "b','c")),
]

SENTINELS = (
    "<null>",
    "NULL",
    "",
    "_null_recon_",
    "DEFAULT_REPLACEMENT_STRING",
    "DATACOMPY_NULL",
    "\\N",
    "None",
    "nan",
    "NaN",
    "null",
    "(null)",
    "N/A",
    "NaT",
    "<NA>",
    "NA",
    "#N/A",
    "~",
    "!",
    "-1",
    "0",
    "\\x",
    " ",
    "\ufffd",
    "\x1f",
    "<missing>",
)

NULLS = [
    *(differ(2, f"NULL and the text {value!a}", text("NULL"), quoted(value)) for value in SENTINELS),
    same(2, "NULL and NULL", text("NULL")),
    *(
        differ(2, f"NULL and {name}", null(value), value)
        for name, value in (
            ("0", integer("0")),
            ("-1", bigint("-1")),
            ("0.00", decimal("0.00")),
            ("false", boolean("false")),
            ("no bytes", raw("")),
            ("1970-01-01", date("'1970-01-01'")),
            ("the epoch", timestamp("'1970-01-01 00:00:00'")),
        )
    ),
]

EXCHANGED = [
    Case(
        3,
        "two rows exchange v",
        two([("a", "x"), ("b", "x")]),
        two([("b", "x"), ("a", "x")]),
        Expected(MISMATCHED, value_differs=2, differs={"v": 2}),
    ),
    Case(
        3,
        "two rows exchange v and w",
        two([("a", "x"), ("b", "y")]),
        two([("b", "y"), ("a", "x")]),
        Expected(MISMATCHED, value_differs=2, differs={"v": 2, "w": 2}),
    ),
    Case(
        3,
        "two columns exchange",
        two([("a", "b")]),
        two([("b", "a")]),
        Expected(MISMATCHED, value_differs=1, differs={"v": 1, "w": 1}),
    ),
    Case(
        3,
        "three rows pass v on",
        two([("a", ""), ("b", ""), ("c", "")]),
        two([("b", ""), ("c", ""), ("a", "")]),
        Expected(MISMATCHED, value_differs=3, differs={"v": 3}),
    ),
    Case(
        3,
        "a NULL moves to another row",
        two([(None, "x"), ("b", "x")]),
        two([("b", "x"), (None, "x")]),
        Expected(MISMATCHED, value_differs=2, differs={"v": 2}),
    ),
    Case(
        3,
        "v and w exchange over two rows",
        two([("a", "b"), ("b", "a")]),
        two([("b", "a"), ("a", "b")]),
        Expected(MISMATCHED, value_differs=2),
    ),
    Case(
        3,
        "two values change in two rows",
        two([("a", "p"), ("a", "p"), ("b", "p"), ("b", "p")]),
        two([("a", "q"), ("a", "p"), ("b", "q"), ("b", "p")]),
        Expected(MISMATCHED, value_differs=2, differs={"w": 2}),
    ),
    Case(
        3,
        "rows of other order",
        two([("a", "x"), ("b", "y")]),
        Content(two([]).columns, (("2", "'b'", "'y'"), ("1", "'a'", "'x'"))),
        Expected(MATCHED),
    ),
    Case(
        3,
        "two integers exchange",
        Content((ID, Column("v", by("int", "int", "INT", "INT"), "5")), (("1", "10"), ("2", "20"))),
        Content((ID, Column("v", by("int", "int", "INT", "INT"), "5")), (("1", "20"), ("2", "10"))),
        Expected(MISMATCHED, value_differs=2, differs={"v": 2}),
    ),
]

ZEROS = [
    differ(4, "DOUBLE 0 and NULL", double("0"), null(double("0"))),
    differ(4, "FLOAT 0 and NULL", single("0"), null(single("0"))),
    same(4, "FLOAT 0 and 0", single("0")),
    same(4, "DOUBLE 0 and -0", double("0"), double("-0.0")),
    same(4, "DOUBLE 0 and integer 0", double("0"), integer("0")),
    same(4, "DOUBLE 0 and decimal 0.00", double("0"), decimal("0.00")),
]


def emoji(point: int) -> str:
    return chr(point)


LATIN1 = "varchar(20) CHARACTER SET latin1"
CHARACTERS = [
    same(22, "U+1F600", quoted("\U0001f600")),
    differ(22, "U+1F600 and U+1F601", quoted("\U0001f600"), quoted("\U0001f601")),
    differ(22, "U+1F600 and ?", quoted("\U0001f600"), quoted("?")),
    differ(22, "U+1F600 and U+FFFD", quoted("\U0001f600"), quoted("\ufffd")),
    differ(22, "U+10400 and U+10401", quoted("\U00010400"), quoted("\U00010401")),
    same(22, "latin1 'é' and utf8 'é'", held(my=LATIN1, literal="'é'", pad="'pad'"), quoted("é")),
    same(22, "latin1 '€' and utf8 '€'", held(my=LATIN1, literal="'€'", pad="'pad'"), quoted("€")),
    differ(22, "latin1 'É' and utf8 'é'", held(my=LATIN1, literal="'É'", pad="'pad'"), quoted("é")),
    same(22, "latin1 and latin1", held(my=LATIN1, literal="'naïve'", pad="'pad'")),
    same(
        22,
        "utf16 and utf8",
        held(my="varchar(20) CHARACTER SET utf16", literal="'日本 😀'", pad="'pad'"),
        quoted("日本 😀"),
    ),
    same(
        22, "cp932 and utf8", held(my="varchar(20) CHARACTER SET cp932", literal="'日本'", pad="'pad'"), quoted("日本")
    ),
    differ(22, "composed and decomposed é", quoted("\u00e9"), quoted("e\u0301")),
    differ(22, "a and A", quoted("a"), quoted("A")),
    differ(22, "a trailing space", quoted("a"), quoted("a ")),
    differ(22, "a trailing tab", quoted("a"), quoted("a\t")),
    differ(22, "a no-break space", quoted("a b"), quoted("a\u00a0b")),
    differ(22, "Latin and Cyrillic a", quoted("a"), quoted("\u0430")),
    differ(22, "a zero-width joiner", quoted("ab"), quoted("a\u200db")),
    differ(22, "a byte order mark", quoted("a"), quoted("\ufeffa")),
    differ(22, "CR LF and LF", quoted("a\r\nb"), quoted("a\nb")),
    differ(22, "ß and ss", quoted("ß"), quoted("ss")),
    differ(22, "dotless i", quoted("i"), quoted("\u0131")),
    same(22, "char padding", held("char(9)", "char(9)", literal="'ab'", pad="'pad'"), text("'ab'")),
    differ(
        22,
        "char without its padding and a space",
        held("char(9)", "char(9)", literal="'ab'", pad="'pad'"),
        text("'ab '"),
    ),
    differ(
        22,
        "the last character of a megabyte",
        long_text(
            by(
                "repeat('x', 1000000) || 'a'",
                "concat(repeat('x', 1000000), 'a')",
                "replace(hex(zeroblob(500000)), '0', 'x') || 'a'",
                "repeat('x', 1000000) || 'a'",
            )
        ),
        long_text(
            by(
                "repeat('x', 1000000) || 'b'",
                "concat(repeat('x', 1000000), 'b')",
                "replace(hex(zeroblob(500000)), '0', 'x') || 'b'",
                "repeat('x', 1000000) || 'b'",
            )
        ),
    ),
    same(
        22,
        "an enum's label and text",
        held("", "enum('small','large')", "", "ENUM('small', 'large')", "'small'", "'large'"),
        text("'small'").padded("'large'"),
    ),
    differ(
        22,
        "an enum's other label",
        held("", "enum('small','large')", "", "ENUM('small', 'large')", "'small'", "'large'"),
        text("'Small'").padded("'large'"),
    ),
]

WITH_NUL = held(
    "",
    "varchar(20)",
    "TEXT",
    "VARCHAR",
    by("", "concat('a', char(0 using utf8mb4), 'b')", "CAST(x'610062' AS TEXT)", "'a' || chr(0) || 'b'"),
    "'pad'",
)
END_NUL = held(
    "",
    "varchar(20)",
    "TEXT",
    "VARCHAR",
    by("", "concat('a', char(0 using utf8mb4))", "CAST(x'6100' AS TEXT)", "'a' || chr(0)"),
    "'pad'",
)
NULS = [
    same(23, "'a\\0b' and itself", WITH_NUL),
    differ(23, "'a\\0b' and 'a'", WITH_NUL, text("'a'")),
    differ(23, "'a\\0b' and 'ab'", WITH_NUL, text("'ab'")),
    differ(23, "'a\\0b' and 'a\\0'", WITH_NUL, END_NUL),
    differ(23, "'a\\0' and 'a'", END_NUL, text("'a'")),
    differ(23, "NUL bytes of other number", raw("6100"), raw("610000")),
]

CASES = [*SHIFTED, *NULLS, *EXCHANGED, *ZEROS, *CHARACTERS, *NULS]
