"""What the UI shows, read from Dagster's answers."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconcile_assets.demo.claims import ClaimFailed
from reconcile_assets.demo.dagster_view import DagsterView
from reconcile_assets.serving.graphql import GraphQL

KEYS = ("2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04")


class FakeDagster(GraphQL):
    """Gives one answer; remembers what it was asked."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.variables: Mapping[str, object] | None = None

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        self.variables = variables
        return self.answer


def page(*ranges: tuple[str, str, str]) -> dict[str, Any]:
    statuses = {"ranges": [{"startKey": a, "endKey": b, "status": status} for a, b, status in ranges]}
    return {
        "assetNodeOrError": {
            "__typename": "AssetNode",
            "partitionStats": {"numMaterialized": 3, "numPartitions": 4, "numFailed": 1, "numMaterializing": 0},
            "assetChecksOrError": {"checks": [{"name": "rows", "partitionStatuses": statuses}]},
        }
    }


def test_a_range_holds_both_of_its_ends() -> None:
    ranges = [("2013-01-01", "2013-01-02", "SUCCEEDED"), ("2013-01-04", "2013-01-04", "FAILED")]
    found = DagsterView(FakeDagster(page(*ranges)), KEYS).open_asset("flights")
    assert found.checks["rows"] == {
        "SUCCEEDED": {"2013-01-01", "2013-01-02"},
        "FAILED": {"2013-01-04"},
    }
    assert (found.materialized, found.partitions, found.failed) == (3, 4, 1)


def test_ranges_of_one_status_are_put_together() -> None:
    ranges = [("2013-01-01", "2013-01-01", "FAILED"), ("2013-01-03", "2013-01-04", "FAILED")]
    found = DagsterView(FakeDagster(page(*ranges)), KEYS).open_asset("flights")
    assert found.checks["rows"]["FAILED"] == {"2013-01-01", "2013-01-03", "2013-01-04"}


def test_an_asset_that_is_not_there_is_no_green_one() -> None:
    answer = {"assetNodeOrError": {"__typename": "AssetNotFoundError"}}
    with pytest.raises(ClaimFailed, match="no asset flights"):
        DagsterView(FakeDagster(answer), KEYS).open_asset("flights")


def test_a_check_without_statuses_has_none() -> None:
    answer = page()
    answer["assetNodeOrError"]["assetChecksOrError"]["checks"][0]["partitionStatuses"] = None
    assert DagsterView(FakeDagster(answer), KEYS).open_asset("flights").checks == {"rows": {}}


def test_a_backfill_is_launched_as_the_button_does_it() -> None:
    dagster = FakeDagster({"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "abc"}})
    assert DagsterView(dagster, KEYS).launch_backfill(["flights", "weather"], KEYS[:2]) == "abc"
    assert dagster.variables == {
        "params": {
            "assetSelection": [{"path": ["flights"]}, {"path": ["weather"]}],
            "partitionNames": ["2013-01-01", "2013-01-02"],
        }
    }


def test_a_backfill_that_is_refused_ends_the_story() -> None:
    dagster = FakeDagster({"launchPartitionBackfill": {"__typename": "PythonError", "message": "no"}})
    with pytest.raises(ClaimFailed, match="did not take the backfill: no"):
        DagsterView(dagster, KEYS).launch_backfill(["flights"], KEYS)


def test_only_schedules_that_run_are_shown() -> None:
    def schedule(name: str, status: str) -> dict[str, Any]:
        state = {"status": status}
        return {"name": name, "cronSchedule": "* * * * *", "executionTimezone": "UTC", "scheduleState": state}

    answer = {"schedulesOrError": {"results": [schedule("a", "RUNNING"), schedule("b", "STOPPED")]}}
    assert DagsterView(FakeDagster(answer), KEYS).schedules() == {"a": "* * * * * (UTC)"}
