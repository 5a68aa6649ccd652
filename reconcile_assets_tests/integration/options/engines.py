"""The same rows in tables of every engine, on both sides of a comparison."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql

from reconcile_assets_tests.integration.comparison.engines import ENGINES, Engines

ALL = (*ENGINES, "mysql")
PAIRS = [(source, target) for source in ALL for target in ALL]
SERVERS = ("postgresql", "mysql")  # whose rows are hashed in SQL
SIZES = {"small": 0, "padded": 2_500}  # rows that stand around those that a test is about
_SERVER: dict[str, Any] = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": "", "charset": "utf8mb4"}


class EveryEngine(Engines):
    """A source and a target of each engine, MariaDB among them."""

    def __init__(self, folder: Path, postgres_urls: tuple[str, str]) -> None:
        super().__init__(folder, postgres_urls)
        self._names = [f"reconcile_{secrets.token_hex(6)}" for _ in range(2)]
        for name in self._names:
            self._on_server(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")

    def close(self) -> None:
        for name in self._names:
            self._on_server(f"DROP DATABASE IF EXISTS {name}")

    def url(self, engine: str, side: int) -> str:
        """See Engines."""
        return f"mysql://root@127.0.0.1:3306/{self._names[side]}" if engine == "mysql" else super().url(engine, side)

    def run(self, engine: str, side: int, *statements: str) -> None:
        """See Engines."""
        if engine == "mysql":
            self._on_server(
                f"USE {self._names[side]}", "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", *statements
            )
        else:
            super().run(engine, side, *statements)

    def fill(
        self,
        engine: str,
        side: int,
        columns: Mapping[str, str],
        rows: Sequence[tuple[Any, ...]],
        *,
        key: str | None = "id",
    ) -> None:
        """Tables ``small`` and ``padded`` of these columns, the first a number; in ``padded`` further rows of NULL."""
        statements: list[str] = []
        nulls = (None,) * (len(columns) - 1)
        for table, count in SIZES.items():
            named = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            primary = "" if key is None else f", PRIMARY KEY ({key})"
            statements += [f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} ({named}{primary})"]
            written = [*rows, *((1_000 + number, *nulls) for number in range(count))]
            values = ", ".join(f"({', '.join(_literal(value, engine) for value in row)})" for row in written)
            statements.append(f"INSERT INTO {table} VALUES {values}")  # noqa: S608 - the test's own rows
        self.run(engine, side, *statements)

    def _on_server(self, *statements: str) -> None:
        connection = pymysql.connect(**_SERVER, autocommit=True)
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _literal(value: Any, engine: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        written = {"postgresql": f"'\\x{value.hex()}'::bytea", "duckdb": f"unhex('{value.hex()}')"}
        return written.get(engine, f"x'{value.hex()}'")
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
