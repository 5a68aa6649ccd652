"""Ctrl-C, SIGTERM and SIGHUP end everything in order, and once: an impatient second one changes nothing."""

import contextlib
import signal
from collections.abc import Iterator
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interrupted_once() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first of these signals inside the block; pass over those that follow.

    Children are being ended then, each in its order, which a second exception would cut short.
    """

    def interrupt(_number: int, _frame: object) -> NoReturn:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
