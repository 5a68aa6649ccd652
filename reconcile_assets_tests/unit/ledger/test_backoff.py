"""Delays between tries."""

from datetime import timedelta

import pytest

from reconcile_assets.ledger.outbox import FIRST_DELAY, LONGEST_DELAY, backoff_delay


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 2), (1, 2), (2, 4), (3, 8), (7, 128), (8, 256), (9, 300), (50, 300), (10_000, 300)]
)
def test_the_longest_delay_doubles_up_to_five_minutes(tries: int, seconds: int) -> None:
    assert backoff_delay(tries, lambda: 1.0) == timedelta(seconds=seconds)


def test_the_jitter_is_full() -> None:
    assert backoff_delay(5, lambda: 0.0) == timedelta(0)
    assert backoff_delay(1, lambda: 0.5) == FIRST_DELAY / 2
    assert backoff_delay(99, lambda: 0.25) == LONGEST_DELAY / 4
