"""The YAML: what is accepted, and the one clear line that refuses the rest."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from reconcile_assets.configuration.loading import check_variables, find_config, load_config, parse_attributes
from reconcile_assets.configuration.models import AggregateCheck, Config, FreshnessCheck, RowsCheck
from reconcile_assets.errors import ConfigurationError

SECRET = "s3cr3t-c4n4ry"
URL = f"postgresql://user:{SECRET}@db.example/x"
ENVIRON = {
    "SOURCE_DATABASE_URL": URL,
    "TARGET_DATABASE_URL": URL,
    "REPORTING_DATABASE_URL": URL,
    "ALERT_OPS_URL": f"json://{SECRET}@example",
}
GOOD = """\
type: reconcile_assets.components.ReconciledTables
attributes:
  source: source
  target: target
  tables:
    - name: flights
      source_table: ops.flights
      target_table: warehouse.flights
      key: [flight_id]
      partition: {column: scheduled_at, by: day, start: "2013-01-01", end: "2014-01-01", timezone: UTC, lookback: 3}
      columns: {exclude: [etl_loaded_at], rename: {dep: departure}, mask: [passenger_email]}
      write: replace
      partitions_per_run: 100
      reconcile: {cron: "*/15 * * * *", partitions: lookback}
      checks:
        - {type: row_count, rel_tol: 0.0}
        - {type: rows, tolerances: {air_time: {abs_tol: 0.01}, updated_at: {seconds: 1}}, blocking: true}
        - {type: aggregate, function: sum, column: distance, rel_tol: 1e-9}
        - {type: sql, name: revenue, source: "SELECT 1", target: "SELECT 1", abs_tol: 0.01, severity: WARN}
        - {type: schema}
        - {type: freshness, max_lag: 2h}
        - {type: rows, against: reporting}
alerts:
  routes: [{match: {severity: ERROR}, to: [ops]}]
  destinations: {ops: {url_env: ALERT_OPS_URL}}
critical_tables:
  - {name: payments, connection: target, table: app.payments, key: [id], divergence_threshold: 0, cron: "*/5 * * * *"}
queue: {capacity: 1000, warn_at: 100, max_tries: 10}
health: {every: 30s, failures: 3, probes: [{name: auth, type: http, url_env: AUTH_HEALTH_URL}]}
"""


@pytest.fixture(autouse=True)
def _in_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name a file as seen from the working folder."""
    monkeypatch.chdir(tmp_path)


def load(tmp_path: Path, text: str, environ: dict[str, str] = ENVIRON) -> Config:
    path = tmp_path / "defs.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, environ=environ)


def refused(tmp_path: Path, text: str, environ: dict[str, str] = ENVIRON) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text, environ)
    assert SECRET not in str(caught.value)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("mode", ["replace", "upsert", "append"])
def test_every_way_of_writing_is_taken(tmp_path: Path, mode: str) -> None:
    assert load(tmp_path, GOOD.replace("write: replace", f"write: {mode}")).tables[0].write == mode


def test_an_upsert_needs_a_key_and_an_append_does_not(tmp_path: Path) -> None:
    keyless = GOOD.replace("key: [flight_id]", "key: []")
    assert load(tmp_path, keyless.replace("write: replace", "write: append")).tables[0].key == ()
    (line,) = refused(tmp_path, keyless.replace("write: replace", "write: upsert"))
    assert "tables[0].key: is empty, and write: upsert finds the row to update by it; name its columns" in line


