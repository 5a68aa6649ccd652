"""Keys and tables at their edges (31)."""

from typing import Any

from reconcile_assets_tests.conformance import cases
from reconcile_assets_tests.conformance.cases import (
    BIGINT,
    DU,
    ID,
    MATCHED,
    MISMATCHED,
    PG,
    SL,
    TEXT,
    Case,
    Column,
    Content,
    Expected,
    Held,
    by,
)


def key(
    name: str,
    column: Held,
    left: list[str],
    right: list[str],
    missing: int,
    extra: int,
    *,
    other: Held | None = None,
    unique: bool = True,
    **options: Any,
) -> Case:
    """Keys of a type; the literals are made by ``{}`` of the type's own."""
    verdict = MISMATCHED if missing or extra else MATCHED
    sides = []
    for found, values in ((column, left), (other or column, right)):
        column_ = Column("k", found.types, found.pad)
        rows = tuple((_literal(found, value), "'v'") for value in values)
        sides.append(Content((column_, Column("v", TEXT, "'pad'")), rows, ("k",) if unique else ()))
    return Case(31, name, *sides, Expected(verdict, missing, extra), options)


def _literal(found: Held, value: str) -> Any:
    if isinstance(found.literal, str):
        return found.literal.format(value)
    return {engine: text_.format(value) for engine, text_ in found.literal.items()}


