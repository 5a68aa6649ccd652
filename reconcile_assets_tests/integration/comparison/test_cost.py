"""What a comparison says that it cost, beside what a proxy between it and the server has counted."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from reconcile_assets.core.compare import Comparison
from reconcile_assets.databases import open_database
from reconcile_assets.databases.wire import received_bytes
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.benchmarks.diff_runs import proxies
from reconcile_assets_tests.conftest import require_service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems count no bytes")

MAKE = (
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 6000) g;"
    "ANALYZE t"
)
EDITS = {
    "the same": "SELECT 1",
    "few differ": "UPDATE t SET v = 'x' WHERE id IN (7, 4000); DELETE FROM t WHERE id = 9",
    "all differ": "UPDATE t SET v = 'x'",
    "one side is empty": "DELETE FROM t",
}


def compare(urls: list[str]) -> tuple[Comparison, list[float]]:
    """The comparison, and how far off the bytes are that it tells of each side."""
    with proxies(urls) as between:
        found = diff(between[0].url, "t", between[1].url, "t")
        told = found.source_cost.bytes, found.target_cost.bytes
        return found, [mine / proxy.received - 1 for mine, proxy in zip(told, between, strict=True)]


@pytest.mark.parametrize("edit", EDITS)
def test_the_bytes_are_those_that_came_over_the_wire(postgres_urls: Callable[[str], str], edit: str) -> None:
    urls = [postgres_urls("source"), postgres_urls("target")]
    for url in urls:
        with psycopg.connect(url) as connection:
            connection.execute(MAKE.encode())
    with psycopg.connect(urls[1]) as connection:
        connection.execute(EDITS[edit].encode())
    found, off = compare(urls)
    assert (found.verdict == "matched") is (edit == "the same")
    assert [round(each, 2) for each in off] == [0, 0]


def test_so_are_those_of_mariadb(postgres_url: str, request: pytest.FixtureRequest) -> None:
    require_service("mariadb")
    import pymysql

    server = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": ""}
    name = postgres_url.rsplit("/", 1)[1].partition("?")[0]
    with psycopg.connect(postgres_url) as connection:
        connection.execute(MAKE.encode())
    with pymysql.connect(**server, autocommit=True) as maria, maria.cursor() as cursor:  # type: ignore[arg-type]
        cursor.execute(f"CREATE DATABASE {name}")
        request.addfinalizer(lambda: _drop(server, name))
        cursor.execute(f"USE {name}")
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
        cursor.execute("INSERT INTO t SELECT seq, md5(seq) FROM seq_1_to_5990")
    found, off = compare([postgres_url, f"mysql://root@127.0.0.1:3306/{name}"])
    assert found.missing_in_target == 10
    assert [round(each, 2) for each in off] == [0, 0]


def _drop(server: dict[str, object], name: str) -> None:
    import pymysql

    with pymysql.connect(**server, autocommit=True) as maria, maria.cursor() as cursor:  # type: ignore[arg-type]
        cursor.execute(f"DROP DATABASE {name}")


def test_nobody_counts_those_of_a_unix_socket_or_of_a_closed_one() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert received_bytes(here.fileno) is None
        assert here.fileno() >= 0  # borrowed, not closed
    assert received_bytes(lambda: -1) is None


def test_where_nobody_counts_them_they_are_added_up(service_postgres: str, postgres_url: str) -> None:
    folder = "/var/run/postgresql"
    if not Path(folder, ".s.PGSQL.5432").exists():
        pytest.skip("the machine's PostgreSQL has no Unix socket")
    name = service_postgres.rsplit("/", 1)[1]
    with psycopg.connect(service_postgres) as connection:
        connection.execute(MAKE.encode())
    with psycopg.connect(postgres_url) as connection:
        connection.execute(MAKE.replace("md5(g::text)", "'x'").encode())
    socket_url = f"postgresql:///{name}?host={folder}&user=postgres"
    try:
        with open_database(socket_url, name="source").session() as session:
            assert not session.cost.is_told_bytes
    except psycopg.Error:
        pytest.skip("the machine's PostgreSQL takes no password-less user on its Unix socket")
    added, counted = (diff(url, "t", postgres_url, "t").source_cost for url in (socket_url, service_postgres))
    assert added.rows_read == counted.rows_read
    assert 0.95 < added.bytes / counted.bytes <= 1


def test_a_session_charges_each_comparison_with_its_own(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(MAKE.encode())
    with open_database(postgres_url, name="source").session() as session:
        session.fetch_scalar(b"SELECT repeat('x', 100000)")
        first = session.cost.charge()
        second = session.cost.charge()
        session.fetch_scalar(b"SELECT repeat('x', 200000)")
        third = session.cost.charge()
    assert first.bytes > 100_000
    assert second.bytes == 0
    assert 200_000 < third.bytes < 201_000
    assert session.cost.bytes == first.bytes + third.bytes