def test_the_documented_example_loads(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    table = config.table("flights")
    assert [check.check_name for check in table.checks] == [
        "row_count",
        "rows",
        "aggregate_sum_distance",
        "revenue",
        "schema",
        "freshness",
        "rows_reporting",
    ]
    assert config.connections == ("source", "target", "reporting")
    assert isinstance(table.checks[2], AggregateCheck)
    assert table.checks[2].rel_tol == 1e-9
    assert isinstance(table.checks[5], FreshnessCheck)
    assert table.checks[5].max_lag.total_seconds() == 7200
    assert table.columns.target_name("dep") == "departure"
    assert config.queue is not None


def test_the_shortest_table_gets_the_defaults(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "tables:\n- {name: t, source_table: a, target_table: b, key: [],"
        " partition: {column: at, by: hour, start: 2013-01-01}}\n",
    )
    table = config.tables[0]
    assert [check.check_name for check in table.checks] == ["row_count", "rows"]
    assert (table.partitions_per_run, table.reconcile.cron, table.reconcile.partitions) == (
        100,
        "*/15 * * * *",
        "lookback",
    )
    assert (config.source_of(table), config.target_of(table)) == ("source", "target")


def test_an_empty_list_of_checks_still_checks(tmp_path: Path) -> None:
    text = re.sub(r"      checks:\n(        - .*\n)+", "      checks: []\n", GOOD)
    assert [check.check_name for check in load(tmp_path, text).tables[0].checks] == ["row_count", "rows"]


def test_no_table_needs_no_variable(tmp_path: Path) -> None:
    text = "type: reconcile_assets.components.ReconciledTables\nattributes:\n  tables: []\n"
    assert load(tmp_path, text, {}) == Config()


def test_alerts_may_stand_inside_attributes_or_beside_them(tmp_path: Path) -> None:
    head, tail = GOOD.split("alerts:\n")
    inside = head + "  alerts:\n" + "".join(f"  {line}\n" for line in tail.splitlines())
    assert load(tmp_path, inside.replace("\n  critical", "\n  critical")) == load(tmp_path, GOOD)


def test_documents_of_other_components_are_left_alone(tmp_path: Path) -> None:
    other = "type: some.other.Component\nattributes: {x: 1}\n---\n"
    assert load(tmp_path, other + GOOD) == load(tmp_path, GOOD)


def test_an_anchor_and_a_merge_key_write_a_table_once(tmp_path: Path) -> None:
    text = """\
tables:
- &first {name: t, source_table: a, target_table: b, key: [], partition: {column: at, by: day, start: 2013-01-01}}
- {<<: *first, name: u, target_table: c}
"""
    assert [table.name for table in load(tmp_path, text).tables] == ["t", "u"]


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("key: [", "keys: [", 9, "tables[0].keys: unknown field; did you mean 'key'?"),
        ("health:", "helth:", 29, "helth: unknown field; did you mean 'health'?"),
        ("blocking: true", "blokcing: true", 17, "tables[0].checks[1].blokcing: unknown field; did you mean 'blocking"),
        ("url_env: ALERT_OPS_URL", "url: x", 25, "alerts.destinations.ops.url: unknown field; did you mean 'url_env'?"),
        ("type: schema", "type: scheme", 20, "checks[4].type: 'scheme' is no kind of check; did you mean 'schema'?"),
        ("{type: schema}", "{typ: schema}", 20, "checks[4].type: is no kind of check; known:"),
        ("by: day", "by: dya", 10, "partition.by: 'dya' is not one of 'hour', 'day', 'week' or 'month'"),
        ('end: "2014', 'end: "2012', 10, "partition.end: '2012-01-01 00:00:00' is not after start 2013-01-01"),
        ('end: "2014-01-01', 'end: "2013-01-01', 10, "partition.end: '2013-01-01 00:00:00' is not after start"),
        ('end: "2014-01-01"', "end: 2013-01-01T05:00", 10, "partition.end: '2013-01-01 05:00:00' leaves no whole day"),
        ('start: "2013-01-01"', 'start: "first"', 10, "partition.start: 'first' is neither a date nor a time"),
        ('start: "2013-01-01"', "start: 2013", 10, "partition.start: 2013 is neither a date nor a time"),
        ('start: "2013-01-01"', "start: 2013-01-01T00:00:00Z", 10, "carries an offset; write the wall clock of `timez"),
        ('start: "2013-01-01"', "start: 0001-01-01", 10, "is out of range; years 1000 to 9000"),
        ("timezone: UTC", "timezone: UTC5", 10, "partition.timezone: 'UTC5' is no time zone"),
        ("timezone: UTC", "timezone: /etc/passwd", 10, "partition.timezone: '/etc/passwd' is no time zone"),
        ("by: day, ", "by: hour, ", None, None),
        ("lookback: 3", "lookback: 0", 10, "partition.lookback: 0 is less than 1"),
        ("abs_tol: 0.01}, up", "abs_tol: -1}, up", 17, "tolerances.air_time.abs_tol: -1 is negative; a tolerance is 0"),
        ("abs_tol: 0.01}, up", "ignore_case: 1}, up", 17, "air_time.ignore_case: 1 is neither true nor false"),
        ("abs_tol: 0.01}, up", "ignore_caes: true}, up", 17, "unknown field; did you mean 'ignore_case'?"),
        ("mask: [", "types: {flight_id: text}, mask: [", 11, "columns.types.flight_id: 'text' is not one of 'uuid'"),
        ("mask: [", "types: {etl_loaded_at: uuid}, mask: [", 11, "types.etl_loaded_at: is excluded too"),
        ("blocking: true", "recheck_after: 2h", 17, "checks[1].recheck_after: is longer than an hour"),
        ("blocking: true", "recheck_after: 10", 17, "checks[1].recheck_after: 10 is no duration"),
        ("rel_tol: 1e-9", "rel_tol: .nan", 18, "checks[2].rel_tol: nan is not a finite number"),
        ("rel_tol: 1e-9", "rel_tol: .inf", 18, "checks[2].rel_tol: inf is not a finite number"),
        ("rel_tol: 1e-9", "rel_tol: -1e-9", 18, "checks[2].rel_tol: '-1e-9' is negative"),
        ("rel_tol: 1e-9", "rel_tol: much", 18, "checks[2].rel_tol: 'much' is not a number"),
        ("rel_tol: 1e-9", "rel_tol: true", 18, "checks[2].rel_tol: True is not a number"),
        ("function: sum", "function: total", 18, "checks[2].function: 'total' is not one of 'sum'"),
        ("column: distance, ", "", 18, "checks[2].column: is missing; sum needs the column to aggregate"),
        ("max_lag: 2h", "max_lag: 2", 21, "checks[5].max_lag: 2 is no duration; write e.g. 30s, 15m, 2h or 1d"),
        ("max_lag: 2h", "max_lag: 0s", 21, "checks[5].max_lag: '0s' is out of range"),
        ("max_lag: 2h", "max_lag: 99999999999w", 21, "checks[5].max_lag: '99999999999w' is out of range"),
        ("severity: WARN", "severity: LOUD", 19, "checks[3].severity: 'LOUD' is not one of 'ERROR' or 'WARN'"),
        ("name: revenue", "name: rows", 19, "checks[3]: 'rows' has the name of an earlier check; give it a `name`"),
        ("blocking: true", "blocking: 1", 17, "checks[1].blocking: 1 is neither true nor false"),
        ("against: reporting", "against: target", 22, "checks[6].against: 'target' is the target itself"),
        ("air_time: {", "flight_id: {", 17, "tolerances.flight_id: is a key column; a key is compared exactly"),
        ("air_time: {", "etl_loaded_at: {", 17, "tolerances.etl_loaded_at: is excluded by columns.exclude"),
        ("write: replace", "write: truncate", 12, "tables[0].write: 'truncate' is not one of 'replace', 'upsert' or '"),
        ("      partition: {", "      partitio: {", 10, "tables[0].partitio: unknown field; did you mean 'partition'?"),
        ("      partition: {", "      # {", 6, "tables[0].partition: is missing; tables without partitions are not"),
        ("partitions_per_run: 100", "partitions_per_run: 0", 13, "tables[0].partitions_per_run: 0 is less than 1"),
        ("partitions_per_run: 100", "partitions_per_run: many", 13, "partitions_per_run: 'many' is not a whole number"),
        ("*/15 * * * *", "*/75 * * * *", 14, "reconcile.cron: '*/75 * * * *' the minute field '*/75' is not within 0-"),
        ("*/15 * * * *", "15 minutes", 14, "reconcile.cron: '15 minutes' has 2 fields, a cron line has 5"),
        ("partitions: lookback", "partitions: some", 14, "reconcile.partitions: 'some' is not one of 'lookback' or 'a"),
        ("key: [flight_id]", "key: flight_id", 9, "tables[0].key: 'flight_id' is not a list"),
        ("key: [flight_id]", "key: [etl_loaded_at]", 9, "tables[0].key[0]: 'etl_loaded_at' is excluded by columns.exc"),
        ("key: [flight_id]", "key: [a, a]", 9, "tables[0].key: has 'a' 2 times; name it once"),
        ("column: scheduled_at", "column: etl_loaded_at", 10, "partition.column: 'etl_loaded_at' is excluded by colum"),
        ("rename: {dep: departure}", "rename: {dep: a, arr: a}", 11, "columns.rename: has 'a' 2 times; two columns ca"),
        ("exclude: [etl_loaded_at]", "exclude: [dep]", 11, "columns.rename.dep: is excluded too; keep one of the two"),
        ("name: flights", "name: fli-ghts", 6, "tables[0].name: 'fli-ghts' is no name for Dagster"),
        ("source_table: ops.flights", "source_query: SELECT 1\n      source_table: x", 8, "source_table: or source_qu"),
        ("source_table: ops.flights", "source_table: ops.", 7, "tables[0].source_table: 'ops.' is no table name"),
        ("warehouse.flights", "''", 8, "tables[0].target_table: '' is empty or holds a NUL"),
        ("target: target", "target: source", None, None),
        ("  source: source", "  source: Source", 3, "source: 'Source' is no connection name; use lower-case letters"),
        ("  target: target", "  target: target\n  source: x", 5, "'source' stands here a second time, first on line 3"),
        ("to: [ops]", "to: [opps]", 24, "alerts.routes[0].to[0]: 'opps' is no destination; add it under destinations"),
        ("to: [ops]", "to: []", 24, "alerts.routes[0].to: is empty; name at least one"),
        ("severity: ERROR}, to", "severity: [ERROR]}, to", 24, "alerts.routes[0].match.severity: is not one of"),
        ("  source: source", "\tsource: source", 3, "a tab; YAML is indented with spaces, use spaces"),
        ('"*/15 * * * *"', "*/15 * * * *", 14, "a value that begins with * or & is read as an alias; put it in quotes"),
        ("  tables:", "  tables: {", None, "YAML syntax:"),
        ("UTC, lookback", "2013-02-31, lookback", 10, "'2013-02-31' cannot be read as"),
        ("tables:\n    -", "tables: &x\n    - *x\n    -", 5, "holds too many values or aliases"),
        ("queue: {", "tables: []\nqueue: {", 28, "tables: stands here and in attributes; keep one"),
        ("queue: {capacity: 1000", "queue: {capacity: 1.5", 28, "queue.capacity: 1.5 is not a whole number"),
        ("every: 30s", "every: soon", 29, "health.every: 'soon' is no duration"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line_with_its_file_and_line(
    tmp_path: Path, old: str, new: str, line: int | None, what: str | None
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if what is None:
        load(tmp_path, text)
        return
    lines = refused(tmp_path, text)
    found = [each for each in lines if what in each]
    assert found, lines
    assert found[0].startswith(f"defs.yaml:{line}: " if line else "defs.yaml:")


@pytest.mark.parametrize("field", ["start", "end", "timezone", "name", "target_table", "column"])
def test_nul_characters_are_refused_everywhere(tmp_path: Path, field: str) -> None:
    text = re.sub(rf"{field}: [^,\n]+", rf'{field}: "a\\0b"', GOOD, count=1)
    assert all("\0" not in line for line in refused(tmp_path, text))


def test_every_mistake_of_a_file_is_told_in_the_order_of_its_lines_up_to_ten(tmp_path: Path) -> None:
    text = GOOD.replace("by: day", "by: dya").replace("type: schema", "type: x").replace("to: [ops]", "to: []")
    lines = refused(tmp_path, text)
    assert [line.split(":")[1] for line in lines] == ["10", "20", "24"]
    many = "tables: []\n" + "".join(f"wrong{number}: 1\n" for number in range(30))
    assert len(refused(tmp_path, many)) == 10


def test_a_mistyped_field_is_told_once(tmp_path: Path) -> None:
    text = GOOD.replace("key: [", "keys: [", 1).replace("by: day", "bye: day")
    assert refused(tmp_path, text) == [
        "defs.yaml:9: tables[0].keys: unknown field; did you mean 'key'?",
        "defs.yaml:10: tables[0].partition.bye: unknown field; did you mean 'by'?",
    ]


def test_a_url_in_place_of_a_variable_is_refused_without_showing_it(tmp_path: Path) -> None:
    lines = refused(tmp_path, GOOD.replace("url_env: ALERT_OPS_URL", f"url_env: 'slack://{SECRET}'"))
    assert "is no variable name; name the variable that holds the URL, not the URL" in lines[0]
    refused(tmp_path, GOOD.replace("source: source", f"source: '{URL}'", 1))
    refused(tmp_path, GOOD.replace("name: flights", f"name: '{URL}'", 1))


def test_unset_variables_are_refused_at_the_line_that_needs_them(tmp_path: Path) -> None:
    assert refused(tmp_path, GOOD, {}) == [
        "defs.yaml:3: SOURCE_DATABASE_URL is not set: connection 'source' needs it; export it or put it into .env",
        "defs.yaml:4: TARGET_DATABASE_URL is not set: connection 'target' needs it; export it or put it into .env",
        "defs.yaml:22: REPORTING_DATABASE_URL is not set: connection 'reporting' needs it; export it or put it in"
        "to .env",
        "defs.yaml:25: ALERT_OPS_URL is not set: alert destination 'ops' needs it; export it or put it into .env",
    ]


def test_a_connection_that_nobody_named_is_asked_for_at_the_table_that_uses_it(tmp_path: Path) -> None:
    text = GOOD.replace("  source: source\n", "").replace("  target: target\n", "")
    assert refused(tmp_path, text, {**ENVIRON, "SOURCE_DATABASE_URL": "  "}) == [
        "defs.yaml:4: SOURCE_DATABASE_URL is not set: connection 'source' needs it; export it or put it into .env"
    ]


def test_a_table_may_name_its_own_connections(tmp_path: Path) -> None:
    text = GOOD.replace("      write: replace", "      write: replace\n      source: archive")
    assert refused(tmp_path, text)[0].startswith("defs.yaml:13: ARCHIVE_DATABASE_URL is not set")
    config = load(tmp_path, text, {**ENVIRON, "ARCHIVE_DATABASE_URL": URL})
    assert config.source_of(config.tables[0]) == "archive"
    assert "source" not in config.connections


def test_two_tables_cannot_share_a_name_or_a_target(tmp_path: Path) -> None:
    partition = "partition: {column: at, by: day, start: 2013-01-01}"
    table = "- {name: %s, source_table: a, target_table: %s, key: [], " + partition + "}\n"
    same_name = "tables:\n" + table % ("t", "b") + table % ("t", "c")
    assert "tables[1].name: 't' is the name of an earlier table" in refused(tmp_path, same_name)[0]
    same_target = "tables:\n" + table % ("t", "b") + table % ("u", "b")
    assert refused(tmp_path, same_target)[0].startswith(
        "defs.yaml:3: tables[1].target_table: 'b' is written by table 't'"
    )


def test_a_table_cannot_be_its_own_source(tmp_path: Path) -> None:
    text = GOOD.replace("target: target", "target: source").replace("warehouse.flights", "ops.flights")
    assert "is the source table itself" in refused(tmp_path, text.replace("against: reporting", "name: again"))[0]


def test_hours_of_a_zone_whose_clock_moves_by_half_an_hour_are_refused(tmp_path: Path) -> None:
    text = GOOD.replace("by: day", "by: hour").replace("timezone: UTC", "timezone: Australia/Lord_Howe")
    assert "moves its clock by part of an hour; partition by day, or by hour in UTC" in refused(tmp_path, text)[0]


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [" + ", ".join([f"*l{n - 1}"] * 9) + "]" for n in range(1, 12)]
    assert "too many values or aliases" in refused(tmp_path, "\n".join(["l0: &l0 [x]", *levels]))[0]


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in refused(tmp_path, "tables: " + "[" * 1200)[0]
    assert "too many values" in refused(tmp_path, "tables: " + "[" * 60 + "]" * 60)[0]


@pytest.mark.parametrize("text", ["", "# nothing\n", "type: some.other.Component\n"])
def test_a_file_without_our_configuration_is_refused(tmp_path: Path, text: str) -> None:
    assert "holds no configuration; begin with type:" in refused(tmp_path, text)[0]


@pytest.mark.parametrize("text", ["just text\n", "- a\n- b\n", "type: reconcile_assets.components.ReconciledTables\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "is not a mapping" in refused(tmp_path, text)[0]


def test_two_configurations_in_one_file_are_refused(tmp_path: Path) -> None:
    assert "a second configuration in one file" in refused(tmp_path, f"{GOOD}---\n{GOOD}")[0]


def test_a_file_that_is_no_utf8_or_holds_control_characters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "defs.yaml"
    path.write_bytes(b"tables: \xff\n")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_config(path, environ=ENVIRON)
    assert "characters that YAML does not allow" in refused(tmp_path, "tables: \x01\n")[0]


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_config(tmp_path / "none.yaml", environ=ENVIRON)
    with pytest.raises(ConfigurationError, match="--config FILE"):
        load_config(tmp_path, environ=ENVIRON)


def test_attributes_read_elsewhere_are_refused_with_the_same_words() -> None:
    with pytest.raises(ConfigurationError, match=r"^tabels: unknown field; did you mean 'tables'\?$"):
        parse_attributes({"tabels": []})
    assert parse_attributes({"tables": ()}) == Config()


def test_variables_may_be_left_to_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "defs.yaml"
    path.write_text(GOOD)
    assert load_config(path, environ={}, require_variables=False).tables[0].name == "flights"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tables: []\n<<: [x]\n", "<< takes a mapping; name one by *alias"),
        ("? [a, b]\n: c\n", "a key is a word; put it in quotes"),
        ("alerts: {destinations: {'': {url_env: A}}}\n", "alerts.destinations.'': '' is empty or holds"),
        ("alerts: [a]\n", "alerts: is not a mapping; write `key: value`"),
        ("tables: [a]\n", "tables[0]: 'a' is not a mapping"),
        ("tables: {a: b}\n", "tables: is not a list"),
        ("queue: {capacity: !!binary aGk=}\n", "queue.capacity:"),
        ("queue: !!python/object:os.system {}\n", "is not known; take it out"),
        ("tables: !mine []\n", "defs.yaml:1: the tag !mine is not known"),
        ("alerts: {routes: [{to: [x]}]}\n", "alerts.routes[0].to[0]: 'x' is no destination; add it"),
        ("critical_tables: [{name: t, connection: c, table: t, key: []}]\n", "critical_tables[0].key: is empty"),
        ("health: {probes: [{name: a, type: tcp, url_env: A}]}\n", "health.probes[0].type: 'tcp' is not one of 'http'"),
    ],
)
def test_odd_shapes_are_refused_in_plain_words(tmp_path: Path, text: str, what: str) -> None:
    assert what in "\n".join(refused(tmp_path, text))


def test_a_table_is_found_by_its_name_only(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        load(tmp_path, GOOD).table("flight")


def test_variables_can_be_checked_later(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    check_variables(config, ENVIRON)
    with pytest.raises(ConfigurationError, match=r"^SOURCE_DATABASE_URL is not set"):
        check_variables(config, {})


def test_nothing_of_a_configuration_shows_a_url(tmp_path: Path) -> None:
    assert SECRET not in repr(load(tmp_path, GOOD))


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        config.source = "other"  # type: ignore[misc]  # what the test is about


def test_the_flag_wins_over_the_variable_and_that_over_the_folder(tmp_path: Path) -> None:
    for name in ("flag.yaml", "variable.yaml", "reconcile_assets/defs/tables/defs.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(GOOD)
    variable = {"RECONCILE_CONFIG": "variable.yaml"}
    assert find_config(tmp_path, variable, "flag.yaml").name == "flag.yaml"
    assert find_config(tmp_path, variable).name == "variable.yaml"
    assert find_config(tmp_path, {}) == tmp_path / "reconcile_assets/defs/tables/defs.yaml"


def test_no_file_two_files_and_a_wrong_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no configuration below"):
        find_config(tmp_path, {})
    with pytest.raises(ConfigurationError, match=r"other\.yaml: no such file"):
        find_config(tmp_path, {"RECONCILE_CONFIG": "other.yaml"})
    for name in ("a", "b"):
        folder = tmp_path / "reconcile_assets" / "defs" / name
        folder.mkdir(parents=True)
        (folder / "defs.yaml").write_text(GOOD)
    with pytest.raises(ConfigurationError, match="2 configurations"):
        find_config(tmp_path, {})


def test_a_file_of_another_component_is_not_taken_for_ours(tmp_path: Path) -> None:
    folder = tmp_path / "reconcile_assets" / "defs" / "other"
    folder.mkdir(parents=True)
    (folder / "defs.yaml").write_text("type: some.other.Component\n")
    with pytest.raises(ConfigurationError, match="no configuration below"):
        find_config(tmp_path, {})


def test_rows_may_be_looked_at_again(tmp_path: Path) -> None:
    check = load(tmp_path, GOOD.replace("blocking: true", "recheck_after: 30s")).tables[0].check("rows")
    assert isinstance(check, RowsCheck)
    assert check.recheck_after == timedelta(seconds=30)


def test_text_may_be_folded(tmp_path: Path) -> None:
    text = GOOD.replace("abs_tol: 0.01}, up", "ignore_case: true, ignore_trailing_space: true}, up")
    check = load(tmp_path, text).tables[0].check("rows")
    assert isinstance(check, RowsCheck)
    assert (check.tolerances["air_time"].ignore_case, check.tolerances["updated_at"].ignore_case) == (True, False)


def test_a_tolerance_stands_for_one_column_only(tmp_path: Path) -> None:
    check = load(tmp_path, GOOD).tables[0].check("rows")
    assert isinstance(check, RowsCheck)
    assert (check.tolerances["air_time"].abs_tol, check.tolerances["updated_at"].seconds) == (0.01, 1)
    with pytest.raises(KeyError):
        load(tmp_path, GOOD).tables[0].check("nothing")
