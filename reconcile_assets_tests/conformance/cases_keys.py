"""Cases of keys and of tables without one: 5 to 11."""

from collections.abc import Sequence
from typing import Any

from reconcile_assets_tests.conformance.cases import (
    BIGINT,
    DU,
    ID,
    MATCHED,
    MISMATCHED,
    MY,
    PG,
    REFUSED,
    SL,
    TEXT,
    ByEngine,
    Case,
    Column,
    Content,
    Expected,
    Held,
    Literal,
    by,
    held,
)
from reconcile_assets_tests.conformance.kinds import PAD_UUID, raw, sql_text

NAMED = by("'p' || {g}", "concat('p', {g})", "'p' || {g}", "'p' || {g}")
V = Column("v", TEXT, "'pad'")


def keyed(
    column: Column, rows: Sequence[tuple[Literal, ...]], *, unique: bool = True, more: Sequence[Column] = (V,)
) -> Content:
    """A table of a key and other columns."""
    return Content((column, *more), tuple(rows), (column.name,) if unique else ())


def texts(values: Sequence[str | None]) -> list[tuple[Literal, ...]]:
    """Rows of one text key and the same v."""
    return [("NULL" if value is None else sql_text(value), "'v'") for value in values]


NUMBER_KEY = Column("k", BIGINT, "{g}")
TEXT_KEY = Column("k", TEXT, NAMED)


def nulls(name: str, left: Content, right: Content, **expected: Any) -> Case:
    return Case(5, name, left, right, Expected(MISMATCHED, **expected), {"key": ["k"]})


def numbers(*rows: tuple[str, str]) -> Content:
    return keyed(NUMBER_KEY, [(key, sql_text(value)) for key, value in rows], unique=False)


NULL_KEYS = [
    nulls(
        "{1,2,NULL} and {1,2}",
        numbers(("1", "1"), ("2", "2"), ("NULL", "3")),
        numbers(("1", "1"), ("2", "2")),
        missing_in_target=1,
        null_keys=(1, 0),
    ),
    nulls(
        "{NULL} and {0}",
        numbers(("NULL", "3")),
        numbers(("0", "3")),
        missing_in_target=1,
        missing_in_source=1,
        null_keys=(1, 0),
    ),
    nulls(
        "NULL keys with other values",
        numbers(("1", "1"), ("NULL", "3")),
        numbers(("1", "1"), ("NULL", "4")),
        value_differs=1,
        null_keys=(1, 1),
    ),
    nulls(
        "two NULL keys and one",
        numbers(("NULL", "3"), ("NULL", "3")),
        numbers(("NULL", "3")),
        missing_in_target=1,
        null_keys=(2, 1),
        duplicate_keys=(1, 0),
    ),
    Case(
        5,
        "NULL keys that are equal",
        numbers(("1", "1"), ("NULL", "3")),
        numbers(("1", "1"), ("NULL", "3")),
        Expected(MATCHED, null_keys=(1, 1)),
        {"key": ["k"]},
    ),
    nulls(
        "text keys NULL and ''",
        keyed(TEXT_KEY, texts([None, "a"]), unique=False),
        keyed(TEXT_KEY, texts(["", "a"]), unique=False),
        missing_in_target=1,
        missing_in_source=1,
        null_keys=(1, 0),
    ),
    nulls(
        "duplicate keys, one value differs",
        numbers(("1", "a"), ("1", "b")),
        numbers(("1", "b"), ("1", "c")),
        value_differs=1,
        duplicate_keys=(1, 1),
    ),
    nulls(
        "a key twice and once",
        numbers(("1", "a"), ("1", "a"), ("2", "b")),
        numbers(("1", "a"), ("2", "b")),
        missing_in_target=1,
        duplicate_keys=(1, 0),
    ),
    Case(
        5,
        "duplicate keys in other order",
        numbers(("1", "a"), ("1", "b")),
        numbers(("1", "b"), ("1", "a")),
        Expected(MATCHED, duplicate_keys=(1, 1)),
        {"key": ["k"]},
    ),
    Case(
        5,
        "a composite key with a NULL part",
        Content((NUMBER_KEY, Column("l", TEXT, NAMED), V), (("1", "NULL", "'v'"), ("1", "'x'", "'v'")), ()),
        Content((NUMBER_KEY, Column("l", TEXT, NAMED), V), (("1", "'x'", "'v'"),), ()),
        Expected(MISMATCHED, missing_in_target=1, null_keys=(1, 0)),
        {"key": ["k", "l"]},
    ),
]


