"""The resource that opens the connections of a run.

It holds no configuration of its own: builders close over theirs and ask the resource for
connections, so that one resource serves every table of a code location.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from reconcile_assets.configuration.environment import is_file_database
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.engine.connections import Connections

RESOURCE_KEY = "reconcile_assets"


class ReconcileResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # the parameter only types what create_resource returns, and this resource returns itself
    """Opens the databases that the configuration names.

    Attributes:
        variables: environment variables set on top of the process's own, e.g.
            ``{"SOURCE_DATABASE_URL": dg.EnvVar("OPS_URL")}``. Use ``dg.EnvVar`` for anything
            secret: its value never reaches the run's stored configuration.

    Override ``get_environ`` to take addresses from elsewhere, ``open`` to change how
    connections are made, ``get_now`` in tests.
    """

    variables: dict[str, str] = Field(default_factory=dict)

    def get_environ(self) -> Mapping[str, str]:
        """The variables that URLs are looked up in.

        .. code-block:: python

            class VaultResource(ReconcileResource):
                def get_environ(self):
                    return {**super().get_environ(), "SOURCE_DATABASE_URL": read_vault("ops/url")}
        """
        return {**os.environ, **self.variables}

    @contextmanager
    def open(self, config: Config) -> Iterator[Connections]:
        """Connections for one step or tick; closed at its end.

        .. code-block:: python

            class TunneledResource(ReconcileResource):
                @contextmanager
                def open(self, config):
                    with open_tunnel(), super().open(config) as connections:
                        yield connections
        """
        connections = Connections(config, self.get_environ())
        try:
            yield connections
        finally:
            connections.close()

    def get_now(self) -> datetime:
        """The time that decides which partitions have ended; aware, UTC.

        .. code-block:: python

            class LateResource(ReconcileResource):
                def get_now(self):
                    return super().get_now() - timedelta(hours=6)  # the source loads late
        """
        return datetime.now(UTC)


def pool_of(config: Config, table: TableConfig) -> str | None:
    """The Dagster pool of all steps that open a table's target, where that is a file with one writer; else None.

    A pool has no limit by itself: ``dev`` gives it one slot, elsewhere the instance's settings do. Without it the
    file's own lock keeps writers apart, and one of them waits.
    """
    target = config.target_of(table)
    return f"reconcile_assets_{target}" if is_file_database(target, os.environ) else None
