"""Rows: exchanged values, NULLs, missing rows, duplicates, no key; on the small and on the bucketed path."""

# ruff: noqa: S608 - the SQL of these tests is their own

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.difference import DifferenceKind
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import CouldNotVerify, PermissionDenied
from reconcile_assets_tests.integration.comparison.conftest import PADDED, Pair

COUNTS = ("missing_in_target", "missing_in_source", "value_differs")


def fill(
    pair: Pair, side: int, rows: Sequence[Sequence[Any]], *, columns: str, padded: bool, keyed: bool = True
) -> None:
    """A table t of these columns, the first of them being the key, with thousands of rows around where padded."""
    connection = pair.connections[side]
    primary = ", PRIMARY KEY (id)" if keyed else ""
    connection.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({columns}{primary})".encode())
    for row in rows:
        connection.execute(sql.SQL("INSERT INTO t VALUES ({})").format(sql.SQL(", ").join(map(sql.Literal, row))))
    if padded:
        connection.execute(
            sql.SQL("INSERT INTO t (id) SELECT g FROM generate_series(1001, {}) AS g; ANALYZE t").format(1000 + PADDED)
        )


def counts(found: Comparison) -> tuple[int, int, int]:
    return tuple(getattr(found, name) for name in COUNTS)  # type: ignore[return-value]


ABC = "id int, v text, z text"
CASES = [
    ("a separator in a value", [(1, "x|y", "z")], [(1, "x", "y|z")], (0, 0, 1), {"v", "z"}),
    ("a length in a value", [(1, "1:a", "b")], [(1, "1", "a1:b")], (0, 0, 1), {"v", "z"}),
    ("a comma", [(1, "a,b", "c")], [(1, "a", "b,c")], (0, 0, 1), {"v", "z"}),
    ("a unit separator", [(1, "a\x1fb", "c")], [(1, "a", "b\x1fc")], (0, 0, 1), {"v", "z"}),
    ("values exchanged between rows", [(1, "a", "q"), (2, "b", "q")], [(1, "b", "q"), (2, "a", "q")], (0, 0, 2), {"v"}),
    ("values exchanged between columns", [(1, "a", "b")], [(1, "b", "a")], (0, 0, 1), {"v", "z"}),
    ("a NULL that moved to the next column", [(1, None, "a")], [(1, "a", None)], (0, 0, 1), {"v", "z"}),
    (
        "a NULL that moved to the next row",
        [(1, None, "q"), (2, "a", "q")],
        [(1, "a", "q"), (2, None, "q")],
        (0, 0, 2),
        {"v"},
    ),
    ("a missing row", [(1, "a", "b"), (2, "c", "d")], [(1, "a", "b")], (1, 0, 0), set()),
    ("rows on either side only", [(1, "a", "b")], [(2, "a", "b")], (1, 1, 0), set()),
    ("everything missing", [(1, "a", "b"), (2, "a", "b")], [], (2, 0, 0), set()),
    *[
        (f"NULL and {text!r}", [(1, None, "z")], [(1, text, "z")], (0, 0, 1), {"v"})
        for text in (
            "",
            "NULL",
            "<null>",
            "_null_recon_",
            "DEFAULT_REPLACEMENT_STRING",
            "\\N",
            "None",
            "nan",
            "\x01",
            "-1",
        )
    ],
]


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_every_change_is_found_and_counted(pair: Pair, case: tuple[Any, ...], padded: bool) -> None:
    _, source, target, expected, columns = case
    fill(pair, 0, source, columns=ABC, padded=padded)
    fill(pair, 1, target, columns=ABC, padded=padded)
    found = pair.diff()
    assert counts(found) == expected
    assert {name for name, column in found.columns.items() if column.differs} == columns
    assert len(found.differences) == sum(expected)
    turned = pair.diff(turned=True)
    assert counts(turned) == (expected[1], expected[0], expected[2])


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize(
    ("source", "target", "missing", "extra"),
    [
        ("AA", "BB", 2, 2),
        ("AA", "A", 1, 0),
        ("AAB", "ABB", 1, 1),
        ("AAA", "A", 2, 0),
        ("AB", "BA", 0, 0),
        ("", "A", 0, 1),
    ],
)
def test_rows_without_a_key_are_a_multiset(
    pair: Pair, source: str, target: str, missing: int, extra: int, padded: bool
) -> None:
    for side, rows in enumerate((source, target)):
        fill(pair, side, [(7, text, None) for text in rows], columns=ABC, padded=padded, keyed=False)
    found = pair.diff(keyless=True)
    assert counts(found) == (missing, extra, 0)
    assert all(not item.key for item in found.differences)


