"""``dev`` that is refused, and ``dev`` that is killed."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from reconcile_assets_tests.e2e.product import is_running

pytestmark = pytest.mark.timeout(300)

EMPTY = "type: reconcile_assets.components.ReconciledTables\nattributes:\n  tables: []\n"


def dev(folder: Path, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
    (folder / "empty.yaml").write_text(EMPTY)
    return subprocess.Popen(
        [sys.executable, "-m", "reconcile_assets", "--config", "empty.yaml", "dev", *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(folder: Path, *arguments: str, **environ: str) -> str:
    """The one line that it prints before it ends with 2."""
    process = dev(folder, *arguments, **environ)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert out == ""
    assert len(err.splitlines()) == 1, err
    return err


def test_a_port_in_use_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert f"port {port} is in use" in refused(tmp_path, "--port", str(port))


def test_a_state_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot write to" in refused(tmp_path, RECONCILE_STATE=str(tmp_path / "file" / "state"))


def test_a_database_of_an_engine_that_cannot_hold_dagster_is_refused_in_one_line(tmp_path: Path) -> None:
    line = refused(tmp_path, DATABASE_URL="mysql://someone:hunter2@localhost/ledger")
    assert line.startswith("DATABASE_URL: ")
    assert "PostgreSQL or SQLite" in line
    assert "hunter2" not in line


@pytest.mark.skipif(sys.platform != "linux", reason="the guardian knows all descendants on Linux only")
def test_everything_is_gone_within_seconds_when_it_is_killed(tmp_path: Path) -> None:
    process = dev(tmp_path)
    assert process.stderr is not None
    assert process.stdout is not None
    try:
        for line in process.stderr:
            if "the UI is at" in line:
                break
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 8, "four guardians, PostgreSQL, the code server, the web server, the daemon"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        process.stdout.close()
    deadline = time.monotonic() + 30
    while (left := [each for each in family if is_running(each)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
