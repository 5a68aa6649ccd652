"""Values of each kind, as each engine can hold them."""

from reconcile_assets_tests.conformance.cases import DU, PG, SL, Held, Literal, by, held

ONE = "1"


def text(literal: Literal) -> Held:
    """Text, in a column that keeps every code point."""
    return held("text", "varchar(200)", "TEXT", "VARCHAR", literal, "'pad'")


def quoted(value: str) -> Held:
    """Text of just this value."""
    return text(sql_text(value))


def sql_text(value: str) -> str:
    """A literal; MariaDB's sessions read no backslash escapes."""
    return "'" + value.replace("'", "''") + "'"


def long_text(literal: Literal) -> Held:
    """Text of any length."""
    return held("text", "longtext", "TEXT", "VARCHAR", literal, "'pad'")


def bigint(literal: Literal) -> Held:
    """A signed 64-bit integer."""
    return held("bigint", "bigint", "BIGINT", "BIGINT", literal, ONE)


def integer(literal: Literal) -> Held:
    """A signed 32-bit integer."""
    return held("integer", "int", "INTEGER", "INTEGER", literal, ONE)


def wide(literal: Literal) -> Held:
    """An integer beyond 64 signed bits."""
    return held("numeric(39,0)", "decimal(39,0)", "", "HUGEINT", literal, ONE)


def unsigned(literal: Literal) -> Held:
    """An unsigned 64-bit integer; PostgreSQL has it as numeric."""
    return held("numeric", "bigint unsigned", "", "UBIGINT", literal, ONE)


def decimal(literal: Literal, precision: int = 30, scale: int = 10) -> Held:
    """An exact decimal; PostgreSQL's without a declared scale. SQLite keeps its text where it is quoted."""
    limits = f"({precision},{scale})"
    return held("numeric", f"decimal{limits}", f"DECIMAL{limits}", f"DECIMAL{limits}", literal, ONE)


def fixed(literal: Literal, precision: int, scale: int) -> Held:
    """An exact decimal of a declared scale in every engine."""
    limits = f"({precision},{scale})"
    return held(f"numeric{limits}", f"decimal{limits}", f"DECIMAL{limits}", f"DECIMAL{limits}", literal, ONE)


def double(literal: str) -> Held:
    """A double, from the decimal as it is written."""
    return held(
        "float8", "double", "DOUBLE", "DOUBLE", by(f"'{literal}'", f"{literal}", f"{literal}", f"'{literal}'"), ONE
    )


def double_sql(literal: Literal) -> Held:
    """A double that an expression makes."""
    return held("float8", "double", "REAL", "DOUBLE", literal, ONE)


INFINITY = double_sql({PG: "'Infinity'", SL: "9e999", DU: "'Infinity'"})
MINUS_INFINITY = double_sql({PG: "'-Infinity'", SL: "-9e999", DU: "'-Infinity'"})
NAN = double_sql({PG: "'NaN'", DU: "'NaN'"})


def single(literal: str) -> Held:
    """A float of single precision."""
    return held("real", "float", "", "FLOAT", by(f"'{literal}'", literal, "", f"'{literal}'"), ONE)


def boolean(literal: str) -> Held:
    """A boolean: MariaDB's is TINYINT(1)."""
    number = {"true": "1", "false": "0"}.get(literal, literal)
    return held(
        "boolean",
        "tinyint(1)",
        "BOOLEAN",
        "BOOLEAN",
        by(literal, number, number, literal),
        by(*["true", "1", "1", "true"]),
    )


def raw(digits: str) -> Held:
    """Bytes, by their hex digits."""
    escaped = "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))
    return held(
        "bytea",
        "varbinary(100)",
        "BLOB",
        "BLOB",
        by(f"'\\x{digits}'", f"x'{digits}'", f"x'{digits}'", f"'{escaped}'::BLOB"),
        by("'\\x70'", "x'70'", "x'70'", "'\\x70'::BLOB"),
    )


def date(literal: Literal) -> Held:
    """A date."""
    return held("date", "date", "DATE", "DATE", literal, "'2020-01-02'")


def timestamp(literal: Literal) -> Held:
    """A zoneless time with microseconds."""
    return held("timestamp", "datetime(6)", "DATETIME", "TIMESTAMP", literal, "'2020-01-02 00:00:00'")


def millis(literal: Literal) -> Held:
    """A zoneless time with milliseconds."""
    return held("timestamp(3)", "datetime(3)", "", "TIMESTAMP_MS", literal, "'2020-01-02 00:00:00'")


def seconds(literal: Literal) -> Held:
    """A zoneless time with whole seconds."""
    return held("timestamp(0)", "datetime", "", "TIMESTAMP_S", literal, "'2020-01-02 00:00:00'")


def instant(utc: str, written: str | None = None) -> Held:
    """An instant; MariaDB's is written in UTC, the others' with the offset of ``written``."""
    there = f"'{written or utc + '+00:00'}'"
    return held(
        "timestamptz",
        "timestamp(6) NULL",
        "TIMESTAMPTZ",
        "TIMESTAMPTZ",
        by(there, f"'{utc}'", there, there),
        by(
            "'2020-01-02 00:00:00+00:00'",
            "'2020-01-02 00:00:00'",
            "'2020-01-02 00:00:00+00:00'",
            "'2020-01-02 00:00:00+00:00'",
        ),
    )


def time(literal: Literal) -> Held:
    """A time of day with microseconds."""
    return held("time", "time(6)", "TIME", "TIME", literal, "'01:02:03'")


def interval(literal: Literal) -> Held:
    """An interval."""
    return held("interval", "", "", "INTERVAL", literal, "'1 day'")


PAD_UUID = "00000000-0000-4000-8000-000000000001"


def uuid(value: str) -> Held:
    """A UUID in its own type."""
    return held("uuid", "uuid", "UUID", "UUID", f"'{value}'", f"'{PAD_UUID}'")


def uuid_text(literal: str) -> Held:
    """The text of a UUID."""
    return held("text", "varchar(60)", "TEXT", "VARCHAR", literal, f"'{PAD_UUID}'")


def uuid_bytes(value: str) -> Held:
    """The 16 bytes of a UUID."""
    found, pad = raw(value.replace("-", "")), raw(PAD_UUID.replace("-", "")).literal
    return held("bytea", "binary(16)", "BLOB", "BLOB", found.literal, pad)


def document(value: str, *, native: str = "jsonb") -> Held:
    """A JSON document in the engine's own type; SQLite's is declared JSON."""
    return held(native, "json", "JSON", "JSON", sql_text(value), "'{\"pad\": 1}'")


def document_text(value: str) -> Held:
    """A JSON document kept as text."""
    return held("text", "longtext", "TEXT", "VARCHAR", sql_text(value), "'{\"pad\": 1}'")


def array(element: str, pg: str, du: str, *, pad: tuple[str, str] = ("'{}'", "[]"), depth: int = 1) -> Held:
    """An array of PostgreSQL and a list of DuckDB; ``element`` is ``pg_type/duckdb_type``."""
    types = element.split("/")
    return held(f"{types[0]}[]", "", "", types[1] + "[]" * depth, by(pg, "", "", du), by(pad[0], "", "", pad[1]))


def null(value: Held) -> Held:
    """NULL in a column of this value's types."""
    return Held(value.types, "NULL", value.pad)
