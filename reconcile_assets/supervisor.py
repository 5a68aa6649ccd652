"""A guardian between a long-lived child and the process that wants it: nobody is left behind.

It prevents the orphan: a database server or a run worker that lives on after its owner was
killed. It runs as a script of its own (standard library only, so that it starts at once) and
ends the command it was given, with all that the command started, when

- its standard input reaches the end (the owner holds the other end of that pipe),
- its parent is no longer the owner (the pipe may have leaked into another child of the owner),
- it is asked to by SIGTERM, SIGINT or SIGHUP, or
- the command ends by itself.

On Linux it is a "subreaper": descendants whose parents died become its own children, so that
none escapes by a double fork or a session of its own. If the guardian itself is killed, the
kernel signals the command (``PR_SET_PDEATHSIG``).

PostgreSQL refuses to run as root. Started by root, the command therefore runs as an
unprivileged user. Where that user cannot reach the files (a checkout under a folder with mode
0700, say), the command keeps one capability, ``CAP_DAC_OVERRIDE``: this leaves the modes of
folders that are not ours as they are, and needs no new user on the machine.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_POLL_SECONDS = 0.2
_TERM_SECONDS = 5.0
_IS_LINUX = sys.platform == "linux"
# From linux/prctl.h and linux/capability.h.
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_CHILD_SUBREAPER, _PR_CAP_AMBIENT = 1, 8, 36, 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def main(argv: list[str]) -> int:
    """Run the command described by the JSON in ``argv[1]``; return its exit code (128 + signal when killed).

    Keys: ``command``, ``owner`` (process id), ``stop_signal``, ``grace_seconds``, ``keep_open`` (descriptors
    that the command inherits: a lock is then held until it has really ended), ``user`` ([uid, gid] or null)
    and ``reach`` (paths that this user must be able to enter).
    """
    order = json.loads(argv[1])
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    if _IS_LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    child = subprocess.Popen(  # noqa: S603 - the owner's own command, no shell
        order["command"],
        stdin=subprocess.DEVNULL,
        pass_fds=order["keep_open"],
        preexec_fn=_child_setup(order),
        start_new_session=True,
    )
    while child.poll() is None and not stopping and not _owner_is_gone(order["owner"]):
        pass
    if child.poll() is None:
        child.send_signal(order["stop_signal"])
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(order["grace_seconds"])
    _end_descendants()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _owner_is_gone(owner: int) -> bool:
    if os.getppid() != owner:
        return True
    readable, _, _ = select.select([0], [], [], _POLL_SECONDS)
    return bool(readable) and os.read(0, 1) == b""


def _end_descendants() -> None:
    """Ask all descendants to end, then make them: new ones may appear while the old ones end."""
    _signal_all(_descendants(), signal.SIGTERM)
    deadline = time.monotonic() + _TERM_SECONDS
    while left := _confirmed_descendants():
        if time.monotonic() > deadline:
            _signal_all(left, signal.SIGKILL)
        _reap()
        time.sleep(0.05)


def _confirmed_descendants() -> set[int]:
    """Nobody is left only when two looks agree: a process whose parent ends during a look can be missed by it."""
    found = _descendants()
    if not found:
        time.sleep(0.05)
        found = _descendants()
    return found


def _signal_all(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants() -> set[int]:
    """All living processes below this one (Linux only: elsewhere none can be told apart)."""
    if not _IS_LINUX:
        return set()
    processes: dict[int, tuple[int, str]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
            state, parent = stat.read().rpartition(")")[2].split()[:2]
            processes[int(name)] = (int(parent), state)
    return find_descendants(os.getpid(), processes)


def find_descendants(root: int, processes: Mapping[int, tuple[int, str]]) -> set[int]:
    """Those below ``root`` that live, from each process's parent and state.

    A dead parent (state ``Z``) is no descendant that is left, but what stands below it may be: while
    a process with several threads ends, it counts as dead before its children have a new parent.
    """
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in processes.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(pid for pid in below if processes[pid][1] != "Z")
        waiting.extend(below)
    return found


def _child_setup(order: dict[str, Any]) -> Callable[[], None]:
    def setup() -> None:
        if order["user"] is not None:
            uid, gid = order["user"]
            _become(uid, gid, order["reach"])
        if _IS_LINUX:  # after the change of user, which clears it
            _prctl(_PR_SET_PDEATHSIG, order["stop_signal"])

    return setup


def _become(uid: int, gid: int, reach: list[str]) -> None:
    if _IS_LINUX:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setregid(gid, gid)
    os.setreuid(uid, uid)  # the effective capabilities are gone from here on, the permitted ones are kept
    if all(os.access(path, os.X_OK) for path in reach):
        _set_capabilities(0)
        return
    _set_capabilities(1 << _CAP_DAC_OVERRIDE)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _set_capabilities(mask: int) -> None:
    if not _IS_LINUX:
        return
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("=6I", mask, mask, mask, 0, 0, 0)
    _check(_libc().capset(header, data))


def _prctl(option: int, *arguments: int) -> None:
    padded = [*arguments, 0, 0, 0, 0][:4]
    _check(_libc().prctl(ctypes.c_int(option), *[ctypes.c_ulong(value) for value in padded]))


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
