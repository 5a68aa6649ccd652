"""Tables and partitions are selected alike in every command."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconcile_assets.cli import Parser
from reconcile_assets.cli.arguments import (
    add_selection,
    load_configuration,
    select_partitions,
    select_tables,
    selected,
)
from reconcile_assets.configuration.models import Config
from reconcile_assets.core.windows import Partition
from reconcile_assets.errors import ConfigurationError

NOW = datetime(2013, 2, 1, 12, tzinfo=UTC)


def table(name: str, by: str = "day") -> dict[str, object]:
    return {
        "name": name,
        "source_table": f"ops.{name}",
        "target_table": f"warehouse.{name}",
        "key": ["id"],
        "partition": {"column": "at", "by": by, "start": "2013-01-01"},
    }


CONFIG = Config.model_validate({"tables": [table("flights"), table("weather"), table("sales", "month")]})
FLIGHTS = CONFIG.table("flights").partition.scheme()


def parse(*argv: str) -> argparse.Namespace:
    parser = Parser(prog="gaps")
    add_selection(parser)
    return parser.parse_args(argv, argparse.Namespace(config=None))


def keys(partitions: tuple[Partition, ...]) -> list[str]:
    return [partition.key for partition in partitions]


def chosen(*argv: str) -> dict[str, list[str]]:
    return {found.name: keys(partitions) for found, partitions in selected(parse(*argv), CONFIG, NOW)}


def test_everything_that_has_ended_is_selected_by_default() -> None:
    found = chosen()
    assert list(found) == ["flights", "weather", "sales"]
    assert (len(found["flights"]), found["sales"]) == (31, ["2013-01-01"])


def test_the_range_is_half_open_and_tables_keep_the_order_of_the_configuration() -> None:
    assert chosen("weather", "flights", "--from", "2013-01-30", "--to", "2013-02-01") == {
        "flights": ["2013-01-30", "2013-01-31"],
        "weather": ["2013-01-30", "2013-01-31"],
    }


def test_partitions_may_be_named_repeatedly_and_by_ranges() -> None:
    found = chosen("flights", "--partition", "2013-01-03...2013-01-05", "--partition", "2013-01-01")
    assert found == {"flights": ["2013-01-01", "2013-01-03", "2013-01-04", "2013-01-05"]}


def test_a_key_is_taken_from_the_tables_that_have_it() -> None:
    assert list(chosen("--partition", "2013-01-02")) == ["flights", "weather"]
    assert list(chosen("--partition", "2013-01-01")) == ["flights", "weather", "sales"]


def test_a_key_that_a_named_table_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'2013-01-02' is no month"):
        chosen("sales", "--partition", "2013-01-02")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("flight",), r"table: 'flight' is not configured; did you mean 'flights'\?"),
        (("payments",), "table: 'payments' is not configured; known: flights, sales, weather"),
        (("--partition", "2013-1-02"), r"'2013-1-02' is no .* did you mean '2013-01-02'\?|a key looks like"),
        (("flights", "--partition", "2013-1-02"), r"did you mean '2013-01-02'\?"),
        (("flights", "--partition", "2013-03-01"), "'2013-03-01' has not ended yet; the latest is 2013-01-31"),
        (("flights", "--partition", "2012-12-31"), "'2012-12-31' is no day"),
        (("flights", "--partition", "2013-01-05...2013-01-03"), "2013-01-03 is before 2013-01-05"),
        (("--from", "2013-01-03", "--to", "2013-01-03"), "is not after the start"),
        (("--from", "2013-01-03", "--to", "2013-01-02"), "is not after the start"),
        (("--from", "2013-03-01"), "no partition has ended within this range"),
        (("--partition", "2013-01-01", "--from", "2013-01-01"), "use one of them"),
        (("--from", "yesterday"), "'yesterday' is no ISO date or time; write e.g. 2013-01-31"),
        (("--to", "2013-02-30"), "'2013-02-30' is no ISO date or time"),
    ],
)
def test_a_selection_that_names_nothing_is_refused(argv: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        chosen(*argv)


def test_an_aware_bound_and_a_naive_one_may_be_mixed() -> None:
    found = select_partitions(
        FLIGHTS, NOW, start=datetime(2013, 1, 30), end=datetime.fromisoformat("2013-01-31T00:00:00+00:00")
    )
    assert keys(found) == ["2013-01-30"]


def test_no_table_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no tables; add one under tables:"):
        select_tables(Config(), [])


def test_a_table_named_twice_is_selected_once() -> None:
    assert [found.name for found in select_tables(CONFIG, ["weather", "weather"])] == ["weather"]


def test_the_configuration_is_found_by_the_flag(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text("tables: []\n")
    assert load_configuration(argparse.Namespace(config=str(path))) == Config()
    with pytest.raises(ConfigurationError, match="no such file"):
        load_configuration(argparse.Namespace(config=str(tmp_path / "other.yaml")))
