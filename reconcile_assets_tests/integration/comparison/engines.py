"""Tables of one and the same shape in every engine, made by each engine's own SQL, on both sides of a comparison."""

import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from reconcile_assets.core.compare import Comparison
from reconcile_assets.engine.diff import diff

PADDED = 2_500  # rows, so that the bucketed path runs
ENGINES = ("postgresql", "sqlite", "duckdb")

_SERIES = {
    "postgresql": "SELECT g, NULL, 'w' || g FROM generate_series(100, {}) AS g",
    "sqlite": "WITH RECURSIVE s(g) AS (SELECT 100 UNION ALL SELECT g + 1 FROM s WHERE g < {})"
    " SELECT g, NULL, 'w' || g FROM s",
    "duckdb": "SELECT g, NULL, 'w' || g FROM generate_series(100, {}) AS s(g)",
}


class Engines:
    """A source and a target of each engine."""

    def __init__(self, folder: Path, postgres_urls: tuple[str, str]) -> None:
        self._folder = folder
        self._postgres = postgres_urls

    def url(self, engine: str, side: int) -> str:
        """The URL of one side's database."""
        if engine == "postgresql":
            return self._postgres[side]
        return f"{engine}:///{self._file(engine, side)}"

    def run(self, engine: str, side: int, *statements: str) -> None:
        """Run statements, the database being made where there is none; closed after it, as DuckDB's file must be."""
        if engine == "postgresql":
            with psycopg.connect(self._postgres[side], autocommit=True) as connection:
                for statement in statements:
                    connection.execute(statement.encode())
        elif engine == "sqlite":
            found = sqlite3.connect(self._file(engine, side), isolation_level=None)
            found.executescript(";".join(("BEGIN", *statements, "COMMIT")))
            found.close()
        else:
            with duckdb.connect(self._file(engine, side)) as opened:
                for statement in statements:
                    opened.execute(statement)

    def load(self, engine: str, side: int, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows with their values bound."""
        if not rows:
            return
        marks = ", ".join(["%s" if engine == "postgresql" else "?"] * len(rows[0]))
        insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 - the test's own names
        if engine == "postgresql":
            with psycopg.connect(self._postgres[side], autocommit=True) as connection:
                connection.cursor().executemany(insert.encode(), rows)
        elif engine == "sqlite":
            found = sqlite3.connect(self._file(engine, side))
            found.executemany(insert, rows)
            found.commit()
            found.close()
        else:
            with duckdb.connect(self._file(engine, side)) as opened:
                opened.execute("BEGIN")
                opened.executemany(insert, rows)
                opened.execute("COMMIT")

    def make(self, engine: str, side: int, column_type: str, literal: str, *, padded: bool) -> None:
        """A table t(id, v, w) whose row 1 holds a value; padded, thousands of rows stand around it."""
        statements = [
            "DROP TABLE IF EXISTS t",
            f"CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v {column_type}, w TEXT)",
            f"INSERT INTO t VALUES (1, {literal}, 'w'), (2, NULL, 'v')",  # noqa: S608 - the test's own SQL
        ]
        if padded:
            statements.append("INSERT INTO t " + _SERIES[engine].format(PADDED))
            statements += ["ANALYZE t"] if engine == "postgresql" else []
        self.run(engine, side, *statements)

    def diff(
        self, source: str, target: str, source_table: str = "t", target_table: str = "t", *, turned: bool = False,
        **options: Any,
    ) -> Comparison:  # fmt: skip
        """Compare side 0 of one engine with side 1 of another; turned: the target takes the source's place."""
        sides = [(self.url(source, 0), source_table), (self.url(target, 1), target_table)]
        first, second = reversed(sides) if turned else sides
        return diff(*first, *second, **options)

    def _file(self, engine: str, side: int) -> str:
        return str(self._folder / f"side {side}.{engine}")
