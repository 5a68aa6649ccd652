"""What can't be verified on MariaDB: one line, without a password or a value, and never a verdict."""

import secrets
import socketserver
from collections.abc import Iterator
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest

from reconcile_assets import errors
from reconcile_assets.core.canonical import Canonical, ColumnForm, Form
from reconcile_assets.core.tables import TableName
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Relation, RowsetQuery
from reconcile_assets_tests.integration.mysql.conftest import MariadbSide, compare, make_column

SECRET = "s3cret-canary"
T = Relation(TableName(None, "t"))


def refused(kind: type[errors.ReconcileAssetsError], url: str, table: str = "t", **options: Any) -> str:
    """The line of the error that a comparison of the table with itself ends in."""
    with pytest.raises(errors.ReconcileAssetsError) as caught:
        compare(_At(url), _At(url), table, table, **options)  # type: ignore[arg-type]
    assert type(caught.value) is kind, caught.value
    line = str(caught.value)
    assert "\n" not in line
    assert SECRET not in line
    return line


class _At:
    def __init__(self, url: str) -> None:
        self.url = url


@pytest.fixture
def url(mariadb: MariadbSide) -> str:
    make_column(mariadb, "varchar(20)", "'a'")
    return mariadb.url


@pytest.fixture
def limited(mariadb: MariadbSide) -> Iterator[str]:
    """The URL of a user who may read one column of t only."""
    make_column(mariadb, "varchar(20)", "'a'")
    user = f"u{secrets.token_hex(5)}"
    mariadb.run(
        f"CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{SECRET}'",
        f"GRANT SELECT (id) ON `{mariadb.database}`.t TO {user}@'127.0.0.1'",
    )
    yield f"mysql://{user}:{SECRET}@127.0.0.1:3306/{mariadb.database}"
    mariadb.run(f"DROP USER {user}@'127.0.0.1'")


def test_a_server_that_is_not_there_is_unavailable(url: str) -> None:
    assert "refused the connection" in refused(errors.DatabaseUnavailable, f"mysql://u:{SECRET}@127.0.0.1:9/d")
    assert "host of the URL" in refused(errors.DatabaseUnavailable, f"mysql://u:{SECRET}@no.such.host.invalid/d")
    socket = f"mysql://u:{SECRET}@localhost/d?unix_socket=/no/such/socket"
    assert "refused the connection" in refused(errors.DatabaseUnavailable, socket)


def test_another_kind_of_server_is_no_database() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _Stranger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        line = refused(errors.DatabaseUnavailable, f"mysql://u:{SECRET}@127.0.0.1:{server.server_address[1]}/d")
        server.shutdown()
    assert "no MySQL server" in line


class _Stranger(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"\x08\x00\x00\x00SSH-2.0-")


def test_a_wrong_password_is_never_shown(url: str, limited: str) -> None:
    assert "password" in refused(errors.AuthenticationFailed, url.replace("root@", f"root:{SECRET}@"))
    refused(errors.AuthenticationFailed, limited.replace(SECRET, f"{SECRET}%40x"))


def test_a_missing_database_table_or_column_is_named(url: str, mariadb: MariadbSide) -> None:
    assert "no database nowhere" in refused(errors.MissingObject, url.replace(mariadb.database, "nowhere"))
    assert "no table nothing" in refused(errors.MissingObject, url, "nothing")
    assert "did you mean t?" in refused(errors.MissingObject, url, "T")
    assert "no table nowhere.t" in refused(errors.MissingObject, url, "nowhere.t")
    assert "longer than the 64" in refused(errors.MissingObject, url, "x" * 65)
    assert "no column nope" in refused(errors.MissingObject, url, where="nope = 1")
    assert "no column nope" in refused(errors.MissingObject, url, key=["nope"])
    assert "names no database" in refused(errors.MissingObject, "mysql://root@127.0.0.1")


