"""The sensor: alerts are delivered, and what died without a verdict is found. Nothing makes a tick raise."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.test_utils import create_run_for_test
from sqlalchemy.exc import IntegrityError

from reconcile_assets.check_evaluations import report_evaluation
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.ledger import open_ledger
from reconcile_assets.resources import ReconcileResource
from reconcile_assets.sensors import SensorMemory
from reconcile_assets_tests.dagster_world import ORDERS, World, day

ALERTS = {"routes": [{"match": {"severity": "ERROR"}, "to": ["ops"]}], "destinations": {"ops": {"url_env": "OPS_URL"}}}


class FixedNow(ReconcileResource):
    """The product's resource with a clock that stands still."""

    now: str

    def get_now(self) -> datetime:
        return datetime.fromisoformat(self.now)


@pytest.fixture
def lasting_world(dagster_postgres_instance: dg.DagsterInstance, urls: dict[str, str]) -> World:
    """The world with an instance that other processes can join."""
    return World(dagster_postgres_instance, urls)


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What a local receiver of alerts has got."""
    bodies: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OPS_URL", f"json://127.0.0.1:{server.server_port}/")
    yield bodies
    server.shutdown()
    thread.join()
    server.server_close()


def tick(world: World, *, after: timedelta = timedelta(0), cursor: str | None = None) -> dg.SensorResult:
    """One tick as the daemon evaluates it, at a time from now."""
    definitions = world.definitions()
    sensor = definitions.resolve_sensor_def("reconcile_assets_alerts")
    with dg.build_sensor_context(
        instance=world.instance,
        repository_def=definitions.get_repository_def(),
        cursor=cursor,
        resources={"reconcile_assets": FixedNow(now=(datetime.now(UTC) + after).isoformat())},
    ) as context:
        return sensor.evaluate_tick(context)


def test_a_tick_delivers_the_alert_of_a_failed_check(lasting_world: World, received: list[dict[str, Any]]) -> None:
    world = lasting_world
    world.config = world.config.model_validate({**world.config.model_dump(), "alerts": ALERTS})
    world.backfill(0, 1)
    world.execute("DELETE FROM orders WHERE id = 1")
    world.reconcile([day(0), day(1)])
    result = tick(world)
    assert len(received) == 2  # one for each check
    assert any(day(0) in json.dumps(body) for body in received)
    assert day(1) not in json.dumps(received)
    assert "2 alerts delivered" in str(result.skip_message)
    tick(world)
    assert len(received) == 2


def test_a_tick_with_no_ledger_to_reach_says_so_and_does_not_raise(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres:canary@127.0.0.1:1/nowhere")
    result = tick(lasting_world)
    assert "DatabaseUnavailable" in str(result.skip_message)
    assert "canary" not in str(result.skip_message)


def test_a_tick_survives_what_nobody_expected_and_names_only_its_class(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("reconcile_assets.sensors.deliver_due_alerts", explode)
    result = tick(lasting_world, cursor="")
    assert "RuntimeError" in str(result.skip_message)
    assert "a secret" not in str(result.skip_message)


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", '{"suspects": 3}', '{"looked_at": "yesterday"}'])
def test_a_cursor_of_another_version_counts_as_none(cursor: str) -> None:
    assert SensorMemory.from_cursor(cursor) == SensorMemory()


def test_memory_survives_the_cursor() -> None:
    memory = SensorMemory(looked_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert SensorMemory.from_cursor(memory.to_cursor()) == memory


RUN = """
import dagster as dg, os
from reconcile_assets_tests.dagster_world import World
urls = {"source": os.environ["SOURCE_DATABASE_URL"], "target": os.environ["TARGET_DATABASE_URL"]}
with dg.DagsterInstance.from_config(os.environ["DAGSTER_HOME"]) as instance:
    world = World(instance, urls)
    world.configure(checks=[
        {"type": "row_count"},
        {"type": "sql", "name": "slow", "source": "SELECT 1 FROM pg_sleep(100)", "target": "SELECT 1"},
    ])
    world.backfill(0, 2)
