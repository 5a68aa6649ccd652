"""What an administrator sets for every session of a server changes no verdict; on a server of this test's own."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.conftest import require_service

SETTINGS = (
    "sql_select_limit = 1",
    "autocommit = 0",
    "system_versioning_asof = '2001-01-01'",
    "sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,NO_UNSIGNED_SUBTRACTION'",
    "time_zone = '+05:45'",
    "character_set_results = latin1",
    "collation_connection = latin1_german1_ci",
    "group_concat_max_len = 4",
    "sql_safe_updates = 1",
    "big_tables = 1",
    "tx_isolation = 'READ-UNCOMMITTED'",
    "completion_type = 'CHAIN'",
)
COLUMNS = (
    "id int PRIMARY KEY, v varchar(20), c char(5), d datetime(6), ts timestamp(6) NULL, n decimal(10,3), f double,"
    " r float, b varbinary(9), t time(6), j json"
)
VALUES = "'é', 'ab', '2024-01-01 00:00:00.5', '2024-01-01 00:00:00.5', 1.5, 0.1e0 + 0.2e0, 0.1, x'00ff', '-01:00:00.5'"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A MariaDB server on a port of its own."""
    require_service("mariadb")
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("no mariadbd to start; install it with: apt-get install mariadb-server")
    folder, found, user = tmp_path_factory.mktemp("mariadb"), _free_port(), getpass.getuser()
    data = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={user}"]
    made = subprocess.run(
        [install, *data, "--auth-root-authentication-method=normal", "--skip-test-db"], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mariadb-install-db makes no server here")
    options = [
        f"--port={found}",
        "--bind-address=127.0.0.1",
        f"--socket={_socket(folder)}",
        f"--pid-file={folder / 'pid'}",
    ]
    with subprocess.Popen([server, *data, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _await(found)
            yield found
        finally:
            process.terminate()


def _socket(folder: Path) -> str:
    """Unix sockets have short paths."""
    return f"/tmp/{folder.parent.name[-20:]}-{folder.name}.sock"  # noqa: S108 - its name is this run's own


def _await(port: int) -> None:
    for _ in range(300):
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root").close()
        except pymysql.Error:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server does not answer")


@pytest.fixture(scope="module")
def administrator(port: int) -> "Iterator[pymysql.cursors.Cursor]":
    """Two databases with a table each, which differ in two of 2,500 rows; and one of a table with its history."""
    with (
        pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as opened,
        opened.cursor() as cursor,
    ):
        for name in ("a", "b"):
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            cursor.execute(f"USE {name}")
            cursor.execute("SET SESSION sql_mode = ''")
            cursor.execute(f"CREATE TABLE t ({COLUMNS})")
            cursor.execute(f"INSERT INTO t SELECT seq, {VALUES}, concat('{{\"a\":', seq, '}}') FROM seq_1_to_2500")  # noqa: S608
            cursor.execute("CREATE TABLE h (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING")
            cursor.execute("INSERT INTO h VALUES (1, 1), (2, 2)")
        cursor.execute("UPDATE t SET v = 'other' WHERE id IN (7, 2000)")
        cursor.execute("UPDATE h SET v = 3 WHERE id = 2")
        yield cursor


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_a_server_change_nothing(port: int, administrator: "pymysql.cursors.Cursor", setting: str) -> None:
    name = setting.split()[0]
    administrator.execute(f"SELECT @@global.{name}")
    row = administrator.fetchone()
    before = "DEFAULT" if row is None or row[0] == "DEFAULT" else repr(row[0])
    administrator.execute(f"SET GLOBAL {setting}")
    try:
        urls = [f"mysql://root@127.0.0.1:{port}/{side}" for side in ("a", "b")]
        for table, rows, changed in (("t", 2_500, 2), ("h", 2, 1)):
            found = diff(urls[0], table, urls[1], table)
            assert (found.verdict, found.value_differs, found.source.rows) == ("mismatched", changed, rows)
            assert [column.differs for item, column in found.columns.items() if item == "v"] == [changed]
    finally:
        administrator.execute(f"SET GLOBAL {name} = {before}")
