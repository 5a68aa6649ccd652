"""The checks of a table, as the YAML writes them: one model per ``type``."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from reconcile_assets.configuration.base import Frozen, refusal
from reconcile_assets.configuration.values import Amount, ConnectionName, DefinitionName, Duration, NotNegative, Text

LONGEST_RECHECK = timedelta(hours=1)
Severity = Literal["ERROR", "WARN"]
AggregateFunction = Literal["sum", "min", "max", "avg", "count", "count_distinct"]


class ToleranceConfig(Frozen):
    """What still counts as equal in one column: as ``math.isclose``, seconds for times, foldings for text."""

    abs_tol: Amount = 0.0
    rel_tol: Amount = 0.0
    seconds: Amount = 0.0
    ignore_case: StrictBool = False
    ignore_trailing_space: StrictBool = False


class _Check(Frozen):
    type: str
    name: DefinitionName | None = None
    severity: Severity = "ERROR"
    blocking: StrictBool = False
    against: ConnectionName | None = None

    @property
    def check_name(self) -> str:
        """The name the check has in Dagster, the ledger and alerts; unique within its table."""
        if self.name is not None:
            return self.name
        return self._default_name() if self.against is None else f"{self._default_name()}_{self.against}"

    def _default_name(self) -> str:
        return self.type


class RowCountCheck(_Check):
    """As many rows on both sides."""

    type: Literal["row_count"] = "row_count"
    abs_tol: Amount = 0.0
    rel_tol: Amount = 0.0


class RowsCheck(_Check):
    """The same rows, column by column, on both sides.

    Attributes:
        recheck_after: rows that differ are looked at again after so long, as they may have been on their way.
    """

    type: Literal["rows"] = "rows"
    tolerances: dict[Text, ToleranceConfig] = Field(default_factory=dict)
    max_differences: NotNegative = 0
    recheck_after: Duration | None = None

    @model_validator(mode="after")
    def _waits_not_too_long(self) -> "RowsCheck":
        if self.recheck_after is not None and self.recheck_after > LONGEST_RECHECK:
            raise refusal("recheck_after", "is longer than an hour, for which every run would wait; write e.g. 30s")
        return self


class AggregateCheck(_Check):
    """One aggregate of one column on both sides."""

    type: Literal["aggregate"] = "aggregate"
    function: AggregateFunction
    column: Text | None = None
    abs_tol: Amount = 0.0
    rel_tol: Amount = 0.0

    @model_validator(mode="after")
    def _needs_a_column(self) -> "AggregateCheck":
        if self.column is None and self.function != "count":
            raise refusal("column", f"is missing; {self.function} needs the column to aggregate")
        return self

    def _default_name(self) -> str:
        column = "" if self.column is None else "_" + re.sub(r"[^A-Za-z0-9_]", "_", self.column)
        return f"aggregate_{self.function}{column}"


class SqlCheck(_Check):
    """A query of a person's own on each side, each giving one number."""

    type: Literal["sql"] = "sql"
    name: DefinitionName
    source: Text
    target: Text
    abs_tol: Amount = 0.0
    rel_tol: Amount = 0.0


class SchemaCheck(_Check):
    """The same columns with types that can hold the same values."""

    type: Literal["schema"] = "schema"


class FreshnessCheck(_Check):
    """The target's latest row is at most ``max_lag`` behind the source's."""

    type: Literal["freshness"] = "freshness"
    max_lag: Duration


CheckConfig = Annotated[
    RowCountCheck | RowsCheck | AggregateCheck | SqlCheck | SchemaCheck | FreshnessCheck,
    Field(discriminator="type"),
]
