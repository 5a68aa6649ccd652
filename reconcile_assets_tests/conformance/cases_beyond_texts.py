"""Texts, bytes, documents and arrays at their edges (31)."""

from reconcile_assets_tests.conformance.cases import (
    DU,
    MY,
    PG,
    SL,
    Held,
    by,
    held,
)
from reconcile_assets_tests.conformance.cases_beyond import differ, same
from reconcile_assets_tests.conformance.kinds import (
    array,
    document,
    document_text,
    null,
    quoted,
    raw,
    sql_text,
    text,
    uuid,
)


def sqlite_text(digits: str) -> Held:
    """Bytes that SQLite holds for a text."""
    return held(sl="TEXT", literal=f"CAST(x'{digits}' AS TEXT)", pad="'pad'")


TEXTS = [
    same("no UTF-8", sqlite_text("ff")),
    differ("no UTF-8, other bytes", sqlite_text("c3"), sqlite_text("c4")),
    differ("no UTF-8 and U+FFFD", sqlite_text("ff"), quoted("\ufffd")),
    differ("no UTF-8 and U+00FF", sqlite_text("ff"), quoted("\u00ff")),
    differ("surrogate halves", sqlite_text("eda080"), sqlite_text("eda081")),
    differ("a surrogate half and U+FFFD", sqlite_text("eda080"), quoted("\ufffd")),
    differ("CESU-8 and UTF-8", sqlite_text("eda0bdedb880"), quoted("\U0001f600")),
    differ("an overlong NUL", sqlite_text("c080"), sqlite_text("00")),
    differ("a blob in a SQLite TEXT", held(sl="TEXT", literal="x'61'", pad="'pad'"), quoted("a")),
    differ("a blob's spelling", held(sl="TEXT", literal="x'61'", pad="'pad'"), quoted("blob:\\x61")),
    differ("a number in a SQLite BLOB", held(sl="BLOB", literal="7", pad="x'70'"), raw("37")),
    same("koi8r", held("", "varchar(20) CHARACTER SET koi8r", literal="'да'", pad="'pad'"), quoted("да")),
    differ(
        "koi8r and question marks",
        held("", "varchar(20) CHARACTER SET koi8r", literal="'да'", pad="'pad'"),
        quoted("??"),
    ),
    same(
        "cp1251 and latin1 of ASCII",
        held("", "varchar(20) CHARACTER SET cp1251", literal="'ab'", pad="'pad'"),
        held("", "varchar(20) CHARACTER SET latin1", literal="'ab'", pad="'pad'"),
    ),
    differ(
        "cp1251 'Б' and latin1 'Á', one byte",
        held("", "varchar(20) CHARACTER SET cp1251", literal="'\u0411'", pad="'pad'"),
        held("", "varchar(20) CHARACTER SET latin1", literal="'\u00c1'", pad="'pad'"),
    ),
    same("a set's labels", held("", "set('a','b','c')", literal="'c,a'", pad="'b'"), text("'a,c'").padded("'b'")),
    differ(
        "a set's labels in another order",
        held("", "set('a','b','c')", literal="'c,a'", pad="'b'"),
        text("'c,a'").padded("'b'"),
    ),
    differ(
        "an enum's empty value and NULL",
        held("", "enum('x','y')", literal="0", pad="'x'"),
        null(text("''")).padded("'x'"),
    ),
    same("an enum's empty value", held("", "enum('x','y')", literal="0", pad="'x'"), text("''").padded("'x'")),
    differ(
        "a binary's zero bytes",
        held("", "binary(3)", literal="x'61'", pad="x'700000'"),
        raw("61").padded(raw("700000").literal),
    ),
    differ("no text and NULL in char", held("char(5)", "char(5)", literal="''", pad="'pad'"), null(text("''"))),
    same(
        "1 MB of emoji",
        held(
            "text",
            "longtext",
            "TEXT",
            "VARCHAR",
            by(
                "repeat('\U0001f600', 250000)",
                "repeat('\U0001f600', 250000)",
                "replace(hex(zeroblob(125000)), '0', '\U0001f600')",
                "repeat('\U0001f600', 250000)",
            ),
            "'pad'",
        ),
    ),
    differ(
        "bytes of a megabyte, the last",
        held(
            "bytea",
            "longblob",
            "BLOB",
            "BLOB",
            by(
                "decode(repeat('00', 1000000) || '01', 'hex')",
                "concat(repeat(x'00', 1000000), x'01')",
                "CAST(zeroblob(1000000) || x'01' AS BLOB)",
                "unhex(repeat('00', 1000000) || '01')",
            ),
            raw("70").literal,
        ),
        held(
            "bytea",
            "longblob",
            "",
            "BLOB",
            by(
                "decode(repeat('00', 1000000) || '02', 'hex')",
                "concat(repeat(x'00', 1000000), x'02')",
                "",
                "unhex(repeat('00', 1000000) || '02')",
            ),
            raw("70").literal,
        ),
    ),
    *(
        differ(f"the mark {mark} before a text", quoted(f"{mark}a"), quoted("a"))
        for mark in ("!", "~", "\ufeff", "\x01", "\\x")
    ),
    differ(
        "a uuid and its text behind a mark",
        uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        text("'!a0eebc999c0b4ef8bb6d6bb9bd380a11'").padded("'00000000-0000-4000-8000-000000000001'"),
    ),
]
NUL_KEY = '{"a":"\\u0000"}'
DEEP = "[" * 3_000 + "]" * 3_000
DEEP_PG = held("jsonb", "longtext", "TEXT", "VARCHAR", sql_text(DEEP), "'{\"pad\": 1}'")
DOCUMENTS = [
    same("duplicate keys: the last counts", document('{"a":1,"a":2}', native="json"), document('{"a":2}')),
    differ("duplicate keys and the first", document('{"a":1,"a":2}', native="json"), document('{"a":1}')),
    same("1e400", document("[1e400]", native="json")),
    differ("1e400 and 1e401", document("[1e400]"), document("[1e401]")),
    same("1e-400 and 0.1e-399", document("[1e-400]"), document("[0.1e-399]")),
    differ("1e-400 and 0", document("[1e-400]"), document("[0]")),
    same("1e999999999", document("[1e999999999]", native="json").on(PG, SL)),
    differ(
        "1e999999999 and 1e999999998",
        document("[1e999999999]", native="json").on(PG, SL),
        document("[1e999999998]", native="json").on(PG, SL),
    ),
    same("0.1e1 and 1", document("[0.1e1]"), document("[1]")),
    same("1E2 and 100", document("[1E2]"), document("[100]")),
    same("a lone surrogate", document('"\\ud800"', native="json").on(PG, SL)),
    differ(
        "lone surrogates",
        document('"\\ud800"', native="json").on(PG, SL),
        document('"\\ud801"', native="json").on(PG, SL),
    ),
    differ("a lone surrogate and U+FFFD", document('"\\ud800"', native="json").on(PG, SL), document('"\\ufffd"')),
    differ("\\u0000 and nothing", document(NUL_KEY, native="json"), document('{"a":""}')),
    differ("a document and its text behind the mark", document(NUL_KEY, native="json"), document_text("!" + NUL_KEY)),
    differ("a document and a byte order mark", document("{}"), document_text("\ufeff{}")),
    differ("a document and trailing text", document("{}"), document_text("{} x")),
    differ("NaN and the string", document('"NaN"'), document_text("NaN")),
    differ("a document and a doubled one", document("[1]"), document("[1,1]")),
    differ("an empty key", document('{"":1}'), document("{}")),
    same("an empty key, twice nested", document('{"":{"":1}}'), document('{ "" : { "" : 1.0 } }')),
    same("composed keys stay apart", document('{"\u00e9":1,"e\u0301":2}'), document('{"e\u0301":2,"\u00e9":1}')),
    differ("composed and decomposed keys", document('{"\u00e9":1}'), document('{"e\u0301":1}')),
    same("3,000 arrays in each other", DEEP_PG.on(PG)),
    same(
        "a big integer in text",
        document("123456789012345678901234567890").on(PG, MY, DU),
        document_text("123456789012345678901234567890.0"),
    ),
]
ARRAYS = [
    same("array with NULL", array("int/INTEGER", "'{1,NULL,3}'", "[1,NULL,3]")),
    differ("array {NULL} and {}", array("int/INTEGER", "'{NULL}'", "[NULL]"), array("int/INTEGER", "'{}'", "[]")),
    differ("array {} and NULL", array("int/INTEGER", "'{}'", "[]"), array("int/INTEGER", "NULL", "NULL")),
    differ(
        "array {NULL} and {'NULL'}",
        array("text/VARCHAR", "'{NULL}'", "[NULL]"),
        array("text/VARCHAR", "'{\"NULL\"}'", "['NULL']"),
    ),
    differ(
        "arrays {a,b} and {'a,b'}",
        array("text/VARCHAR", "'{a,b}'", "['a','b']"),
        array("text/VARCHAR", "'{\"a,b\"}'", "['a,b']"),
    ),
    same(
        "arrays with quotes and braces",
        array("text/VARCHAR", "array['a\"b','{c}','d\\e','']", "['a\"b','{c}','d\\e','']"),
    ),
    differ(
        "arrays by a space",
        array("text/VARCHAR", "array['a']", "['a']"),
        array("text/VARCHAR", "array['a ']", "['a ']"),
    ),
    same("two dimensions", array("int/INTEGER", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]", depth=2)),
    differ(
        "two dimensions, turned",
        array("int/INTEGER", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]", depth=2),
        array("int/INTEGER", "'{{1,3},{2,4}}'", "[[1,3],[2,4]]", depth=2),
    ),
    differ(
        "two dimensions and one",
        array("int/INTEGER", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]", depth=2),
        array("int/INTEGER", "'{1,2,3,4}'", "[1,2,3,4]"),
    ),
    same("arrays of decimals", array("numeric/DECIMAL(10,3)", "'{1.0,2.50}'", "[1.0,2.5]")),
    same(
        "arrays of integers and decimals",
        array("int/INTEGER", "'{1,2}'", "[1,2]"),
        array("numeric/DECIMAL(10,3)", "'{1.0,2.00}'", "[1,2]"),
    ),
    differ(
        "arrays of decimals by the last",
        array("numeric/DECIMAL(10,3)", "'{1.001}'", "[1.001]"),
        array("numeric/DECIMAL(10,3)", "'{1.002}'", "[1.002]"),
    ),
    same("arrays of doubles", array("float8/DOUBLE", "'{0.1,1e23,-0,NaN}'", "[0.1,1e23,-0.0,'nan'::DOUBLE]")),
    differ(
        "arrays of doubles by the last bit",
        array("float8/DOUBLE", "'{0.3}'", "[0.3::DOUBLE]"),
        array("float8/DOUBLE", "array[0.1::float8+0.2::float8]", "[0.1::DOUBLE+0.2::DOUBLE]"),
    ),
    same("arrays of booleans", array("bool/BOOLEAN", "'{t,f,NULL}'", "[true,false,NULL]")),
    same("arrays of bytes", array("bytea/BLOB", "array['\\x00ff'::bytea]", "['\\x00\\xFF'::BLOB]")),
    differ(
        "arrays of bytes differ",
        array("bytea/BLOB", "array['\\x00ff'::bytea]", "['\\x00\\xFF'::BLOB]"),
        array("bytea/BLOB", "array['\\x00fe'::bytea]", "['\\x00\\xFE'::BLOB]"),
    ),
    same("arrays of dates", array("date/DATE", "'{2024-02-29,infinity}'", "['2024-02-29','infinity']::DATE[]")),
    same(
        "arrays of times",
        array(
            "timestamp/TIMESTAMP", "array['2024-01-01 00:00:00.5'::timestamp]", "['2024-01-01 00:00:00.5']::TIMESTAMP[]"
        ),
    ),
    same(
        "arrays of uuids",
        array(
            "uuid/UUID", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", "['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::UUID[]"
        ),
    ),
    differ(
        "arrays with other bounds", Held({PG: "int[]"}, "'[0:1]={1,2}'", "'{}'"), Held({PG: "int[]"}, "'{1,2}'", "'{}'")
    ),
]

CASES = [*TEXTS, *DOCUMENTS, *ARRAYS]
