"""Which destinations want an alert."""

from reconcile_assets.configuration.alerts import AlertsConfig, MatchConfig
from reconcile_assets.ledger.records import Alert


def find_destinations(alerts: AlertsConfig, alert: Alert) -> tuple[str, ...]:
    """The names of the destinations that want the alert, each once, in the order of the routes.

    A route wants it when each part of its ``match`` that is given holds; every route that does adds
    its destinations. Without routes all destinations want everything. No name at all means that
    nobody wants it.
    """
    if not alerts.routes:
        return tuple(alerts.destinations)
    found: dict[str, None] = {}
    for route in alerts.routes:
        if _matches(route.match, alert):
            found.update(dict.fromkeys(route.to))
    return tuple(found)


def _matches(match: MatchConfig, alert: Alert) -> bool:
    return (
        (match.severity is None or match.severity == alert.severity)
        and (match.tables is None or alert.table in match.tables)
        and (match.checks is None or alert.check in match.checks)
    )
