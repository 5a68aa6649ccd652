"""What every other dialect of SQLAlchemy's gets, tried on engines whose own sessions say what is right."""

# ruff: noqa: S608 - the SQL of these tests is their own

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from reconcile_assets.core.compare import Comparison
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import (
    ConfigurationError,
    ConnectionLost,
    NotComparable,
    ReconcileAssetsError,
    StatementTimeout,
)
from reconcile_assets_tests.integration.options.engines import EveryEngine

URLS = {"postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
pytestmark = pytest.mark.usefixtures("only_sqlalchemy")


@dataclass(frozen=True)
class Column:
    """A column's type by engine, and literals; each differs from all others of the column."""

    types: dict[str, str]
    literals: tuple[str, ...]
    by_engine: dict[str, tuple[str, ...]]

    def values(self, engine: str) -> tuple[str, ...]:
        return (*self.literals, *self.by_engine.get(engine, ()), "NULL")


def column(pg: str, my: str, lite: str, *literals: str, **more: tuple[str, ...]) -> Column:
    types = {"postgresql": pg, "mysql": my, "sqlite": lite}
    return Column({engine: name for engine, name in types.items() if name}, literals, more)


TEXTS = tuple(
    f"'{text}'"
    for text in ("", "a", "A", "a ", "NULL", "x|y", "%s", ":x", "\u00e9", "e\u0301", "\U0001f600", "\U0001f601", "1:a")
)
COLUMNS = {
    "whole": column("bigint", "BIGINT", "BIGINT", "0", "1", "-1", "9007199254740992", "9007199254740993",
                    "9223372036854775807", "-9223372036854775808"),
    "exact": column("numeric", "DECIMAL(40,10)", "", "0", "0.1", "0.1000000001", "12345678901234567890.0000000001",
                    "-1e-10", postgresql=("'NaN'", "1e-20", "2e-20", "'Infinity'", "'-Infinity'")),
    "floating": column("float8", "DOUBLE", "DOUBLE", "0", "0.1", "0.30000000000000004", "0.3", "1e15", "1e23", "1e-7",
                     "1.7976931348623157e308", "5e-324", postgresql=("'NaN'", "'Infinity'", "'-Infinity'"),
                     sqlite=("9e999", "-9e999")),
    "words": column("text", "TEXT COLLATE utf8mb4_general_ci", "TEXT", *TEXTS),
    "padded_words": column("char(9)", "", "", "'a'", "'A'", "'\u00e9'"),
    "raw": column("bytea", "BLOB", "BLOB", postgresql=(r"'\x'", r"'\x00'", r"'\x0000'", r"'\xff'"),
                  mysql=("x''", "x'00'", "x'0000'", "x'ff'"), sqlite=("x''", "x'00'", "x'0000'", "x'ff'")),
    "truth": column("boolean", "", "BOOLEAN", "true", "false"),
    "tiny": column("", "TINYINT(1)", "", "0", "1", "2"),
    "day": column("date", "DATE", "DATE", "'2024-01-01'", "'2024-02-29'", "'1000-01-01'"),
    "moment": column("timestamp", "DATETIME(6)", "DATETIME", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'",
                     "'1999-12-31 23:59:59.999999'"),
    "coarse": column("timestamp(3)", "DATETIME(3)", "", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.001'"),
    "instant": column("timestamptz", "", "", "'2024-11-03 01:30:00-04:00'", "'2024-11-03 01:30:00-05:00'"),
    "clock": column("time", "", "TIME", "'00:00:00'", "'12:00:00.000001'"),
    "id16": column("uuid", "", "",
                   "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
    "label": column("kind_of_thing", "ENUM('a','b')", "", "'a'", "'b'"),
    "document": column("", "", "JSON", "'{\"n\": 9007199254740993}'", "'{\"n\": 9007199254740992}'", "'null'"),
}  # fmt: skip


def rows(engine: str, turn: int) -> tuple[list[str], list[list[str]]]:
    """Columns, and rows in which each column's values follow each other, shifted by ``turn``."""
    columns = {name: found for name, found in COLUMNS.items() if engine in found.types}
    count = max(len(found.values(engine)) for found in columns.values())
    lines = [
        [found.values(engine)[(at + turn) % len(found.values(engine))] for found in columns.values()]
        for at in range(count)
    ]
    return [f"{name} {found.types[engine]}" for name, found in columns.items()], lines


@pytest.fixture(scope="module", params=["postgresql", "mysql", "sqlite"])
def filled(request: pytest.FixtureRequest, engines: EveryEngine) -> tuple[str, EveryEngine]:
    """Tables ``small`` and ``padded`` in both databases of one engine: in the target each value is another one."""
    engine: str = request.param
    if engine == "postgresql":
        for side in (0, 1):
            engines.run(engine, side, "CREATE TYPE kind_of_thing AS ENUM ('a', 'b')")
    for side in (0, 1):
        columns, lines = rows(engine, side)
        for table, more in (("small", 0), ("padded", 2_500)):
            values = [f"({at}, {', '.join(line)})" for at, line in enumerate(lines)]
            values += [f"({1_000 + at}{', NULL' * len(columns)})" for at in range(more)]
            engines.run(
                engine,
                side,
                f"CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, {', '.join(columns)})",
                f"INSERT INTO {table} VALUES {', '.join(values)}",
            )
    return engine, engines


@contextmanager
def alchemy(engines: EveryEngine, engine: str, side: int) -> Iterator[sa.Engine]:
    scheme, _, rest = engines.url(engine, side).partition(":")
    assert scheme == engine
    made = sa.create_engine(f"{URLS[engine]}:{rest}", poolclass=sa.NullPool)
    yield made
    made.dispose()


def told(found: Comparison) -> tuple[Any, ...]:
    """What must be the same whichever way a side is read."""
    listed = {(item.kind, tuple(item.key.items()), *map(str, (item.source, item.target))) for item in found.differences}
    return found.verdict, found.value_differs, {name: each.differs for name, each in found.columns.items()}, listed


@pytest.mark.parametrize("table", ["small", "padded"])
def test_it_finds_what_the_engines_own_session_finds(filled: tuple[str, EveryEngine], table: str) -> None:
    engine, engines = filled
    urls = [engines.url(engine, side) for side in (0, 1)]
    native = diff(urls[0], table, urls[1], table)
    assert native.value_differs > 5

    with alchemy(engines, engine, 0) as source, alchemy(engines, engine, 1) as target:
        assert diff(source, table, urls[0], table).verdict == "matched"
        assert diff(urls[0], table, source, table).verdict == "matched"
        assert diff(source, table, source, table).verdict == "matched"
        for sides in ((source, urls[1]), (urls[0], target), (source, target)):
            found = diff(sides[0], table, sides[1], table)
            assert told(found) == told(native)
            assert {item.comparison for item in found.columns.values()} <= {"exact"}


def test_it_compares_with_the_other_engines(filled: tuple[str, EveryEngine]) -> None:
    engine, engines = filled
    others = [other for other in URLS if other != engine]
    shared = ["whole", "floating", "words", "day"]
    literals = {name: COLUMNS[name].literals for name in shared}
    for other in others:
        count = max(map(len, literals.values()))
        lines = [", ".join(texts[at % len(texts)] for texts in literals.values()) for at in range(count)]
        columns = ", ".join(f"{name} {COLUMNS[name].types[other]}" for name in shared)
        engines.run(
            other, 1, "DROP TABLE IF EXISTS shared", f"CREATE TABLE shared (id BIGINT PRIMARY KEY, {columns})",
            f"INSERT INTO shared VALUES {', '.join(f'({at}, {line})' for at, line in enumerate(lines))}",
        )  # fmt: skip
        own = ", ".join(f"{name} {COLUMNS[name].types[engine]}" for name in shared)
        engines.run(
            engine, 0, "DROP TABLE IF EXISTS shared", f"CREATE TABLE shared (id BIGINT PRIMARY KEY, {own})",
            f"INSERT INTO shared VALUES {', '.join(f'({at}, {line})' for at, line in enumerate(lines))}",
        )  # fmt: skip
        with alchemy(engines, engine, 0) as source:
            assert diff(source, "shared", engines.url(other, 1), "shared").verdict == "matched"
            engines.run(other, 1, "UPDATE shared SET words = 'other' WHERE id = 3")
            found = diff(engines.url(other, 1), "shared", source, "shared")
            assert (found.value_differs, found.columns["words"].differs) == (1, 1)


@pytest.mark.parametrize(
    ("engine", "type_", "literal", "reason"),
    [
        ("postgresql", "date", "'infinity'", "may not be the exact value"),
        ("postgresql", "date", "'0044-03-15 BC'", "can't read a value"),
        ("postgresql", "timestamptz", "'-infinity'", "may not be the exact value"),
        ("mysql", "DATE", "'0000-00-00'", "may not be the exact value"),
        ("sqlite", "DECIMAL(9,2)", "1.1", "comes through the driver as float"),
        ("sqlite", "INTEGER", "'one'", "comes through the driver as str"),
        ("sqlite", "TEXT", "x'61'", "comes through the driver as bytes"),
        ("sqlite", "DATE", "'2024-02-30'", "comes through the driver as str"),
        ("sqlite", "BOOLEAN", "'yes'", "comes through the driver as str"),
    ],
)
def test_a_value_that_may_not_be_exact_ends_the_comparison(
    engines: EveryEngine, engine: str, type_: str, literal: str, reason: str
) -> None:
    name = f"doubtful_{secrets.token_hex(3)}"
    loose = ("SET sql_mode = 'ANSI_QUOTES,ALLOW_INVALID_DATES'",) if engine == "mysql" else ()
    engines.run(
        engine, 0, *loose, f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, v {type_})",
        f"INSERT INTO {name} VALUES (1, {literal})",
    )  # fmt: skip

    with alchemy(engines, engine, 0) as source, pytest.raises(NotComparable, match=reason) as caught:
        diff(source, name, source, name)

    assert "\n" not in str(caught.value)
    with alchemy(engines, engine, 0) as source:
        assert diff(source, name, source, name, exclude=["v"]).verdict == "matched"


@pytest.mark.parametrize("type_", ["interval", "int[]", "money", "inet", "point", "int4range"])
def test_a_type_that_nobody_knows_is_never_called_equal(engines: EveryEngine, type_: str) -> None:
    name = f"strange_{secrets.token_hex(3)}"
    engines.run(
        "postgresql", 0, f"CREATE TABLE {name} (id bigint PRIMARY KEY, v {type_})", f"INSERT INTO {name} VALUES (1)"
    )

    with alchemy(engines, "postgresql", 0) as source:
        found = diff(source, name, source, name)

    assert found.verdict == "inconclusive"
    assert found.columns["v"].comparison.startswith("uncomparable:")


def test_a_connections_own_transaction_is_what_is_compared(engines: EveryEngine) -> None:
    url = engines.url("postgresql", 0)
    engines.run("postgresql", 0, "DROP TABLE IF EXISTS own", "CREATE TABLE own (id int PRIMARY KEY, v text)")
    engines.run("postgresql", 0, "INSERT INTO own VALUES (1, 'a')")

    with alchemy(engines, "postgresql", 0) as engine, engine.connect() as connection:
        connection.execute(sa.text("UPDATE own SET v = 'b'"))
        found = diff(url, "own", connection, "own")
        assert found.differences[0].target == {"v": "b"}
        assert connection.in_transaction()
        assert connection.execute(sa.text("SELECT v FROM own")).scalar_one() == "b"
        assert any("one snapshot" in note for note in found.notes)
        connection.rollback()
        assert diff(url, "own", connection, "own").verdict == "matched"
        assert not connection.in_transaction()


def test_one_connection_is_not_both_sides(engines: EveryEngine) -> None:
    engines.run("postgresql", 0, "DROP TABLE IF EXISTS own", "CREATE TABLE own (id int PRIMARY KEY, v text)")

    with alchemy(engines, "postgresql", 0) as engine, engine.connect() as connection:
        with pytest.raises(ConfigurationError, match="source and target are one connection"):
            diff(connection, "own", connection, "own")
        assert diff(connection, "own", engine, "own").verdict == "matched"


@pytest.mark.parametrize("engine", URLS)
def test_odd_names_are_found(engines: EveryEngine, engine: str) -> None:
    names = ["%s", "a:b", ":x", 'a"b', "a.b", "order", "Mixed", "a b", "\u00e9", "%(x)s"]
    quoted = [name.replace('"', '""') for name in names]
    columns = ", ".join(f'"{name}" INT' for name in quoted)
    for side in (0, 1):
        engines.run(
            engine, side, 'DROP TABLE IF EXISTS "o%d :d"',
            f'CREATE TABLE "o%d :d" (id BIGINT PRIMARY KEY, {columns})',
            f'INSERT INTO "o%d :d" VALUES (1{", 5" * len(names)})',
        )  # fmt: skip
    with alchemy(engines, engine, 0) as source:
        assert diff(source, "o%d :d", engines.url(engine, 1), "o%d :d").verdict == "matched"
        for name, quotes in zip(names, quoted, strict=True):
            engines.run(engine, 1, f'UPDATE "o%d :d" SET "{quotes}" = 6')
            found = diff(engines.url(engine, 1), '"o%d :d"', source, "o%d :d", where=None)
            assert [item for item, column in found.columns.items() if column.differs] == [name]
            engines.run(engine, 1, f'UPDATE "o%d :d" SET "{quotes}" = 5')


def test_a_time_limit_ends_the_statement(engines: EveryEngine) -> None:
    engines.run("postgresql", 0, "DROP TABLE IF EXISTS one CASCADE", "CREATE TABLE one (id int PRIMARY KEY)")
    engines.run("postgresql", 0, "INSERT INTO one VALUES (1)")
    engines.run("postgresql", 0, "CREATE VIEW slow AS SELECT id, pg_sleep(20)::text AS v FROM one")

    with alchemy(engines, "postgresql", 0) as source, pytest.raises(StatementTimeout, match=r"source: .*time limit"):
        diff(
            source,
            "slow",
            source,
            "one",
            key=["id"],
            columns=["id"],
            where_source="v IS NOT NULL",
            statement_timeout=0.5,
        )


def test_a_cut_connection_proves_nothing(engines: EveryEngine) -> None:
    engines.run("postgresql", 0, "DROP TABLE IF EXISTS cut CASCADE", "CREATE TABLE cut (id int PRIMARY KEY)")
    engines.run("postgresql", 0, "INSERT INTO cut SELECT generate_series(1, 5000)")
    engines.run(
        "postgresql", 0,
        "CREATE VIEW dying AS SELECT id, CASE id WHEN 4000 THEN pg_terminate_backend(pg_backend_pid()) END v FROM cut",
    )  # fmt: skip

    with alchemy(engines, "postgresql", 0) as source, pytest.raises(ReconcileAssetsError) as caught:
        diff(source, "dying", source, "cut", key=["id"], columns=["id"], where_source="v IS NULL")

    assert isinstance(caught.value, ConnectionLost)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", URLS)
def test_views_and_conditions_are_compared(engines: EveryEngine, engine: str) -> None:
    for side in (0, 1):
        engines.run(
            engine, side, "DROP VIEW IF EXISTS seen", "DROP TABLE IF EXISTS base",
            "CREATE TABLE base (id BIGINT PRIMARY KEY, v VARCHAR(20))",
            "INSERT INTO base VALUES (1, '100%'), (2, 'it''s :x'), (3, NULL), (9, 'only here')",
            f"CREATE VIEW seen AS SELECT id, v FROM base WHERE id < {4 + 5 * side}",
        )  # fmt: skip

    with alchemy(engines, engine, 0) as source, alchemy(engines, engine, 1) as target:
        assert diff(source, "seen", target, "seen", key=["id"]).verdict == "matched"
        assert (
            diff(source, "SEEN", target, "seen", key=["id"], where="v LIKE '%\u0025' OR v = 'it''s :x'").source.rows
            == 2
        )
        assert diff(source, "base", target, "seen").missing_in_target == 1
        for wrong in ("", "1=1; DROP TABLE base", "id = 1) OR (1 = 1", "nothing = 1", "v = 'x"):
            with pytest.raises(ReconcileAssetsError) as caught:
                diff(source, "base", target, "base", where_target=wrong)
            assert "target: " in str(caught.value)
            assert "\n" not in str(caught.value)


def test_an_error_shows_neither_values_nor_the_password(engines: EveryEngine) -> None:
    url = sa.make_url(engines.url("postgresql", 0)).set(drivername="postgresql+psycopg2", password="s3cret-canary")

    with pytest.raises(ReconcileAssetsError) as caught:
        diff(sa.create_engine(url), "t", engines.url("postgresql", 0), "t")

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    with alchemy(engines, "postgresql", 0) as source:
        engines.run("postgresql", 0, "DROP TABLE IF EXISTS words", "CREATE TABLE words (id int PRIMARY KEY, v text)")
        engines.run("postgresql", 0, "INSERT INTO words VALUES (1, 's3cret-canary')")
        with pytest.raises(ReconcileAssetsError) as caught:
            diff(source, "words", source, "words", where="v::int = 1")
    assert "canary" not in str(caught.value)
