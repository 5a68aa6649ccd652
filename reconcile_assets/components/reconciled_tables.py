"""The YAML front: one component whose attributes are the whole configuration.

It adds nothing of its own: the same builders serve a project that writes Python. Its schema is
the configuration's model, so ``dg`` documents and checks the very fields that the command line
reads.
"""

from dataclasses import dataclass, field

import dagster as dg
from pydantic import BaseModel

from reconcile_assets.assets import build_backfill_assets
from reconcile_assets.checks import build_reconciliation_checks
from reconcile_assets.configuration.loading import parse_attributes
from reconcile_assets.configuration.models import Config
from reconcile_assets.resources import RESOURCE_KEY, ReconcileResource
from reconcile_assets.schedules import build_reconciliation_schedules
from reconcile_assets.sensors import SENSOR_NAME, build_alert_sensor
from reconcile_assets.translator import ReconcileTranslator

_RESOURCE = ReconcileResource()  # one object, so that several components of one project agree on it


@dataclass
class ReconciledTables(dg.Component, dg.Resolvable):
    """Tables that are filled from a source, and green only where they have been proved equal to it.

    .. code-block:: yaml

        type: reconcile_assets.components.ReconciledTables
        attributes:
          tables:
            - name: flights
              source_table: ops.flights
              target_table: warehouse.flights
              key: [flight_id]
              partition: {column: scheduled_at, by: day, start: "2013-01-01"}

    Override ``get_translator`` or ``get_resource`` in a subclass to change how things look or
    connect:

    .. code-block:: python

        class TeamTables(ReconciledTables):
            def get_translator(self):
                return TeamTranslator()
    """

    config: Config = field(default_factory=Config)

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The configuration's own model is the component's schema."""
        return Config

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> "ReconciledTables":
        """Fill in templates (``{{ env.NAME }}``) and validate what came of them."""
        written = model.model_dump(exclude_unset=True)
        resolved = context.resolve_value(written)
        config = model if resolved == written else parse_attributes(resolved)
        if not isinstance(config, Config):
            raise TypeError(f"the attributes are a {type(model).__name__}, not a configuration")
        return cls(config=config)

    def get_translator(self) -> ReconcileTranslator:
        """How tables and checks look in Dagster.

        .. code-block:: python

            class TeamTables(ReconciledTables):
                def get_translator(self):
                    return TeamTranslator()
        """
        return ReconcileTranslator()

    def get_resource(self) -> ReconcileResource:
        """What opens the connections.

        .. code-block:: python

            class VaultTables(ReconciledTables):
                def get_resource(self):
                    return VaultResource()
        """
        return _RESOURCE

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Definitions of every table; several components in one project each get a sensor of their own."""
        return self.build_definitions(sensor_name=f"{SENSOR_NAME}_{context.path.stem}")

    def build_definitions(self, *, sensor_name: str = SENSOR_NAME) -> dg.Definitions:
        """The same without a defs folder."""
        if not self.config.tables:
            return dg.Definitions()
        translator = self.get_translator()
        return dg.Definitions(
            assets=build_backfill_assets(self.config, translator=translator),
            asset_checks=build_reconciliation_checks(self.config, translator=translator),
            schedules=build_reconciliation_schedules(self.config, translator=translator),
            sensors=[build_alert_sensor(self.config, translator=translator, name=sensor_name)],
            resources={RESOURCE_KEY: self.get_resource()},
        )
