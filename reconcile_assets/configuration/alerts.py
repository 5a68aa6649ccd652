"""Where alerts go."""

from typing import Literal

from pydantic import Field, model_validator

from reconcile_assets.configuration.base import Frozen, refusal
from reconcile_assets.configuration.values import DefinitionName, Text, VariableName


class MatchConfig(Frozen):
    """Which alerts a route takes; a field left out matches everything."""

    severity: Literal["ERROR", "WARN"] | None = None
    tables: tuple[DefinitionName, ...] | None = None
    checks: tuple[DefinitionName, ...] | None = None


class RouteConfig(Frozen):
    """Alerts that match go to all of these destinations."""

    match: MatchConfig = MatchConfig()
    to: tuple[Text, ...] = Field(min_length=1)


class DestinationConfig(Frozen):
    """An Apprise URL, kept in a variable because it carries the secret."""

    url_env: VariableName


class AlertsConfig(Frozen):
    """Routes and destinations; with destinations and no route, every alert goes to all of them."""

    routes: tuple[RouteConfig, ...] = ()
    destinations: dict[Text, DestinationConfig] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> "AlertsConfig":
        for index, route in enumerate(self.routes):
            for place, name in enumerate(route.to):
                if name not in self.destinations:
                    known = ", ".join(self.destinations) or "none"
                    message = f"is no destination; add it under destinations or use one of: {known}"
                    raise refusal(("routes", index, "to", place), message, name)
        return self
