"""The product as a person runs it: a folder with a YAML, two databases, and ``reconcile-assets dev`` over them."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil
import psycopg

from reconcile_assets.embedded import binaries, running_url
from reconcile_assets_tests.conftest import is_setting

T = TypeVar("T")

CONFIGURATION = """\
type: reconcile_assets.components.ReconciledTables
attributes:
  tables:
    - name: orders
      source_table: sales.orders
      target_table: warehouse.orders
      key: [id]
      partition: {column: placed_at, by: day, start: "2013-01-01", end: "2013-01-21", timezone: UTC}
      reconcile: {cron: "0 0 1 1 *", partitions: all}
      checks:
        - {type: row_count}
        - {type: rows, tolerances: {amount: {abs_tol: 0.01}}}
alerts:
  destinations: {ops: {url_env: ALERT_OPS_URL}}
"""
SOURCE = """
CREATE SCHEMA sales;
CREATE TABLE sales.orders (
  id bigint PRIMARY KEY, placed_at timestamptz NOT NULL, email text NOT NULL, amount numeric(10,2) NOT NULL);
INSERT INTO sales.orders
SELECT n, timestamptz '2013-01-01 00:00:00+00' + n * (interval '1 day' / 50), 'buyer' || n || '@shop.test', n * 0.25
FROM generate_series(0, 999) AS n;
"""
TARGET = """
CREATE SCHEMA warehouse;
CREATE TABLE warehouse.orders (
  id bigint PRIMARY KEY, placed_at timestamptz NOT NULL, email text NOT NULL,
  amount numeric(10,2) NOT NULL CONSTRAINT no_negative_amount CHECK (amount >= 0));
"""


class Product:
    """One running ``dev``, with the databases it works on.

    Attributes:
        source, target: URLs for the test; the product has its own source URL, with a role of its own.
        output: everything that any of its processes has printed so far.
    """

    def __init__(self, folder: Path, *, source: str, target: str, product_source: str, alert_url: str) -> None:
        self.folder = folder
        self.state = folder / ".state"
        self.source = source
        self.target = target
        self.url = ""
        self._log = folder / "dev.out"
        self._printed: list[str] = []
        (folder / "orders.yaml").write_text(CONFIGURATION)
        self._environ = {
            **{name: value for name, value in os.environ.items() if not is_setting(name)},
            "SOURCE_DATABASE_URL": product_source,
            "TARGET_DATABASE_URL": target,
            "ALERT_OPS_URL": alert_url,
            "RECONCILE_CONFIG": str(folder / "orders.yaml"),
        }

    def start(self) -> None:
        """Start it; return when the UI answers with the code location loaded."""
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reconcile_assets", "dev"],
                cwd=self.folder,
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.url = wait_for(self._address, seconds=150, what="the address of the UI")

    def _address(self) -> str | None:
        text = self._log.read_text()
        if self.process.poll() is not None:
            raise AssertionError(f"dev ended with {self.process.returncode}:\n{text}")
        mark = "the UI is at "
        return text.partition(mark)[2].split(";")[0].strip() if mark in text else None

    def stop(self) -> int:
        """Press Ctrl-C; give the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the product in the same folder, over the same ledger."""
        environ = {**self._environ, "DATABASE_URL": self.ledger_url, **environ}
        command = [sys.executable, "-m", "reconcile_assets", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120)
        self._printed += [done.stdout, done.stderr]
        return done

    @property
    def ledger_url(self) -> str:
        """URL of the database that ``dev`` keeps the ledger and Dagster's storage in."""
        url = running_url(self.state, "reconcile_assets")
        assert url is not None
        return url

    @property
    def output(self) -> str:
        return self._log.read_text() + "".join(self._printed)

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """One GraphQL request, as the UI sends it."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310  # our own http address
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310  # as above
            answer = json.load(reply)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def backfill(self, *partitions: str) -> str:
        """Launch a backfill by the mutation that the UI's button sends; wait for its end and give its status."""
        data = self.ask(
            """mutation Launch($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } } }""",
            {"params": {"assetSelection": [{"path": ["orders"]}], "partitionNames": list(partitions)}},
        )
        backfill_id = data["launchPartitionBackfill"]["backfillId"]
        query = """query Status($id: String!) {
          partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"""

        def ended() -> str | None:
            status: str = self.ask(query, {"id": backfill_id})["partitionBackfillOrError"]["status"]
            return None if status in {"REQUESTED", "CANCELING", "FAILING"} else status

        return wait_for(ended, seconds=180, what="the end of the backfill")

    def reconcile(self, *partitions: str) -> str:
        """Run the table's reconciliation job, as its schedule does; wait for its end and give its status."""
        data = self.ask(
            """mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            {
                "params": {
                    "selector": {
                        "jobName": "orders_reconciliation",
                        "repositoryName": "__repository__",
                        "repositoryLocationName": "reconcile_assets",
                    },
                    "runConfigData": {"ops": {"orders_reconcile": {"config": {"partitions": list(partitions)}}}},
                }
            },
        )
        run_id = data["launchRun"]["run"]["runId"]
        query = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"

        def ended() -> str | None:
            status: str = self.ask(query, {"id": run_id})["runOrError"]["status"]
            return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

        return wait_for(ended, seconds=120, what="the end of the reconciliation")

    def execute(self, url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement in one of the databases; its rows if it gives any."""
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []


def wait_for(look: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


def is_running(process: psutil.Process) -> bool:
    """Whether it is there and alive; one that has ended and waits for its parent to notice is not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def dump_database(url: str, *, schema: str | None = None) -> str:
    """Everything that a database holds, as text, by ``pg_dump``."""
    command = [str(binaries() / "pg_dump"), "--inserts", *(["--schema", schema] if schema else []), url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def with_login(url: str, user: str, password: str) -> str:
    """The same database, as another user."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}").geturl()
