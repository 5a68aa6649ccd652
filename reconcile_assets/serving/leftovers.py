"""Runs whose process was killed together with everything else: they would hold the queue's places for ever."""

from reconcile_assets.errors import PermanentError
from reconcile_assets.serving.graphql import GraphQL

_FIND = """
query Leftovers($before: Float) {
  runsOrError(filter: {statuses: [STARTING, STARTED, CANCELING], updatedBefore: $before}) {
    __typename ... on Runs { results { runId } } } }
"""
_CANCEL = """
mutation Cancel($ids: [String!]!) {
  terminateRuns(runIds: $ids, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) { __typename } }
"""


def cancel_leftover_runs(dagster: GraphQL, *, before: float) -> int:
    """Mark runs as canceled that were under way before this session; returns how many.

    Only where nobody else runs anything in this storage: the lock on the state folder and the
    embedded database together say so.

    Args:
        dagster: the web server.
        before: seconds since the epoch; runs that changed later are this session's own.
    """
    found = dagster.ask(_FIND, {"before": before})["runsOrError"]
    if found["__typename"] != "Runs":
        raise PermanentError("Dagster does not list its runs")
    ids = [run["runId"] for run in found["results"]]
    if ids:
        dagster.ask(_CANCEL, {"ids": ids})
    return len(ids)