"""


def _end_in_the_middle_of_a_check(world: World, home: Path, number: signal.Signals) -> None:
    """Start a run in a process of its own, and signal it when its check step is at work."""
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(RUN)], env=environment)
    try:
        _wait_until(lambda: _open_steps(world.urls["project"]) == ["reconcile"])
    finally:
        process.send_signal(number)
        process.wait(timeout=60)
    world.configure(
        checks=[{"type": "row_count"}, {"type": "sql", "name": "slow", "source": "SELECT 1", "target": "SELECT 1"}]
    )


def _open_steps(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('reconcile_assets.attempts')").fetchone() == (None,):
            return []
        found = connection.execute("SELECT step FROM reconcile_assets.attempts WHERE finished_at IS NULL").fetchall()
    return [str(row[0]) for row in found]


def _wait_until(happened: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            pytest.fail("the run did not get so far in time")
        time.sleep(0.2)


def test_a_check_step_that_was_killed_is_found_alerted_and_its_run_marked_failed(
    lasting_world: World, tmp_path: Path, received: list[dict[str, Any]]
) -> None:
    world = lasting_world
    _end_in_the_middle_of_a_check(world, tmp_path / "dagster_home", signal.SIGKILL)
    world.config = world.config.model_validate({**world.config.model_dump(), "alerts": ALERTS})
    (run,) = world.instance.get_runs()
    assert run.status is dg.DagsterRunStatus.STARTED  # nobody has told Dagster
    first = tick(world)
    assert "1 dead attempts" in str(first.skip_message)
    assert world.instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE
    three = {day(0), day(1), day(2)}
    assert world.checked("slow") == {"FAILED": three}
    assert world.checked("row_count") == {"FAILED": three}
    assert {verdict.verdict for verdict in world.verdicts().values()} == {Verdict.INCONCLUSIVE}
    second = tick(world, cursor=first.cursor)
    assert "could not verify" in json.dumps(received).lower()
    assert "0 dead attempts" in str(second.skip_message)
    alerts = len(received)
    tick(world, cursor=second.cursor)
    assert len(received) == alerts


def test_a_silent_attempt_is_buried_when_it_is_still_silent_at_a_later_tick(lasting_world: World) -> None:
    world = lasting_world
    ledger = open_ledger(world.urls["project"])
    ledger.start_attempt("a run that Dagster does not know", "reconcile", "orders", {"rows": "ERROR"}, [day(0)])
    early = tick(world, after=timedelta(seconds=50))
    assert "0 dead attempts" in str(early.skip_message)
    suspected = tick(world, after=timedelta(seconds=70), cursor=early.cursor)
    assert "0 dead attempts" in str(suspected.skip_message)
    buried = tick(world, after=timedelta(seconds=90), cursor=suspected.cursor)
    assert "1 dead attempts" in str(buried.skip_message)
    assert world.verdicts()[("rows", day(0))].verdict is Verdict.INCONCLUSIVE
    assert world.checked("rows") == {"FAILED": {day(0)}}
    ledger.close()


def test_what_another_run_has_proved_since_is_not_taken_back(lasting_world: World) -> None:
    world = lasting_world
    ledger = open_ledger(world.urls["project"])
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    ledger.start_attempt("died", "backfill", "orders", {"rows": "ERROR"}, [day(0), day(1)], now=long_ago)
    world.backfill(0, 0)
    suspected = tick(world)
    buried = tick(world, after=timedelta(seconds=20), cursor=suspected.cursor)
    assert "1 dead attempts" in str(buried.skip_message)
    found = {partition: verdict.verdict for (name, partition), verdict in world.verdicts().items() if name == "rows"}
    assert found == {day(0): Verdict.MATCHED, day(1): Verdict.INCONCLUSIVE}
    assert world.checked("rows") == {"SUCCEEDED": {day(0)}, "FAILED": {day(1)}}
    ledger.close()


@pytest.mark.parametrize(("silent", "buried"), [(200, 0), (260, 1)])
def test_a_process_that_is_there_and_silent_is_waited_for_but_not_for_ever(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch, silent: int, buried: int
) -> None:
    world = lasting_world
    monkeypatch.setattr("reconcile_assets.dead_runs._is_alive", lambda instance, run: True)
    run = create_run_for_test(world.instance, status=dg.DagsterRunStatus.STARTED, asset_selection=frozenset({ORDERS}))
    ledger = open_ledger(world.urls["project"])
    ledger.start_attempt(run.run_id, "reconcile", "orders", {"rows": "ERROR"}, [day(0)])
    suspected = tick(world, after=timedelta(seconds=silent - 20))
    later = tick(world, after=timedelta(seconds=silent), cursor=suspected.cursor)
    assert f"{buried} dead attempts" in str(later.skip_message)
    after = world.instance.get_run_by_id(run.run_id)
    assert after is not None
    assert after.status is dg.DagsterRunStatus.STARTED  # it is alive, and may yet come to an end
    ledger.close()


def test_an_attempt_that_beats_again_is_left_alone(lasting_world: World) -> None:
    world = lasting_world
    ledger = open_ledger(world.urls["project"])
    attempt = ledger.start_attempt("a run", "reconcile", "orders", {"rows": "ERROR"}, [day(0)])
    suspected = tick(world, after=timedelta(seconds=70))
    ledger.beat(attempt, now=datetime.now(UTC) + timedelta(seconds=80))
    later = tick(world, after=timedelta(seconds=90), cursor=suspected.cursor)
    assert "0 dead attempts" in str(later.skip_message)
    assert world.verdicts() == {}
    ledger.close()


def test_attempts_of_tables_of_another_code_location_are_left_to_it(lasting_world: World) -> None:
    ledger = open_ledger(lasting_world.urls["project"])
    ledger.start_attempt("a run", "reconcile", "customers", {"rows": "ERROR"}, [day(0)])
    suspected = tick(lasting_world, after=timedelta(seconds=70))
    later = tick(lasting_world, after=timedelta(seconds=100), cursor=suspected.cursor)
    assert "0 dead attempts" in str(later.skip_message)
    ledger.close()


def test_a_check_step_that_was_ended_by_a_signal_leaves_the_verdicts_as_they_were_and_alerts_nobody(
    lasting_world: World, tmp_path: Path, received: list[dict[str, Any]]
) -> None:
    """As by Ctrl-C of `dev`; the control is the same run killed, above."""
    world = lasting_world
    world.configure(checks=[{"type": "row_count"}])
    world.backfill(1, 1)
    before = world.verdicts()
    _end_in_the_middle_of_a_check(world, tmp_path / "dagster_home", signal.SIGTERM)
    world.config = world.config.model_validate({**world.config.model_dump(), "alerts": ALERTS})
    assert _open_steps(world.urls["project"]) == []
    cursor = None
    for seconds in (0, 90, 180):
        result = tick(world, after=timedelta(seconds=seconds), cursor=cursor)
        assert "0 dead attempts and 0 unverified checks" in str(result.skip_message)
        cursor = result.cursor
    assert world.verdicts() == before
    assert received == []
    assert world.checked("slow") == {"FAILED": {day(0), day(1), day(2)}}  # never verified, and so not green


def _cancel_before_it_begins(world: World) -> None:
    job = world.definitions().resolve_implicit_global_asset_job_def()
    run = world.instance.create_run_for_job(
        job_def=job,
        asset_selection=frozenset({ORDERS}),
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags={"dagster/asset_partition_range_start": day(0), "dagster/asset_partition_range_end": day(1)},
    )
    assert world.checked("rows") == {"IN_PROGRESS": {day(0), day(1)}}
    world.instance.report_run_canceled(run)


def test_checks_that_a_cancelled_run_never_began_are_not_green_and_alert_nobody(lasting_world: World) -> None:
    world = lasting_world
    _cancel_before_it_begins(world)
    result = tick(world)
    assert "0 unverified checks" in str(result.skip_message)
    assert world.checked("rows") == {"FAILED": {day(0), day(1)}}
    assert world.verdicts() == {}
    assert "0 unverified checks" in str(tick(world, cursor=result.cursor).skip_message)


def test_checks_that_a_cancelled_run_never_began_show_their_last_verdict_again(lasting_world: World) -> None:
    world = lasting_world
    world.backfill(1, 1)
    before = world.verdicts()
    _cancel_before_it_begins(world)
    tick(world)
    assert world.checked("rows") == {"FAILED": {day(0)}, "SUCCEEDED": {day(1)}}
    assert world.verdicts() == before


def test_a_partition_whose_checks_die_again_and_again_is_shown_each_time(lasting_world: World) -> None:
    """Dagster's own way to store an evaluation without a run breaks a unique index at the second one."""
    world = lasting_world
    for number in range(3):
        run = create_run_for_test(
            world.instance, status=dg.DagsterRunStatus.STARTED, asset_selection=frozenset({ORDERS})
        )
        ledger = open_ledger(world.urls["project"])
        ledger.start_attempt(run.run_id, "reconcile", "orders", {"rows": "ERROR"}, [day(0)])
        ledger.close()
        world.instance.report_run_failed(run)
        assert "1 dead attempts" in str(tick(world).skip_message), number
        assert world.checked("rows") == {"FAILED": {day(0)}}


