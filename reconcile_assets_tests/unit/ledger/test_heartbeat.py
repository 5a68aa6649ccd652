"""The heartbeat never disturbs the work."""

import threading
import time

import pytest
import sqlalchemy as sa

from reconcile_assets.errors import DatabaseUnavailable
from reconcile_assets.ledger import Attempt, heartbeat

ATTEMPT = Attempt("attempt-1", "run-1", "backfill", "flights")


class Beats:
    """A ledger that counts beats, and may fail or hang."""

    def __init__(self, error: Exception | None = None, hang: threading.Event | None = None) -> None:
        self.beats = 0
        self.second = threading.Event()
        self._error = error
        self._hang = hang

    def beat(self, attempt: Attempt) -> None:
        self.beats += 1
        if self.beats >= 2:
            self.second.set()
        if self._hang is not None:
            self._hang.wait(30)
        if self._error is not None:
            raise self._error


def test_it_beats_while_the_work_goes_on() -> None:
    ledger = Beats()
    with heartbeat(ledger, ATTEMPT, every=0.01):
        assert ledger.second.wait(10)
    beats = ledger.beats
    time.sleep(0.05)
    assert ledger.beats == beats


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("gone"), sa.exc.OperationalError("", None, OSError()), OSError()]
)
def test_a_ledger_that_fails_does_not_disturb_the_work_and_is_tried_again(error: Exception) -> None:
    ledger = Beats(error)
    with heartbeat(ledger, ATTEMPT, every=0.01):
        assert ledger.second.wait(10)


def test_it_stops_at_once_when_the_work_ends() -> None:
    began = time.monotonic()
    with heartbeat(Beats(), ATTEMPT, every=60):
        pass
    assert time.monotonic() - began < 5


def test_an_error_of_the_work_comes_through_and_ends_the_beat() -> None:
    ledger = Beats()
    with pytest.raises(ZeroDivisionError), heartbeat(ledger, ATTEMPT, every=0.01):
        raise ZeroDivisionError
    beats = ledger.beats
    time.sleep(0.05)
    assert ledger.beats == beats


def test_a_beat_that_hangs_does_not_hold_the_end_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconcile_assets.ledger.attempts.STOP_SECONDS", 0.05)
    release = threading.Event()
    ledger = Beats(hang=release)
    began = time.monotonic()
    with heartbeat(ledger, ATTEMPT, every=0.001):
        while not ledger.beats:
            time.sleep(0.001)
    assert time.monotonic() - began < 5
    release.set()
