"""`doctor` on real databases: silent when all is well, one line with the mend for each fault."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from reconcile_assets import cli

PASSWORD = "c4n4ry-passw0rd"
CONFIG = """\
tables:
- name: flights
  source_table: ops.flights
  target_table: warehouse.flights
  key: [id]
  partition: {column: at, by: day, start: 2013-01-01, end: 2013-02-01}
  checks:
  - {type: row_count}
  - {type: rows, tolerances: {distance: {abs_tol: 0.5}}}
  - {type: aggregate, function: sum, column: distance}
  - type: sql
    name: miles
    source: "SELECT sum(distance) FROM ops.flights WHERE at >= :partition_start AND at < :partition_end"
    target: "SELECT sum(distance) FROM warehouse.flights WHERE at >= :partition_start AND at < :partition_end"
  - {type: schema}
  - {type: freshness, max_lag: 1h}
alerts: {destinations: {ops: {url_env: ALERT_OPS_URL}}}
"""
TABLE = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.flights (id bigint PRIMARY KEY, at timestamptz NOT NULL, distance float8, email text);
CREATE INDEX ON {schema}.flights (at);
INSERT INTO {schema}.flights
SELECT n, '2013-01-01 00:00+00'::timestamptz + n * interval '1 hour', n, 'canary@example.com'
FROM generate_series(0, 743) n;
"""


@dataclass
class Site:
    """Two databases with a role each: one that reads, one that writes."""

    source: str
    target: str
    reader: str
    writer: str
    folder: Path

    def on_source(self, statement: str) -> None:
        with psycopg.connect(self.source, autocommit=True) as connection:
            connection.execute(statement.replace("READER", self.reader))  # type: ignore[arg-type]  # the test's own SQL

    def on_target(self, statement: str) -> None:
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute(statement.replace("WRITER", self.writer))  # type: ignore[arg-type]  # the test's own SQL

    def configure(self, old: str, new: str) -> None:
        path = self.folder / "tables.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def as_role(url: str, role: str) -> str:
    parts = conninfo_to_dict(url)
    host = str(parts.get("host", "")).replace("/", "%2F")
    return f"postgresql://{role}:{PASSWORD}@:{parts.get('port', 5432)}/{parts['dbname']}?host={host}"