def test_rows_without_a_key_and_with_json_are_matched_by_value(pair: Pair) -> None:
    pair.run("CREATE TABLE t (a int, j jsonb, n numeric[])")
    pair.connections[0].execute("""INSERT INTO t VALUES (1, '{"x":1.0}', '{1.0}'), (1, '{"x":2}', '{2}')""")
    pair.connections[1].execute("""INSERT INTO t VALUES (1, '{"x":2}', '{2.0}'), (1, '{"x":1}', '{1}')""")
    assert pair.diff(keyless=True).verdict == "matched"
    pair.connections[1].execute("""INSERT INTO t VALUES (1, '{"x":3}', NULL)""")
    assert counts(pair.diff(keyless=True)) == (0, 1, 0)


def test_thousands_of_rows_of_json_alone_are_compared(pair: Pair) -> None:
    """No digest tells such rows apart, so they can't be divided into buckets."""
    pair.run(
        "CREATE TABLE t (v json);"
        " INSERT INTO t SELECT ('[' || g % 50 || ']')::json FROM generate_series(1, 5000) g; ANALYZE t"
    )
    assert pair.diff(keyless=True).verdict == "matched"
    pair.connections[1].execute("UPDATE t SET v = '[1.0]' WHERE v::text = '[1]'")
    assert pair.diff(keyless=True).verdict == "matched"
    pair.connections[1].execute("INSERT INTO t VALUES ('[7]'), ('[99]')")
    assert counts(pair.diff(keyless=True)) == (0, 2, 0)


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_rows_with_a_null_key_are_counted_and_compared(pair: Pair, padded: bool) -> None:
    fill(pair, 0, [(1, "1", None), (2, "2", None), (None, "3", None)], columns=ABC, padded=padded, keyed=False)
    fill(pair, 1, [(1, "1", None), (2, "2", None)], columns=ABC, padded=padded, keyed=False)
    found = pair.diff(key=["id"])
    assert counts(found) == (1, 0, 0)
    assert (found.source.null_keys, found.target.null_keys) == (1, 0)
    assert any("NULL in the key" in note for note in found.notes)
    assert found.differences[0].key == {"id": None}


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_duplicate_keys_are_a_multiset_and_a_warning(pair: Pair, padded: bool) -> None:
    rows = [(1, "a", None), (1, "b", None), (1, "b", None)]
    fill(pair, 0, rows, columns=ABC, padded=padded, keyed=False)
    fill(pair, 1, [*rows[::-1][:2], (1, "c", None)], columns=ABC, padded=padded, keyed=False)
    found = pair.diff(key=["id"])
    assert (found.source.duplicate_keys, found.target.duplicate_keys) == (2, 2)
    assert counts(found) == (0, 0, 1)
    assert any("not unique" in note for note in found.notes)


