"""Which destinations want an alert."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reconcile_assets.alerts.routes import find_destinations
from reconcile_assets.configuration.alerts import AlertsConfig
from reconcile_assets.ledger.records import Alert

ALERT = Alert("id", 1, "flights", "rows", "failed", "ERROR", {}, datetime(2026, 3, 29, tzinfo=UTC))
NAMES = ("ops", "data", "page")


def wanted(*routes: dict[str, Any], names: tuple[str, ...] = NAMES) -> tuple[str, ...]:
    destinations = {name: {"url_env": f"{name.upper()}_URL"} for name in names}
    return find_destinations(AlertsConfig.model_validate({"routes": routes, "destinations": destinations}), ALERT)


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"severity": "ERROR"},
        {"tables": ["flights", "weather"]},
        {"checks": ["rows"]},
        {"severity": "ERROR", "tables": ["flights"], "checks": ["rows"]},
    ],
)
def test_a_route_takes_what_each_part_of_its_match_takes(match: dict[str, Any]) -> None:
    assert wanted({"match": match, "to": ["ops"]}) == ("ops",)


@pytest.mark.parametrize(
    "match",
    [{"severity": "WARN"}, {"tables": ["weather"]}, {"checks": ["row_count"]}, {"severity": "ERROR", "tables": []}],
)
def test_a_route_leaves_what_one_part_of_its_match_leaves(match: dict[str, Any]) -> None:
    assert wanted({"match": match, "to": ["ops"]}) == ()


def test_without_routes_every_destination_wants_everything() -> None:
    assert wanted() == NAMES


def test_without_destinations_nobody_wants_anything() -> None:
    assert wanted(names=()) == ()


def test_routes_add_up_and_name_each_destination_once() -> None:
    assert wanted({"to": ["data", "ops"]}, {"match": {"severity": "ERROR"}, "to": ["ops", "page"]}) == (
        "data",
        "ops",
        "page",
    )