def multiset(name: str, left: str, right: str, missing: int, extra: int) -> Case:
    """Rows without a key, one letter each."""
    verdict = MISMATCHED if missing or extra else MATCHED
    sides = [
        Content((Column("v", TEXT, NAMED),), tuple((sql_text(letter),) for letter in letters), ())
        for letters in (left, right)
    ]
    return Case(6, name, sides[0], sides[1], Expected(verdict, missing, extra), {"keyless": True})


def bag(column: Held, left: Sequence[Literal], right: Sequence[Literal], name: str, missing: int, extra: int) -> Case:
    """Rows without a key, of another type beside a text."""
    verdict = MISMATCHED if missing or extra else MATCHED
    columns = (Column("v", column.types, column.pad), Column("w", TEXT, NAMED))
    sides = [Content(columns, tuple((value, "'w'") for value in values), ()) for values in (left, right)]
    return Case(6, name, sides[0], sides[1], Expected(verdict, missing, extra), {"keyless": True})


INT = held("int", "int", "INT", "INT", pad="1")
DOUBLE = held("float8", "double", "DOUBLE", "DOUBLE", pad="1")
JSON = held("jsonb", "json", "JSON", "JSON", pad="'{}'")
MULTISETS = [
    multiset("{A,A} and {B,B}", "AA", "BB", 2, 2),
    multiset("{A,A} and {A}", "AA", "A", 1, 0),
    multiset("{A,A,B} and {A,B,B}", "AAB", "ABB", 1, 1),
    multiset("{A,A,A} and {A}", "AAA", "A", 2, 0),
    multiset("{A,B} and {B,A}", "AB", "BA", 0, 0),
    multiset("{A,A,B,B} and {C,C,D,D}", "AABB", "CCDD", 4, 4),
    multiset("{A,A,A,A} and {A,A}", "AAAA", "AA", 2, 0),
    multiset("{A,a} and {A,A}", "Aa", "AA", 1, 1),
    bag(INT, ["1", "1", "NULL"], ["1", "NULL", "NULL"], "integers with NULLs", 1, 1),
    bag(INT, ["NULL", "NULL"], ["NULL"], "{NULL,NULL} and {NULL}", 1, 0),
    bag(DOUBLE, ["1.5", "1.5"], ["1.5", "2.5"], "doubles", 1, 1),
    bag(JSON, ["'{\"a\":1}'", "'{\"a\":1}'"], ["'{\"a\":1.0}'", "'{\"a\":2}'"], "JSON", 1, 1),
    bag(JSON, ['\'{"a":1,"b":2}\'', "'[]'"], ["'[]'", '\'{"b":2,"a":1}\''], "JSON that is equal", 0, 0),
]


def folded(name: str, many: ByEngine, few: ByEngine, keys: list[str]) -> Case:
    """Keys that a collation holds for one."""
    sides = [keyed(Column("k", types, NAMED), texts(values)) for types, values in ((many, keys), (few, keys[:1]))]
    return Case(7, name, *sides, Expected(MISMATCHED, missing_in_target=len(keys) - 1))


APART = by("text", "varchar(60) COLLATE utf8mb4_nopad_bin", "TEXT", "VARCHAR")


def collated(collation: str, sqlite: str = "") -> ByEngine:
    return by("", f"varchar(60) COLLATE {collation}", sqlite, "")