def test_a_duplicate_row_in_the_target_is_found(pair: Pair) -> None:
    fill(pair, 0, [(1, "a", None)], columns=ABC, padded=True, keyed=False)
    fill(pair, 1, [(1, "a", None), (1, "a", None)], columns=ABC, padded=True, keyed=False)
    found = pair.diff(key=["id"])
    assert counts(found) == (0, 1, 0)
    assert found.target.duplicate_keys == 1


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_keys_beyond_2_53_are_told_apart(pair: Pair, padded: bool) -> None:
    columns = "id bigint, v text, z text"
    fill(pair, 0, [(9007199254740992, "a", None), (9007199254740993, "a", None)], columns=columns, padded=padded)
    fill(pair, 1, [(9007199254740992, "a", None)], columns=columns, padded=padded)
    found = pair.diff()
    assert counts(found) == (1, 0, 0)
    assert found.to_dict()["differences"][0]["key"] == {"id": "9007199254740993"}  # type: ignore[index]


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_uuid_keys_match_their_texts(pair: Pair, padded: bool) -> None:
    rows = 2_500 if padded else 3
    pair.run(
        "CREATE TABLE t (id uuid PRIMARY KEY, v int);"
        f"INSERT INTO t SELECT md5(g::text)::uuid, g FROM generate_series(1, {rows}) g; ANALYZE t",
        "CREATE TABLE t (id text PRIMARY KEY, v int);"
        f"INSERT INTO t SELECT upper(md5(g::text)), g FROM generate_series(1, {rows}) g; ANALYZE t",
    )
    assert pair.diff().verdict == pair.diff(turned=True).verdict == "matched"
    pair.connections[1].execute("UPDATE t SET v = 0 WHERE v = 2; DELETE FROM t WHERE v = 3")
    assert counts(pair.diff()) == (1, 0, 1)
    assert counts(pair.diff(turned=True)) == (0, 1, 1)


@pytest.mark.parametrize("padding", [0, 3_000], ids=["small", "padded"])
def test_keys_do_not_depend_on_a_collation(service_postgres_urls: Callable[[str], str], padding: int) -> None:
    pair = Pair([service_postgres_urls("source"), service_postgres_urls("target")])
    collation = "CREATE COLLATION lax (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
    fill_up = f"INSERT INTO t SELECT md5(g::text), 'v' FROM generate_series(1, {padding}) g; ANALYZE t"
    pair.run(
        f'{collation}; CREATE TABLE t (id text COLLATE "C" PRIMARY KEY, v text); {fill_up}',
        f"{collation}; CREATE TABLE t (id text COLLATE lax PRIMARY KEY, v text COLLATE lax); {fill_up}",
    )
    pair.connections[0].execute("INSERT INTO t VALUES ('a', 'v'), ('A', 'v'), ('e', 'v'), ('é', 'v')")
    pair.connections[1].execute("INSERT INTO t VALUES ('a', 'V'), ('é', 'v')")
    for turned in (False, True):
        found = pair.diff(turned=turned)
        assert sorted(counts(found)) == [0, 1, 2]
        assert found.value_differs == 1
        missing = {item.key["id"] for item in found.differences if item.kind is not DifferenceKind.VALUE_DIFFERS}
        assert missing == {"A", "e"}
    pair.close()


@pytest.mark.parametrize("padding", [0, 3_000], ids=["small", "padded"])
def test_databases_of_two_encodings_hold_the_same_text(postgres_url: str, postgres_server: str, padding: int) -> None:
    make = (
        "CREATE TABLE t (id text PRIMARY KEY, v text); INSERT INTO t VALUES ('é', 'ü'), ('e', 'u');"
        f"INSERT INTO t SELECT g::text || 'ß', 'ä' FROM generate_series(1, {padding}) g; ANALYZE t"
    )
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
        try:
            head, _, query = postgres_server.partition("?")
            url = head.rsplit("/", 1)[0] + "/latin" + (f"?{query}" if query else "")
            pair = Pair([postgres_url, url])
            for connection in pair.connections:
                connection.execute("SET client_encoding = 'UTF8'")
            pair.run(make)
            assert pair.diff().verdict == pair.diff(turned=True).verdict == "matched"
            pair.connections[1].execute("UPDATE t SET v = 'u' WHERE id = 'é'")
            assert counts(pair.diff()) == (0, 0, 1)
            pair.close()
        finally:
            server.execute("DROP DATABASE latin WITH (FORCE)")


