"""How far a comparison is: what the engine tells, and nobody needs to hear."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from reconcile_assets.databases.base import CostMeter, Session

T = TypeVar("T")


class Progress(Protocol):
    """Hears how far a comparison is.

    Both sides are worked on in threads of their own, so calls may come from any of them. An answer is
    never waited for: what hears must be quick, and must not raise.
    """

    def begin(self, source: CostMeter, target: CostMeter) -> None:
        """Both sides are connected; their meters count on while rows are read."""
        ...

    def phase(self, name: str, total: int | None = None, *, unit: str = "") -> None:
        """The next thing begins: so many steps of a unit; None where nobody knows."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Steps of the phase are done; of a phase in ``rows``, those that the meters have not counted."""
        ...


class Unheard:
    """Where nobody listens."""

    def begin(self, source: CostMeter, target: CostMeter) -> None:
        """See :meth:`Progress.begin`."""

    def phase(self, name: str, total: int | None = None, *, unit: str = "") -> None:
        """See :meth:`Progress.phase`."""

    def advance(self, steps: int = 1) -> None:
        """See :meth:`Progress.advance`."""


UNHEARD = Unheard()


def count_scan(progress: Progress, session: Session, expected: int, scan: Callable[[], T]) -> T:
    """One side's scan, in a phase of rows: those that the server kept to itself count as done at its end."""
    before = session.cost.rows_read
    found = scan()
    progress.advance(max(0, expected - (session.cost.rows_read - before)))
    return found
