"""What our comparison says of a case, and whether it is right."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconcile_assets import diff
from reconcile_assets.core.compare import Comparison
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets_tests.conformance.cases import MISMATCHED, REFUSED, Case, Expected


@dataclass(frozen=True)
class Answer:
    """An answer to a case on one pair of engines.

    Attributes:
        fault: what is wrong with it, None where nothing is.
        false_equal: tables that differ were called equal.
    """

    fault: str | None
    false_equal: bool = False


def ask(case: Case, source_url: str, target_url: str, *, turned: bool) -> Answer:
    """Compare as a person does; turned, the target is the source."""
    expected = case.expected.turned() if turned else case.expected
    options = turned_options(case.options) if turned else case.options
    urls = (target_url, source_url) if turned else (source_url, target_url)
    if case.asks is not None:
        return Answer(case.asks(*urls))
    try:
        found = diff(urls[0], "t", urls[1], "t", **options)
    except ReconcileAssetsError as error:
        return Answer(None if expected.verdict == REFUSED else f"refuses: {error}")
    fault = fault_of(found, expected, options)
    return Answer(fault, expected.verdict == MISMATCHED and found.verdict.value == "matched")


def turned_options(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Renamed columns the other way round."""
    if "columns" not in options:
        return options
    return {**options, "columns": [":".join(reversed(name.split(":"))) for name in options["columns"]]}


def fault_of(found: Comparison, expected: Expected, options: Mapping[str, Any]) -> str | None:
    """What is wrong with a comparison."""
    counted = found.verdict.value, found.missing_in_target, found.missing_in_source, found.value_differs
    wanted = expected.verdict, expected.missing_in_target, expected.missing_in_source, expected.value_differs
    if counted != wanted:
        return f"says {counted}, not {wanted}; {_comparisons(found)}"
    if expected.differs is not None:
        names = {name.split(":")[-1]: name.split(":")[0] for name in options.get("columns", ())}
        differs = {name.lower(): column.differs for name, column in found.columns.items() if column.differs}
        renamed = {names.get(name, name).lower(): count for name, count in expected.differs.items()}
        if differs != renamed:
            return f"says that {differs} differ, not {renamed}"
    for name in ("null_keys", "duplicate_keys"):
        told = getattr(expected, name)
        if told is not None and (getattr(found.source, name), getattr(found.target, name)) != told:
            return f"counts {name} {getattr(found.source, name)} and {getattr(found.target, name)}, not {told}"
    return _fault_of_document(found)


def _comparisons(found: Comparison) -> str:
    return "; ".join(sorted({column.comparison for column in found.columns.values()} - {"exact"})) or "exact"


def _fault_of_document(found: Comparison) -> str | None:
    """The JSON is one document that lists what was counted."""
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    counted = found.missing_in_target + found.missing_in_source + found.value_differs
    if len(document["differences"]) != min(counted, 100):
        return f"lists {len(document['differences'])} of {counted} differences"
    return None