def test_two_major_versions_are_compared_by_the_fast_digest(postgres_url: str, service_postgres: str) -> None:
    pair = Pair([service_postgres, postgres_url])
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(9,3), j jsonb, at timestamptz, s text, b bytea, f float8);"
        "INSERT INTO t SELECT g, g / 7.0, '{\"a\": 1}', '2024-01-01+00'::timestamptz + g * interval '1 s',"
        " g, '\\x00', g / 3.0"
        " FROM generate_series(1, 5000) g; ANALYZE t"
    )
    same = pair.diff()
    assert (same.verdict, same.source_cost.scans) == ("matched", 1)
    assert same.source_checksum == same.target_checksum
    pair.connections[1].execute("UPDATE t SET f = f + 1e-9 WHERE id = 5")
    assert counts(pair.diff()) == (0, 0, 1)
    pair.close()


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_composite_keys_and_their_parts_are_not_run_together(pair: Pair, padded: bool) -> None:
    rows = 3_000 if padded else 4
    make = (
        "CREATE TABLE t (a text, b text, c date, v int, PRIMARY KEY (a, b, c));"
        f" INSERT INTO t SELECT 'x' || g, 'y', DATE '2024-01-01' + g, g FROM generate_series(1, {rows}) g; ANALYZE t;"
    )
    pair.run(
        make + "INSERT INTO t VALUES ('x', '|y', '2024-01-01', 1)",
        make + "INSERT INTO t VALUES ('x|', 'y', '2024-01-01', 1)",
    )
    assert counts(pair.diff()) == (1, 1, 0)
    pair.connections[1].execute("UPDATE t SET v = -v WHERE a = 'x3'")
    assert counts(pair.diff(turned=True)) == (1, 1, 1)


def test_150_columns_all_count(pair: Pair) -> None:
    columns = ", ".join(f"c{index} int" for index in range(1, 150))
    turned = ", ".join(f"c{index} int" for index in range(149, 0, -1))
    pair.run(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", f"CREATE TABLE t ({turned}, id int PRIMARY KEY)")
    pair.run("INSERT INTO t (id, c1) SELECT g, g FROM generate_series(1, 2500) g; ANALYZE t")
    assert pair.diff().verdict == "matched"
    pair.connections[1].execute("UPDATE t SET c149 = 1 WHERE id = 77")
    found = pair.diff()
    assert counts(found) == (0, 0, 1)
    assert found.columns["c149"].differs == 1


def test_any_name_of_a_table_or_column_works(pair: Pair) -> None:
    make = (
        'CREATE SCHEMA "sch""ema"; CREATE TABLE "sch""ema"."we.ird %s" ("Id" int PRIMARY KEY, "order" int, "a""b" int,'
        ' "a b" int, "%s" int, "{x}" int, "\u202ertl" int);'
        ' INSERT INTO "sch""ema"."we.ird %s" SELECT g, 1, 2, 3, 4, 5, 6 FROM generate_series(1, 2500) g'
    )
    pair.run(make, make.replace('"Id"', '"id"'))
    name = '"sch""ema".we.ird %s'
    assert pair.diff(name, name).verdict == "matched"
    pair.connections[1].execute(b'UPDATE "sch""ema"."we.ird %s" SET "%s" = 0 WHERE id = 5')
    found = pair.diff(name, name)
    assert found.columns["%s"].differs == 1
    assert found.differences[0].key == {"Id": 5}


def test_columns_of_one_side_only_are_noted_and_the_rest_compared(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "CREATE TABLE t (id int PRIMARY KEY, v int, loaded_at timestamptz)",
    )
    found = pair.diff()
    assert found.verdict == "matched"
    assert "column loaded_at is in the target only: not compared" in found.notes
    assert "both sides are empty" in found.notes


def test_half_of_the_rows_differing_is_counted_exactly_and_listed_to_the_limit(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, v int);"
        "INSERT INTO t SELECT g, g FROM generate_series(1, 20000) g; ANALYZE t"
    )
    pair.connections[1].execute("UPDATE t SET v = -v WHERE id % 2 = 0; DELETE FROM t WHERE id % 10 = 1")
    found = pair.diff(limit=7)
    assert counts(found) == (2000, 0, 10000)
    assert len(found.differences) == 7
    assert any("7 of 12000 differences are listed" in note for note in found.notes)
    assert pair.diff(limit=0).differences == ()


def test_a_table_that_was_never_analyzed_gets_finer_buckets(pair: Pair) -> None:
    make = "CREATE TABLE t (id int PRIMARY KEY, v int);"
    make += "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t';"
    make += " CREATE VIEW w AS SELECT * FROM f(); INSERT INTO t SELECT g, g FROM generate_series(1, 60000) g; ANALYZE t"
    pair.run(make)
    pair.connections[1].execute("UPDATE t SET v = -1 WHERE id = 4711")
    found = pair.diff("w", "w", key=["id"])
    assert counts(found) == (0, 0, 1)
    assert found.source_cost.rows_read < 20_000


