"""Applying queued writes to a database: each exactly once, in one transaction with the note that it was.

Prevents that a kill between COMMIT and settling, a lost reply to COMMIT, or two processes that flush
at once double a write. It goes through the circuit breaker of its connection, so that a database
that is away is left alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from reconcile_assets.core.queued_writes import QueuedWrite
from reconcile_assets.databases.base import Database
from reconcile_assets.databases.row_changes import change_rows
from reconcile_assets.databases.writing import Writer
from reconcile_assets.errors import (
    AlreadyRunning,
    AuthenticationFailed,
    ConfigurationError,
    PermanentError,
    SerializationConflict,
    UnknownOutcome,
)
from reconcile_assets.ledger import claim_writes, ensure_target_ledger
from reconcile_assets.resilience import CircuitBreaker, RetryPolicy
from reconcile_assets.resilience.retry import retrying

LOCK_WAIT = 10.0
COMMIT_WAIT = 20.0
POLICY = RetryPolicy(tries=4, total=20.0, first=0.1, longest=2.0)
# They pass by themselves, and the database is there: worth another look at once.
_RETRIED = (SerializationConflict, UnknownOutcome)


class DatabaseApply:
    """The ``apply`` of a write queue for one database; see :meth:`WriteQueue.flush`.

    ::

        apply = DatabaseApply(open_database(url, name="target"), CircuitBreaker("target", store))
        queue.flush(apply)

    The database must let this role create its small table ``applied_writes`` (in the schema ``reconcile_assets``, or
    with that prefix), or have it already.

    Args:
        breaker: of the database.
        lock_wait: the most seconds to wait for a lock that another one holds.
        commit_wait: the most seconds to wait for the reply to COMMIT.
        sleep: of a pause between two tries.
    """

    def __init__(
        self,
        database: Database,
        breaker: CircuitBreaker,
        *,
        policy: RetryPolicy = POLICY,
        lock_wait: float = LOCK_WAIT,
        commit_wait: float = COMMIT_WAIT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._breaker = breaker
        self._policy = policy
        self._lock_wait = lock_wait
        self._commit_wait = commit_wait
        self._sleep = sleep
        self._prepared = False
        self._lost: object | None = None

    def __call__(self, writes: Sequence[QueuedWrite]) -> None:
        """Apply those of the writes that the database does not have yet, in their order, in one transaction.

        Raises:
            CircuitOpen: the breaker lets nothing through; nothing was tried.
            UnknownOutcome: the reply to COMMIT was lost, and what became of it could not be found out; ask again.
            AuthenticationFailed, ConfigurationError: the database can't be used by anyone.
            ReconcileAssetsError: nothing was written.
        """
        retrying(self._policy, retried=_RETRIED, sleep=self._sleep)(self._apply, writes)

    def _apply(self, writes: Sequence[QueuedWrite]) -> None:
        with self._breaker.guard():
            if not self._prepared:
                self._prepare()
            with self._writer() as writer:
                known = claim_writes(
                    writer.session.sqlalchemy(),
                    [write.idempotency_key for write in writes],
                    label=self._database.name,
                )
                change_rows(writer, [write for write in writes if write.idempotency_key not in known])
                self._commit(writer)

    def _prepare(self) -> None:
        with self._writer() as writer:
            connection = writer.session.sqlalchemy()
            connection.begin()  # so that the commit is ours, with its deadline
            with _of_the_database():
                ensure_target_ledger(connection, label=self._database.name)
            writer.commit(self._commit_wait)
        self._prepared = True

    def _commit(self, writer: Writer) -> None:
        try:
            writer.commit(self._commit_wait)
        except UnknownOutcome as error:
            self._lost = writer.token
            raise UnknownOutcome(
                f"{self._database.name}: {error}; the writes stay in the queue, and the database is asked for them"
            ) from None

    @contextmanager
    def _writer(self) -> Iterator[Writer]:
        """A writing transaction; one of ours whose connection broke holds no locks any more then."""
        with ExitStack() as stack:
            with _of_the_database():
                writer = stack.enter_context(self._database.writing(lock_wait=self._lock_wait))
            if self._lost is not None:
                writer.end_lost(self._lost)
                self._lost = None
            yield writer


@contextmanager
def _of_the_database() -> Iterator[None]:
    """A refusal here meets every write, and is no write's own fault."""
    try:
        yield
    except (AlreadyRunning, AuthenticationFailed):
        raise
    except PermanentError as error:
        raise ConfigurationError(str(error)) from None
