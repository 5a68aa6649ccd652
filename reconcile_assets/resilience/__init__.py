"""Retry, circuit breaker, degradation and the durable write queue: usable alone by an application, without Dagster.

>>> from reconcile_assets.resilience import CircuitBreaker, MemoryBreakers, retry_call
>>> breaker = CircuitBreaker("billing", MemoryBreakers())
>>> breaker.call(lambda: retry_call(lambda: "paid"))
'paid'
"""

from reconcile_assets.core.breakers import BreakerPolicy, BreakerRecord, BreakerState
from reconcile_assets.core.queue_news import NewsKind, QueueNews
from reconcile_assets.core.queued_writes import Operation, QueuedWrite, WriteState
from reconcile_assets.resilience.breaker_stores import BreakerStore, MemoryBreakers, StandbyBreakers
from reconcile_assets.resilience.circuit_breaker import CircuitBreaker
from reconcile_assets.resilience.degradation import Answer, AnswerCache, AnswerSource, with_degradation
from reconcile_assets.resilience.new_writes import NewWrite
from reconcile_assets.resilience.queue_flush import FlushReport, QueueLimits
from reconcile_assets.resilience.retry import RetryPolicy, retry_call, retrying
from reconcile_assets.resilience.write_queue import QueueCounts, WriteQueue

__all__ = [
    "Answer",
    "AnswerCache",
    "AnswerSource",
    "BreakerPolicy",
    "BreakerRecord",
    "BreakerState",
    "BreakerStore",
    "CircuitBreaker",
    "FlushReport",
    "MemoryBreakers",
    "NewWrite",
    "NewsKind",
    "Operation",
    "QueueCounts",
    "QueueLimits",
    "QueueNews",
    "QueuedWrite",
    "RetryPolicy",
    "StandbyBreakers",
    "WriteQueue",
    "WriteState",
    "retry_call",
    "retrying",
    "with_degradation",
]
