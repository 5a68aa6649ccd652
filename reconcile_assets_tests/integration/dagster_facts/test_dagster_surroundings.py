"""What Dagster does around a run that the code relies on: its storages, pages, secrets and settings."""

import json
import textwrap
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.controller import DEFAULT_DAEMON_INTERVAL_SECONDS
from dagster_webserver.webserver import DagsterWebserver

from reconcile_assets.serving.home import prepare_home

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-06")
CHECK = dg.AssetCheckKey(dg.AssetKey("table"), "rows")
CANARY = "canary-9f41"


@pytest.fixture
def sqlite_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as Dagster makes it without a configuration: events of each run in a SQLite file of its own."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def _evaluate(context: dg.OpExecutionContext) -> None:
    context.log_event(
        dg.AssetCheckEvaluation(asset_key=CHECK.asset_key, check_name=CHECK.name, passed=False, partition="2024-01-01")
    )


def _run_once(instance: dg.DagsterInstance) -> None:
    @dg.op
    def judge(context: dg.OpExecutionContext) -> None:
        _evaluate(context)

    @dg.job
    def reconciliation() -> None:
        judge()

    reconciliation.execute_in_process(instance=instance)


def _evaluations(instance: dg.DagsterInstance, after: int | None) -> list[int]:
    wanted = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION, after_cursor=after)
    return [record.storage_id for record in instance.event_log_storage.get_event_records(wanted, ascending=True)]


def test_fact_8_on_sqlite_a_number_finds_no_place_in_the_log_of_evaluations(
    sqlite_instance: dg.DagsterInstance,
) -> None:
    """Why alerts are drained from the ledger's outbox and not read from the event log."""
    for _ in range(3):
        _run_once(sqlite_instance)
    found = _evaluations(sqlite_instance, None)
    assert len(set(found)) == 1, "each run counts anew: three events, one number"
    with pytest.raises(Exception, match="not run-aware"):
        _evaluations(sqlite_instance, found[0])


def test_fact_8_a_tick_that_raises_keeps_no_cursor_and_so_repeats_its_post() -> None:
    posted: list[str] = []

    @dg.sensor(job_name="any")
    def alert(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if context.cursor is None:
            posted.append("3 partitions failed")
        context.update_cursor("posted")
        raise RuntimeError("after the post")

    for _ in range(2):
        with pytest.raises(Exception, match="after the post"):
            alert.evaluate_tick(dg.build_sensor_context())
    assert posted == ["3 partitions failed"] * 2


def _load(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "made_by_a_test"}
    exec(compile(textwrap.dedent(source), "made_by_a_test.py", "exec", dont_inherit=True), names)  # noqa: S102
    return names


ASSET = """
import dagster as dg

@dg.asset
def table(context: dg.AssetExecutionContext) -> None:
    pass
"""


def test_fact_10_annotations_kept_as_text_break_an_asset() -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="annotat"):
        _load("from __future__ import annotations\n" + ASSET)


def test_fact_10_an_asset_annotated_as_usual_is_one() -> None:
    assert isinstance(_load(ASSET)["table"], dg.AssetsDefinition)


def test_fact_11_the_backfill_daemon_sleeps_half_a_minute() -> None:
    """What the progress of a backfill waits for, and the browser test too."""
    assert DEFAULT_DAEMON_INTERVAL_SECONDS == 30


@contextmanager
def _page(instance: dg.DagsterInstance, *, read_only: bool) -> Iterator[str]:
    """The address of Dagster's web server, in this process."""
    with WorkspaceProcessContext(instance, None, version="", read_only=read_only) as context:
        settings = uvicorn.Config(DagsterWebserver(context).create_asgi_app(), port=0, log_level="error", ws="none")
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.05)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _post(address: str, document: dict[str, Any]) -> int:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(document).encode(), headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(("read_only", "status"), [(False, 200), (True, 401)])
def test_fact_12_whoever_reaches_the_page_can_forge_a_check(
    sqlite_instance: dg.DagsterInstance, read_only: bool, status: int
) -> None:
    """Why it is bound to loopback, and why the ledger's verdicts count and not the page's."""
    with _page(sqlite_instance, read_only=read_only) as address:
        assert _post(f"{address}/report_asset_check/table", {"check_name": "rows", "passed": True}) == status
    latest = sqlite_instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK])
    assert (CHECK in latest) is not read_only


def test_fact_13_an_error_of_sqlalchemy_carries_the_values_unless_they_are_hidden() -> None:
    def error_of(engine: sqlalchemy.Engine) -> str:
        with engine.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError) as caught:
            connection.execute(sqlalchemy.text("SELECT * FROM nothing WHERE email = :email"), {"email": CANARY})
        return str(caught.value)

    assert CANARY in error_of(sqlalchemy.create_engine("sqlite://"))
    assert CANARY not in error_of(sqlalchemy.create_engine("sqlite://", hide_parameters=True))


def test_fact_13_a_password_in_the_query_of_a_url_is_shown() -> None:
    url = sqlalchemy.make_url(f"postgresql+psycopg://u:{CANARY}@h/d?sslpassword={CANARY}2")
    assert f"{CANARY}@" not in repr(url)
    assert f"{CANARY}2" in repr(url)


def test_fact_13_a_variable_of_the_environment_is_shown_by_its_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATABASE_URL", CANARY)
    assert dg.EnvVar("SOURCE_DATABASE_URL").get_value() == CANARY
    assert CANARY not in repr(dg.EnvVar("SOURCE_DATABASE_URL"))


def test_fact_15_the_home_that_is_written_sends_nothing_and_greets_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = prepare_home(tmp_path, database_url="sqlite:///ledger.db", code_server_port=1, environ={})
    monkeypatch.setenv("DAGSTER_HOME", str(home.folder))
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
    with dg.DagsterInstance.from_config(str(tmp_path)) as as_it_comes:
        assert as_it_comes.telemetry_enabled
        assert as_it_comes.nux_enabled
