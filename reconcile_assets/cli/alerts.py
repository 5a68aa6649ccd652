"""``alerts``: what the outbox holds, and a test message to each destination."""

import argparse
import os
from typing import TYPE_CHECKING, Any

from reconcile_assets.cli.output import print_json, print_table, say
from reconcile_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from reconcile_assets.configuration.models import Config
    from reconcile_assets.core.report_inputs import AlertFigures

_EXAMPLES = """\
examples:
  reconcile-assets alerts outbox --pending
  reconcile-assets alerts test ops

exit codes: 0 done, every test message arrived; 2 one did not, or it could not be done
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's parser and those of its parts."""
    parser = subparsers.add_parser("alerts", help="the alert outbox, and a test of each destination", epilog=_EXAMPLES)
    parts = parser.add_subparsers(title="parts", dest="part", metavar="PART", required=True)
    outbox = parts.add_parser("outbox", help="the latest alerts, newest first, and how far they have come")
    outbox.add_argument("--limit", metavar="N", type=_count, default=20, help="how many alerts (default: 20)")
    outbox.add_argument("--pending", action="store_true", help="only alerts that a destination is still to get")
    test = parts.add_parser("test", help="send a test message to each destination")
    test.add_argument("destinations", nargs="*", metavar="DESTINATION", help="names under alerts (default: all)")


def run(args: argparse.Namespace) -> int:
    """Run one part.

    Raises:
        ReconcileAssetsError: configuration or ledger can't be read.
    """
    from reconcile_assets.cli.arguments import load_configuration

    config = load_configuration(args)
    return _outbox(args, config) if args.part == "outbox" else _test(args, config)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of alerts; write 1 or more")
    return int(text)


def _outbox(args: argparse.Namespace, config: "Config") -> int:
    from reconcile_assets.cli.project_database import project_connections
    from reconcile_assets.cli.report_figures import read_alerts

    with project_connections(config) as connections:
        found = read_alerts(connections.ledger(), config)
    alerts = [alert for alert in found if not (args.pending and alert.settled)][: args.limit]
    if args.json:
        print_json({"alerts": [alert.to_dict() for alert in alerts]})
        return 0
    columns = ("when (UTC)", "table", "check", "what", "severity", "partitions", "destinations", "alert")
    print_table(columns, [_row(alert) for alert in alerts])
    return 0


def _row(alert: "AlertFigures") -> tuple[object, ...]:
    told = [
        f"{each.destination} {'delivered' if each.delivered_at else f'pending, {each.tries} tries'}"
        for each in alert.deliveries
    ]
    where = "; ".join(told) or ("wanted by no route" if alert.settled else "pending")
    when = f"{alert.created_at:%Y-%m-%d %H:%M:%S}"
    return (when, alert.table, alert.check, alert.kind, alert.severity, alert.partitions, where, alert.alert_id)


def _test(args: argparse.Namespace, config: "Config") -> int:
    from reconcile_assets.alerts.trial import try_destinations
    from reconcile_assets.configuration.environment import ui_url

    known = tuple(config.alerts.destinations)
    if not known:
        raise ConfigurationError("no alert destination is configured; add one under alerts.destinations")
    for name in args.destinations:
        if name not in known:
            raise ConfigurationError(f"{name!r} is no alert destination; name one of {', '.join(known)}")
    names = tuple(dict.fromkeys(args.destinations or known))
    trials = try_destinations(config.alerts, names, environ=os.environ, ui_url=ui_url(os.environ))
    if args.json:
        rows = [{"destination": each.destination, "error": each.error, "seconds": each.seconds} for each in trials]
        print_json({"destinations": rows})
    else:
        for each in trials:
            say(f"{each.destination}: {each.error or f'arrived after {each.seconds:.1f} s'}")
    return 2 if any(each.error for each in trials) else 0