@pytest.mark.parametrize(
    "condition",
    [
        "id = = 1",
        "id = 1; DROP TABLE t",
        "id = 1) AS w; DROP TABLE t; -- ",
        "'",
        "/*",
        " ",
        "",
        "a\x00b",
        "id = 1 -- '\n'",
    ],
)
def test_a_condition_that_is_none_is_refused_and_does_nothing(url: str, condition: str, mariadb: MariadbSide) -> None:
    refused(errors.QueryRefused, url, where=condition)
    assert compare(mariadb, mariadb).source.rows == 1


def test_sql_that_would_change_data_is_refused(url: str) -> None:
    assert "read-only" in refused(errors.PermissionDenied, url, where="id IN (SELECT id FROM t FOR UPDATE)")


def test_columns_that_may_not_be_read_are_no_smaller_table(limited: str) -> None:
    assert "grant SELECT" in refused(errors.PermissionDenied, limited)
    assert "grant SELECT" in refused(errors.PermissionDenied, limited, columns=["id"])


def test_a_statement_over_its_time_limit_is_a_time_out(url: str) -> None:
    started = monotonic()
    refused(errors.StatementTimeout, url, where="sleep(20) = 0", statement_timeout=0.3)
    assert monotonic() - started < 5


def test_a_row_longer_than_the_server_can_hash_is_never_equal(mariadb: MariadbSide) -> None:
    make_column(mariadb, "longblob", None)
    mariadb.run("UPDATE t SET v = repeat(x'00', 9000000)")  # its hex digits are over max_allowed_packet
    assert "max_allowed_packet" in refused(errors.CouldNotVerify, mariadb.url)


def test_a_connection_that_is_killed_in_a_stream_is_lost(mariadb: MariadbSide) -> None:
    make_column(mariadb, "varchar(20)", "'a'")
    mariadb.run("INSERT INTO t SELECT seq, repeat('x', 20), repeat('y', 40) FROM seq_2_to_300000")
    with open_database(mariadb.url, name="source").session() as session:
        columns = [ColumnForm(session.describe(T).column(name), Canonical(Form.TEXT)) for name in ("v", "w")]
        key = (ColumnForm(session.describe(T).column("id"), Canonical(Form.NUMBER)),)
        rows = session.stream_rows(RowsetQuery(T, key, tuple(columns)), 1, [(None, 0)], values=True)
        next(rows)
        mariadb.run(f"KILL {session.driver_connection.thread_id()}")
        with pytest.raises(errors.ConnectionLost):
            list(rows)


def test_a_stream_left_in_the_middle_is_not_read_to_its_end(mariadb: MariadbSide) -> None:
    make_column(mariadb, "varchar(20)", "'a'", padded=True)
    with open_database(mariadb.url, name="source").session() as session:
        key = (ColumnForm(session.describe(T).column("id"), Canonical(Form.NUMBER)),)
        rows = session.stream_rows(RowsetQuery(T, key, ()), 1, [(None, 0)], values=True)
        assert next(rows).key == ("1",)


def test_a_statement_is_ended_from_another_thread(mariadb: MariadbSide) -> None:
    with open_database(mariadb.url, name="source").session() as session:
        caught: list[errors.ReconcileAssetsError] = []

        def run() -> None:
            try:
                session.fetch_scalar("SELECT count(*) FROM seq_1_to_100000 AS a, seq_1_to_100000 AS b")
            except errors.ReconcileAssetsError as error:
                caught.append(error)

        thread = Thread(target=run)
        thread.start()
        sleep(0.3)
        session.cancel()
        thread.join(10)
        assert [type(error) for error in caught] == [errors.StatementTimeout]


def test_a_session_reads_one_snapshot_and_writes_nothing(mariadb: MariadbSide) -> None:
    make_column(mariadb, "varchar(20)", "'a'")
    with open_database(mariadb.url, name="source").session() as session:
        assert session.fetch_scalar("SELECT count(*) FROM t") == "1"
        mariadb.run("INSERT INTO t VALUES (2, 'b', 'w')")
        assert session.fetch_scalar("SELECT count(*) FROM t") == "1"
        with pytest.raises(errors.PermissionDenied):
            session.fetch_scalar("DELETE FROM t")
        assert session.fetch_scalar("SELECT @@session.time_zone") == "+00:00"
        with pytest.raises(errors.NotComparable):
            session.export_snapshot()
