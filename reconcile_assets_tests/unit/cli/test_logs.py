"""Log lines on stderr."""

import logging

import pytest

from reconcile_assets.cli.logs import log_to_stderr

LOGGER = logging.getLogger("reconcile_assets.engine.backfill")


def test_a_warning_carries_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    with log_to_stderr(verbose=False):
        LOGGER.warning("trying again", extra={"run": "r1", "table": "flights", "partition": "2013-01-05"})
    assert capsys.readouterr().err == "WARNING: trying again run=r1 table=flights partition=2013-01-05\n"


def test_the_same_trouble_of_a_table_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with log_to_stderr(verbose=False):
        for table, partition in (("a", "1"), ("a", "2"), ("b", "1")):
            LOGGER.warning("no such host", extra={"table": table, "partition": partition})
    assert capsys.readouterr().err.splitlines() == [
        "WARNING: no such host table=a partition=1",
        "WARNING: no such host table=b partition=1",
    ]


def test_details_are_shown_when_asked_for_only(capsys: pytest.CaptureFixture[str]) -> None:
    with log_to_stderr(verbose=False):
        LOGGER.info("detail")
    assert capsys.readouterr().err == ""
    with log_to_stderr(verbose=True):
        LOGGER.info("detail")
        LOGGER.info("detail")
    assert capsys.readouterr().err.count("detail") == 2


def test_nothing_stays_behind(capsys: pytest.CaptureFixture[str]) -> None:
    package = logging.getLogger("reconcile_assets")
    before = package.level, list(package.handlers)
    with pytest.raises(KeyError), log_to_stderr(verbose=True):
        raise KeyError
    assert (package.level, package.handlers) == before
