"""The sensor that makes silence impossible: it finds checks that died and delivers alerts.

Dagster has no sensor on asset checks, a failed check leaves its run green, and a process that
is killed says nothing at all. So every verdict and every attempt stands in the ledger, and
this sensor looks there: what died without a verdict becomes "could not verify", and what the
outbox holds is sent.

A tick never raises: Dagster would run it again and send everything twice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from reconcile_assets.alerts.delivery import deliver_due_alerts
from reconcile_assets.checks import TableChecks
from reconcile_assets.configuration.environment import ui_url
from reconcile_assets.configuration.models import Config
from reconcile_assets.dead_runs import Suspect, bury_dead_attempts, bury_unfinished_runs, fail_gone_runs
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import Ledger
from reconcile_assets.resources import ReconcileResource
from reconcile_assets.translator import ReconcileTranslator

SENSOR_NAME = "reconcile_assets_alerts"
SECONDS_BETWEEN_TICKS = 10


def build_alert_sensor(
    config: Config, *, translator: ReconcileTranslator | None = None, name: str = SENSOR_NAME
) -> dg.SensorDefinition:
    """A running sensor that finds dead checks and delivers due alerts, every 10 seconds.

    Needs the resource ``reconcile_assets`` (a ``ReconcileResource``).

    Args:
        config: the loaded configuration.
        translator: pass the one that the assets are built with.
        name: of the sensor; give each its own when a code location has several.
    """
    chosen = translator or ReconcileTranslator()
    loaded_at = datetime.now(UTC)
    tables = {table.name: TableChecks(config, table, chosen.get_asset_key(table)) for table in config.tables}

    @dg.sensor(
        name=name,
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Finds checks that died without a verdict, and delivers alerts.",
    )
    def alerts(context: dg.SensorEvaluationContext, reconcile_assets: ReconcileResource) -> dg.SensorResult:
        memory = SensorMemory.from_cursor(context.cursor)
        try:
            close_removed_checks(reconcile_assets, config, loaded_at=loaded_at)
            found, memory = run_tick(context.instance, reconcile_assets, config=config, tables=tables, memory=memory)
        except ReconcileAssetsError as error:
            found = f"{type(error).__name__}: {error}"
            context.log.error(found)
        except Exception as error:  # noqa: BLE001  # the boundary of a tick: one that raises is run again and sends twice
            found = f"the tick ended with {type(error).__name__}; the next one tries again"
            context.log.error(found)
        return dg.SensorResult(skip_reason=dg.SkipReason(found), cursor=memory.to_cursor())

    return alerts


@dataclass(frozen=True)
class SensorMemory:
    """What one tick tells the next; kept in the sensor's cursor.

    Attributes:
        suspects: attempts that look dead, by id.
        looked_at: runs that ended badly before were looked at.
    """

    suspects: Mapping[str, Suspect] = field(default_factory=dict)
    looked_at: datetime | None = None

    @classmethod
    def from_cursor(cls, cursor: str | None) -> "SensorMemory":
        """Read a cursor; one of another version counts as none."""
        try:
            known: dict[str, Any] = json.loads(cursor or "{}")
            suspects = {
                attempt: Suspect(heartbeat, datetime.fromisoformat(seen_at))
                for attempt, (heartbeat, seen_at) in known.get("suspects", {}).items()
            }
            looked_at = datetime.fromisoformat(known["looked_at"]) if known.get("looked_at") else None
        except (ValueError, TypeError, AttributeError):
            return cls()
        return cls(suspects, looked_at)

    def to_cursor(self) -> str:
        """As text."""
        suspects = {attempt: [each.heartbeat, each.seen_at.isoformat()] for attempt, each in self.suspects.items()}
        return json.dumps({"suspects": suspects, "looked_at": self.looked_at and self.looked_at.isoformat()})


def close_removed_checks(resource: ReconcileResource, config: Config, *, loaded_at: datetime) -> int:
    """Close the last state of checks that are configured no more; returns how many there were.

    Args:
        loaded_at: when the configuration was read; a check with a verdict since then is somebody else's.

    Raises:
        ReconcileAssetsError: the ledger cannot be reached or used.
    """
    closed = 0
    with resource.open(config) as connections:
        for table in config.tables:
            names = [check.check_name for check in table.checks]
            closed += len(connections.ledger().close_removed_checks(table.name, names, before=loaded_at))
    return closed


def run_tick(
    instance: dg.DagsterInstance,
    resource: ReconcileResource,
    *,
    config: Config,
    tables: Mapping[str, TableChecks],
    memory: SensorMemory,
) -> tuple[str, SensorMemory]:
    """One tick: deliver what is due, then find what died; its alerts go out with the next tick.

    In this order nothing that is wrong with a dead run can hold an alert back.


    Returns:
        what was done, in one line, and the memory for the next tick.

    Raises:
        ReconcileAssetsError: the ledger cannot be reached or used; nothing was sent then.
    """
    now = resource.get_now()
    with resource.open(config) as connections:
        ledger = connections.ledger()
        delivered = _deliver(ledger, resource, config, now)
        fail_gone_runs(instance, tables=tables)
        buried, suspects = bury_dead_attempts(instance, ledger, tables=tables, suspects=memory.suspects, now=now)
        missing, looked_at = bury_unfinished_runs(instance, ledger, tables=tables, since=memory.looked_at, now=now)
    done = f"{delivered}; {buried} dead attempts and {missing} unverified checks found"
    return done, SensorMemory(suspects, looked_at)


def _deliver(ledger: Ledger, resource: ReconcileResource, config: Config, now: datetime) -> str:
    environ = resource.get_environ()
    report = deliver_due_alerts(ledger, config.alerts, environ=environ, ui_url=ui_url(environ), now=now)
    return f"{report.delivered} alerts delivered, {report.failed} failed"
