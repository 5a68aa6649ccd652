"""Ctrl-C and its kin."""

import contextlib
import os
import signal
import time

import pytest

from reconcile_assets.serving.interrupts import interrupted_once


def wait_for_a_signal(number: signal.Signals) -> None:
    with interrupted_once():
        os.kill(os.getpid(), number)
        time.sleep(5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_interrupts(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        wait_for_a_signal(number)


def test_a_second_one_does_not_cut_the_ending_short() -> None:
    ended = []

    def work_and_end_in_order() -> None:
        with interrupted_once(), contextlib.ExitStack() as everything:
            everything.callback(ended.append, "ended")
            everything.callback(os.kill, os.getpid(), signal.SIGINT)
            everything.callback(os.kill, os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        work_and_end_in_order()
    assert ended == ["ended"]


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with interrupted_once():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
