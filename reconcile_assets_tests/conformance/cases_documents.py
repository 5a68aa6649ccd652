"""Cases of JSON: 24."""

from reconcile_assets_tests.conformance.cases import Case, differ, same
from reconcile_assets_tests.conformance.kinds import document, document_text, null


def alike(name: str, left: str, right: str) -> list[Case]:
    """Two documents of the same value: in the JSON types, and as text beside one."""
    return [
        same(24, f"{name}", document(left), document(right)),
        same(24, f"{name}, json and text", document(left, native="json"), document_text(right)),
    ]


def unlike(name: str, left: str, right: str) -> list[Case]:
    """Two documents of different values."""
    return [
        differ(24, f"{name}", document(left), document(right)),
        differ(24, f"{name}, json and text", document(left, native="json"), document_text(right)),
    ]


CASES = [
    *alike("other order of keys", '{"a":1,"b":2}', '{"b":2, "a":1}'),
    *alike("other order, nested", '{"a":{"x":1,"y":[{"p":1,"q":2}]}}', '{ "a" : { "y":[ {"q":2,"p":1} ], "x":1 } }'),
    *alike('{"a":1.0} and {"a":1}', '{"a":1.0}', '{"a":1}'),
    *alike('{"a":100} and {"a":1e2}', '{"a":100}', '{"a":1e2}'),
    *alike("0.10 and 0.1", "[0.10]", "[0.1]"),
    *alike("-0 and 0", "[-0]", "[0]"),
    *unlike("9007199254740993 and ..992", "9007199254740993", "9007199254740992"),
    *unlike("0.1 and 0.10000000000000001", "[0.1]", "[0.10000000000000001]"),
    *unlike("20 digits, the last differs", '{"n":12345678901234567891}', '{"n":12345678901234567892}'),
    *unlike("[1,2] and [2,1]", "[1,2]", "[2,1]"),
    *unlike("[1,[2]] and [[1],2]", "[1,[2]]", "[[1],2]"),
    *unlike('{"a":null} and {}', '{"a":null}', "{}"),
    *unlike("{} and []", "{}", "[]"),
    *unlike('"1" and 1', '["1"]', "[1]"),
    *unlike("true and 1", "[true]", "[1]"),
    *unlike('null and "null"', "[null]", '["null"]'),
    *unlike("false and null", "[false]", "[null]"),
    *unlike("a key's case", '{"a":1}', '{"A":1}'),
    *alike('"\\u00e9" and "é"', '"\\u00e9"', '"é"'),
    *alike("an escaped pair of surrogates", '"\\ud83d\\ude00"', '"😀"'),
    *alike("an escaped slash", '"a\\/b"', '"a/b"'),
    *unlike("an escaped and a written newline", '"a\\nb"', '"a\\\\nb"'),
    differ(24, "JSON null and SQL NULL", document("null"), null(document("null"))),
    differ(24, "{} and SQL NULL", document("{}"), null(document("{}"))),
    differ(24, "a JSON string and text that is no JSON", document('"x"'), document_text("x")),
]
