"""Where diff writes its page, and where it does not."""

import os
from pathlib import Path

import pytest

from reconcile_assets.cli.diff_page import check_page_path, write_page
from reconcile_assets.errors import ConfigurationError
from reconcile_assets_tests.comparison_samples import MATCHED, SAMPLE


def test_a_page_is_written_whole_and_written_anew(tmp_path: Path) -> None:
    path = check_page_path(str(tmp_path / "new folder" / "diff.html"))
    write_page(path, SAMPLE)
    assert path.read_text(encoding="utf-8") == SAMPLE.to_html()
    write_page(check_page_path(str(path)), MATCHED)
    assert path.read_text(encoding="utf-8") == MATCHED.to_html()
    assert [found.name for found in path.parent.iterdir()] == ["diff.html"]


def test_a_links_target_is_written_and_the_link_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "target.html", tmp_path / "link.html"
    target.write_text("<!DOCTYPE html>")
    link.symlink_to(target)
    write_page(check_page_path(str(link)), MATCHED)
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == MATCHED.to_html()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "a page is written to a file"),
        ("-", "a page is written to a file"),
        ("/dev/stdout", "a page is written to a file"),
        ("/dev/fd/1", "a page is written to a file"),
        ("/dev/null", "no file that a page can be written to"),
        ("..", "directory"),
        ("folder", "that is a directory; name a file in it, such as folder/diff.html"),
        ("orders.db", "what stands there is no page, and is not overwritten"),
        ("orders.db/diff.html", "Not a directory"),
        ("gone.html", "no file that a page can be written to"),
        ("x" * 250 + ".html", "File name too long"),
        ("a\x00b.html", "names no file"),
    ],
)
def test_what_can_not_be_written_is_refused_before_anything_is_compared(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "orders.db").write_bytes(b"SQLite format 3\x00")
    (tmp_path / "gone.html").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError, match=says) as raised:
        check_page_path(name)
    assert "\n" not in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_can_not_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write everywhere
    with pytest.raises(ConfigurationError, match="nothing can be written in"):
        check_page_path(str(tmp_path / "later" / "diff.html"))
    assert not (tmp_path / "later").exists()


def test_an_empty_file_and_an_older_page_may_be_written_over(tmp_path: Path) -> None:
    for name, content in (("empty.html", b""), ("old.html", b"\n<!doctype HTML><title>old")):
        (tmp_path / name).write_bytes(content)
        assert check_page_path(str(tmp_path / name)) == tmp_path / name
