"""Whatever a file holds, it is a configuration or one clear refusal."""

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.configuration.document import read_documents
from reconcile_assets.configuration.loading import load_config, parse_attributes
from reconcile_assets.configuration.models import Config
from reconcile_assets.errors import ConfigurationError

GOOD = """\
type: reconcile_assets.components.ReconciledTables
attributes:
  tables:
    - &t
      name: flights
      source_table: ops.flights
      target_table: warehouse.flights
      key: [flight_id]
      partition: {column: at, by: hour, start: "2013-01-01", end: 2014-01-01 06:00, timezone: Europe/Berlin}
      columns: {exclude: [loaded_at], rename: {dep: departure}, mask: [email]}
      reconcile: {cron: "*/15 0-6/2 1,15 jan-mar mon", partitions: all}
      checks:
        - {type: rows, tolerances: {air_time: {abs_tol: 1e-2, rel_tol: .5, seconds: 1}}, blocking: true}
        - {type: aggregate, function: avg, column: distance}
        - {type: sql, name: revenue, source: "SELECT 1", target: "SELECT 1", severity: WARN}
        - {type: freshness, max_lag: 1.5h, against: reporting}
alerts: {routes: [{to: [ops]}], destinations: {ops: {url_env: OPS}}}
"""
NAMES = [*Config.model_fields, "name", "key", "partition", "checks", "type", "column", "by", "start", "end", "timezone"]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.sampled_from(NAMES)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=15,
)
LINE = re.compile(r"[^\n]*:\d+: [^\n]+")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configuration") / "defs.yaml"


def check_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        load_config(file, environ={})
    except ConfigurationError as error:
        lines = str(error).split("\n")
        assert 1 <= len(lines) <= 10
        assert all(LINE.fullmatch(line) for line in lines), lines


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(file: Path, text: str) -> None:
    check_text(file, text)


@given(
    st.integers(0, len(GOOD) - 1), st.integers(0, 12), st.text(alphabet="\t\n {}[]:,-&*!|>'\"%@`#?0aé\x00", max_size=3)
)
def test_a_damaged_configuration_is_read_or_refused(file: Path, place: int, length: int, text: str) -> None:
    check_text(file, GOOD[:place] + text + GOOD[place + length :])


@given(TREES)
def test_any_value_in_any_place_is_accepted_or_refused(tree: Any) -> None:
    attributes = tree if isinstance(tree, dict) else {"tables": tree}
    with contextlib.suppress(ConfigurationError):
        parse_attributes(attributes)


@given(TREES)
def test_a_table_with_any_value_in_any_place_is_accepted_or_refused(tree: Any) -> None:
    table = {"name": "t", "source_table": "a", "target_table": "b", "key": [], "partition": tree, "checks": [tree]}
    with pytest.raises(ConfigurationError):
        parse_attributes({"tables": [table]})


def test_the_undamaged_configuration_is_good(file: Path) -> None:
    (document,) = read_documents(GOOD, "defs.yaml")
    file.write_text(GOOD)
    environ = {f"{name}_DATABASE_URL": "x" for name in ("SOURCE", "TARGET", "REPORTING")}
    assert load_config(file, environ={**environ, "OPS": "x"}).tables[0].name == "flights"
    assert document.line_of(("attributes", "tables", 0, "key")) == 8
