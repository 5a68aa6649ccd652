"""The embedded PostgreSQL: any path, any owner, gone when it must be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from reconcile_assets.embedded import EmbeddedPostgres, running_url
from reconcile_assets.errors import AlreadyRunning, ConfigurationError

OWNER = """
import sys, time
from reconcile_assets.embedded import EmbeddedPostgres
server = EmbeddedPostgres(sys.argv[1], durable=False)
print(server.start(), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    # A path that is longer than a Unix socket may have, and has spaces.
    folder = tmp_path_factory.mktemp("with a space") / ("long " * 20).strip() / ("longer " * 20).strip()
    with EmbeddedPostgres(folder, durable=False) as started:
        yield started


def processes_naming(path: Path) -> list[int]:
    """Processes whose command line names the path."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(path) in command:
                found.append(int(entry.name))
    return found


def wait_until_gone(path: Path, seconds: float = 15.0) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := processes_naming(path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def start_owner(state: Path) -> tuple[subprocess.Popen[str], str]:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(state)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout as output:
        return owner, output.readline().strip()


def test_every_driver_connects_with_the_same_url(server: EmbeddedPostgres) -> None:
    url = server.create_database("drivers")
    for driver in ("psycopg", "psycopg2"):
        engine = sa.create_engine(url.replace("postgresql://", f"postgresql+{driver}://"))
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT current_database()")).scalar_one() == "drivers"
        engine.dispose()


def test_it_is_postgresql_18_in_utf8_with_room_for_many(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start()) as connection:
        assert connection.info.server_version // 10000 == 18
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)


def test_it_listens_on_loopback_only_and_has_no_socket_file(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    wrong = make_conninfo(server.start(), password="wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_password_is_readable_by_its_owner_alone(server: EmbeddedPostgres) -> None:
    assert (server.state_dir / "postgresql" / "password").stat().st_mode & 0o777 == 0o600


def test_git_sees_nothing_of_the_folder(server: EmbeddedPostgres) -> None:
    assert (server.state_dir / ".gitignore").read_text() == "*\n"


def test_starting_it_again_goes_on_with_it(server: EmbeddedPostgres) -> None:
    assert server.start() == server.start()


def test_a_database_created_again_is_empty(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.create_database("again"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        url = server.create_database("again")  # although somebody is connected
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_a_database_that_is_ensured_keeps_its_tables(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.ensure_database("ensured")) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    with psycopg.connect(server.ensure_database("ensured")) as connection:
        assert connection.execute("SELECT to_regclass('kept')::text").fetchone() == ("kept",)


def test_a_database_may_have_any_name(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.create_database("source")) as connection:
        assert connection.info.dbname == "source"
    server.create_database('we"ird name')
    with psycopg.connect(server.start()) as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert connection.execute(query, ['we"ird name']).fetchone() == (1,)


def test_a_second_owner_of_the_folder_is_refused_in_one_line(server: EmbeddedPostgres) -> None:
    server.start()
    with pytest.raises(AlreadyRunning) as refusal:
        EmbeddedPostgres(server.state_dir).start()
    message = str(refusal.value)
    assert str(os.getpid()) in message
    assert "RECONCILE_STATE" in message
    assert "\n" not in message


def test_another_process_finds_the_running_server(server: EmbeddedPostgres) -> None:
    server.start()
    url = running_url(server.state_dir)
    assert url is not None
    psycopg.connect(url).close()
    assert running_url(server.state_dir / "elsewhere") is None


def test_data_outlives_a_stop(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    with psycopg.connect(server.create_database("kept")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    server.stop()
    server.stop()
    assert running_url(tmp_path) is None
    with EmbeddedPostgres(tmp_path) as again, psycopg.connect(again.url("kept")) as connection:
        assert connection.execute("SELECT answer FROM t").fetchone() == (42,)


def test_the_log_holds_no_row_values(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, durable=False) as server, psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE t (email text PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES ('canary@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO t VALUES ('canary@example.com')")
    assert "canary" not in (tmp_path / "logs" / "postgresql.log").read_text()


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot write to .*RECONCILE_STATE"):
        EmbeddedPostgres(tmp_path / "file" / "state").start()


def test_data_of_another_major_version_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "postgresql" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    (tmp_path / "postgresql" / "password").write_text("x")
    with pytest.raises(ConfigurationError, match="made by PostgreSQL 14, this is 18"):
        EmbeddedPostgres(tmp_path).start()


def test_it_starts_after_a_crash_that_left_a_process_id_file(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, durable=False):
        pass
    # The number of a living process that is no server of ours, as after a restart of the machine.
    (tmp_path / "postgresql" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with EmbeddedPostgres(tmp_path, durable=False) as server:
        psycopg.connect(server.url("postgres")).close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_gone_within_seconds_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner, url = start_owner(tmp_path)
    connection = psycopg.connect(url)  # even while somebody is connected
    owner.kill()
    owner.wait()
    assert wait_until_gone(tmp_path) == []
    connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_gone_within_seconds_when_its_guardian_is_killed(tmp_path: Path) -> None:
    owner, url = start_owner(tmp_path)
    try:
        guardian = next(
            pid for pid in processes_naming(tmp_path) if b"supervisor.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(guardian, signal.SIGKILL)
        deadline = time.monotonic() + 15
        while running_url(tmp_path) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert running_url(tmp_path) is None
    finally:
        owner.kill()
        owner.wait()
    assert url


def test_a_new_owner_waits_for_what_a_killed_one_left(tmp_path: Path) -> None:
    owner, _ = start_owner(tmp_path)
    owner.kill()
    owner.wait()
    with EmbeddedPostgres(tmp_path, durable=False) as server:
        psycopg.connect(server.url("postgres")).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that the server's user cannot enter")
def test_root_can_run_it_below_a_folder_that_others_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "state", durable=False) as server:
        psycopg.connect(server.url("postgres")).close()
    assert closed.stat().st_mode & 0o777 == 0o700
