"""A source and a target of any of the four engines, with tables of every type that both can hold."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pymysql

from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.core.windows import Partition
from reconcile_assets.engine.backfill import PartitionFailure, PartitionWrite, WriteRules, backfill_partitions
from reconcile_assets.engine.connections import Connections

ENGINES = ("postgresql", "mysql", "sqlite", "duckdb")
MARIADB = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": ""}

Outcome = PartitionWrite | PartitionFailure


@dataclass
class Place:
    """A database of one engine."""

    engine: str
    url: str

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        connection: Any
        path = self.url.partition(":///")[2]
        if self.engine == "postgresql":
            connection = psycopg.connect(self.url, autocommit=True, prepare_threshold=None)
        elif self.engine == "mysql":
            connection = pymysql.connect(**MARIADB, database=self.url.rsplit("/", 1)[1], autocommit=True)
        elif self.engine == "sqlite":
            connection = sqlite3.connect(path, isolation_level=None)
        else:
            connection = duckdb.connect(path)
            connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.cursor()
        try:
            if self.engine == "mysql":
                cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
            yield cursor
        finally:
            cursor.close()
            connection.close()

    def run(self, *statements: str) -> None:
        """Run statements, each committed; a file is closed after it."""
        with self._cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.encode() if self.engine == "postgresql" else statement)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._cursor() as cursor:
            cursor.execute(query.encode() if self.engine == "postgresql" else query)
            return [tuple(row) for row in cursor.fetchall()]


class Places:
    """Makes databases of every engine, and drops those of the MariaDB server again."""

    def __init__(self, folder: Path, postgres_urls: Callable[[str], str]) -> None:
        self._folder = folder
        self._postgres = postgres_urls
        self._mariadb: list[str] = []

    def make(self, engine: str, name: str) -> Place:
        """An empty database."""
        if engine == "postgresql":
            return Place(engine, self._postgres(name))
        if engine == "mysql":
            database = f"write_{name}_{secrets.token_hex(4)}"
            self._on_mariadb(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
            self._mariadb.append(database)
            return Place(engine, f"mysql://root@127.0.0.1:3306/{database}")
        place = Place(engine, f"{engine}:///{self._folder / f'{name}_{secrets.token_hex(4)}.{engine}'}")
        place.run("SELECT 1")
        if engine == "sqlite":
            place.run("CREATE TABLE made (x)", "DROP TABLE made")
        return place

    def drop(self) -> None:
        for database in self._mariadb:
            self._on_mariadb(f"DROP DATABASE IF EXISTS `{database}`")

    def _on_mariadb(self, statement: str) -> None:
        connection = pymysql.connect(**MARIADB, autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()


@dataclass
class WriteWorld:
    """One table `t` in a source and a target."""

    source: Place
    target: Place
    table: dict[str, Any] = field(default_factory=dict)
    project: str | None = None
    pauses: list[float] = field(default_factory=list)

    @property
    def config(self) -> Config:
        table = {
            "name": "t",
            "source_table": "t",
            "target_table": "t",
            "key": ["id"],
            "partition": {"column": "seen", "by": "day", "start": "2024-01-01", "end": "2024-01-06"},
            **self.table,
        }
        return Config.model_validate({"tables": [table]})

    @property
    def t(self) -> TableConfig:
        return self.config.tables[0]

    @property
    def environ(self) -> dict[str, str]:
        found = {"SOURCE_DATABASE_URL": self.source.url, "TARGET_DATABASE_URL": self.target.url}
        return found if self.project is None else {**found, "DATABASE_URL": self.project}

    def connections(self) -> Connections:
        return Connections(self.config, self.environ)

    def partitions(self, *keys: str) -> tuple[Partition, ...]:
        """These partitions, or all."""
        return self.t.partition.scheme().select(datetime(2030, 1, 1, tzinfo=UTC), keys=keys or None)

    def backfill(self, *keys: str, run_id: str = "run", **rules: Any) -> dict[str, Outcome]:
        """The outcome of each partition by its key; pauses are noted, not slept."""
        with self.connections() as connections:
            outcomes = backfill_partitions(
                self.t,
                self.partitions(*keys),
                connections=connections,
                run_id=run_id,
                actor="tester",
                rules=WriteRules(sleep=self.pauses.append, **rules),
            )
            return {outcome.partition.key: outcome for outcome in outcomes}

    def count_ledger(self) -> tuple[int, int]:
        """Batches and audit entries in the target."""
        names = [ledger_table(self.target.engine, name) for name in ("batches", "audit_entries")]
        counts = [self.target.ask(f"SELECT count(*) FROM {name}")[0][0] for name in names]  # noqa: S608
        return counts[0], counts[1]


def ledger_table(engine: str, name: str) -> str:
    """How one of the ledger's tables is called in a target."""
    return f"reconcile_assets{'.' if engine in ('postgresql', 'duckdb') else '_'}{name}"