NUMBER = by("{g}", "{g}", "{g}", "{g}")
SOON = by(
    "'2021-01-01'::timestamp + ({g}) * interval '1 minute'",
    "'2021-01-01' + interval ({g}) minute",
    "datetime('2021-01-01', ({g}) || ' minutes')",
    "TIMESTAMP '2021-01-01' + to_minutes(({g})::BIGINT)",
)
SOON_ZONED = by(
    "'2021-01-01+00'::timestamptz + ({g}) * interval '1 minute'",
    "'2021-01-01' + interval ({g}) minute",
    "datetime('2021-01-01', ({g}) || ' minutes') || '+00:00'",
    "(TIMESTAMP '2021-01-01' + to_minutes(({g})::BIGINT)) AT TIME ZONE 'UTC'",
)
DAYS = by(
    "'2021-01-01'::date + ({g})::int",
    "'2021-01-01' + interval ({g}) day",
    "date('2021-01-01', ({g}) || ' days')",
    "DATE '2021-01-01' + ({g})::INTEGER",
)
BYTES = by(
    "convert_to('p' || ({g})::text, 'UTF8')", "concat('p', {g})", "CAST('p' || ({g}) AS BLOB)", "('p' || ({g}))::BLOB"
)
KEY_DECIMAL = Held(by("numeric", "decimal(30,10)", "DECIMAL(30,10)", "DECIMAL(30,10)"), "{}", NUMBER)
KEY_DOUBLE = Held(by("float8", "double", "DOUBLE", "DOUBLE"), "{}", NUMBER)
KEY_INT = Held(by("bigint", "bigint", "BIGINT", "BIGINT"), "{}", NUMBER)
KEY_TIME = Held(by("timestamp", "datetime(6)", "DATETIME", "TIMESTAMP"), "'{}'", SOON)
KEY_MILLIS = Held(by("timestamp(3)", "datetime(3)", "", "TIMESTAMP_MS"), "'{}'", SOON)
KEY_INSTANT = Held(
    by("timestamptz", "timestamp(6) NULL", "TIMESTAMPTZ", "TIMESTAMPTZ"),
    by("'{}+00:00'", "'{}'", "'{}+00:00'", "'{}+00:00'"),
    SOON_ZONED,
)
KEY_DATE = Held(by("date", "date", "DATE", "DATE"), "'{}'", DAYS)
KEY_TEXT = Held(
    by("text", "varchar(60) COLLATE utf8mb4_nopad_bin", "TEXT", "VARCHAR"),
    "'{}'",
    by("'p' || {g}", "concat('p', {g})", "'p' || {g}", "'p' || {g}"),
)
KEY_BYTES = Held(by("bytea", "varbinary(60)", "BLOB", "BLOB"), by("'\\x{}'", "x'{}'", "x'{}'", "unhex('{}')"), BYTES)
KEYS = [
    key("decimal keys", KEY_DECIMAL, ["1.10", "1.2"], ["1.1", "1.2000"], 0, 0),
    key("decimal keys differ", KEY_DECIMAL, ["1.10", "1.2"], ["1.10", "1.3"], 1, 1),
    key("integer and decimal keys", KEY_INT, ["1", "2"], ["1.0", "2.5"], 1, 1, other=KEY_DECIMAL),
    key("double keys", KEY_DOUBLE, ["0.5", "1e-7", "0.30000000000000004"], ["0.5", "0.0000001", "0.3"], 1, 1),
    key("integer and double keys", KEY_INT, ["1", "2"], ["1", "2"], 0, 0, other=KEY_DOUBLE),
    key("time keys", KEY_TIME, ["2024-01-01 00:00:00", "2024-01-01 00:00:00.000001"], ["2024-01-01 00:00:00"], 1, 0),
    key(
        "time keys, the coarser cut",
        KEY_TIME,
        ["2024-01-01 00:00:00.1236"],
        ["2024-01-01 00:00:00.123"],
        0,
        0,
        other=KEY_MILLIS,
    ),
    key(
        "date and time keys",
        KEY_DATE,
        ["2024-01-01", "2024-01-02"],
        ["2024-01-01 00:00:00", "2024-01-02 00:00:01"],
        1,
        1,
        other=Held(
            KEY_TIME.types,
            "'{}'",
            by(
                *(
                    f"({text_})"
                    for text_ in (
                        "('2021-01-01'::date + ({g})::int)::timestamp",
                        "'2021-01-01' + interval ({g}) day",
                        "date('2021-01-01', ({g}) || ' days') || ' 00:00:00'",
                        "(DATE '2021-01-01' + ({g})::INTEGER)::TIMESTAMP",
                    )
                )
            ),
        ),
    ),
    key("instant keys", KEY_INSTANT, ["2024-11-03 05:30:00", "2024-11-03 06:30:00"], ["2024-11-03 05:30:00"], 1, 0),
    key("date keys", KEY_DATE, ["2024-02-29", "0001-01-01"], ["2024-02-29"], 1, 0),
    key("bytes keys", KEY_BYTES, ["00ff", "00FF00"], ["00ff"], 1, 0),
    key("emoji keys", KEY_TEXT, ["\U0001f600", "\U0001f601"], ["\U0001f600"], 1, 0),
    key(
        "keys with quotes and backslashes",
        KEY_TEXT,
        ["a''b", "a\\b", "a%b", "a\nb", "a\tb"],
        ["a''b", "a\\b", "a%b"],
        2,
        0,
    ),
    key("keys by a trailing space", KEY_TEXT, ["a", "a "], ["a"], 1, 0),
    key("keys NaN", Held(by("float8", "", "", "DOUBLE"), "'{}'", NUMBER), ["NaN", "Infinity"], ["NaN"], 1, 0),
]


def series(
    name: str,
    left: tuple[str, int, int],
    right: tuple[str, int, int],
    missing: int,
    extra: int,
    changed: int,
    **options: Any,
) -> Case:
    """Thousands of rows: what v is, the first and last key."""
    columns = (ID, Column("v", BIGINT, "{g}"))
    sides = [Content(columns, (), ("id",), (("{g}", text_), first, last)) for text_, first, last in (left, right)]
    verdict = MISMATCHED if missing or extra or changed else MATCHED
    return Case(31, name, *sides, Expected(verdict, missing, extra, changed), options, sizes=(False,))