COLLATIONS = [
    folded("{'a','A'} and general_ci {'a'}", APART, collated("utf8mb4_general_ci", "TEXT COLLATE NOCASE"), ["a", "A"]),
    folded("{'a','a '} and utf8mb4_bin {'a'}", APART, collated("utf8mb4_bin", "TEXT COLLATE RTRIM"), ["a", "a "]),
    folded("{'e','é'} and unicode_ci {'e'}", APART, collated("utf8mb4_unicode_ci"), ["e", "é"]),
    folded("{'ss','ß'} and unicode_ci {'ss'}", APART, collated("utf8mb4_unicode_ci"), ["ss", "ß"]),
    folded("{'é','e\u0301'} and unicode_ci {'é'}", APART, collated("utf8mb4_unicode_ci"), ["\u00e9", "e\u0301"]),
    folded("{'x','X','x '} and general_ci {'x'}", APART, collated("utf8mb4_general_ci"), ["x", "X", "x "]),
    folded("{'','  '} and general_ci {''}", APART, collated("utf8mb4_general_ci"), ["", "  "]),
    Case(
        7,
        "a key's case changed",
        keyed(TEXT_KEY, texts(["a", "b"])),
        keyed(TEXT_KEY, texts(["A", "b"])),
        Expected(MISMATCHED, missing_in_target=1, missing_in_source=1),
    ),
    Case(
        7,
        "a changed row beside keys that differ by case",
        keyed(Column("k", APART, NAMED), [("'a'", "'1'"), ("'A'", "'2'"), ("'b'", "'3'")]),
        keyed(Column("k", APART, NAMED), [("'a'", "'1'"), ("'A'", "'x'"), ("'b'", "'3'")]),
        Expected(MISMATCHED, value_differs=1),
    ),
    Case(
        7,
        "the same keys under other collations",
        keyed(
            Column("k", by("text", "varchar(60) COLLATE utf8mb4_bin", "TEXT", "VARCHAR"), NAMED), texts(["ä", "z", "B"])
        ),
        keyed(
            Column("k", by("text", "varchar(60) COLLATE utf8mb4_german2_ci", "TEXT COLLATE NOCASE", "VARCHAR"), NAMED),
            texts(["B", "ä", "z"]),
        ),
        Expected(MATCHED),
    ),
]

A = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
B = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"
BARE = A.replace("-", "")


# A UUID made of the row's number: a letter and 15 digits as bytes, or the hex digits of these bytes. The letter's hex
# digits have one that is none of a number, as SQLite would make a number of it.
DIGITS = by(
    "('j' || lpad(({g})::text, 15, '0'))",
    "concat('j', lpad({g}, 15, '0'))",
    "('j' || substr('000000000000000' || ({g}), -15))",
    "('j' || lpad(({g})::VARCHAR, 15, '0'))",
)
HEX = {PG: f"encode({DIGITS[PG]}::bytea, 'hex')", **{name: f"hex({DIGITS[name]})" for name in (MY, SL, DU)}}
BLOBS = by(f"{DIGITS[PG]}::bytea", DIGITS[MY], f"CAST({DIGITS[SL]} AS BLOB)", f"{DIGITS[DU]}::BLOB")
NATIVE = Column("k", by("uuid", "uuid", "UUID", "UUID"), HEX)
AS_TEXT = Column("k", by("text", "varchar(60)", "TEXT", "VARCHAR"), HEX)
AS_BYTES = Column("k", by("bytea", "binary(16)", "BLOB", "BLOB"), BLOBS)
WRITTEN = {
    "upper-case text": A.upper(),
    "text without dashes": BARE,
    "text in braces": "{" + A + "}",
    "lower-case text": A,
}


def uuid_key(name: str, other: Column, literal: Literal, *, native: str = A) -> Case:
    """A UUID key beside another spelling of it; or of another."""
    left = keyed(NATIVE, [(f"'{native}'", "'v'")])
    right = keyed(other, [(literal, "'v'")])
    expected = Expected(MATCHED) if native == A else Expected(MISMATCHED, missing_in_target=1, missing_in_source=1)
    return Case(8, name, left, right, expected)


def uuid_value(name: str, other: Column, literal: Literal, *, native: str = A) -> Case:
    """A UUID beside another spelling of it; or of another."""
    left = Content((ID, Column("v", NATIVE.types, f"'{PAD_UUID}'")), (("1", f"'{native}'"),))
    pad: Literal = raw(PAD_UUID.replace("-", "")).literal if other is AS_BYTES else f"'{PAD_UUID}'"
    right = Content((ID, Column("v", other.types, pad)), (("1", literal),))
    return Case(8, name, left, right, Expected(MATCHED) if native == A else Expected(MISMATCHED, value_differs=1))


