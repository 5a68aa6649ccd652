"""Both sides at once: two databases work while one thread each waits for them."""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar

from reconcile_assets.databases.base import Session
from reconcile_assets.errors import ReconcileAssetsError

S = TypeVar("S")
T = TypeVar("T")


def on_both_sides(
    source: Session, target: Session, on_source: Callable[[], S], on_target: Callable[[], T]
) -> tuple[S, T]:
    """Run one call on each session at the same time; when one fails, the other's statement is cancelled.

    Raises:
        whatever the first call to fail has raised.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="compare") as pool:
        first = pool.submit(on_source)
        second = pool.submit(on_target)
        try:
            futures: list[Future[Any]] = [first, second]
            wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            _cancel(source, target)
            raise
        if first.done() and first.exception() is not None:
            _cancel(target)
            return first.result(), second.result()
        if second.done() and second.exception() is not None:
            _cancel(source)
            second.result()
        return first.result(), second.result()


def _cancel(*sessions: Session) -> None:
    for session in sessions:
        with suppress(ReconcileAssetsError):
            session.cancel()