def test_without_a_run_dagster_stores_one_evaluation_of_a_partition_ever(dagster_instance: dg.DagsterInstance) -> None:
    """The control: this is what our own way goes round."""
    evaluation = dg.AssetCheckEvaluation(ORDERS, "rows", passed=False, partition=day(0), metadata={})
    dagster_instance.report_runless_asset_event(evaluation)
    with pytest.raises(IntegrityError):
        dagster_instance.report_runless_asset_event(evaluation)
    for _ in range(2):
        report_evaluation(dagster_instance, evaluation, run_id="a run that is not Dagster's")


def test_two_ticks_at_once_bury_a_dead_run_once_and_neither_ends_in_trouble(
    lasting_world: World, received: list[dict[str, Any]]
) -> None:
    world = lasting_world
    world.config = world.config.model_validate({**world.config.model_dump(), "alerts": ALERTS})
    ledger = open_ledger(world.urls["project"])
    for number in range(8):
        run = create_run_for_test(
            world.instance, status=dg.DagsterRunStatus.STARTED, asset_selection=frozenset({ORDERS})
        )
        ledger.start_attempt(run.run_id, "reconcile", "orders", {"rows": "ERROR"}, [day(number), day(number + 1)])
        world.instance.report_run_failed(run)
    with ThreadPoolExecutor(4) as pool:
        found = [str(result.skip_message) for result in pool.map(lambda _: tick(world), range(4))]
    assert not [text for text in found if "ended with" in text or "Refused" in text]
    assert sum(int(re.search(r"(\d+) dead", text)[1]) for text in found) == 8  # type: ignore[index]
    assert world.checked("rows") == {"FAILED": {day(number) for number in range(9)}}
    told = [partition for alert in ledger.fetch_alerts() for partition in alert.payload["partitions"]]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(day(number) for number in range(9))
    tick(world)
    assert len({alert_id for body in received for alert_id in re.findall(r"Alert: (\S+)", body["message"])}) == len(
        received
    )
    ledger.close()