BYTES = raw(BARE).literal
UUIDS = [
    *(uuid_value(f"uuid and {name}", AS_TEXT, sql_text(text)) for name, text in WRITTEN.items()),
    uuid_value("uuid and 16 bytes", AS_BYTES, BYTES),
    uuid_value("uuid and uuid", NATIVE, sql_text(A)),
    uuid_value("uuid and another as text", AS_TEXT, sql_text(A), native=B),
    uuid_value("uuid and another as bytes", AS_BYTES, BYTES, native=B),
    uuid_value("uuid and half a uuid", AS_TEXT, sql_text(A[:18]), native=B),
    uuid_value("uuid and one brace", AS_TEXT, sql_text("{" + B), native=B),
    uuid_value("uuid and a space before", AS_TEXT, sql_text(" " + B), native=B),
    *(uuid_key(f"a key: uuid and {name}", AS_TEXT, sql_text(text)) for name, text in WRITTEN.items()),
    uuid_key("a key: uuid and 16 bytes", AS_BYTES, BYTES),
    uuid_key("a key: uuid and uuid", NATIVE, sql_text(A)),
    uuid_key("a key: uuid and another as text", AS_TEXT, sql_text(A), native=B),
]

TWO53 = 9007199254740992


def beyond(name: str, left: Sequence[int], right: Sequence[int], missing: int, extra: int = 0) -> Case:
    sides = [keyed(NUMBER_KEY, [(str(key), "'v'") for key in keys]) for keys in (left, right)]
    return Case(9, name, *sides, Expected(MISMATCHED, missing, extra))


LARGE_KEYS = [
    beyond("{2^53, 2^53+1} and {2^53}", [TWO53, TWO53 + 1], [TWO53], 1),
    beyond("{2^53+1} and {2^53}", [TWO53 + 1], [TWO53], 1, 1),
    beyond("{2^63-1, 2^63-2} and {2^63-1}", [2**63 - 1, 2**63 - 2], [2**63 - 1], 1),
    beyond("{-2^63, -2^63+1} and {-2^63}", [-(2**63), -(2**63) + 1], [-(2**63)], 1),
]


def ranges(name: str, first: tuple[int, int], second: tuple[int, int], missing: int, extra: int) -> Case:
    same = by("'v' || ({g} % 7)", "concat('v', {g} % 7)", "'v' || ({g} % 7)", "'v' || ({g} % 7)")
    columns = (NUMBER_KEY, Column("v", TEXT, same))
    sides = [Content(columns, (), ("k",), (("{g}", "v"), *span)) for span in (first, second)]
    return Case(10, name, *sides, Expected(MISMATCHED if missing or extra else MATCHED, missing, extra))


RANGES = [
    ranges("keys 100..200 and 1..300", (100, 200), (1, 300), 0, 199),
    ranges("keys 1..300 and 100..200", (1, 300), (100, 200), 199, 0),
    ranges("keys 1..100 and 101..200", (1, 100), (101, 200), 100, 100),
    ranges("keys 1..500 and 2..500", (1, 500), (2, 500), 1, 0),
    ranges("keys 1..500 and 1..499", (1, 500), (1, 499), 1, 0),
    ranges("keys -50..50 and 0..50", (-50, 50), (0, 50), 50, 0),
    ranges("keys 1..900 and 1..900", (1, 900), (1, 900), 0, 0),
]

EMPTY = Content((ID, V))
FIVE = Content((ID, V), tuple((str(key), "'v'") for key in range(1, 6)))
MANY = Content((ID, V), (), ("id",), (("{g}", "v"), 1, 2_500))
EMPTIES = [
    Case(11, "empty and empty", EMPTY, EMPTY, Expected(MATCHED), sizes=(False,)),
    Case(11, "empty and 5 rows", EMPTY, FIVE, Expected(MISMATCHED, missing_in_source=5), sizes=(False,)),
    Case(11, "empty and 2,500 rows", EMPTY, MANY, Expected(MISMATCHED, missing_in_source=2_500), sizes=(False,)),
    Case(11, "1 row and 5 rows", Content((ID, V), (("3", "'v'"),)), FIVE, Expected(MISMATCHED, missing_in_source=4)),
    Case(11, "a missing table and 5 rows", Content((ID, V), missing=True), FIVE, Expected(REFUSED), sizes=(False,)),
    Case(
        11, "a missing table and an empty one", Content((ID, V), missing=True), EMPTY, Expected(REFUSED), sizes=(False,)
    ),
    Case(
        11,
        "two missing tables",
        Content((ID, V), missing=True),
        Content((ID, V), missing=True),
        Expected(REFUSED),
        sizes=(False,),
    ),
]

CASES = [*NULL_KEYS, *MULTISETS, *COLLATIONS, *UUIDS, *LARGE_KEYS, *RANGES, *EMPTIES]
