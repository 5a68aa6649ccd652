"""Two databases in which tables are made and compared, small and padded, in both directions."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from reconcile_assets.core.compare import Comparison
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.integration.comparison.engines import Engines

PADDED = 2_500  # rows, so that the bucketed path runs


class Pair:
    """A source and a target database."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = tuple(urls)
        self.connections = [psycopg.connect(url, autocommit=True) for url in urls]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def run(self, source: str, target: str | None = None) -> None:
        """Run SQL on the source and on the target (the same where none is given)."""
        for connection, text in zip(self.connections, (source, target or source), strict=True):
            connection.execute(text.encode())

    def reset(self) -> None:
        """Empty both databases."""
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def diff(
        self, source_table: str = "t", target_table: str = "t", *, turned: bool = False, **options: Any
    ) -> Comparison:
        """Compare; turned: the target takes the source's place."""
        first, second = (1, 0) if turned else (0, 1)
        return diff(self.urls[first], source_table, self.urls[second], target_table, **options)

    def column(self, side: int, column_type: str, value: str | None, *, padded: bool) -> None:
        """A table t(id, v, w) whose row 1 holds a value; padded, thousands of rows stand around it."""
        connection = self.connections[side]
        connection.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint PRIMARY KEY, v {column_type}, w text)")
        connection.execute(f"INSERT INTO t VALUES (1, {value or 'NULL'}, 'w')")  # noqa: S608 - the test's own SQL
        if padded:
            rows = sql.SQL("INSERT INTO t SELECT g, NULL, md5(g::text) FROM generate_series(2, {}) AS g; ANALYZE t")
            connection.execute(rows.format(sql.Literal(PADDED)))


@pytest.fixture(scope="module")
def _module_pair(postgres_server: str) -> Iterator[Pair]:
    from reconcile_assets_tests.conftest import Databases

    databases = Databases(postgres_server)
    pair = Pair([databases("source"), databases("target")])
    yield pair
    pair.close()
    databases.drop()


@pytest.fixture
def pair(_module_pair: Pair) -> Pair:
    """A source and a target without tables."""
    _module_pair.reset()
    return _module_pair


@pytest.fixture
def engines(_module_pair: Pair, tmp_path: Path) -> Engines:
    """A source and a target of each engine, without tables."""
    _module_pair.reset()
    return Engines(tmp_path, (_module_pair.urls[0], _module_pair.urls[1]))
