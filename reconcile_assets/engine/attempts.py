"""A run's word in the ledger that it is at work, so that its sudden death is noticed."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.windows import Partition
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import Attempt, Ledger, heartbeat

logger = logging.getLogger(__name__)


@contextmanager
def attempt_recorded(
    ledger: Ledger,
    *,
    run_id: str,
    step: str,
    table: TableConfig,
    partitions: Sequence[Partition],
    checks: Collection[str] | None = None,
) -> Iterator[None]:
    """Keep an attempt alive while the body works.

    A process that dies leaves it open: then its checks and partitions without a verdict become
    inconclusive, with an alert. So does an error of a reconciliation, which promises verdicts;
    a backfill's error speaks for itself. An interruption by hand (Ctrl-C, SIGTERM, "terminate") is noted
    as such: it leaves the verdicts as they were.

    Args:
        step: ``backfill`` or ``reconcile``.
        checks: names; None for all of the table's.

    Raises:
        ReconcileAssetsError: the attempt could not be written down.
    """
    severities = {
        check.check_name: check.severity for check in table.checks if checks is None or check.check_name in checks
    }
    attempt = ledger.start_attempt(run_id, step, table.name, severities, [each.key for each in partitions])
    left_open = interrupted = False
    try:
        with heartbeat(ledger, attempt):
            yield
    except Exception:
        left_open = step == "reconcile"
        raise
    except (GeneratorExit, SystemExit):  # whoever uses the work has enough of it
        raise
    except BaseException:  # KeyboardInterrupt, and Dagster's own of its kind
        interrupted = True
        raise
    finally:
        if not left_open:
            _finish(ledger, attempt, interrupted=interrupted)


def _finish(ledger: Ledger, attempt: Attempt, *, interrupted: bool) -> None:
    extra = {"run": attempt.run_id, "table": attempt.table}
    try:
        if not ledger.finish_attempt(attempt, interrupted=interrupted):
            logger.warning("the attempt had been taken for dead", extra=extra)
    except ReconcileAssetsError as error:
        logger.warning("the attempt's end could not be written: %s", error, extra=extra)
