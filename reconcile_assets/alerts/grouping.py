"""One message for everything that is due of the same table, check and kind.

A thousand partitions that fail within a minute are one thing to a person. The outbox already
holds one row per recording of verdicts; grouping joins the rows of several recordings.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from reconcile_assets.ledger.records import Alert


@dataclass(frozen=True)
class AlertGroup:
    """Alerts that are told together: same table, check and kind, oldest first, at least one."""

    alerts: tuple[Alert, ...]

    @property
    def table(self) -> str:
        """The asset's name."""
        return self.alerts[0].table

    @property
    def check(self) -> str:
        """The check's name."""
        return self.alerts[0].check

    @property
    def kind(self) -> str:
        """``failed`` or ``recovered``."""
        return self.alerts[0].kind

    @property
    def severity(self) -> str:
        """``ERROR`` as soon as one of the alerts is."""
        return "ERROR" if any(alert.severity == "ERROR" for alert in self.alerts) else "WARN"

    @property
    def alert_ids(self) -> tuple[str, ...]:
        """Oldest first; the first names the message, so that a repeat has the same id."""
        return tuple(alert.alert_id for alert in self.alerts)


def group_alerts(alerts: Iterable[Alert]) -> tuple[AlertGroup, ...]:
    """Join alerts of the same table, check and kind; groups stand in the order of their oldest alert.

    A recovery between two failures stays between them: only neighbours of one table and check are
    joined, else a person would read "recovered" last where the check has failed again since.
    """
    runs: list[list[Alert]] = []
    open_runs: dict[tuple[str, str], list[Alert]] = {}
    for alert in sorted(alerts, key=lambda found: found.position):
        run = open_runs.get((alert.table, alert.check))
        if run is None or run[-1].kind != alert.kind:
            run = []
            open_runs[alert.table, alert.check] = run
            runs.append(run)
        run.append(alert)
    return tuple(AlertGroup(tuple(run)) for run in runs)
