"""A verdict keeps its meaning as long as the check's fingerprint does."""

from typing import Any

import pytest

from reconcile_assets.configuration.fingerprint import check_fingerprints
from reconcile_assets.configuration.models import Config
from reconcile_assets.core.verdicts import CheckVerdict, Verdict

CHECKS: list[dict[str, Any]] = [
    {"type": "row_count"},
    {"type": "rows", "tolerances": {"x": {"abs_tol": 0.1}, "y": {"seconds": 1}}},
    {"type": "aggregate", "function": "sum", "column": "x"},
    {"type": "sql", "name": "revenue", "source": "SELECT 1", "target": "SELECT 1"},
    {"type": "schema"},
    {"type": "freshness", "max_lag": "2h"},
    {"type": "rows", "against": "reporting"},
]
TABLE: dict[str, Any] = {
    "name": "orders",
    "source_table": "ops.orders",
    "target_table": "warehouse.orders",
    "key": ["id"],
    "partition": {"column": "at", "by": "day", "start": "2024-01-01"},
    "columns": {"exclude": ["a", "b"], "rename": {"c": "d"}},
    "checks": CHECKS,
}
ALL = frozenset({"row_count", "rows", "aggregate_sum_x", "revenue", "schema", "freshness", "rows_reporting"})


def fingerprints(*, config: dict[str, Any] | None = None, **table: Any) -> dict[str, str]:
    loaded = Config.model_validate({"tables": [TABLE | table], **(config or {})})
    return dict(check_fingerprints(loaded, loaded.tables[0]))


def changed(**options: Any) -> set[str]:
    before, after = fingerprints(), fingerprints(**options)
    return {name for name in before if after.get(name) not in (None, before[name])}


def with_check(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [check | fields if each == number else check for each, check in enumerate(CHECKS)]


def test_every_check_has_its_own() -> None:
    found = fingerprints()
    assert found.keys() == ALL
    assert len(set(found.values())) == len(ALL)


@pytest.mark.parametrize(
    ("options", "checks"),
    [
        ({"source_table": "ops.other"}, ALL),
        ({"target_table": "warehouse.other"}, ALL),
        ({"source": "other"}, ALL - {"rows_reporting"}),
        ({"config": {"target": "other"}}, ALL),
        ({"partition": {**TABLE["partition"], "column": "seen"}}, ALL),
        ({"partition": {**TABLE["partition"], "timezone": "Europe/Berlin"}}, ALL),
        ({"key": ["id", "line"]}, {"rows", "rows_reporting"}),
        (
            {"columns": {"exclude": ["a"], "rename": {"c": "d"}}},
            {"rows", "rows_reporting", "schema", "aggregate_sum_x"},
        ),
        ({"columns": {"exclude": ["a", "b"]}}, {"rows", "rows_reporting", "schema", "aggregate_sum_x"}),
        ({"checks": with_check(0, rel_tol=0.1)}, {"row_count"}),
        ({"checks": with_check(1, tolerances={"x": {"abs_tol": 0.2}, "y": {"seconds": 1}})}, {"rows"}),
        ({"checks": with_check(1, max_differences=1)}, {"rows"}),
        ({"checks": with_check(2, function="max", name="aggregate_sum_x")}, {"aggregate_sum_x"}),
        ({"checks": with_check(3, source="SELECT 2")}, {"revenue"}),
        ({"checks": with_check(5, max_lag="3h")}, {"freshness"}),
    ],
)
def test_what_a_check_looks_at_and_how_changes_it(options: dict[str, Any], checks: set[str]) -> None:
    assert changed(**options) == checks


@pytest.mark.parametrize(
    "options",
    [
        {"name": "renamed"},
        {"partition": {**TABLE["partition"], "start": "2023-01-01", "end": "2025-01-01", "lookback": 9}},
        {"reconcile": {"cron": "@daily", "partitions": "all"}},
        {"partitions_per_run": 7},
        {"columns": {"exclude": ["b", "a"], "rename": {"c": "d"}, "mask": ["x"]}},
        {"checks": with_check(0, severity="WARN", blocking=True, rel_tol=0.0)},
        {"checks": with_check(1, tolerances={"y": {"seconds": 1}, "x": {"abs_tol": 0.1, "rel_tol": 0}})},
    ],
)
def test_what_only_says_when_and_how_loudly_does_not(options: dict[str, Any]) -> None:
    assert changed(**options) == set()


def test_a_query_that_is_used_as_a_table_counts_without_its_last_semicolon() -> None:
    one, other, third = (
        fingerprints(source_table=None, source_query=query)
        for query in ("SELECT * FROM a", " SELECT * FROM a; ", "SELECT * FROM b")
    )
    assert one == other
    assert not set(one.values()) - {one["rows_reporting"]} & set(third.values())


@pytest.mark.parametrize(
    ("verdict", "known", "now", "holds"),
    [
        (Verdict.MATCHED, "f", "f", True),
        (Verdict.MATCHED, "f", "g", False),
        (Verdict.MISMATCHED, "f", "g", False),
        (Verdict.MATCHED, None, "g", False),
        (Verdict.INCONCLUSIVE, "f", "g", False),
        (Verdict.INCONCLUSIVE, None, "g", True),
        (Verdict.MATCHED, None, None, True),
    ],
)
def test_a_verdict_holds_under_its_own_configuration_only(
    verdict: Verdict, known: str | None, now: str | None, holds: bool
) -> None:
    assert CheckVerdict("t", "c", "p", verdict, configuration=known).is_of_configuration(now) is holds