@pytest.fixture
def site(postgres_urls: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    source, target = postgres_urls("source"), postgres_urls("target")
    reader, writer = f"reader_{secrets.token_hex(4)}", f"writer_{secrets.token_hex(4)}"
    made = Site(source, target, reader, writer, tmp_path)
    made.on_source(TABLE.format(schema="ops"))
    made.on_target(TABLE.format(schema="warehouse"))
    made.on_source(f"CREATE ROLE READER LOGIN PASSWORD '{PASSWORD}'")
    made.on_source("GRANT USAGE ON SCHEMA ops TO READER; GRANT SELECT ON ops.flights TO READER")
    made.on_target(f"CREATE ROLE WRITER LOGIN PASSWORD '{PASSWORD}'")
    made.on_target("GRANT USAGE ON SCHEMA warehouse TO WRITER")
    made.on_target("GRANT SELECT, INSERT, DELETE ON warehouse.flights TO WRITER")
    made.on_target(f"GRANT CREATE ON DATABASE {conninfo_to_dict(target)['dbname']} TO WRITER")
    (tmp_path / "tables.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RECONCILE_CONFIG": "tables.yaml",
        "RECONCILE_STATE": str(tmp_path / "state"),
        "SOURCE_DATABASE_URL": as_role(source, reader),
        "TARGET_DATABASE_URL": as_role(target, writer),
        "DATABASE_URL": postgres_urls("project"),
        "ALERT_OPS_URL": "json://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    yield made
    for url, role in ((source, reader), (target, writer)):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


Doctor = Callable[..., tuple[int, list[dict[str, str]]]]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def run(*argv: str) -> tuple[int, list[dict[str, str]]]:
        code = cli.main(["doctor", "--json", *argv])
        captured = capsys.readouterr()
        assert PASSWORD not in captured.out + captured.err
        assert "canary@" not in captured.out + captured.err
        return code, json.loads(captured.out)["findings"]

    return run


def lines(findings: list[dict[str, str]], *levels: str) -> list[str]:
    return [f"{each['subject']}: {each['message']} -> {each['mend']}" for each in findings if each["level"] in levels]


def test_nothing_is_found_where_all_is_well(site: Site, doctor: Doctor) -> None:
    code, findings = doctor()
    assert lines(findings, "warning", "fail") == []
    assert code == 0
    checked = {each["subject"] for each in findings if each["subject"].startswith("check ")}
    assert len(checked) == 6


def test_doctor_leaves_nothing_behind(site: Site, doctor: Doctor) -> None:
    doctor()
    with psycopg.connect(site.target) as connection:
        found = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'reconcile_assets'").fetchone()
    assert found == (0,)
    assert not (site.folder / "state").exists()


SOURCE, TARGET = "source", "target"


@pytest.mark.parametrize(
    ("side", "statement", "subject", "message"),
    [
        (SOURCE, "GRANT INSERT ON ops.flights TO READER", "connection source", "can write to ops.flights"),
        (SOURCE, "GRANT UPDATE (distance) ON ops.flights TO READER", "connection source", "can write to ops.flights"),
        (SOURCE, "CREATE TABLE ops.x (i int); GRANT TRUNCATE ON ops.x TO READER", "connection source", "can write to"),
        (SOURCE, "ALTER ROLE READER SUPERUSER", "connection source", "can write to any table"),
        (SOURCE, "REVOKE SELECT ON ops.flights FROM READER", "table flights", "source: the role lacks SELECT on ops.f"),
        (SOURCE, "REVOKE USAGE ON SCHEMA ops FROM READER", "table flights", "ops"),
        (SOURCE, "DROP TABLE ops.flights", "table flights", "there is no table ops.flights"),
        (SOURCE, "ALTER TABLE ops.flights RENAME TO flight", "table flights", "did you mean ops.flight?"),
        (SOURCE, "ALTER TABLE ops.flights DROP COLUMN id", "table flights", "has no column 'id' (key)"),
        (SOURCE, "ALTER TABLE ops.flights DROP COLUMN at", "table flights", "has no column 'at' (partition.column)"),
        (SOURCE, "ALTER TABLE ops.flights ALTER at TYPE text", "table flights", "the partition column 'at' is text in"),
        (SOURCE, "ALTER TABLE ops.flights ADD extra int", "table flights", "has no column 'extra'; add it there"),
        (SOURCE, "ALTER TABLE ops.flights ENABLE ROW LEVEL SECURITY", "table flights", "row security hides rows of op"),
        (SOURCE, "ALTER TABLE ops.flights DROP CONSTRAINT flights_pkey; INSERT INTO ops.flights"
                 " SELECT * FROM ops.flights WHERE id < 3", "table flights", "source: the key (id) is not unique: 3 d"),
        (TARGET, "DROP TABLE warehouse.flights", "table flights", "there is no table warehouse.flights"),
        (TARGET, "REVOKE INSERT, DELETE ON warehouse.flights FROM WRITER", "table flights", "target: the role lacks I"),
        (TARGET, "ALTER TABLE warehouse.flights DROP COLUMN email", "table flights", "has no column 'email'"),
        (TARGET, "CREATE TABLE warehouse.bags (flight bigint REFERENCES warehouse.flights ON DELETE CASCADE)",
                 "table flights", "rows of bags refer to it"),
        (TARGET, "CREATE SCHEMA reconcile_assets", "connection target", "cannot write to the schema reconcile_assets"),
        (TARGET, "ALTER TABLE warehouse.flights RENAME distance TO miles", "table flights", "has no column 'distance'"),
    ],
)  # fmt: skip
def test_each_fault_of_a_database_fails_with_its_name(
    site: Site, doctor: Doctor, side: str, statement: str, subject: str | None, message: str | None
) -> None:
    (site.on_source if side == SOURCE else site.on_target)(statement)
    code, findings = doctor()
    failed = lines(findings, "fail")
    if message is None:
        assert (code, failed) == (0, [])
        return
    assert code == 2
    assert any(line.startswith(f"{subject}: ") and message in line for line in failed), failed


@pytest.mark.parametrize(
    ("side", "statement", "message"),
    [
        (SOURCE, "DROP INDEX ops.flights_at_idx", "source: no index begins with the partition column at"),
        (TARGET, "DROP INDEX warehouse.flights_at_idx", "CREATE INDEX flights_at ON warehouse.flights (at)"),
        (TARGET, "ALTER TABLE warehouse.flights DROP CONSTRAINT flights_pkey", "target: no unique key covers (id)"),
        (TARGET, "ALTER TABLE warehouse.flights ADD loaded_at timestamptz DEFAULT now()", "loaded_at"),
        (TARGET, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                 " CREATE TRIGGER stamp BEFORE INSERT ON warehouse.flights EXECUTE FUNCTION f()", "the trigger stamp"),
    ],
)  # fmt: skip
def test_what_works_but_should_be_mended_is_a_warning_and_exit_0(
    site: Site, doctor: Doctor, side: str, statement: str, message: str
) -> None:
    (site.on_source if side == SOURCE else site.on_target)(statement)
    code, findings = doctor()
    assert lines(findings, "fail") == []
    assert code == 0
    assert any(message in line for line in lines(findings, "warning")), findings


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('target: "SELECT sum(distance)', 'target: "SELECT sum(dist)', 'the target query of check miles: column "dist'),
        ('source: "SELECT sum(distance)', 'source: "SELEC sum(distance)', "source: the source query of check miles: s"),
        ('source: "SELECT sum(distance)', 'source: "SELECT id, sum(distance)', "source: the source query of check mil"),
        ('source: "SELECT sum(distance)', 'source: "SELECT distance', "the source query of check miles must give one"),
        ('target: "SELECT sum(distance)', 'target: "COMMIT; DROP TABLE flights; SELECT sum(distance)', "more than one"),
        ('target: "SELECT sum(distance)', 'target: "SELECT 1; SELECT sum(distance)', "than one statement"),
        ("column: distance}", "column: distanze}", "no compared column 'distanze'"),
        ("column: distance}", "column: email}", "sum needs a column of numbers"),
        ("{distance: {abs_tol", "{distanze: {abs_tol", "tolerances: no compared column 'distanze'"),
        ("key: [id]", "key: [id]\n  columns: {mask: [emial]}", "columns.mask: the source has no column 'emial'"),
        ("by: day", "by: day, timezone: America/New_York", None),
    ],
)  # fmt: skip
def test_each_query_of_a_check_is_run_and_its_failure_names_check_and_side(
    site: Site, doctor: Doctor, old: str, new: str, message: str | None
) -> None:
    site.configure(old, new)
    code, findings = doctor()
    failed = lines(findings, "fail")
    if message is None:
        assert code == 0
        return
    assert code == 2
    assert any(message in line for line in failed), failed
    with psycopg.connect(site.target) as connection:
        assert connection.execute("SELECT count(*) FROM warehouse.flights").fetchone() == (744,)


