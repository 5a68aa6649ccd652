"""What a check's verdict depends on, as one short text: a verdict means nothing under another configuration."""

import hashlib
import json
from collections.abc import Mapping

from reconcile_assets.configuration.models import CheckConfig, Config, TableConfig

_NO_MATTER = {"type", "name", "severity", "blocking", "against"}  # type and against are told apart below
_OF_COLUMNS = frozenset({"rows", "schema", "aggregate"})


def check_fingerprint(config: Config, table: TableConfig, check: CheckConfig) -> str:
    """16 hex digits, equal exactly when the check would look at the same things in the same way.

    What is compared with what, by which windows, columns, key and tolerances, and queries count; names,
    severity, cadence, masks and the range of partitions do not. Options at their defaults count as absent,
    so that an option added later changes no fingerprint.
    """
    facts: dict[str, object] = {
        "type": check.type,
        "source": [check.against or config.source_of(table), table.source_table, _trimmed(table.source_query)],
        "target": [config.target_of(table), table.target_table],
        "partition": [table.partition.column, table.partition.by.value, table.partition.timezone],
        "options": check.model_dump(mode="json", exclude=_NO_MATTER, exclude_defaults=True),
    }
    if check.type == "rows":
        facts["key"] = list(table.key)
    if check.type in _OF_COLUMNS:
        facts["columns"] = _without_mask(table)
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_fingerprints(config: Config, table: TableConfig) -> Mapping[str, str]:
    """The fingerprint of each check of a table, by the check's name."""
    return {check.check_name: check_fingerprint(config, table, check) for check in table.checks}


def _trimmed(query: str | None) -> str | None:
    return None if query is None else query.strip().rstrip(";")


def _without_mask(table: TableConfig) -> Mapping[str, object]:
    columns = table.columns.model_dump(mode="json", exclude={"mask"}, exclude_defaults=True)
    return {**columns, "exclude": sorted(table.columns.exclude)}