def wide_table(count: int, engines: tuple[str, ...], changed: int | None) -> Content:
    """One row of many integers."""
    types = {engine: name for engine, name in by("int", "int", "INT", "INT").items() if engine in engines}
    id_ = Column("id", {engine: BIGINT[engine] for engine in engines}, "{g}")
    columns = [Column(f"c{at}", types, str(at)) for at in range(1, count + 1)]
    return Content((id_, *columns), (("1", *(str(-1 if at == changed else at) for at in range(1, count + 1))),))


MORE_FROM_2000 = "{g} + (CASE WHEN {g} >= 2000 THEN 1 ELSE 0 END)"
TABLES = [
    series("3,000 rows all differ", ("{g}", 1, 3_000), ("{g} + 1", 1, 3_000), 0, 0, 3_000),
    series("every second row differs", ("{g}", 1, 3_000), ("{g} + {g} % 2", 1, 3_000), 0, 0, 1_500),
    series("3,000 keys of neither side", ("{g}", 1, 3_000), ("{g}", 5_001, 8_000), 3_000, 3_000, 0),
    series("the last of 30,000 rows is missing", ("{g}", 1, 30_000), ("{g}", 1, 29_999), 1, 0, 0),
    series(
        "a hundred of 30,000 differ",
        ("{g}", 1, 30_000),
        ("{g} + (CASE WHEN {g} % 300 = 7 THEN 1 ELSE 0 END)", 1, 30_000),
        0,
        0,
        100,
    ),
    series(
        "a part of the rows",
        ("{g}", 1, 3_000),
        (MORE_FROM_2000, 1, 3_000),
        0,
        0,
        0,
        where="id < 2000",
    ),
    *(
        Case(
            31,
            f"{count} columns, {'equal' if changed is None else f'column {changed} differs'}",
            wide_table(count, engines, None),
            wide_table(count, engines, changed),
            Expected(MATCHED) if changed is None else Expected(MISMATCHED, value_differs=1),
        )
        for count, engines in ((900, cases.ENGINES), (1_590, (PG, SL, DU)))
        for changed in (None, count)
    ),
    Case(
        31,
        "columns A and a",
        Content((ID, Column("A", {PG: "text"}), Column("a", {PG: "text"})), (("1", "'x'", "'y'"),)),
        Content((ID, Column("a", {PG: "text"}), Column("A", {PG: "text"})), (("1", "'x'", "'y'"),)),
        Expected(MISMATCHED, value_differs=1, differs={"A": 1, "a": 1}),
    ),
    Case(
        31,
        "empty tables of a type that is never compared",
        Content((ID, Column("v", {PG: "point", DU: "STRUCT(a INTEGER)"}))),
        Content((ID, Column("v", {PG: "point", DU: "STRUCT(a INTEGER)"}))),
        Expected(MATCHED),
        sizes=(False,),
    ),
    Case(
        31,
        "a difference beside a column that is never compared",
        Content((ID, Column("v", {PG: "point"}), Column("w", {PG: "text"})), (("1", "'(1,2)'", "'a'"),)),
        Content((ID, Column("v", {PG: "point"}), Column("w", {PG: "text"})), (("1", "'(1,2)'", "'b'"),)),
        Expected(MISMATCHED, value_differs=1),
    ),
]


def bag(
    name: str,
    held_: Held,
    left: list[str],
    right: list[str],
    missing: int,
    extra: int,
    *,
    other: Held | None = None,
    **options: Any,
) -> Case:
    """Rows without a key, of one column that is no text."""
    verdict = MISMATCHED if missing or extra else MATCHED
    sides = [
        Content((Column("v", found.types, found.pad),), tuple((_literal(found, value),) for value in values), ())
        for found, values in ((held_, left), (other or held_, right))
    ]
    return Case(31, name, *sides, Expected(verdict, missing, extra), {"keyless": True, **options})


