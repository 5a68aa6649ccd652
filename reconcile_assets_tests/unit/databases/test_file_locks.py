"""The lock of a database file."""

import os
from pathlib import Path

import pytest

from reconcile_assets.databases.file_locks import writer_lock
from reconcile_assets.errors import AlreadyRunning, PermissionDenied


def test_one_holds_it_and_the_next_is_told_who(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    with writer_lock(path, name="target", wait=0.0):
        refusal = pytest.raises(AlreadyRunning, match=rf"^target: another process \({os.getpid()}\) is writing to")
        with refusal, writer_lock(path, name="target", wait=0.1):
            pass
    with writer_lock(path, name="target", wait=0.0):
        pass


def test_an_error_lets_go_of_it(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    with pytest.raises(KeyError), writer_lock(path, name="target", wait=0.0):
        raise KeyError
    with writer_lock(path, name="target", wait=0.0):
        pass


def test_a_file_by_another_path_has_the_same_lock_and_another_file_has_not(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    with writer_lock(str(tmp_path / "a.db"), name="target", wait=0.0):
        with pytest.raises(AlreadyRunning), writer_lock(str(tmp_path / "link.db"), name="target", wait=0.0):
            pass
        with writer_lock(str(tmp_path / "b.db"), name="target", wait=0.0):
            pass


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    refusal = pytest.raises(PermissionDenied, match="the folder of the database must be writable")
    with refusal, writer_lock(str(tmp_path / "missing" / "a.db"), name="target", wait=0.0):
        pass
