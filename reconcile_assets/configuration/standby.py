"""Settings that this version reads and validates but does not act on yet; ``doctor`` says so."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from reconcile_assets.configuration.base import Frozen
from reconcile_assets.configuration.values import (
    ConnectionName,
    Cron,
    DefinitionName,
    Duration,
    NotNegative,
    Positive,
    Text,
    VariableName,
)


class CriticalTableConfig(Frozen):
    """A table that is written to two stores at once."""

    name: DefinitionName
    connection: ConnectionName
    table: Text
    key: tuple[Text, ...] = Field(min_length=1)
    divergence_threshold: NotNegative = 0
    cron: Cron = "*/5 * * * *"


class QueueConfig(Frozen):
    """The queue of writes that wait for a database."""

    capacity: Positive = 1000
    warn_at: Positive = 100
    max_tries: Positive = 10


class ProbeConfig(Frozen):
    """A service that is asked whether it is healthy."""

    name: DefinitionName
    type: Literal["http"] = "http"
    url_env: VariableName


class HealthConfig(Frozen):
    """How often services are probed, and after how many failures one counts as down."""

    every: Duration = timedelta(seconds=30)
    failures: Positive = 3
    probes: tuple[ProbeConfig, ...] = ()
