"""Runs that a killed session left."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconcile_assets.errors import PermanentError
from reconcile_assets.serving.graphql import GraphQL
from reconcile_assets.serving.leftovers import cancel_leftover_runs


class FakeDagster(GraphQL):
    """Has some runs; remembers which were canceled."""

    def __init__(self, *runs: str, answer: str = "Runs") -> None:
        self.runs = runs
        self.answer = answer
        self.canceled: list[str] = []
        self.asked_before: float | None = None

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        assert variables is not None
        if "mutation" in query:
            self.canceled += variables["ids"]  # type: ignore[arg-type]  # a list of ids
            return {"terminateRuns": {"__typename": "TerminateRunsResult"}}
        self.asked_before = variables["before"]  # type: ignore[assignment]  # a time
        return {"runsOrError": {"__typename": self.answer, "results": [{"runId": run} for run in self.runs]}}


def test_runs_that_were_under_way_before_are_canceled() -> None:
    dagster = FakeDagster("a", "b")
    assert cancel_leftover_runs(dagster, before=12.5) == 2
    assert dagster.canceled == ["a", "b"]


def test_only_runs_of_before_this_session_are_asked_for() -> None:
    dagster = FakeDagster()
    cancel_leftover_runs(dagster, before=12.5)
    assert dagster.asked_before == 12.5


def test_without_any_nothing_is_canceled() -> None:
    dagster = FakeDagster()
    assert cancel_leftover_runs(dagster, before=0.0) == 0
    assert dagster.canceled == []


def test_an_answer_that_is_no_list_is_an_error() -> None:
    with pytest.raises(PermanentError, match="does not list its runs"):
        cancel_leftover_runs(FakeDagster(answer="PythonError"), before=0.0)
