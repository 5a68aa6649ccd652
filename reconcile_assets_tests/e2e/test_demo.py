"""The demo's beginning and its ends; ``make demo EXIT=1`` tells the whole of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from reconcile_assets_tests.e2e.product import is_running

pytestmark = pytest.mark.timeout(300)


def demo(folder: Path, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "reconcile_assets", "demo", "--exit", *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def telling(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    folder = tmp_path / "with a space"
    folder.mkdir()
    # A user's own settings, which must not be what the demo writes to.
    (folder / ".env").write_text("TARGET_DATABASE_URL=postgresql://production.example.com/orders\n")
    process = demo(folder)
    yield process
    process.kill()
    process.communicate()


def test_gaps_are_found_in_real_data_and_ctrl_c_leaves_nothing(
    telling: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert telling.stdout is not None
    said = ""
    for line in telling.stdout:
        said += line
        if line.startswith("3. "):
            break
    assert "rows in source ops.flights: 336776" in said
    assert "flights: daily partitions missing in the target: 365 of 365" in said
    assert "weather: daily partitions missing in the target: 364 of 365" in said
    assert "2013-12-31, empty on both sides: matched: no rows on either side" in said

    second = demo(tmp_path / "with a space")
    refusal, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert len(refusal.splitlines()) == 1
    assert f"in use by process {telling.pid}" in refusal

    family = psutil.Process(telling.pid).children(recursive=True)
    assert len(family) >= 2
    telling.send_signal(signal.SIGINT)
    telling.send_signal(signal.SIGINT)  # an impatient person
    rest, _ = telling.communicate(timeout=60)
    assert telling.returncode == 130
    assert "Traceback" not in rest
    assert [each for each in family if is_running(each)] == []


@pytest.mark.parametrize(
    ("arguments", "environ", "told"),
    [
        (["--port", "99999"], {}, "port 99999 is not between 1 and 65535"),
        ([], {"RECONCILE_STATE": "/proc/nowhere"}, "cannot write to /proc/nowhere/demo"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], told: str
) -> None:
    process = demo(tmp_path, *arguments, **environ)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert len(said.splitlines()) == 1
    assert told in said