def by(pg: str | None, my: str | None = None, sl: str | None = None, du: str | None = None) -> dict[str, str | None]:
    """A text for each engine; None where it has no such type or value."""
    return {"postgresql": pg, "mysql": my, "sqlite": sl, "duckdb": du}


def alike(text: str) -> dict[str, str | None]:
    return by(text, text, text, text)


TYPES: dict[str, dict[str, str | None]] = {
    "id": by("bigint PRIMARY KEY", "bigint PRIMARY KEY", "BIGINT PRIMARY KEY NOT NULL", "BIGINT PRIMARY KEY"),
    "seen": by("timestamptz", "timestamp(6) NULL", "TIMESTAMPTZ", "TIMESTAMPTZ"),
    "small": by("smallint", "smallint", "SMALLINT", "SMALLINT"),
    "big": by("numeric(20,0)", "bigint unsigned", "BIGINT", "UBIGINT"),
    "amount": by("numeric(18,6)", "decimal(18,6)", "DECIMAL(18,6)", "DECIMAL(18,6)"),
    "single": by("real", "float", "REAL", "FLOAT"),
    "double_": by("double precision", "double", "DOUBLE", "DOUBLE"),
    "words": by("text", "text CHARACTER SET utf8mb4", "TEXT", "VARCHAR"),
    "code": by("varchar(20)", "varchar(20) CHARACTER SET utf8mb4", "VARCHAR(20)", "VARCHAR"),
    "raw": by("bytea", "blob", "BLOB", "BLOB"),
    "ok": by("boolean", "tinyint(1)", "BOOLEAN", "BOOLEAN"),
    "day": by("date", "date", "DATE", "DATE"),
    "clock": by("time", "time(6)", "TIME", "TIME"),
    "moment": by("timestamp", "datetime(6)", "DATETIME", "TIMESTAMP"),
    "mark": by("uuid", "uuid", "UUID", "UUID"),
    "document": by("jsonb", "json", "JSON", "JSON"),
    "span": by("interval", None, None, "INTERVAL"),
    "numbers": by("integer[]", None, None, "INTEGER[]"),
    "labels": by("text[]", None, None, "VARCHAR[]"),
    "bits": by("varbit", None, None, "BIT"),
    "zoned": by("timetz", None, None, "TIME WITH TIME ZONE"),
}

NULL = alike("NULL")
BYTES = by("'\\x00ff5c27'", "x'00ff5c27'", "x'00ff5c27'", "'\\x00\\xff\\x5c\\x27'::BLOB")
UUID = alike("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'")
TEXT = "\\ \t tab, \"quotes\", it''s 100 % é 😀 "


def instant(text: str) -> dict[str, str | None]:
    """An instant in UTC."""
    return by(f"'{text}+00'", f"'{text}'", f"'{text}+00:00'", f"'{text}+00'")


def text_literal(text: str) -> dict[str, str | None]:
    """A text whose quotes are doubled; MySQL reads a backslash as an escape."""
    return by(f"'{text}'", "'" + text.replace("\\", "\\\\") + "'", f"'{text}'", f"'{text}'")


