"""MySQL's 0000-00-00 is NULL only where that was asked for: beside every engine, in both directions."""

from typing import Any

import pytest

from reconcile_assets_tests.integration.options.engines import ALL, SIZES, EveryEngine

ZERO = "0000-00-00 00:00:00"
MOMENT = "2024-02-29 12:00:00.123"
COLUMNS = {
    "mysql": {"d": "date", "m": "datetime(6)", "c": "datetime(3)", "z": "timestamp(3) NULL"},
    "postgresql": {"d": "date", "m": "timestamp", "c": "timestamp(3)", "z": "timestamptz(3)"},
    "sqlite": {"d": "DATE", "m": "DATETIME", "c": "DATETIME", "z": "TIMESTAMPTZ"},
    "duckdb": {"d": "DATE", "m": "TIMESTAMP", "c": "TIMESTAMP", "z": "TIMESTAMPTZ"},
}


def moments(engine: str) -> tuple[str, str, str, str]:
    return "2024-02-29", MOMENT, MOMENT, MOMENT if engine == "mysql" else f"{MOMENT}+00"


def rows(engine: str, *, zero: bool) -> list[tuple[Any, ...]]:
    """Row 1 has the zero dates or else NULL, row 2 a moment, row 3 NULL, row 4 a zero date or else a moment."""
    nothing = (ZERO[:10], ZERO, ZERO, ZERO) if zero else (None,) * 4
    last = nothing if zero else moments(engine)
    return [(1, *nothing), (2, *moments(engine)), (3, *(None,) * 4), (4, *last)]


@pytest.fixture(scope="module")
def dates(engines: EveryEngine) -> EveryEngine:
    engines.fill("mysql", 0, {"id": "BIGINT", **COLUMNS["mysql"]}, rows("mysql", zero=True))
    for engine in ALL:
        engines.fill(engine, 1, {"id": "BIGINT", **COLUMNS[engine]}, rows(engine, zero=False))
    return engines


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("table", SIZES)
def test_a_zero_date_is_null_only_where_that_was_asked_for(dates: EveryEngine, table: str, turned: bool) -> None:
    for engine in ALL:
        plain = dates.diff("mysql", engine, table, table, turned=turned)
        assert [item.key["id"] for item in plain.differences] == [1, 4], engine
        side = plain.differences[0].target if turned else plain.differences[0].source
        assert side is not None
        assert side["d"] == "0000-00-00"
        asked = dates.diff("mysql", engine, table, table, turned=turned, zero_date_as_null=True)
        assert [item.key["id"] for item in asked.differences] == [4], engine
        assert {column.differs for column in asked.columns.values()} == {1}
        assert "MySQL's 0000-00-00 was read as NULL" in asked.notes


def test_what_else_is_no_date_stays_a_value(dates: EveryEngine) -> None:
    dates.run("mysql", 0, "DROP TABLE IF EXISTS odd", "CREATE TABLE odd (id int PRIMARY KEY, d date, m datetime)")
    dates.run("mysql", 0, "INSERT INTO odd VALUES (1, '2024-00-01', '0000-00-00 10:00:00'), (2, '2024-02-00', NULL)")
    dates.run("mysql", 1, "DROP TABLE IF EXISTS odd", "CREATE TABLE odd (id int PRIMARY KEY, d date, m datetime)")
    dates.run("mysql", 1, "INSERT INTO odd VALUES (1, NULL, NULL), (2, NULL, NULL)")
    found = dates.diff("mysql", "mysql", "odd", "odd", zero_date_as_null=True)
    assert (found.columns["d"].differs, found.value_differs) == (2, 2)


def test_no_tolerance_and_no_coarser_type_reaches_from_null_to_a_date(dates: EveryEngine) -> None:
    for options in ({"seconds": {"m": 1e12}}, {"exclude": ["d", "c", "z"]}):
        found = dates.diff("mysql", "postgresql", "small", "small", zero_date_as_null=True, **options)
        assert [item.key["id"] for item in found.differences] == [4]


@pytest.mark.parametrize("turned", [False, True])
def test_in_a_key_it_is_counted_as_null(dates: EveryEngine, turned: bool) -> None:
    """A key that the table promises to be unique and without NULLs is none of it then."""
    dates.run("mysql", 0, "DROP TABLE IF EXISTS keyed", "CREATE TABLE keyed (k datetime PRIMARY KEY, v int)")
    dates.run("mysql", 0, "INSERT INTO keyed VALUES ('0000-00-00', 1), ('2024-01-01', 2)")
    for engine in ALL:
        kind = COLUMNS[engine]["m"]
        dates.run(engine, 1, "DROP TABLE IF EXISTS keyed", f"CREATE TABLE keyed (k {kind}, v int)")
        dates.run(engine, 1, "INSERT INTO keyed VALUES (NULL, 1), ('2024-01-01 00:00:00', 2)")
        options: dict[str, Any] = {"key": ["k"], "turned": turned}
        found = dates.diff("mysql", engine, "keyed", "keyed", zero_date_as_null=True, **options)
        assert (found.verdict, found.source.null_keys, found.target.null_keys) == ("matched", 1, 1), engine
        found = dates.diff("mysql", engine, "keyed", "keyed", **options)
        assert (found.missing_in_target, found.missing_in_source) == (1, 1), engine
    found = dates.diff("mysql", "postgresql", "keyed", "keyed", keyless=True, zero_date_as_null=True, turned=turned)
    assert found.verdict == "matched"
