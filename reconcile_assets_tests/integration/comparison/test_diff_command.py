"""``reconcile-assets diff`` as a person runs it: JSON, exit codes, refusals."""

import errno
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reconcile_assets.cli import main
from reconcile_assets.databases import open_database
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.integration.comparison.conftest import Pair

SECRET = "s3cret-canary"


@pytest.fixture
def rows(pair: Pair) -> Pair:
    pair.run(
        "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric, at timestamp, flag boolean, raw bytea);"
        "INSERT INTO t VALUES (1, 'a', 1.5, '2024-01-01', true, '\\x00'), (2, 'b', 2, '2024-01-02', false, NULL)"
    )
    return pair


def run(capsys: pytest.CaptureFixture[str], pair: Pair, *options: str, table: str = "t") -> tuple[int, Any, str]:
    code = main(["diff", pair.urls[0], table, pair.urls[1], table, "--json", *options])
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_equal_tables_exit_0_with_the_whole_document(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    code, document, err = run(capsys, rows)
    assert (code, document["verdict"], err) == (0, "matched", "")
    assert list(document["columns"]) == ["name", "amount", "at", "flag", "raw"]
    assert document["source"] == {"rows": 2, "null_keys": 0, "duplicate_keys": 0}
    assert document["cost"]["source"]["scans"] == 1
    assert document["notes"] == ["the key is the primary key of the source: id"]


def test_a_difference_exits_1_and_shows_json_values(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.connections[1].execute("UPDATE t SET name = NULL, amount = 2.5, flag = true, raw = '\\xff' WHERE id = 2")
    code, document, _ = run(capsys, rows, "-k", "id")
    assert code == 1
    assert document["differences"] == [
        {
            "kind": "value_differs",
            "key": {"id": 2},
            "source": {"name": "b", "amount": "2", "flag": False, "raw": None},
            "target": {"name": None, "amount": "2.5", "flag": True, "raw": "\\xff"},
        }
    ]


def test_tolerances_filter_and_are_counted(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.connections[1].execute("UPDATE t SET amount = amount + 0.005, at = at + interval '1 second'")
    options = ("--abs-tol", "amount=0.005", "--seconds", "at=1")
    code, document, _ = run(capsys, rows, *options)
    assert (code, document["verdict"], document["within_tolerance"]) == (0, "matched", 2)
    assert document["columns"]["amount"] == {"comparison": "tolerance:abs_tol=0.005", "differs": 0}
    assert document["columns"]["at"]["comparison"] == "tolerance:seconds=1"
    assert run(capsys, rows, "--abs-tol", "amount=0.0049", "--seconds", "at=1")[0] == 1
    rows.connections[1].execute("UPDATE t SET amount = NULL WHERE id = 1")
    assert run(capsys, rows, *options)[1]["value_differs"] == 1


def test_where_exclude_columns_and_renames(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.connections[1].execute("UPDATE t SET name = 'x' WHERE id = 2; ALTER TABLE t RENAME amount TO total")
    assert run(capsys, rows, "--where", "id < 2 -- not the second")[0] == 0
    assert run(capsys, rows, "--exclude", "name")[0] == 0
    code, document, _ = run(capsys, rows, "-c", "amount:total", "-c", "flag")
    assert (code, list(document["columns"])) == (0, ["amount", "flag"])
    assert run(capsys, rows, "-c", "name")[0] == 1
    assert run(capsys, rows, "--where-source", "id = 1", "--where-target", "id = 1")[0] == 0
    assert run(capsys, rows, "--where", "name LIKE '%;%'")[1]["source"]["rows"] == 0


def test_masked_values_are_never_shown(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.connections[0].execute(
        "UPDATE t SET name = 'canary@example.com' WHERE id = 2; INSERT INTO t VALUES (3, 'canary')"
    )
    code, document, _ = run(capsys, rows, "--mask", "name")
    assert code == 1
    assert document["columns"]["name"]["differs"] == 1
    assert "canary" not in json.dumps(document)
    assert document["differences"][0]["source"] == {"name": "***"}
    main(["diff", rows.urls[0], "t", rows.urls[1], "t", "--mask", "name"])
    assert "canary" not in capsys.readouterr().out


def test_the_summary_names_counts_columns_and_differences(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.connections[1].execute("UPDATE t SET name = E'b\\x1b[31m' WHERE id = 2; DELETE FROM t WHERE id = 1")
    assert main(["diff", rows.urls[0], "t", rows.urls[1], "t"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("MISMATCHED\n")
    assert "value_differs  id=2" in out
    assert "missing_in_target  id=1" in out
    assert "\x1b" not in out


def test_html_writes_the_page_beside_json_and_the_python_call_gives_the_same(
    rows: Pair, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows.connections[1].execute("UPDATE t SET name = '<script>alert(1)</script>', amount = 9 WHERE id = 2")
    path = tmp_path / "diff.html"
    code, document, err = run(capsys, rows, "--html", str(path), "--mask", "amount", "--where", "id > 1")
    html = path.read_text(encoding="utf-8")
    assert (code, document["verdict"], err) == (1, "mismatched", f"the page is written to {path}\n")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert html.count(">masked</bdi>") == 2
    found = diff(rows.urls[0], "t", rows.urls[1], "t", mask=["amount"], where="id > 1")
    database = rows.urls[0].rsplit("/", 1)[1].partition("?")[0]
    assert found.source_name.startswith(f"t (postgresql, {database}")
    assert found.source_name.endswith(" where id > 1")
    assert found.to_html().count(">masked</bdi>") == 2
    parts = [re.sub(r"Compared .*? s</p>", "", page) for page in (html, found.to_html())]
    assert parts[0] == parts[1]


def test_html_is_written_for_what_could_not_be_verified_too(
    rows: Pair, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows.run("ALTER TABLE t ADD p point")
    path = tmp_path / "diff.html"
    code, document, _ = run(capsys, rows, "--html", str(path))
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert "Not everything could be verified" in path.read_text(encoding="utf-8")


def test_a_page_that_can_not_be_written_is_refused_before_and_told_after(
    rows: Pair, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, document, err = run(capsys, rows, "--html", str(tmp_path), table="no_such_table")
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert "that is a directory" in err
    monkeypatch.setattr(Path, "replace", _refuse)
    code, document, err = run(capsys, rows, "--html", str(tmp_path / "diff.html"))
    assert (code, document["verdict"]) == (2, "matched")  # what was found is not lost with the page
    assert err == f"{tmp_path / 'diff.html'}: No space left on device; name another file with --html\n"
    assert list(tmp_path.iterdir()) == []


def _refuse(path: Path, target: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_summary_lists_as_many_as_the_limit(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.connections[1].execute("INSERT INTO t SELECT n, 'x' FROM generate_series(10, 40) n")
    listed = []
    for options in ((), ("--limit", "20"), ("--limit", "0")):
        assert main(["diff", rows.urls[0], "t", rows.urls[1], "t", *options]) == 1
        listed.append(capsys.readouterr().out.count("  missing_in_source  id="))
    assert listed == [10, 20, 0]
    assert len(run(capsys, rows)[1]["differences"]) == 31


def test_an_uncomparable_column_exits_2(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.run("ALTER TABLE t ADD p point")
    code, document, err = run(capsys, rows)
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert err.count("\n") == 1
    assert "could not verify" in err
    rows.connections[1].execute("UPDATE t SET name = 'x'")
    assert run(capsys, rows)[0] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-k", "nope"), "there is no column nope"),
        (("-k", "idd"), "did you mean id"),
        (("-c", "nmae"), "did you mean name"),
        (("--exclude", "nope"), "there is no column nope"),
        (("--mask", "nope"), "there is no column nope"),
        (("--abs-tol", "name=1"), "abs_tol and rel_tol are for numbers"),
        (("--seconds", "amount=1"), "seconds are for dates and times"),
        (("--abs-tol", "id=1"), "which is in the key"),
        (("--abs-tol", "amount=-1"), "not negative"),
        (("--abs-tol", "amount=nan"), "not negative"),
        (("--abs-tol", "amount=inf"), "not negative"),
        (("--abs-tol", "amount"), "takes COLUMN=VALUE"),
        (("--abs-tol", "amount=x"), "is no number"),
        (("--abs-tol", "nope=1"), "there is no column nope"),
        (("--exclude", "amount", "--abs-tol", "amount=1"), "there is no column amount"),
        (("--limit", "-1"), "the limit is 0 or more"),
        (("--keyless", "-k", "id"), "exclude each other"),
        (("--keyless", "--abs-tol", "amount=1"), "without a key"),
        (("--where", "id ="), "condition is refused"),
        (("--where", "true); DELETE FROM t; --"), "condition is refused"),
        (("--where", "false) or (true"), "condition is refused"),
        (("--where-target", "true) AS w, (SELECT 1 WHERE (true"), "condition is refused"),
        (("--where", "nope = 1"), "nope"),
        (("--where", ""), "condition is empty"),
        (("--timeout", "0"), "seconds above 0"),
        (("--zone", "at=Nowhere/City"), "no time zone Nowhere/City"),
        (("--zone", "name=UTC"), "without a zone"),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(
    rows: Pair, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    code, document, err = run(capsys, rows, *options)
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert message in err
    assert err.count("\n") == 1
    assert document["error"] == err.strip()
    assert rows.connections[0].execute("SELECT count(*) FROM t").fetchone() == (2,)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"postgresql://u:{SECRET}@no-such-host.invalid/db", "host"),
        (f"postgresql://u:{SECRET}@127.0.0.1:1/db", "refused the connection"),
        (f"postgresql://u:{SECRET}@127.0.0.1:notaport/db", "can't be parsed"),
        (f"nosuch://u:{SECRET}@127.0.0.1/db", "no engine for nosuch://"),
        (f"oracle://u:{SECRET}@127.0.0.1/db", "needs the Python module oracledb"),
        (f"u:{SECRET}@127.0.0.1/db", "no engine"),
        (SECRET, "no scheme"),
        (f"postgresql://u:{SECRET}@127.0.0.1/db?nope={SECRET}", "can't be parsed"),
    ],
)
def test_a_database_that_can_not_be_reached_is_inconclusive_and_shows_no_secret(
    rows: Pair, capsys: pytest.CaptureFixture[str], url: str, message: str
) -> None:
    assert main(["diff", url, "t", rows.urls[1], "t", "--json"]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert err.count("\n") == 1
    assert SECRET not in out + err
    assert json.loads(out)["verdict"] == "inconclusive"


def test_a_wrong_password_and_a_missing_database_are_told_apart(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(rows.urls[0])
    host = f"{parts['host']}:{parts['port']}"
    for url, message in (
        (f"postgresql://postgres:{SECRET}@{host}/{parts['dbname']}", "refuses the user or the password"),
        (f"postgresql://postgres:{parts['password']}@{host}/no_such_db", "no database no_such_db"),
    ):
        assert main(["diff", url, "t", rows.urls[1], "t"]) == 2
        out, err = capsys.readouterr()
        assert message in err
        assert out == ""
        assert SECRET not in err
        assert str(parts["password"]) not in err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("tt", "no table tt"),
        ("public.nope", "no table public.nope"),
        ("x" * 64, "longer than the 63 bytes"),
        ("a\x00b", "NUL"),
        ("", "a table is NAME"),
        ("t; DROP TABLE t", "no table"),
    ],
)
def test_a_missing_table_is_an_error_and_not_equal(
    rows: Pair, capsys: pytest.CaptureFixture[str], table: str, message: str
) -> None:
    code, document, err = run(capsys, rows, table=table)
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert message in err


def test_tables_without_a_key_name_both_ways_out(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    pair.run("CREATE TABLE t (a int)")
    code, _, err = run(capsys, pair)
    assert code == 2
    assert "-k" in err
    assert "--keyless" in err
    pair.run("CREATE UNIQUE INDEX ON t (a)")
    assert run(capsys, pair)[0] == 2
    pair.run("ALTER TABLE t ALTER a SET NOT NULL")
    assert "unique key of the source: a" in run(capsys, pair)[1]["notes"][0]


def test_every_spelling_of_the_scheme_works(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    for scheme in ("postgres", "postgresql+psycopg", "postgresql+psycopg2", "POSTGRESQL"):
        url = rows.urls[0].replace("postgresql", scheme, 1)
        assert main(["diff", url, "t", rows.urls[1], "t", "--json"]) == 0
        capsys.readouterr()


def test_a_statement_over_its_limit_is_inconclusive(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    pair.run("CREATE VIEW t AS SELECT 1 AS id, pg_sleep(5)::text AS v")
    started = time.monotonic()
    code, document, err = run(capsys, pair, "-k", "id", "--timeout", "0.3")
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert "time limit" in err
    assert time.monotonic() - started < 4


def test_a_lost_privilege_is_inconclusive(rows: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    rows.run(
        "DROP ROLE IF EXISTS reader_of_nothing; CREATE ROLE reader_of_nothing;"
        "GRANT USAGE ON SCHEMA public TO reader_of_nothing",
        "SELECT 1",
    )
    joint = "&" if "?" in rows.urls[0] else "?"
    url = f"{rows.urls[0]}{joint}options=-c%20role%3Dreader_of_nothing"
    try:
        assert main(["diff", url, "t", rows.urls[1], "t", "--json"]) == 2
        assert "permission denied" in capsys.readouterr().err
    finally:
        rows.connections[0].execute("DROP OWNED BY reader_of_nothing; DROP ROLE reader_of_nothing")


def test_a_connection_cut_in_the_middle_is_inconclusive(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    pair.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)")
    pair.connections[1].execute(
        "CREATE FUNCTION cut() RETURNS int LANGUAGE sql AS 'SELECT pg_terminate_backend(pg_backend_pid())::int'"
    )
    pair.connections[1].execute("CREATE VIEW w AS SELECT id, cut() AS v FROM t")
    pair.connections[0].execute("CREATE VIEW w AS SELECT id, 1 AS v FROM t")
    code, document, err = run(capsys, pair, "-k", "id", table="w")
    assert (code, document["verdict"]) == (2, "inconclusive")
    assert err.startswith("target: ")
    assert "connection" in err


def test_a_session_reads_one_snapshot_and_can_not_write(rows: Pair) -> None:
    with open_database(rows.urls[0], name="source").session() as session:
        assert session.fetch_scalar("SELECT count(*) FROM t") == 2
        rows.connections[0].execute("INSERT INTO t VALUES (9)")
        assert session.fetch_scalar("SELECT count(*) FROM t") == 2
        with pytest.raises(Exception, match="read-only"):
            session.fetch_scalar("DELETE FROM t RETURNING 1")
    with psycopg.connect(rows.urls[0]) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_a_session_shares_its_transaction_with_sqlalchemy(rows: Pair) -> None:
    import sqlalchemy

    database = open_database(rows.urls[0], name="target")
    with database.session(read_only=False) as session:
        session.driver_connection.execute("INSERT INTO t VALUES (7)")
        through = session.sqlalchemy()
        assert through.execute(sqlalchemy.text("SELECT count(*) FROM t")).scalar_one() == 3
        through.execute(sqlalchemy.text("INSERT INTO t (id) VALUES (8)"))
        assert session.fetch_scalar("SELECT count(*) FROM t") == 4
    assert rows.connections[0].execute("SELECT count(*) FROM t").fetchone() == (2,)
    with database.session(read_only=False) as session:
        session.driver_connection.execute("INSERT INTO t VALUES (7)")
        session.sqlalchemy().execute(sqlalchemy.text("INSERT INTO t (id) VALUES (8)"))
        session.sqlalchemy().commit()
    assert rows.connections[0].execute("SELECT count(*) FROM t").fetchone() == (4,)


def test_an_exported_snapshot_is_seen_by_another_session(rows: Pair) -> None:
    database = open_database(rows.urls[0], name="source")
    with database.session() as first:
        snapshot = first.export_snapshot()
        rows.connections[0].execute("DELETE FROM t")
        with database.session(snapshot=snapshot) as second:
            assert second.fetch_scalar("SELECT count(*) FROM t") == 2


def test_the_process_starts_light(rows: Pair) -> None:
    """Its processor time is bounded here, whatever else runs; the benchmarks measure its time on the clock."""
    program = (
        "import sys; from reconcile_assets.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'dagster', 'pandas', 'sqlalchemy', 'pydantic', 'rich', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "diff", rows.urls[0], "t", rows.urls[1], "t", "--json"]
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 1.0


def test_the_python_call_gives_a_frame(rows: Pair) -> None:
    import reconcile_assets

    rows.connections[1].execute("UPDATE t SET name = 'x' WHERE id = 1")
    found = reconcile_assets.diff(rows.urls[0], "t", rows.urls[1], "t")
    frame = found.differences()
    assert list(frame.columns) == ["kind", "id", "name_source", "name_target"]
    assert frame.iloc[0].tolist() == ["value_differs", 1, "a", "x"]