# By column; a column that is left out is NULL. A row is there where both engines have all of its values.
ROWS: tuple[dict[str, dict[str, str | None]], ...] = (
    {"id": alike("1"), "seen": instant("2024-01-01 00:00:00")},
    {
        "id": alike("2"), "seen": instant("2024-01-01 23:59:59.999999"), "small": alike("-32768"),
        "big": alike("9223372036854775807"), "amount": alike("123456789.123456"), "single": alike("0.1"),
        "double_": by("0.1", "0.1", "0.1", "0.1::DOUBLE"), "words": text_literal(TEXT), "code": text_literal("a "),
        "raw": BYTES, "ok": by("true", "1", "1", "true"), "day": alike("'2024-02-29'"),
        "clock": alike("'23:59:59.999999'"), "moment": alike("'2024-03-10 02:30:00.000001'"), "mark": UUID,
        "document": alike("""'{"a": [1, 2.50, null, "é😀"], "b": {"n": 9007199254740993}}'"""),
        "span": by("'1 year -3 days 04:05:06.5'", None, None, "'1 year -3 days 04:05:06.5'"),
        "numbers": by("'{1,NULL,-3}'", None, None, "[1, NULL, -3]"),
        "labels": by("""ARRAY['a,b', '', 'NULL', 'x"y', '\\', 'it''s', '{}', NULL]""", None, None,
                     """['a,b', '', 'NULL', 'x"y', '\\', 'it''s', '{}', NULL]"""),
        "bits": by("B'01010'", None, None, "'01010'::BIT"),
        "zoned": by("'12:00:00+05:30'", None, None, "'12:00:00+05:30'"),
    },
    {
        "id": alike("3"), "seen": instant("2024-01-02 12:00:00.5"), "small": alike("0"), "big": alike("0"),
        "amount": alike("-0.000001"), "single": alike("-16777216"), "double_": alike("-1.7976931348623157e308"),
        "words": alike("''"), "code": alike("'NULL'"), "raw": by("''", "x''", "x''", "''::BLOB"),
        "ok": by("false", "0", "0", "false"), "day": alike("'1000-01-01'"), "clock": alike("'00:00:00'"),
        "moment": alike("'9999-12-31 23:59:59.999999'"), "document": alike("'null'"),
        "span": by("'-1 mon'", None, None, "'-1 month'"), "numbers": by("'{}'", None, None, "[]"),
        "labels": by("'{}'", None, None, "[]"), "bits": by("B'1'", None, None, "'1'::BIT"),
    },
    {"id": alike("-9223372036854775808"), "seen": instant("2024-01-04 00:00:00.000001"),
     "double_": by("5e-324", "5e-324", "5e-324", "5e-324::DOUBLE"), "amount": alike("0"), "words": alike("'\\n'"),
     "document": alike("""'"text"'""")},
    {"id": alike("5"), "seen": instant("2024-01-04 06:00:00"),
     "double_": by("'Infinity'", None, "9e999", "'Infinity'"),
     "single": by("'-Infinity'", None, "-9e999", "'-Infinity'"), "day": by("'infinity'", None, *["'infinity'"] * 2),
     "moment": by("'-infinity'", None, *["'-infinity'"] * 2)},
    {"id": alike("6"), "seen": instant("2024-01-04 07:00:00"), "double_": by("'NaN'", None, None, "'NaN'"),
     "single": by("'NaN'", None, None, "'NaN'")},
    {"id": alike("7"), "seen": instant("2024-01-05 00:00:00"),
     "big": {**alike("18446744073709551615"), "sqlite": None}},
    {"id": alike("8"), "seen": instant("2024-01-05 01:00:00"),
     "words": by(None, "concat('a', char(0 using utf8mb4), 'b')", "CAST(x'610062' AS TEXT)", "'a' || chr(0) || 'b'")},
    {"id": alike("9"), "seen": instant("2024-01-05 02:00:00"),
     "day": by("'0044-03-15 BC'", None, "'0044-03-15 BC'", "'0044-03-15 (BC)'"),
     "moment": by("'12345-06-07 08:09:10'", None, "'12345-06-07 08:09:10'", "'12345-06-07 08:09:10'")},
    {"id": alike("10"), "seen": NULL, "words": alike("'in no partition'")},
)  # fmt: skip


def shared_columns(*engines: str) -> list[str]:
    """The columns whose types all of these engines have."""
    return [name for name, types in TYPES.items() if all(types[engine] for engine in engines)]


def create_table(
    place: Place, columns: Sequence[str], *, name: str = "t", indexed: bool = True, keyless: bool = False
) -> None:
    """An empty table of these columns."""
    items = ", ".join(f"{column} {TYPES[column][place.engine]}" for column in columns)
    if keyless:
        items = items.replace(" PRIMARY KEY", "")
    place.run(f"CREATE TABLE {name} ({items})")
    if indexed:
        place.run(f"CREATE INDEX {name}_seen ON {name} (seen)")


def fill_table(place: Place, columns: Sequence[str], *others: str) -> int:
    """Insert the rows that this engine and the others can hold; returns how many."""
    engines = (place.engine, *others)
    rows = [
        row
        for row in ROWS
        if all(row.get(column, NULL)[engine] is not None for column in columns for engine in engines)
    ]
    values = [", ".join(str(row.get(column, NULL)[place.engine]) for column in columns) for row in rows]
    place.run(*(f"INSERT INTO t VALUES ({found})" for found in values))  # noqa: S608 - the test's own SQL
    return len(rows)


def build_world(places: Places, source: str, target: str, **table: Any) -> WriteWorld:
    """A filled source and an empty target, of every type that both have."""
    world = WriteWorld(places.make(source, "source"), places.make(target, "target"), table)
    columns = shared_columns(source, target)
    create_table(world.source, columns)
    fill_table(world.source, columns, target)
    create_table(world.target, columns)
    return world


def written(outcomes: dict[str, Outcome]) -> list[str]:
    return [key for key, outcome in outcomes.items() if isinstance(outcome, PartitionWrite)]


def failed(outcomes: dict[str, Outcome]) -> dict[str, Exception]:
    return {key: outcome.error for key, outcome in outcomes.items() if isinstance(outcome, PartitionFailure)}
