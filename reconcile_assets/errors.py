"""Every error that this package raises on purpose, as one tree.

An error says what happened, which value, and what to do next, in one line and
without row values or secrets: it may be shown to anyone.

::

    ReconcileAssetsError
    ├── TransientError            trying again may help
    │   ├── DatabaseUnavailable   refused, unreachable, starting up, shut down
    │   ├── ConnectionLost        cut in the middle of a statement
    │   ├── SerializationConflict deadlock or serialization failure
    │   └── StatementTimeout      the statement ran into its time limit
    ├── PermanentError            trying again the same way fails the same way
    │   ├── ConfigurationError    a file, a variable or an argument is wrong
    │   ├── AuthenticationFailed  wrong user or password
    │   ├── UnknownEngine         no such kind of database, or its driver is not installed
    │   ├── MissingObject         table, column, schema or database is not there
    │   ├── PermissionDenied      the role lacks a privilege
    │   ├── QueryRefused          the database refused a query that a person wrote
    │   ├── ConstraintRefused     the target's constraint refused a row
    │   │   └── RowsCollide       because of another row: unique, exclusion, foreign key
    │   ├── LossyWrite            the target's type would change a value
    │   ├── NotComparable         the comparison asked for is not defined
    │   ├── AlreadyRunning        port, state folder or lock is held by another process
    │   └── LedgerCorrupt         the audit chain or a kept file does not verify
    ├── QueueFull                 the write queue takes no more; nothing was dropped for it
    ├── CircuitOpen               a dependency that is down is left alone; nothing was tried
    ├── ProofFailed               what stands in the target is not what was read; rolled back
    ├── CouldNotVerify            the outcome of a comparison is not known
    └── UnknownOutcome            the reply to COMMIT was lost; look the batch id up
"""


class ReconcileAssetsError(Exception):
    """The root: catch this to catch everything this package raises on purpose."""

    exit_code = 2


class TransientError(ReconcileAssetsError):
    """Trying again may help."""


class DatabaseUnavailable(TransientError):
    """The server refused the connection, could not be reached, or is starting or stopping."""


class ConnectionLost(TransientError):
    """The connection was cut while it was in use."""


class SerializationConflict(TransientError):
    """A deadlock or serialization failure: the transaction may be tried again as it was."""


class StatementTimeout(TransientError):
    """The statement ran into its time limit."""


class PermanentError(ReconcileAssetsError):
    """Trying again the same way fails the same way."""


class ConfigurationError(PermanentError):
    """A configuration file, an environment variable or an argument is wrong."""


class AuthenticationFailed(PermanentError):
    """The server knows the address but refuses the user or the password."""


class UnknownEngine(PermanentError):
    """The URL names no known kind of database, or its driver is not installed."""


class MissingObject(PermanentError):
    """A table, column, schema or database is not there."""


class PermissionDenied(PermanentError):
    """The role lacks a privilege that the work needs."""


class QueryRefused(PermanentError):
    """The database refused a query or a condition that a person wrote."""


class ConstraintRefused(PermanentError):
    """A constraint of the target refused a row; the message names the constraint, no values."""


class RowsCollide(ConstraintRefused):
    """A constraint between rows: the row in the way, or the one that is wanted, may be of another partition."""


class LossyWrite(PermanentError):
    """The target's type cannot hold a value as it is."""


class NotComparable(PermanentError):
    """The comparison asked for is not defined: no key, a tolerance on text, an unknown column."""


class AlreadyRunning(PermanentError):
    """A port, state folder or lock is held by another process."""


class LedgerCorrupt(PermanentError):
    """An audit chain or a kept file does not verify; the first bad entry is named."""


class QueueFull(ReconcileAssetsError):
    """As many writes wait as may: this one was not taken, and none was dropped for it."""


class CircuitOpen(ReconcileAssetsError):
    """The breaker of a dependency refuses calls; not to be retried before it lets one through.

    Attributes:
        retry_after: seconds until the next probe may begin.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProofFailed(ReconcileAssetsError):
    """What stands in the target is not what was read from the source; the write was rolled back."""


class CouldNotVerify(ReconcileAssetsError):
    """A comparison ended without a result: it is neither equal nor different."""


class UnknownOutcome(ReconcileAssetsError):
    """The reply to COMMIT was lost: settle it by looking the batch id up, never by guessing."""