def test_a_view_and_a_partitioned_table_are_compared(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        "CREATE TABLE base (id int PRIMARY KEY, at date); CREATE VIEW t AS SELECT * FROM base;"
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM base",
    )
    assert pair.diff(key=["id"]).verdict == "matched"
    pair.connections[0].execute("INSERT INTO t VALUES (1, '2024-02-02')")
    assert counts(pair.diff(key=["id"])) == (1, 0, 0)
    assert counts(pair.diff("t", "m", key=["id"])) == (1, 0, 0)


def test_domains_and_enums_compare_as_what_they_hold(pair: Pair) -> None:
    pair.run(
        "CREATE DOMAIN price AS numeric(10,2); CREATE TYPE mood AS ENUM ('sad', 'ok');"
        "CREATE TABLE t (id int PRIMARY KEY, p price, m mood, ms mood[], ps price[]);"
        "INSERT INTO t VALUES (1, 1.50, 'ok', '{ok}', '{1.5}')",
        "CREATE TYPE mood AS ENUM ('ok', 'happy', 'sad');"
        "CREATE TABLE t (id int PRIMARY KEY, p numeric, m text, ms mood[], ps numeric[]);"
        "INSERT INTO t VALUES (1, 1.5, 'ok', '{ok}', '{1.50}')",
    )
    assert pair.diff().verdict == pair.diff(turned=True).verdict == "matched"
    pair.connections[1].execute("UPDATE t SET m = 'OK', ms = '{sad}'")
    assert {name for name, column in pair.diff().columns.items() if column.differs} == {"m", "ms"}


def test_a_policy_that_hides_rows_is_an_error_and_never_a_smaller_table(pair: Pair) -> None:
    pair.run(
        "DROP ROLE IF EXISTS half_blind; CREATE ROLE half_blind; GRANT USAGE ON SCHEMA public TO half_blind;"
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); GRANT SELECT ON t TO half_blind;"
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON t TO half_blind USING (id = 1)",
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
    )
    joint = "&" if "?" in pair.urls[0] else "?"
    try:
        with pytest.raises(PermissionDenied, match="row-level security"):
            diff(f"{pair.urls[0]}{joint}options=-c%20role%3Dhalf_blind", "t", pair.urls[1], "t")
    finally:
        pair.connections[0].execute("DROP OWNED BY half_blind; DROP ROLE half_blind")


def test_a_parents_key_promises_nothing_for_its_children(pair: Pair) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child () INHERITS (t); INSERT INTO t VALUES (1)")
    pair.run("INSERT INTO child VALUES (1)")
    found = pair.diff(key=["id"])
    assert (found.verdict, found.source.duplicate_keys) == ("matched", 1)
    pair.connections[1].execute("DELETE FROM child")
    assert counts(pair.diff(key=["id"])) == (1, 0, 0)


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
def test_a_key_with_a_declared_zone_finds_its_rows(pair: Pair, padded: bool) -> None:
    rows = 6_000 if padded else 3
    pair.run(
        "CREATE TABLE t (at timestamp PRIMARY KEY, v int);"
        f"INSERT INTO t SELECT '2024-07-01 08:00'::timestamp + g * interval '1 s', g FROM generate_series(1, {rows}) g;"
        "ANALYZE t",
        "CREATE TABLE t (at timestamptz PRIMARY KEY, v int);"
        "INSERT INTO t SELECT '2024-07-01 12:00+00'::timestamptz + g * interval '1 s', g"
        f" FROM generate_series(1, {rows}) g;"
        "UPDATE t SET v = -v WHERE v % 3 = 0; ANALYZE t",
    )
    assert counts(pair.diff(zones={"at": "America/New_York"})) == (0, 0, rows // 3)


def test_a_view_that_does_not_hold_still_is_not_verified(pair: Pair) -> None:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 3000);"
        "CREATE VIEW w AS SELECT id FROM t WHERE random() < 0.5"
    )
    with pytest.raises(CouldNotVerify, match="hold still"):
        pair.diff("w", "w", key=["id"])