def test_a_query_without_the_partitions_bounds_is_a_warning(site: Site, doctor: Doctor) -> None:
    site.configure(
        " FROM warehouse.flights WHERE at >= :partition_start AND at < :partition_end", " FROM warehouse.flights"
    )
    code, findings = doctor()
    assert code == 0
    assert "does not use :partition_start" in lines(findings, "warning")[0]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SOURCE_DATABASE_URL", "", "SOURCE_DATABASE_URL is not set"),
        ("TARGET_DATABASE_URL", f"postgresql://u:{PASSWORD}@[bad/x", "can't be parsed"),
        ("TARGET_DATABASE_URL", f"nosuch://u:{PASSWORD}@host/x", "no engine for nosuch://"),
        ("TARGET_DATABASE_URL", f"postgresql://u:{PASSWORD}@nowhere.invalid/x", "target"),
        ("TARGET_DATABASE_URL", f"postgresql://u:{PASSWORD}@127.0.0.1:1/x", "target"),
        ("DATABASE_URL", f"postgresql://u:{PASSWORD}@127.0.0.1:1/x", "DATABASE_URL"),
        ("SOURCE_DATABASE_URL", "wrong password", "password"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/ledger.db", "DATABASE_URL"),
        ("ALERT_OPS_URL", "", "ALERT_OPS_URL is not set"),
        ("RECONCILE_STATE", "/proc/nowhere", "/proc/nowhere cannot be written to"),
    ],
)
def test_each_wrong_variable_fails_and_the_rest_is_still_looked_at(
    site: Site, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    if value == "wrong password":
        value = as_role(site.source, site.reader).replace(PASSWORD, "wrong")
    monkeypatch.setenv(variable, value)
    code, findings = doctor()
    assert code == 2
    assert any(message in line for line in lines(findings, "fail")), findings
    assert any(each["level"] == "ok" and each["subject"].startswith("connection") for each in findings)


def test_a_database_that_is_not_there_is_named(site: Site, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATABASE_URL", site.source.replace("/source_", "/other_"))
    code, findings = doctor()
    assert code == 2
    assert any("there is no database other_" in line for line in lines(findings, "fail")), findings
    assert "table flights: not looked at: connection source failed -> mend connection source first" in lines(
        findings, "fail"
    )


def test_a_ledger_in_a_file_is_fine(site: Site, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{site.folder}/ledger.db")
    assert doctor()[0] == 0


def test_without_a_ledger_an_embedded_one_is_named(site: Site, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    code, findings = doctor()
    assert code == 0
    assert any(line.startswith("ledger DATABASE_URL: is not set: an embedded") for line in lines(findings, "ok"))


def test_a_third_connection_of_a_check_is_looked_at_too(
    site: Site, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.configure("- {type: schema}", "- {type: rows, against: reporting}")
    code, findings = doctor()
    assert code == 2
    assert "connection reporting: REPORTING_DATABASE_URL is not set -> export it or put it into .env" in lines(
        findings, "fail"
    )
    monkeypatch.setenv("REPORTING_DATABASE_URL", as_role(site.source, site.reader))
    assert doctor()[0] == 0


def test_one_partition_may_be_named(site: Site, doctor: Doctor) -> None:
    code, findings = doctor("flights", "--partition", "2013-01-05")
    assert code == 0
    assert any("2013-01-05 is matched" in line for line in lines(findings, "ok"))
    code, findings = doctor("--partition", "2014-01-05")
    assert code == 2
    assert any("'2014-01-05' is no day" in line for line in lines(findings, "fail"))


def test_an_unknown_table_is_refused(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "flihgts"]) == 2
    assert capsys.readouterr().err == "table: 'flihgts' is not configured; did you mean 'flights'?\n"


def test_a_configuration_that_is_refused_is_one_line(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.configure("key: [id]", "keys: [id]")
    assert cli.main(["doctor"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "tables.yaml:5: tables[0].keys: unknown field; did you mean 'key'?\n"


def test_people_read_a_line_for_each_finding_and_the_counts(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "ok       check flights.miles: source: the query is planned and runs over 2013-01-31" in text
    assert text.splitlines()[-1].endswith("0 warning, 0 fail")


def test_a_source_query_is_looked_at_as_a_table(site: Site, doctor: Doctor) -> None:
    site.configure("source_table: ops.flights", 'source_query: "SELECT * FROM ops.flights;"')
    code, findings = doctor()
    assert code == 0
    assert any("source: the query gives 4 columns" in line for line in lines(findings, "ok"))
