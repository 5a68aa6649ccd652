"""Trying again: only what may pass, with full jitter, within limits of tries and of time.

Back-off with full jitter is from M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture
Blog, 2015): each pause is drawn evenly between 0 and a bound that doubles up to a cap, so that
many clients which failed together don't come back together.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from reconcile_assets.errors import TransientError

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long something is tried.

    Attributes:
        tries: in all, the first among them; at least 1.
        total: seconds after whose passing no further try begins.
        first: seconds; the first pause is drawn between 0 and this, the bound of each further one is doubled.
        longest: seconds; the cap of that bound.
    """

    tries: int = 5
    total: float = 60.0
    first: float = 0.5
    longest: float = 30.0

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError(f"tries is 1 or more, not {self.tries}")
        for name in ("total", "first", "longest"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is 0 seconds or more, not {getattr(self, name)}")


DEFAULT = RetryPolicy()


def retrying(
    policy: RetryPolicy = DEFAULT,
    *,
    retried: tuple[type[BaseException], ...] = (TransientError,),
    sleep: Callable[[float], None] = time.sleep,
    draw: Callable[[float, float], float] = random.uniform,
    stop: Callable[[tenacity.RetryCallState], bool] | None = None,
    extra: Mapping[str, object] | None = None,
) -> tenacity.Retrying:
    """A caller that tries again: ``retrying()(function, *arguments)`` gives what the function gives.

    An error that carries ``retry_after`` (seconds, as an HTTP server asks for) is waited for at least that long; where
    that is longer than the time left, no further try is made. Everything else, a breaker's refusal among it, is raised
    at once; after the last try the error itself is raised.

    Args:
        retried: errors that may pass.
        sleep, draw: of a pause, and of its length between two bounds; for tests.
        stop: instead of the policy's limits; sees tenacity's state.
        extra: run, table and partition, for the log.
    """

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None) or 0.0
        bound = min(policy.longest, policy.first * 2 ** min(state.attempt_number - 1, 60))
        return max(float(asked), draw(0.0, bound))

    def is_over(state: tenacity.RetryCallState) -> bool:
        spent = (state.seconds_since_start or 0.0) + state.upcoming_sleep
        return state.attempt_number >= policy.tries or spent > policy.total

    def log(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.warning(
            "try %d failed, trying again in %.2f s: %s",
            state.attempt_number,
            state.upcoming_sleep,
            error,
            extra=dict(extra or {}),
        )

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(retried),
        wait=pause,
        stop=stop or is_over,
        sleep=sleep,
        before_sleep=log,
        reraise=True,
    )


def retry_call(
    call: Callable[[], T],
    policy: RetryPolicy = DEFAULT,
    *,
    sleep: Callable[[float], None] = time.sleep,
    draw: Callable[[float, float], float] = random.uniform,
) -> T:
    """Call, and call again while it fails in a way that may pass.

    Raises:
        whatever the last try has raised.
    """
    return retrying(policy, sleep=sleep, draw=draw)(call)
