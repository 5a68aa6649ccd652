"""Children that end with their owner, whatever they do to get away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile_assets.errors import AlreadyRunning, ConfigurationError
from reconcile_assets.supervision import Command, FolderLock, Supervised, prepare_state_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# A child that ignores what it can, with a grandchild in a session of its own whose parent is dead.
STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
open(os.path.join(sys.argv[1], str(os.getpid())), "w").close()
time.sleep(600)
"""
OWNER = """
import os, sys, time
from pathlib import Path
from reconcile_assets.supervision import Command, Supervised
folder = Path(sys.argv[1])
child = Supervised(Command("child", [sys.executable, "-c", sys.argv[2], str(folder / "pids")],
    folder / "log", os.environ, folder, grace_seconds=0.2))
child.start()
time.sleep(600)
"""


def command(folder: Path, code: str, **options: object) -> Command:
    (folder / "pids").mkdir(exist_ok=True)
    return Command(
        name="child",
        arguments=[sys.executable, "-c", code, str(folder / "pids")],
        log=folder / "log",
        environment=os.environ,
        folder=folder,
        **options,  # type: ignore[arg-type]  # fields by name
    )


def wait_for(is_so: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def children(folder: Path) -> list[int]:
    return [int(path.name) for path in (folder / "pids").iterdir()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_ignores_signals_is_gone_after_a_stop_with_its_orphans(tmp_path: Path) -> None:
    child = Supervised(command(tmp_path, STUBBORN, grace_seconds=0.2))
    child.start()
    assert wait_for(lambda: len(children(tmp_path)) == 2)
    child.stop()
    child.stop()
    assert [pid for pid in children(tmp_path) if is_running(pid)] == []
    assert not child.is_running


def test_they_are_gone_when_the_owner_is_killed(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path), STUBBORN])
    assert wait_for(lambda: len(children(tmp_path)) == 2)
    owner.kill()
    owner.wait()
    assert wait_for(lambda: not any(is_running(pid) for pid in children(tmp_path)))


def test_without_the_guardian_they_would_live_on(tmp_path: Path) -> None:
    """The control: the same child, started without supervision, outlives its owner."""
    (tmp_path / "pids").mkdir()
    plain = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]])\n"
        "time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", plain, str(tmp_path / "pids"), STUBBORN])
    try:
        assert wait_for(lambda: len(children(tmp_path)) == 2)
        owner.kill()
        owner.wait()
        time.sleep(1.0)
        assert all(is_running(pid) for pid in children(tmp_path))
    finally:
        for pid in children(tmp_path):
            os.kill(pid, signal.SIGKILL)


def test_a_child_that_ends_by_itself_gives_its_exit_code(tmp_path: Path) -> None:
    child = Supervised(command(tmp_path, "import sys; print('said'); sys.exit(7)"))
    child.start()
    assert child.wait() == 7
    child.stop()
    assert "said" in (tmp_path / "log").read_text()


def test_a_child_may_clean_up_when_asked_to_end(tmp_path: Path) -> None:
    polite = """
import os, signal, sys, time
def end(*_):
    open(os.path.join(sys.argv[1], "1"), "w").close()
    sys.exit(0)
signal.signal(signal.SIGINT, end)
open(os.path.join(sys.argv[1], "0"), "w").close()
time.sleep(600)
"""
    child = Supervised(command(tmp_path, polite, stop_signal=signal.SIGINT))
    child.start()
    assert wait_for(lambda: 0 in children(tmp_path))
    child.stop()
    assert 1 in children(tmp_path)


def test_stopping_what_was_never_started_is_harmless(tmp_path: Path) -> None:
    child = Supervised(command(tmp_path, ""))
    child.stop()
    assert not child.is_running
    with pytest.raises(ProcessLookupError, match="was not started"):
        _ = child.pid


def test_a_log_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(ConfigurationError, match="cannot write to"):
        Supervised(command(tmp_path, "")).start()


def test_a_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "lock", what="the folder"), FolderLock(tmp_path / "lock", what="the folder")
    with first, pytest.raises(AlreadyRunning, match=f"the folder is in use by process {os.getpid()}"):
        second.acquire()
    with second:
        assert second.descriptor > 0
    with pytest.raises(ValueError, match="not locked"):
        _ = second.descriptor


def test_a_lock_whose_owner_is_dead_is_taken_when_its_children_have_ended(tmp_path: Path) -> None:
    holder = subprocess.Popen(["sleep", "600"])
    lock = FolderLock(tmp_path / "lock", what="the folder")
    descriptor = lock.acquire()
    child = subprocess.Popen(["sleep", "1"], pass_fds=[descriptor])
    holder.kill()
    holder.wait()
    os.pwrite(descriptor, str(holder.pid).encode().ljust(32), 0)  # as if the dead one had taken it
    lock.release()
    started = time.monotonic()
    with FolderLock(tmp_path / "lock", what="the folder"):
        assert time.monotonic() - started > 0.3
    child.wait()


def test_a_state_folder_is_made_and_hidden_from_git(tmp_path: Path) -> None:
    folder = prepare_state_folder(tmp_path / "a b" / "state")
    assert (folder / ".gitignore").read_text() == "*\n"
    assert prepare_state_folder(folder) == folder


def test_a_state_folder_below_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="RECONCILE_STATE"):
        prepare_state_folder(tmp_path / "file" / "state")
