"""Retry and circuit breaker: usable alone by an application, without Dagster.

>>> from reconcile_assets.resilience import CircuitBreaker, MemoryBreakers, retry_call
>>> breaker = CircuitBreaker("billing", MemoryBreakers())
>>> breaker.call(lambda: retry_call(lambda: "paid"))
'paid'
"""

from reconcile_assets.core.breakers import BreakerPolicy, BreakerRecord, BreakerState
from reconcile_assets.resilience.breaker_stores import BreakerStore, MemoryBreakers, StandbyBreakers
from reconcile_assets.resilience.circuit_breaker import CircuitBreaker
from reconcile_assets.resilience.degradation import Answer, AnswerCache, AnswerSource, with_degradation
from reconcile_assets.resilience.retry import RetryPolicy, retry_call, retrying

__all__ = [
    "Answer",
    "AnswerCache",
    "AnswerSource",
    "BreakerPolicy",
    "BreakerRecord",
    "BreakerState",
    "BreakerStore",
    "CircuitBreaker",
    "MemoryBreakers",
    "RetryPolicy",
    "StandbyBreakers",
    "retry_call",
    "retrying",
    "with_degradation",
]
