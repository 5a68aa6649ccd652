"""What a role or a database sets for its sessions changes no verdict."""

import pytest

from reconcile_assets_tests.integration.comparison.conftest import Pair

COLUMNS = (
    "id int PRIMARY KEY, b bytea, i interval, d date, f float8, r real, z timestamptz, a text[], n numeric, j jsonb,"
    " t text, c char(5), tz timetz, bb bit(3), l int4range, v text"
)
ROW = (
    r"1, '\x00ff', '1 mon -2 days 03:04:05.6', '2024-02-29', 0.1::float8 + 0.2::float8, 0.1, '2024-11-03 01:30:00-04',"
    " array[NULL, 'x'], 1.10, '{\"a\": 1}', 'é', 'ab', '01:00+01', b'101', '[1,5)'"
)
SETTINGS = (
    "bytea_output = 'escape'",
    "intervalstyle = 'iso_8601'",
    "datestyle = 'German, DMY'",
    "extra_float_digits = -15",
    "timezone = 'Asia/Kathmandu'",
    "standard_conforming_strings = off",
    "transform_null_equals = on",
    "array_nulls = off",
    "client_encoding = 'LATIN1'",
    "quote_all_identifiers = on",
    "row_security = on",
)
SHADOWS = (
    ("md5(bytea)", "text", "'00000000000000000000000000000000'"),
    ("trim_scale(numeric)", "numeric", "1::numeric"),
    ("hashtextextended(text, bigint)", "bigint", "7::bigint"),
    ("hashint4extended(int, bigint)", "bigint", "7::bigint"),
    ("numeric_send(numeric)", "bytea", "'x'::bytea"),
)


def _set(pair: Pair, side: int, setting: str) -> None:
    connection = pair.connections[side]
    connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET {setting}'.encode())


def _reset(pair: Pair) -> None:
    for connection in pair.connections:
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" RESET ALL'.encode())


def test_settings_of_one_side_change_nothing(pair: Pair) -> None:
    pair.run(f"CREATE TABLE t ({COLUMNS}); INSERT INTO t VALUES ({ROW}, 'same')")  # noqa: S608 - the test's own SQL
    try:
        for setting in SETTINGS:
            _set(pair, 0, setting)
        for turned in (False, True):
            assert pair.diff(turned=turned).verdict == "matched"
        pair.connections[1].execute("UPDATE t SET v = 'other'")
        found = pair.diff()
        assert (found.verdict, found.columns["v"].differs) == ("mismatched", 1)
        assert sum(column.differs for column in found.columns.values()) == 1
    finally:
        _reset(pair)


@pytest.mark.parametrize("path", ["evil, pg_catalog, public", '"Odd ""name", evil, public, pg_catalog'])
def test_functions_that_stand_before_the_catalogs_own_are_not_asked(pair: Pair, path: str) -> None:
    shadows = [
        f"CREATE FUNCTION evil.{name} RETURNS {kind} LANGUAGE sql IMMUTABLE AS $$SELECT {value}$$"
        for name, kind, value in SHADOWS
    ]
    pair.run("DROP SCHEMA IF EXISTS evil CASCADE; CREATE SCHEMA evil;" + ";".join(shadows))
    table = "CREATE TABLE public.t (id int PRIMARY KEY, n numeric, v text); INSERT INTO public.t VALUES"
    pair.run(f"{table} (1, 1.5, 'a'), (2, 3, 'c')", f"{table} (1, 2.5, 'b'), (2, 3, 'c')")
    try:
        for side in (0, 1):
            _set(pair, side, f"search_path = {path}")
        found = pair.diff()
        assert (found.verdict, found.value_differs) == ("mismatched", 1)
        assert {name: column.differs for name, column in found.columns.items()} == {"n": 1, "v": 1}
    finally:
        _reset(pair)
        pair.run("DROP SCHEMA evil CASCADE")


def test_the_first_schema_of_the_path_stays_the_first(pair: Pair) -> None:
    pair.run(
        "CREATE SCHEMA IF NOT EXISTS first; DROP TABLE IF EXISTS first.t; CREATE TABLE first.t (id int PRIMARY KEY)"
    )
    pair.connections[0].execute("INSERT INTO first.t VALUES (1)")
    pair.run("CREATE TABLE public.t (id int PRIMARY KEY)")
    try:
        for side in (0, 1):
            _set(pair, side, "search_path = first, public, pg_catalog")
        assert pair.diff().missing_in_target == 1
    finally:
        _reset(pair)
        pair.run("DROP SCHEMA first CASCADE")
