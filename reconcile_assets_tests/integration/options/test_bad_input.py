"""What a person may get wrong, on every engine: one clear line and exit code 2, or the right result."""

import json
import secrets
import subprocess
import sys
import threading
import time
from typing import Any

import psycopg
import pymysql
import pytest

from reconcile_assets.cli import main
from reconcile_assets.errors import PermissionDenied
from reconcile_assets_tests.integration.options.engines import ALL, SERVERS, EveryEngine

NAMES = [
    'a"b',
    "a`b",
    "a'b",
    "%s",
    "100%",
    "%(x)s",
    "a{b}",
    "a\u202eb",
    "a\u200bb",
    " a",
    "a;b--c",
    "a/*b*/",
    "a\\b",
    "a.b",
    "a\nb",
    "a\x1b[31mb",
    "order",
    "a:b",
    "a=b",
    '"q"',
    "$1",
    "a?b",
    "e\u0301",
    "x" * 63,
]
COLUMNS = {"id": "BIGINT", "v": "VARCHAR(20)"}
ROWS = [(1, "a"), (2, "b")]


@pytest.fixture(scope="module")
def tables(engines: EveryEngine) -> EveryEngine:
    for engine in ALL:
        for side in (0, 1):
            engines.fill(engine, side, COLUMNS, ROWS)
    return engines


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a diff that could not verify; it is the document's too."""
    code = main(["diff", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert code == 2, out
    assert err.count("\n") == 1
    assert err.strip("\n").isprintable()
    assert json.loads(out) == {"verdict": "inconclusive", "error": err.strip("\n")}
    return err


def written(engine: str, name: str) -> str:
    mark = "`" if engine == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark


def named(name: str) -> str:
    """A table's name as the command line takes any."""
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("engine", ALL)
def test_any_name_that_really_exists_works(engines: EveryEngine, engine: str) -> None:
    """As a table's, as a column's in the key, masked, within a tolerance, left out and renamed."""
    statements = []
    for name in NAMES:
        quoted = written(engine, name)
        statements.append(f"CREATE TABLE {quoted} (id BIGINT NOT NULL PRIMARY KEY, {quoted} VARCHAR(20))")
        statements.append(f"INSERT INTO {quoted} VALUES (1, 'a'), (2, 'b')")  # noqa: S608 - the test's own names
    engines.run(engine, 0, *statements)
    url = engines.url(engine, 0)
    for number, name in enumerate(NAMES):
        turns: list[dict[str, Any]] = [
            {"key": [name], "columns": [f"{name}:{name}", "id"]},
            {"mask": [name], "ignore_case": [name], "key": ["id"]},
            {"exclude": [name]},
        ]
        found = _diff(url, named(name), **turns[number % 3])
        assert found.verdict == "matched", name
        if number % 3 == 0:
            found = _diff(url, named(name), where_source="id = 1", limit=1, keyless=True)
            assert [*(found.differences[0].target or {})] == ["id", name]


def _diff(url: str, table: str, **options: Any) -> Any:
    from reconcile_assets.engine.diff import diff

    return diff(url, table, url, table, **options)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no\u202ethere", "no\\u202ethere"),
        ("no\x1b[31mthere", "\\x1b"),
        ("no\x00there", ""),
        ("%s", "%s"),
        ("no\udc80there", "no text"),
        ("a\U0001f600", "a\U0001f600"),
        ("'; DROP TABLE small; --", "DROP"),
    ],
)
def test_a_name_that_is_not_there_is_told_without_steering_the_terminal(
    tables: EveryEngine, engine: str, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = tables.url(engine, 1)
    assert said in refused(capsys, url, named(name), url, "small")
    line = refused(capsys, url, "small", url, "small", "-k", name)
    assert "there is no column" in line


@pytest.mark.parametrize(("engine", "length", "said"), [("postgresql", 64, "63 bytes"), ("mysql", 65, "64 characters")])
def test_a_name_that_is_longer_than_the_server_keeps_is_not_cut(
    tables: EveryEngine, engine: str, length: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = tables.url(engine, 1)
    assert said in refused(capsys, url, "x" * length, url, "small")
    wide = "\u00e9" * (length // 2 + 1)  # on PostgreSQL bytes count
    line = refused(capsys, url, wide, url, "small")
    assert (said in line) is (engine == "postgresql")


@pytest.mark.parametrize("engine", ALL)
def test_an_empty_name_is_said_to_be_one(tables: EveryEngine, engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = tables.url(engine, 1)
    for table in ("", '""', "main.", ".small"):
        assert "a table is NAME" in refused(capsys, url, table, url, "small")
    assert "no column ''" in refused(capsys, url, "small", url, "small", "-k", "")


WRONG_CONDITIONS = [
    "id =",
    "nope = 1",
    "",
    " ",
    "(1=1",
    "1=1)",
    "1=1) OR (1=1",
    "1=1) OR (1=1) -- ",
    "1=1\n) OR (1=1\n",
    "1=1) UNION ALL SELECT * FROM small WHERE (1=1",
    "1=1) AS w, (SELECT 1 WHERE (1=1",
    "1=1; DROP TABLE small",
    "1=1; -- ",
    ";",
    "1=1 /*",
    "'",
    "1=1 UNION SELECT * FROM small",
    "1=1 ORDER BY id",
    "1=1 LIMIT 1",
    "1=1) LIMIT 1 -- ",
    "1=1 GROUP BY id",
    "1=1 FOR UPDATE",
    "count(id) > 0",
    "row_number() OVER () = 1",
    "id = ?",
    "id = %s",
    "id = $1",
    "v = 'a\x00b'",
    "v = 'a\udc80'",
]


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("condition", WRONG_CONDITIONS)
def test_what_is_not_one_condition_is_refused_and_does_nothing(
    tables: EveryEngine, engine: str, condition: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = tables.url(engine, 1)
    assert refused(capsys, url, "small", url, "small", "--where-target", condition).startswith("target: ")
    assert _diff(url, "small").source.rows == 2


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    "condition",
    ["1=1 -- all", "1=1 /* ; */", "1=1\n-- ) OR (1=1", "v IN ('a', 'b') OR (v LIKE '%s' AND v <> ';')", "v <> ')--'"],
)
def test_comments_and_quoted_marks_are_no_tricks(tables: EveryEngine, engine: str, condition: str) -> None:
    found = _diff(tables.url(engine, 1), "small", where=condition)
    assert (found.verdict, found.source.rows) == ("matched", 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--abs-tol", "id=-1", "-k", "v"), "column id: a tolerance is a finite number"),
        (("--rel-tol", "id=nan", "-k", "v"), "column id: a tolerance is a finite number"),
        (("--abs-tol", "id=inf", "-k", "v"), "column id: a tolerance is a finite number"),
        (("--abs-tol", "id=1", "--abs-tol", "id=2", "-k", "v"), "names id twice"),
        (("--key-type", "v=uuid", "--key-type", "v=uuid"), "names v twice"),
        (("--abs-tol", "v=1"), "are for numbers"),
        (("--ignore-case", "id", "-k", "v"), "are for text"),
        (("--seconds", "id=1", "-k", "v"), "are for dates and times"),
        (("--exclude", "nope"), "there are id, v"),
        (("--exclude", "id"), "the primary key id is not among the compared columns"),
        (("-c", "v", "-k", "id", "--exclude", "v"), "both asked for and excluded"),
        (("--recheck-after", "-1"), "0 to 86400 seconds"),
        (("--recheck-after", "soon"), "invalid float"),
        (("--keyless", "--key-type", "v=int"), "only uuid"),
    ],
)
@pytest.mark.parametrize("engine", ALL)
def test_a_wrong_option_names_its_column(
    tables: EveryEngine, engine: str, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = tables.url(engine, 1)
    assert said in refused(capsys, url, "small", url, "small", *options)


def test_tables_without_a_column_in_common_are_told_so(tables: EveryEngine, capsys: pytest.CaptureFixture[str]) -> None:
    tables.run("sqlite", 1, "DROP TABLE IF EXISTS other", "CREATE TABLE other (x int)")
    url = tables.url("sqlite", 1)
    for options in (("-k", "id"), ("--mask", "id"), ("--keyless",)):
        assert "no column in common" in refused(capsys, url, "small", url, "other", *options)


@pytest.mark.parametrize("engine", ALL)
def test_a_statement_over_its_time_limit_gives_no_verdict(
    tables: EveryEngine, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = {
        "postgresql": "SELECT 1 AS id, pg_sleep(20)::text AS v",
        "mysql": "SELECT 1 AS id, sleep(20) AS v",
        "sqlite": "WITH RECURSIVE s(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM s) SELECT id, 'x' AS v FROM s",
        "duckdb": "SELECT range AS id, 'x' AS v FROM range(1000000000)",
    }
    tables.run(engine, 1, "DROP VIEW IF EXISTS slow", f"CREATE VIEW slow AS {slow[engine]}")
    url = tables.url(engine, 1)
    started = time.monotonic()
    line = refused(capsys, url, "slow", url, "slow", "-k", "id", "--timeout", "0.2")
    assert "time limit" in line
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("engine", SERVERS)
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_connection_that_is_cut_in_the_middle_gives_no_verdict(
    tables: EveryEngine, engine: str, side: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = {"postgresql": "SELECT 1 AS id, pg_sleep(20)::text AS v", "mysql": "SELECT 1 AS id, sleep(20) AS v"}
    tables.run(engine, 1, "DROP VIEW IF EXISTS cut", f"CREATE VIEW cut AS {slow[engine]}")
    ended = threading.Event()
    thread = threading.Thread(target=_cut, args=(tables.url(engine, 1), engine, ended))
    thread.start()
    try:
        sides = [(tables.url(engine, 1), "cut"), (tables.url("sqlite", 1), "small")]
        first, second = sides if side == "source" else sides[::-1]
        line = refused(capsys, *first, *second, "-k", "id")
    finally:
        ended.set()
        thread.join()
    assert line.startswith(f"{side}: ")
    assert "connection" in line


def _cut(url: str, engine: str, ended: threading.Event) -> None:
    """End the connections that sleep in this database, as soon as there are any."""
    name = url.partition("?")[0].rsplit("/", 1)[1]
    if engine == "postgresql":
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.wait(0.1):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = %s AND wait_event = 'PgSleep'",
                    (name,),
                )
        return
    server = pymysql.connect(host="127.0.0.1", port=3306, user="root", password="", autocommit=True)
    with server, server.cursor() as cursor:
        while not ended.wait(0.1):
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE db = %s AND state = 'User sleep'", (name,)
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {int(number)}")


@pytest.mark.parametrize("engine", SERVERS)
def test_a_privilege_that_is_lost_in_the_middle_gives_no_verdict(engines: EveryEngine, engine: str) -> None:
    from reconcile_assets.engine.diff import diff

    user = f"reader_{secrets.token_hex(4)}"
    whom = user if engine == "postgresql" else f"{user}@'127.0.0.1'"
    for side in (0, 1):
        engines.fill(engine, side, COLUMNS, [(1, f"side {side}")])
    url = engines.url(engine, 0)
    if engine == "postgresql":
        engines.run(engine, 0, f"DROP ROLE IF EXISTS {user}", f"CREATE ROLE {user}")
        engines.run(engine, 0, f"GRANT USAGE ON SCHEMA public TO {user}", f"GRANT SELECT ON small TO {user}")
        limited = f"{url}{'&' if '?' in url else '?'}options=-c%20role%3D{user}"
        small, drop = "small", [f"DROP OWNED BY {user}", f"DROP ROLE {user}"]
    else:
        database = url.rsplit("/", 1)[1]
        engines.run(engine, 0, f"CREATE OR REPLACE USER {whom} IDENTIFIED BY 'x'")
        engines.run(engine, 0, f"GRANT SELECT ON {database}.small TO {whom}")
        limited = url.replace("root@", f"{user}:x@")
        small, drop = f"{database}.small", [f"DROP USER {whom}"]
    try:
        with pytest.raises(PermissionDenied) as caught:
            diff(
                limited,
                "small",
                engines.url(engine, 1),
                "small",
                recheck_after=1,
                sleep=lambda _: engines.run(engine, 0, f"REVOKE ALL ON {small} FROM {whom}"),
            )
        assert "\n" not in str(caught.value)
    finally:
        engines.run(engine, 0, *drop)


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("mysql://u:s3cret@127.0.0.1/d", "pymysql", "reconcile-assets[mysql]"),
        ("duckdb:////no/such.duckdb", "duckdb", "reconcile-assets[duckdb]"),
    ],
)
def test_a_driver_that_is_not_installed_names_the_extra(tables: EveryEngine, url: str, module: str, extra: str) -> None:
    url = tables.url("duckdb", 1) if module == "duckdb" else url
    program = (
        "import sys\n"
        f"sys.modules[{module!r}] = None\n"  # importing it fails as if it were not there
        "from reconcile_assets.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "diff", url, "small", tables.url("sqlite", 1), "small"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert extra in done.stderr
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
