"""A PostgreSQL and two MariaDB databases in which tables are made and compared, in both directions."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pymysql
import pytest

from reconcile_assets.core.compare import Comparison
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.conftest import Databases, require_service

PADDED = 2_500  # rows, so that the bucketed path runs
SERVER = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": ""}


class PostgresSide:
    """A PostgreSQL database."""

    engine = "postgresql"
    padding = "INSERT INTO t SELECT g, NULL, md5(g::text) FROM generate_series(2, {}) AS g"

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement.encode())

    def many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(statement.encode(), rows)

    def close(self) -> None:
        self.connection.close()


class MariadbSide:
    """A MariaDB database."""

    engine = "mysql"
    padding = "INSERT INTO t SELECT seq, NULL, md5(seq) FROM seq_2_to_{}"

    def __init__(self, database: str) -> None:
        self.database = database
        self.url = f"mysql://root@127.0.0.1:3306/{database}"
        self.connection = pymysql.connect(**SERVER, autocommit=True, charset="utf8mb4")
        self.run(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4", f"USE `{database}`", "SET sql_mode = ''")

    def run(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(statement, rows)

    def close(self) -> None:
        self.run(f"DROP DATABASE IF EXISTS `{self.database}`")
        self.connection.close()


Side = PostgresSide | MariadbSide


def compare(source: Side, target: Side, source_table: str = "t", target_table: str = "t", **options: Any) -> Comparison:
    """Compare a table of each side."""
    return diff(source.url, source_table, target.url, target_table, **options)


def make_column(side: Side, column_type: str, value: str | None, *, padded: bool = False) -> None:
    """A table t(id, v, w) whose row 1 holds a value; padded, thousands of rows stand around it."""
    side.run(
        "DROP TABLE IF EXISTS t",
        f"CREATE TABLE t (id bigint PRIMARY KEY, v {column_type}, w varchar(40))",
        f"INSERT INTO t VALUES (1, {value or 'NULL'}, 'w')",  # noqa: S608 - the test's own SQL
    )
    if padded:
        side.run(side.padding.format(PADDED), "ANALYZE t" if side.engine == "postgresql" else "ANALYZE TABLE t")


@pytest.fixture(scope="session")
def postgres(postgres_server: str) -> Iterator[PostgresSide]:
    """A PostgreSQL database."""
    databases = Databases(postgres_server)
    side = PostgresSide(databases("mysql_pair"))
    yield side
    side.close()
    databases.drop()


def _mariadb() -> Iterator[MariadbSide]:
    require_service("mariadb")
    side = MariadbSide(f"reconcile_{secrets.token_hex(6)}")
    yield side
    side.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbSide]:
    """A MariaDB database."""
    yield from _mariadb()


@pytest.fixture(scope="session")
def other_mariadb() -> Iterator[MariadbSide]:
    """Another MariaDB database."""
    yield from _mariadb()
