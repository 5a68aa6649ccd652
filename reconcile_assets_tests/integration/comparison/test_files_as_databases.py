"""SQLite and DuckDB files as sides: URLs, names, keys, files in a table's place, and what is refused."""

import contextlib
import json
import os
import sqlite3
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from reconcile_assets import databases
from reconcile_assets.cli import main
from reconcile_assets.core.tables import TableName, TypeKind
from reconcile_assets.core.windows import PartitionScheme
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import PartitionFilter, Relation
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    MissingObject,
    PermissionDenied,
    QueryRefused,
    StatementTimeout,
    UnknownEngine,
)
from reconcile_assets_tests.integration.comparison.engines import Engines

FILES = ("sqlite", "duckdb")
PAIRS = [(a, b) for a in ("postgresql", *FILES) for b in ("postgresql", *FILES) if (a, b) != ("postgresql",) * 2]


def both(engines: Engines, source: str, target: str, left: list[str], right: list[str] | None = None) -> None:
    engines.run(source, 0, *left)
    engines.run(target, 1, *(left if right is None else right))


@pytest.mark.parametrize("engine", FILES)
def test_a_missing_file_is_one_line_and_makes_no_file(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{engine}:///{tmp_path}/none.db"
    assert main(["diff", url, "t", url, "t", "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "inconclusive"
    assert "none.db does not exist" in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", FILES)
def test_a_file_that_is_no_database_is_one_line(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.db").write_bytes(b"no database, but long enough to be taken for one" * 200)
    url = f"{engine}:///{tmp_path}/x.db"
    assert main(["diff", url, "t", url, "t"]) == 2
    assert "database" in capsys.readouterr().err
    with pytest.raises(ConfigurationError):
        diff(url, "t", url, "t")


@pytest.mark.parametrize("url", ["sqlite:", "sqlite://", "sqlite:///", "duckdb://x", "duckdb:///"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names a file"):
        open_database(url, name="source")


@pytest.mark.parametrize("engine", FILES)
def test_a_directory_is_no_database(engine: str, tmp_path: Path) -> None:
    with pytest.raises(MissingObject, match="is a directory"):
        diff(f"{engine}:///{tmp_path}", "t", f"{engine}:///{tmp_path}", "t")


@pytest.mark.parametrize("engine", FILES)
def test_a_relative_path_and_a_percent_sign_lead_to_the_file(
    engines: Engines, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(engines, engine, engine, ["CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1)"])
    monkeypatch.chdir(tmp_path)
    assert diff(f"{engine}:///side%200.{engine}", "t", f"{engine}:///side 1.{engine}", "t").verdict == "matched"


@pytest.mark.parametrize("engine", FILES)
def test_names_have_no_case_are_quoted_and_near_ones_are_offered(engines: Engines, engine: str) -> None:
    both(
        engines, engine, engine,
        ['CREATE TABLE "we.i""rd" ("order" BIGINT NOT NULL PRIMARY KEY, "a ""b" TEXT, "%s" TEXT)',
         """INSERT INTO "we.i""rd" VALUES (1, 'x', 'y')"""],
        ['CREATE TABLE "We.I""rd" ("Order" BIGINT NOT NULL PRIMARY KEY, "a ""b" TEXT, "%s" TEXT)',
         """INSERT INTO "We.I""rd" VALUES (1, 'x', 'z')"""],
    )  # fmt: skip
    found = engines.diff(engine, engine, 'main.we.i"rd', '"WE.i""RD"')
    assert [dict(item.source or {}) for item in found.differences] == [{"%s": "y"}]
    with pytest.raises(MissingObject, match=r'did you mean "?we\.i"rd'):
        engines.diff(engine, engine, 'main.we.i"r', "t")


@pytest.mark.parametrize("engine", FILES)
def test_views_are_compared_by_a_key_that_is_named(engines: Engines, engine: str) -> None:
    statements = [
        "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 2), (2, 3)",
        "CREATE VIEW d AS SELECT id, v * 2 AS double, 'x' || v AS name FROM t",
    ]  # fmt: skip
    both(engines, engine, engine, statements)
    found = engines.diff(engine, engine, "d", "d", key=["id"])
    assert (found.verdict, found.source.rows) == ("matched", 2)


def test_a_sqlite_primary_key_may_hold_null_and_a_table_without_rowid_may_not(engines: Engines) -> None:
    engines.run("sqlite", 0, "CREATE TABLE t (k TEXT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (NULL, 1), (NULL, 2)",
                "CREATE TABLE w (k TEXT PRIMARY KEY, v INT) WITHOUT ROWID", "INSERT INTO w VALUES ('a', 1)",
                "CREATE TABLE r (id INTEGER PRIMARY KEY, u INT NOT NULL UNIQUE)")  # fmt: skip
    with open_database(engines.url("sqlite", 0), name="source").session() as session:
        tables = {name: session.describe(Relation(TableName(None, name))) for name in ("t", "w", "r")}
    assert [tables[name].column("k").nullable for name in ("t", "w")] == [True, False]
    assert (tables["r"].primary_key, tables["r"].unique_keys, tables["r"].column("id").nullable) == (
        ("id",), (("u",),), False,
    )  # fmt: skip
    engines.run("sqlite", 1, "CREATE TABLE t (k TEXT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (NULL, 1), (NULL, 3)")
    found = engines.diff("sqlite", "sqlite")
    assert (found.source.null_keys, found.source.duplicate_keys, found.value_differs) == (2, 1, 1)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_keys_are_told_apart_by_their_code_points(engines: Engines, source: str, target: str) -> None:
    both(engines, source, target, ["CREATE TABLE t (k VARCHAR(9), v INT)",
         "INSERT INTO t VALUES ('a', 1), ('A', 1), ('a ', 1), ('e', 1), (NULL, 1)"],
         ["CREATE TABLE t (k VARCHAR(9), v INT)", "INSERT INTO t VALUES ('a', 1), ('e', 1), ('e', 1)"])  # fmt: skip
    found = engines.diff(source, target, key=["k"])
    assert (found.missing_in_target, found.missing_in_source) == (3, 1)
    assert (found.source.null_keys, found.target.duplicate_keys) == (1, 1)


UUIDS = [f"a0eebc99-9c0b-4ef8-bb6d-6bb9bd38{number:04x}" for number in range(2_600)]
DAYS = [(date(2000, 1, 1) + timedelta(days=number)).isoformat() for number in range(2_600)]
KEYS = {
    "uuid": ({"postgresql": "uuid", "duckdb": "UUID"}, {"postgresql": "text", "sqlite": "TEXT", "duckdb": "VARCHAR"},
             UUIDS, [found.upper().replace("-", "") for found in UUIDS]),
    "date": ({"postgresql": "date", "sqlite": "DATE", "duckdb": "DATE"},
             {"postgresql": "timestamp", "sqlite": "DATETIME", "duckdb": "TIMESTAMP"},
             DAYS, [f"{found} 00:00:00" for found in DAYS]),
    "number": ({"postgresql": "numeric", "sqlite": "INTEGER", "duckdb": "HUGEINT"},
               {"postgresql": "numeric(12,2)", "sqlite": "DECIMAL(12,2)", "duckdb": "DECIMAL(12,2)"},
               [str(number) for number in range(2_600)], [f"{number}.00" for number in range(2_600)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(KEYS))
def test_keys_of_two_types_are_one_key(engines: Engines, kind: str) -> None:
    left, right, keys, spelled = KEYS[kind]
    for engine, native in left.items():
        engines.run(engine, 0, f"CREATE TABLE t (k {native} NOT NULL PRIMARY KEY, v TEXT)")
        engines.load(engine, 0, "t", [(key, f"v{at}") for at, key in enumerate(keys)])
    for engine, native in right.items():
        engines.run(engine, 1, f"CREATE TABLE t (k {native} NOT NULL PRIMARY KEY, v TEXT)")
        engines.load(engine, 1, "t", [(key, f"v{at or 1}") for at, key in enumerate(spelled) if at != 7])
    for source in left:
        for target in right:
            found = engines.diff(source, target)
            counted = (found.missing_in_target, found.missing_in_source, found.value_differs)
            assert (source, target, *counted) == (source, target, 1, 0, 1)


def test_two_spellings_of_one_moment_are_one_key_twice(engines: Engines) -> None:
    make = "CREATE TABLE t (k DATETIME NOT NULL PRIMARY KEY, v INT)"
    engines.run("sqlite", 0, make, "INSERT INTO t VALUES ('2024-01-01', 1), ('2024-01-01 00:00:00', 2)")
    engines.run("duckdb", 1, make, "INSERT INTO t VALUES ('2024-01-01', 1)")
    found = engines.diff("sqlite", "duckdb")
    assert (found.source.duplicate_keys, found.missing_in_target, found.value_differs) == (1, 1, 0)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_tables_without_a_key_are_multisets(engines: Engines, source: str, target: str) -> None:
    make = "CREATE TABLE t (v VARCHAR(9), n DECIMAL(9,2))"
    left = ["INSERT INTO t VALUES ('A', 1.5), ('A', 1.5), ('B', 2)"]
    right = ["INSERT INTO t VALUES ('A', 1.5), ('B', 2), ('B', 2)"]
    both(engines, source, target, [make, *left], [make, *right])
    found = engines.diff(source, target, keyless=True)
    assert (found.missing_in_target, found.missing_in_source, found.value_differs) == (1, 1, 0)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_values_exchanged_between_rows_or_columns_are_found(engines: Engines, source: str, target: str) -> None:
    make = "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, a VARCHAR(9), b VARCHAR(9))"
    both(engines, source, target,
         [make, "INSERT INTO t VALUES (1, 'x|y', 'z'), (2, 'p', 'q'), (3, 'm', NULL), (9007199254740993, 'a', 'b')"],
         [make, "INSERT INTO t VALUES (1, 'x', 'y|z'), (2, 'q', 'p'), (3, NULL, 'm'), (9007199254740992, 'a', 'b')"],
         )  # fmt: skip
    found = engines.diff(source, target)
    assert (found.value_differs, found.missing_in_target, found.missing_in_source) == (3, 1, 1)
    assert found.columns["a"].differs == found.columns["b"].differs == 3
    assert {item.key["id"] for item in found.differences if item.kind == "missing_in_target"} == {"9007199254740993"}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_last_of_150_columns_counts(engines: Engines, source: str, target: str) -> None:
    columns = ", ".join(f"c{number} INT" for number in range(150))
    make = f"CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, {columns})"
    rows = [(key, *range(150)) for key in range(5)]
    both(engines, source, target, [make])
    engines.load(source, 0, "t", rows)
    engines.load(target, 1, "t", [*rows[:4], (*rows[4][:150], -1)])
    assert {name: c.differs for name, c in engines.diff(source, target).columns.items() if c.differs} == {"c149": 1}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_megabyte_counts_to_its_last_character(engines: Engines, source: str, target: str) -> None:
    both(engines, source, target, ["CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v TEXT)"])
    engines.load(source, 0, "t", [(1, "a" * 1_000_000 + "x")])
    engines.load(target, 1, "t", [(1, "a" * 1_000_000 + "y")])
    assert engines.diff(source, target).value_differs == 1


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_many_missing_rows_are_all_counted_and_some_listed(engines: Engines, source: str, target: str) -> None:
    both(engines, source, target, ["CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v TEXT)"])
    engines.load(source, 0, "t", [(key, "v") for key in range(3_000)])
    empty = engines.diff(source, target, limit=5)
    assert (empty.missing_in_target, len(empty.differences)) == (3_000, 5)
    engines.load(target, 1, "t", [(key, "w" if key % 2 else "v") for key in range(0, 6_000, 2)])
    found = engines.diff(source, target, limit=5)
    assert (found.missing_in_target, found.missing_in_source, found.value_differs) == (1_500, 1_500, 0)


def test_empty_tables_match_with_a_note(engines: Engines) -> None:
    both(engines, "sqlite", "duckdb", ["CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v DATE)"])
    found = engines.diff("sqlite", "duckdb")
    assert (found.verdict, found.notes[-1]) == ("matched", "both sides are empty")


@pytest.mark.parametrize("engine", FILES)
@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("id = (", QueryRefused),
        ("nope = 1", MissingObject),
        ("1 = 1; SELECT 1", QueryRefused),
        ("id = 1); DROP TABLE t; --", QueryRefused),
        (" ", QueryRefused),
        ("id = '\x00'", QueryRefused),
    ],
)
def test_a_condition_that_is_none_is_refused(engines: Engines, engine: str, where: str, error: type[Exception]) -> None:
    both(engines, engine, engine, ["CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1)"])
    with pytest.raises(error):
        engines.diff(engine, engine, where=where)
    assert engines.diff(engine, engine, where="id < 2 -- the first").source.rows == 1


@pytest.mark.parametrize("engine", FILES)
def test_the_files_are_never_written(engines: Engines, engine: str) -> None:
    both(engines, engine, engine, ["CREATE TABLE t (id BIGINT PRIMARY KEY)"])
    url = engines.url(engine, 0)
    refused = pytest.raises((QueryRefused, PermissionDenied))
    with open_database(url, name="source").session() as session, refused:
        session.fetch_scalar("INSERT INTO t VALUES (1)")
    assert engines.diff(engine, engine).source.rows == 0


@pytest.mark.parametrize("engine", FILES)
def test_a_statement_over_its_limit_is_a_time_out(engines: Engines, engine: str) -> None:
    slow = {
        "sqlite": "CREATE VIEW t AS WITH RECURSIVE s(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM s WHERE id < 1e9)"
        " SELECT max(id) AS id FROM s",
        "duckdb": "CREATE VIEW t AS SELECT max(a.range * b.range) AS id FROM range(1000000) a, range(1000000) b",
    }
    engines.run(engine, 0, slow[engine])
    engines.run(engine, 1, "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with pytest.raises(StatementTimeout):
        engines.diff(engine, engine, key=["id"], statement_timeout=0.3)


def test_a_duckdb_file_that_another_process_writes_is_said_to_be_open(engines: Engines, tmp_path: Path) -> None:
    import subprocess

    both(engines, "duckdb", "duckdb", ["CREATE TABLE t (id BIGINT PRIMARY KEY)"])
    path = engines.url("duckdb", 0).removeprefix("duckdb:///")
    program = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    try:
        with pytest.raises(DatabaseUnavailable, match="open for writing"):
            engines.diff("duckdb", "duckdb")
    finally:
        writer.communicate()


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(databases, "duckdb", databases.duckdb)  # the package is imported anew, and put back
    for name in [name for name in sys.modules if name.startswith("reconcile_assets.databases.duckdb")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    (tmp_path / "x.db").touch()
    with pytest.raises(UnknownEngine, match=r'pip install "reconcile-assets\[duckdb\]"'):
        diff(f"duckdb:///{tmp_path}/x.db", "t", f"duckdb:///{tmp_path}/x.db", "t")


def test_parquet_and_csv_files_and_queries_stand_in_a_tables_place(engines: Engines, tmp_path: Path) -> None:
    rows = [(1, "a", "1.10", "2024-01-01"), (2, "007", None, "2024-01-02")]
    engines.run("postgresql", 0, "CREATE TABLE t (id bigint PRIMARY KEY, name text, amount numeric(9,4), day date)")
    engines.load("postgresql", 0, "t", rows)
    with duckdb.connect() as made:
        made.execute("CREATE TABLE t (id BIGINT, name VARCHAR, amount DECIMAL(9,2), day DATE)")
        made.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
        made.execute(f"COPY t TO '{tmp_path}/t''s.parquet'")
        made.execute(f"COPY t TO '{tmp_path}/t.csv'")
    memory, side = "duckdb:///:memory:", (engines.url("postgresql", 0), "t")
    assert diff(*side, memory, f"{tmp_path}/t's.parquet").verdict == "matched"
    first = f"FROM '{tmp_path}/t''s.parquet' WHERE id = 1"
    assert diff(memory, first, *side).missing_in_source == 1
    csv = diff(*side, memory, f"{tmp_path}/t.csv")
    assert (csv.verdict, csv.columns["amount"].comparison[:12]) == ("inconclusive", "uncomparable")
    typed = f"FROM read_csv('{tmp_path}/t.csv', types = {{'amount': 'DECIMAL(9,2)'}})"
    assert diff(*side, memory, typed).verdict == "matched"
    with pytest.raises(MissingObject, match="does not exist"):
        diff(*side, memory, f"{tmp_path}/none.parquet")
    with pytest.raises(QueryRefused):
        diff(*side, memory, "SELECT 1 AS id; SELECT 2 AS id")


def test_nothing_in_a_csv_file_is_guessed_that_could_be_guessed_wrong(engines: Engines, tmp_path: Path) -> None:
    engines.run("postgresql", 0, "CREATE TABLE t (id bigint PRIMARY KEY, e text, d date, m timestamp, n numeric)",
                "INSERT INTO t VALUES (1, NULL, '2024-02-01', '2024-02-01', 0.1), (2, '', '2024-02-01', NULL, NULL)",
                )  # fmt: skip
    lines = ['1,"",01/02/2024,01/02/2024 00:00:00,0.10000000000000000001', "2,,01/02/2024,,"]
    (tmp_path / "t.csv").write_text("\n".join(["id,e,d,m,n", *lines, ""]))
    found = diff(engines.url("postgresql", 0), "t", "duckdb:///:memory:", f"{tmp_path}/t.csv", key=["id"])
    assert (found.verdict, found.columns["e"].differs) == ("mismatched", 2)
    assert all(found.columns[name].comparison.startswith("uncomparable") for name in ("d", "m", "n"))


@pytest.mark.parametrize(
    ("source", "target"), [("sqlite", "postgresql"), ("duckdb", "sqlite"), ("postgresql", "duckdb")]
)
def test_each_window_has_its_own_comparison(engines: Engines, source: str, target: str) -> None:
    types = {"postgresql": "timestamp", "sqlite": "DATETIME", "duckdb": "TIMESTAMP"}
    rows = [
        (1, "2024-01-01 23:59:59.999999"), (2, "2024-01-02 00:00:00"), (3, "2024-01-02 12:00:00"), (4, None),
        (5, "2024-01-04 00:00:00"),
    ]  # fmt: skip
    for side, engine in enumerate((source, target)):
        engines.run(engine, side, f'CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, "at" {types[engine]})')
        engines.load(engine, side, "t", rows if side == 0 else [*rows[:2], *rows[3:]])
    scheme = PartitionScheme("at", "day", datetime(2024, 1, 1), datetime(2024, 1, 4), "UTC", 3)
    filter_ = PartitionFilter("at", TypeKind.TIMESTAMP, scheme.partitions(datetime(2024, 2, 1, tzinfo=UTC)))
    relation = Relation(TableName(None, "t"))
    with (
        open_database(engines.url(source, 0), name="source").session() as left,
        open_database(engines.url(target, 1), name="target").session() as right,
    ):
        found = compare_tables(
            left, right, source_relation=relation, target_relation=relation, key=["id"], partitions=filter_
        )
    assert {key: (item.verdict.value, item.source.rows, item.missing_in_target) for key, item in found.items()} == {
        "2024-01-01": ("matched", 1, 0), "2024-01-02": ("mismatched", 2, 1), "2024-01-03": ("matched", 0, 0),
    }  # fmt: skip


def test_a_damaged_sqlite_file_is_never_equal(engines: Engines, tmp_path: Path) -> None:
    both(engines, "sqlite", "sqlite", ["CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"])
    for side in (0, 1):
        engines.load("sqlite", side, "t", [(key, "v" * 100) for key in range(2_000)])
    path = tmp_path / "side 1.sqlite"
    data = bytearray(path.read_bytes())
    data[40_960:45_056] = os.urandom(4_096)
    path.write_bytes(data)
    with contextlib.suppress(ConfigurationError, QueryRefused, DatabaseUnavailable):
        assert engines.diff("sqlite", "sqlite").verdict == "mismatched"


def test_a_sqlite_snapshot_does_not_see_later_commits(engines: Engines) -> None:
    engines.run("sqlite", 0, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    path = engines.url("sqlite", 0).removeprefix("sqlite:///")
    sqlite3.connect(path).execute("PRAGMA journal_mode = WAL").close()
    with open_database(engines.url("sqlite", 0), name="source").session() as session:
        engines.run("sqlite", 0, "INSERT INTO t VALUES (2)")
        assert session.estimate_rows(Relation(TableName(None, "t"))) == 1
