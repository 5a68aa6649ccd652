"""DuckDB's types by name, and its values as PostgreSQL would write them."""

import pytest

from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.duckdb.files import file_query
from reconcile_assets.databases.duckdb.types import depth_of, resolve_type
from reconcile_assets.databases.duckdb.values import exact_of, exact_sql, interval_text
from reconcile_assets.errors import MissingObject

K = TypeKind


@pytest.mark.parametrize(
    ("native", "kind"),
    [
        ("UHUGEINT", K.INTEGER),
        ("DECIMAL(18,3)", K.DECIMAL),
        ("ENUM('a', '[]')", K.ENUM),
        ("VARCHAR", K.TEXT),
        ("TIMESTAMP WITH TIME ZONE", K.TIMESTAMPTZ),
        ("STRUCT(a INTEGER)", K.UNKNOWN),
        ("MAP(INTEGER, VARCHAR)", K.UNKNOWN),
        ("UNION(a INTEGER)", K.UNKNOWN),
        ("INTEGER[]", K.ARRAY),
        ("STRUCT(a INTEGER[])[]", K.ARRAY),
    ],
)
def test_a_type_has_a_kind(native: str, kind: TypeKind) -> None:
    assert resolve_type(native).kind is kind


def test_nested_lists_have_their_innermost_element() -> None:
    found = resolve_type("DECIMAL(4,1)[3][]")
    assert found.element is not None
    assert (found.element.kind, depth_of(found.native)) == (K.DECIMAL, 2)
    assert resolve_type("TIMESTAMP_NS").precision == 9


@pytest.mark.parametrize(
    ("duckdb", "postgresql"),
    [
        ("00:00:00", "00:00:00"),
        ("1 year 2 months -3 days 04:05:06.5", "1 year 2 mons -3 days +04:05:06.5"),
        ("-10 months -3 days 04:00:05.25", "-10 mons -3 days +04:00:05.25"),
        ("-04:00:05.25", "-04:00:05.25"),
        ("1 day", "1 day"),
        ("-1 days", "-1 days"),
        ("100:00:00", "100:00:00"),
        ("-1 year 1 day", "-1 years +1 day"),
        (None, None),
    ],
)
def test_an_interval_is_written_as_postgresql_writes_it(duckdb: str | None, postgresql: str | None) -> None:
    assert interval_text(duckdb) == postgresql


def test_an_era_stands_at_the_end() -> None:
    write = exact_of(resolve_type("TIMESTAMP"))
    assert write is not None
    assert write("0044-03-15 (BC) 01:02:03") == "0044-03-15 01:02:03 BC"
    assert write("infinity") == "infinity"
    assert write(None) is None


def test_lists_are_written_as_array_literals() -> None:
    write = exact_of(resolve_type("BOOLEAN[][]"))
    assert write is not None
    assert write([["true", None], []]) == "{{t,NULL},{}}"
    assert exact_sql(resolve_type("FLOAT[]"), '"v"') == 'list_transform("v", lambda e1: CAST(e1 AS DOUBLE))'


@pytest.mark.parametrize("text", ["t", "main.t", '"x.parquet"', "selected", "a.b.c", "with_x"])
def test_a_tables_name_is_no_file(text: str) -> None:
    assert file_query(text) is None


def test_a_query_and_a_pattern_are_taken_as_they_are() -> None:
    assert file_query("SELECT 1 AS id") == "SELECT 1 AS id"
    assert file_query("a'*/x.parquet") == "SELECT * FROM read_parquet('a''*/x.parquet')"
    with pytest.raises(MissingObject):
        file_query("none.csv")