def test_a_scheduled_run_that_failed_before_its_first_check_could_not_verify(lasting_world: World) -> None:
    world = lasting_world
    run = create_run_for_test(
        world.instance,
        job_name="orders_reconciliation",
        status=dg.DagsterRunStatus.STARTED,
        tags={"reconcile_assets/table": "orders"},
        run_config={"ops": {"orders_reconcile": {"config": {"partitions": [day(3)]}}}},
    )
    world.instance.report_run_failed(run)
    assert "2 unverified checks" in str(tick(world).skip_message)
    assert world.verdicts()[("rows", day(3))].verdict is Verdict.INCONCLUSIVE


def test_a_failed_run_that_left_every_verdict_is_no_news(lasting_world: World) -> None:
    world = lasting_world
    world.execute("UPDATE orders SET amount = 5000000 WHERE id = 4", side="source")
    assert not world.backfill(0, 2).success
    assert "0 unverified checks" in str(tick(world).skip_message)


def test_failed_runs_of_other_assets_are_no_affair_of_ours(lasting_world: World) -> None:
    run = create_run_for_test(
        lasting_world.instance, status=dg.DagsterRunStatus.STARTED, asset_selection=frozenset({dg.AssetKey("other")})
    )
    lasting_world.instance.report_run_failed(run)
    assert "0 unverified checks" in str(tick(lasting_world).skip_message)
