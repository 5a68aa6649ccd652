"""What Dagster's UI shows and sends, through the same API."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile_assets.demo.claims import ClaimFailed
from reconcile_assets.serving.graphql import GraphQL

_STATUSES = """
query Statuses($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    __typename
    ... on AssetNode {
      partitionStats { numMaterialized numPartitions numFailed numMaterializing }
      assetChecksOrError {
        __typename
        ... on AssetChecks {
          checks {
            name
            partitionStatuses {
              ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } }
            }
          }
        }
      }
    }
  }
}
"""
_STATS = """
query Stats($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionStats { numMaterialized numFailed } } }
}
"""
_LAUNCH = """
mutation LaunchPartitionBackfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
    ... on InvalidSubsetError { message }
    ... on PartitionKeysNotFoundError { message }
  }
}
"""
_BACKFILL = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } }
  }
}
"""
_TICKS = """
query Schedules($repository: RepositorySelector!) {
  schedulesOrError(repositorySelector: $repository) {
    ... on Schedules { results { name cronSchedule executionTimezone scheduleState { status } } }
  }
}
"""
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "reconcile_assets"}


@dataclass(frozen=True)
class AssetView:
    """One asset's page.

    Attributes:
        checks: by check, partitions by status (``SUCCEEDED``, ``FAILED``, ...).
    """

    materialized: int
    failed: int
    partitions: int
    checks: Mapping[str, Mapping[str, frozenset[str]]]


class DagsterView:
    """Reads pages and presses buttons.

    Args:
        dagster: the web server.
        keys: all partition keys of the assets, in order.
    """

    def __init__(self, dagster: GraphQL, keys: Sequence[str]) -> None:
        self._dagster = dagster
        self._keys = list(keys)
        self._places = {key: place for place, key in enumerate(self._keys)}

    def launch_backfill(self, assets: Collection[str], partitions: Sequence[str]) -> str:
        """Send what the button "Materialize" sends; return the backfill's id.

        Raises:
            ClaimFailed: Dagster did not take it.
        """
        params = {"assetSelection": [{"path": [name]} for name in assets], "partitionNames": list(partitions)}
        reply = self._dagster.ask(_LAUNCH, {"params": params})["launchPartitionBackfill"]
        if reply["__typename"] != "LaunchBackfillSuccess":
            raise ClaimFailed(f"Dagster did not take the backfill: {reply.get('message', reply['__typename'])}")
        return str(reply["backfillId"])

    def backfill_status(self, backfill_id: str) -> str:
        """``REQUESTED``, ``COMPLETED_SUCCESS``, ``COMPLETED_FAILED``, ..."""
        reply = self._dagster.ask(_BACKFILL, {"id": backfill_id})["partitionBackfillOrError"]
        return str(reply.get("status", reply["__typename"]))

    def count_materialized(self, asset: str) -> int:
        """Materialized partitions of an asset."""
        node = self._dagster.ask(_STATS, {"key": {"path": [asset]}})["assetNodeOrError"]
        return int(node["partitionStats"]["numMaterialized"])

    def open_asset(self, asset: str) -> AssetView:
        """An asset's page with the statuses of its checks.

        Raises:
            ClaimFailed: there is no such asset.
        """
        node = self._dagster.ask(_STATUSES, {"key": {"path": [asset]}})["assetNodeOrError"]
        if node["__typename"] != "AssetNode":
            raise ClaimFailed(f"Dagster shows no asset {asset}: {node['__typename']}")
        stats = node["partitionStats"]
        checks = node["assetChecksOrError"].get("checks", ())
        return AssetView(
            materialized=stats["numMaterialized"],
            failed=stats["numFailed"],
            partitions=stats["numPartitions"],
            checks={check["name"]: self._by_status(check["partitionStatuses"]) for check in checks},
        )

    def schedules(self) -> dict[str, str]:
        """Cron expression and zone of each schedule that runs."""
        reply = self._dagster.ask(_TICKS, {"repository": _REPOSITORY})["schedulesOrError"]
        return {
            each["name"]: f"{each['cronSchedule']} ({each['executionTimezone']})"
            for each in reply.get("results", ())
            if each["scheduleState"]["status"] == "RUNNING"
        }

    def _by_status(self, statuses: Mapping[str, Any] | None) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for each in (statuses or {}).get("ranges", ()):
            first, last = self._places[each["startKey"]], self._places[each["endKey"]]
            found.setdefault(each["status"], set()).update(self._keys[first : last + 1])
        return {status: frozenset(keys) for status, keys in found.items()}
