"""Two databases of each engine, in which a case's tables are made by the engine's own SQL."""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg
import pymysql
from psycopg import sql

from reconcile_assets_tests.conformance.cases import DU, ENGINES, MY, PG, SL, Content, Literal

FIRST, LAST = 1_000, 3_499  # the numbers of the rows around a case: enough for many buckets
SERVER = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": ""}

_SERIES = {
    PG: "generate_series({first}, {last}) AS s(g)",
    MY: "seq_{first}_to_{last} AS s",
    SL: "(WITH RECURSIVE r(g) AS (SELECT {first} UNION ALL SELECT g + 1 FROM r WHERE g < {last}) SELECT g FROM r) AS s",
    DU: "generate_series({first}, {last}) AS s(g)",
}
_NUMBER = {MY: "CAST(s.seq AS SIGNED)"}


class Sides:
    """A source and a target database of each engine.

    Args:
        folder: where the files are made.
        postgres: URL of a PostgreSQL server's database; two others are made beside it.
        engines: those that are there.
    """

    def __init__(self, folder: Path, postgres: str, engines: Sequence[str] = ENGINES) -> None:
        self.engines = tuple(engines)
        self._folder = folder
        self._postgres = postgres
        self._names = [f"conformance_{side}_{secrets.token_hex(4)}" for side in (0, 1)]
        self._made: dict[tuple[str, int], tuple[Content, bool]] = {}
        with psycopg.connect(postgres, autocommit=True) as connection:
            for name in self._names:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                # A session zone that is not UTC, so that an instant which depends on it is found out.
                zone = sql.SQL("ALTER DATABASE {} SET timezone = 'America/New_York'").format(sql.Identifier(name))
                connection.execute(zone)
        self._postgres_connections = [psycopg.connect(self.url(PG, side), autocommit=True) for side in (0, 1)]
        self._maria: list[pymysql.connections.Connection[pymysql.cursors.Cursor]] = []
        for name in self._names if MY in self.engines else []:
            opened = pymysql.connect(**SERVER, autocommit=True, charset="utf8mb4")
            self._maria.append(opened)
            with opened.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
                cursor.execute(f"USE `{name}`")
                cursor.execute("SET sql_mode = 'NO_BACKSLASH_ESCAPES', time_zone = '+00:00'")

    def close(self) -> None:
        """Drop what was made."""
        for opened, name in zip(self._maria, self._names, strict=False):
            with opened.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            opened.close()
        for connection in self._postgres_connections:
            connection.close()
        with psycopg.connect(self._postgres, autocommit=True) as connection:
            for name in self._names:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, engine: str, side: int) -> str:
        """The URL of a side's database, as a person would write it."""
        if engine == PG:
            head, _, query = self._postgres.partition("?")
            return head.rsplit("/", 1)[0] + f"/{self._names[side]}" + (f"?{query}" if query else "")
        if engine == MY:
            return f"mysql://root@{SERVER['host']}:{SERVER['port']}/{self._names[side]}"
        return f"{engine}:///{self.file(engine, side)}"

    def file(self, engine: str, side: int) -> Path:
        """The file of a side's database."""
        return self._folder / f"side{side}.{engine}"

    def make(self, engine: str, side: int, content: Content, *, padded: bool) -> None:
        """The table ``t`` of this content, the rows of thousands around it."""
        if self._made.get((engine, side)) == (content, padded):
            return
        self._made.pop((engine, side), None)
        self.run(engine, side, list(statements(engine, content, padded=padded)))
        self._made[engine, side] = content, padded

    def run(self, engine: str, side: int, made: Sequence[str]) -> None:
        """Run statements; a file is closed after them."""
        if engine == PG:
            for statement in made:
                self._postgres_connections[side].execute(statement.encode())
        elif engine == MY:
            with self._maria[side].cursor() as cursor:
                for statement in made:
                    cursor.execute(statement)
        elif engine == SL:
            with closing(sqlite3.connect(self.file(engine, side), isolation_level=None)) as file:
                for statement in ("PRAGMA synchronous = OFF", "BEGIN", *made, "COMMIT"):
                    file.execute(statement)
        else:
            with duckdb.connect(str(self.file(engine, side))) as opened:
                for statement in ("BEGIN", *made, "COMMIT"):
                    opened.execute(statement)


def quote(engine: str, name: str) -> str:
    """An identifier."""
    return "`" + name.replace("`", "``") + "`" if engine == MY else '"' + name.replace('"', '""') + '"'


def _of(value: Literal, engine: str) -> str:
    return value if isinstance(value, str) else value[engine]


def statements(engine: str, content: Content, *, padded: bool) -> Iterator[str]:
    """What makes the table ``t``."""
    yield "DROP TABLE IF EXISTS t"
    if content.missing:
        return
    columns = ", ".join(f"{quote(engine, column.name)} {column.types[engine]}" for column in content.columns)
    key = ", ".join(quote(engine, name) for name in content.key)
    yield f"CREATE TABLE t ({columns}{f', PRIMARY KEY ({key})' if key else ''})"
    if content.rows:
        rows = ", ".join("(" + ", ".join(_of(value, engine) for value in row) + ")" for row in content.rows)
        yield f"INSERT INTO t VALUES {rows}"  # noqa: S608 - the cases' own SQL
    if content.series:
        literals = [text if "{g}" in text else f"'{text}'" for text in content.series[0]]
        yield _series(engine, literals, content.series[1], content.series[2])
    if padded:
        yield from _padding(engine, content)
    if engine in (PG, MY):
        yield "ANALYZE t" if engine == PG else "ANALYZE TABLE t"


def _padding(engine: str, content: Content) -> Iterator[str]:
    """Rows with a value, and rows with NULL where a column takes it and does not depend on the row."""
    pads = [_cast(engine, _of(column.pad, engine), column.types[engine]) for column in content.columns]
    yield _series(engine, pads, FIRST, LAST, parity=0)
    nulls = [
        pad if "{g}" in pad or column.name in content.key or _of(column.pad, engine) == "'pad'" else "NULL"
        for pad, column in zip(pads, content.columns, strict=True)
    ]
    yield _series(engine, nulls, FIRST, LAST, parity=1)


def _cast(engine: str, pad: str, column_type: str) -> str:
    """PostgreSQL and DuckDB need to be told what a text is to be."""
    return f"CAST({pad} AS {column_type})" if engine in (PG, DU) and pad != "NULL" else pad


def _series(engine: str, items: Sequence[str], first: int, last: int, parity: int | None = None) -> str:
    number = _NUMBER.get(engine, "s.g")
    chosen = ", ".join(item.replace("{g}", f"({number})" if first < 0 else number) for item in items)
    where = "" if parity is None else f" WHERE {number} % 2 = {parity}"
    shift = 0
    if engine == MY and first < 0:  # MariaDB's sequences begin at 0
        shift, chosen = first, ", ".join(item.replace("{g}", f"({number} + ({first}))") for item in items)
    series = _SERIES[engine].format(first=first - shift, last=last - shift)
    return f"INSERT INTO t SELECT {chosen} FROM {series}{where}"  # noqa: S608 - the cases' own SQL
