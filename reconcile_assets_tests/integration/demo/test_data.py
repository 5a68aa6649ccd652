"""The demo's data is whole, its keys are unique, and its damage stays where it says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from reconcile_assets.configuration.loading import load_config
from reconcile_assets.demo import data
from reconcile_assets.demo.damage import DAMAGES, inflict
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.reconcile import reconcile_partitions
from reconcile_assets.errors import ConfigurationError

FLIGHTS, WEATHER = data.DATASETS
CONFIG = Path(data.__file__).parent / "defs" / "defs.yaml"


def copy_table(source: str, target: str, name: str) -> None:
    """As a backfill leaves it."""
    with psycopg.connect(source) as one, psycopg.connect(target) as other:
        statements = f"COPY ops.{name} TO STDOUT", f"COPY warehouse.{name} FROM STDIN"
        with one.cursor().copy(statements[0]) as rows, other.cursor().copy(statements[1]) as into:
            for row in rows:
                into.write(row)


def test_all_real_rows_are_loaded_with_their_types(postgres_url: str) -> None:
    assert data.load_source(postgres_url, FLIGHTS) == 336_776
    assert data.load_source(postgres_url, WEATHER) == 26_115
    with psycopg.connect(postgres_url) as connection:
        days = "SELECT count(DISTINCT (time_hour AT TIME ZONE 'America/New_York')::date) FROM {}"
        assert connection.execute(days.format("ops.flights").encode()).fetchone() == (365,)
        assert connection.execute(days.format("ops.weather").encode()).fetchone() == (364,)
        unflown = connection.execute("SELECT count(*) FROM ops.flights WHERE dep_time IS NULL").fetchone()
        assert unflown == (8255,)


def test_exactly_the_damaged_partitions_turn_red(postgres_urls: Callable[[str], str]) -> None:
    urls = {"source": postgres_urls("source"), "target": postgres_urls("target")}
    for dataset in data.DATASETS:
        data.load_source(urls["source"], dataset)
        data.create_target(urls["target"], dataset)
        copy_table(urls["source"], urls["target"], dataset.name)
    changed = inflict(urls)
    assert [changed[damage.what] for damage in DAMAGES if damage.rows is not None] == [3, 2, 3, 1]

    environ = {"SOURCE_DATABASE_URL": urls["source"], "TARGET_DATABASE_URL": urls["target"]}
    environ["ALERT_RECEIVER_URL"] = "json://127.0.0.1:1/"
    config = load_config(CONFIG, environ=environ)
    now = datetime.now(UTC)
    with Connections(config, environ) as connections:
        verdicts = [
            verdict
            for table in config.tables
            for verdict in reconcile_partitions(
                table, table.partition.scheme().partitions(now), connections=connections
            )
        ]
    red = {(each.table, each.check, each.partition) for each in verdicts if each.verdict != "matched"}
    assert red == {(damage.table, check, damage.partition) for damage in DAMAGES for check in damage.checks}
    assert len(verdicts) == 5 * 365
    notes = {(each.table, each.check, each.partition): each.notes for each in verdicts}
    assert notes["weather", "rows", "2013-08-15"] != ()
    assert notes["weather", "rows", "2013-12-31"] != ()


def test_the_target_begins_empty_with_the_same_columns(postgres_url: str) -> None:
    data.create_target(postgres_url, WEATHER)
    assert data.count_rows(postgres_url, "warehouse", WEATHER) == 0


def test_without_the_package_the_next_step_is_named(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_PACKAGE", "no_such_package_at_all")
    with pytest.raises(ConfigurationError, match=r"pip install 'reconcile-assets\[demo\]'"):
        data.load_source(postgres_url, WEATHER)