PAD_TIME = "'2020-01-02 00:00:00'"
MICROS = Held(by("timestamp", "datetime(6)", "DATETIME", "TIMESTAMP"), "'2024-01-01 00:00:00{}'", PAD_TIME)
MILLIS = Held(by("timestamp(3)", "datetime(3)", "", "TIMESTAMP_MS"), "'2024-01-01 00:00:00{}'", PAD_TIME)
JSONS = Held(by("jsonb", "json", "JSON", "JSON"), "'{}'", "'[]'")
REALS = Held(by("real", "float", "", "FLOAT"), "{}", "1")
DECIMALS = Held(by("numeric", "decimal(30,10)", "DECIMAL(30,10)", "DECIMAL(30,10)"), "{}", "1")
DOUBLES = Held(by("float8", "double", "DOUBLE", "DOUBLE"), "{}", "1")
BAGS = [
    bag("keyless: only JSON", JSONS, ["[1,2]", "[1]", "[1]"], ["[1.0]", "[1, 2]", "[1]"], 0, 0),
    bag("keyless: only JSON, doubled", JSONS, ["[1]", "[1]"], ["[1]", "[2]"], 1, 1),
    bag("keyless: only coarser times", MICROS, [".1236", ".1239"], [".124", ".123"], 0, 0, other=MILLIS),
    bag("keyless: coarser times that differ", MICROS, [".1236", ".1236"], [".123", ".125"], 1, 1, other=MILLIS),
    bag("keyless: coarser times, one more", MICROS, [".1236", ".1236", ".1236"], [".123", ".124"], 1, 0, other=MILLIS),
    bag("keyless: coarser times, strict", MICROS, [".1236"], [".123"], 1, 1, other=MILLIS, strict=True),
    bag("keyless: floats and decimals", REALS, ["0.1", "0.5", "0.5"], ["0.1", "0.50", "0.25"], 1, 1, other=DECIMALS),
    bag("keyless: doubles and decimals", DOUBLES, ["0.1", "1e-7"], ["0.1", "0.0000001"], 0, 0, other=DECIMALS),
    bag("keyless: floats and doubles (coarser)", REALS, ["0.1", "0.1"], ["0.1", "0.1"], 0, 0, other=DOUBLES),
    key(
        "two time keys that the coarser type has for one",
        KEY_TIME,
        ["2024-01-01 00:00:00.1236", "2024-01-01 00:00:00.1239"],
        ["2024-01-01 00:00:00.123"],
        1,
        0,
        other=KEY_MILLIS,
    ),
]
# What our own statements name their parts.
OWN_NAMES = (
    *("w", "b", "k", "n", "r", "h", "l1", "l2", "d", "g", "s", "t", "m", "number", "k0", "v0", "c0", "wanted", "u"),
    *("nulls", "c", "s1", "s2", "one", "e1", "i", "seq", "rows", "window", "bucket", "value", "key"),
)


def named(changed: str | None) -> Content:
    """Columns with the names that our statements use."""
    int_ = by("int", "int", "INT", "INT")
    columns = (Column("x", BIGINT, "{g}"), *(Column(name, int_, str(at)) for at, name in enumerate(OWN_NAMES)))
    row = ("1", *(str(-1 if name == changed else at) for at, name in enumerate(OWN_NAMES)))
    return Content(columns, (row,), ("x",))


NAMED = [
    Case(31, "columns named as parts of our statements", named(None), named(None), Expected(MATCHED)),
    *(
        Case(
            31,
            f"a column named {name} differs",
            named(None),
            named(name),
            Expected(MISMATCHED, value_differs=1, differs={name: 1}),
        )
        for name in ("w", "h", "k0", "number", "key")
    ),
    Case(
        31,
        "columns named as parts of our statements, keyless",
        Content(named(None).columns, named(None).rows, ()),
        Content(named("b").columns, named("b").rows, ()),
        Expected(MISMATCHED, 1, 1),
        {"keyless": True},
    ),
]

CASES = [*KEYS, *TABLES, *BAGS, *NAMED]
