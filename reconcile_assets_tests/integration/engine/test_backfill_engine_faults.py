"""What a backfill into MariaDB, SQLite or DuckDB survives; each fault has a control that fails unprotected."""

import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pymysql
import pytest

from reconcile_assets.databases import open_database
from reconcile_assets.databases.duckdb.writer import DuckdbWriter
from reconcile_assets.databases.file_locks import writer_lock
from reconcile_assets.databases.mysql.writer import MysqlWriter
from reconcile_assets.databases.sqlite.writer import SqliteWriter
from reconcile_assets.databases.writing import PartitionsHeld
from reconcile_assets.engine import partition_write
from reconcile_assets.engine.backfill import PartitionWrite
from reconcile_assets.engine.partition_write import GroupWriter
from reconcile_assets.errors import (
    AlreadyRunning,
    ConfigurationError,
    ConstraintRefused,
    LossyWrite,
    RowsCollide,
    UnknownOutcome,
)
from reconcile_assets_tests.conftest import require_service
from reconcile_assets_tests.fault_proxy import FaultProxy
from reconcile_assets_tests.write_world import (
    MARIADB,
    Place,
    Places,
    WriteWorld,
    create_table,
    failed,
    instant,
    ledger_table,
    written,
)

WRITERS: dict[str, Any] = {"mysql": MysqlWriter, "sqlite": SqliteWriter, "duckdb": DuckdbWriter}
DAY = "2024-01-02"
ROWS = 40  # of a partition


@pytest.fixture
def places(tmp_path: Path, postgres_urls: Callable[[str], str]) -> Iterator[Places]:
    require_service("mariadb")
    found = Places(tmp_path, postgres_urls)
    yield found
    found.drop()


def insert_rows(place: Place, words: str, *, rows: int = ROWS) -> str:
    """Rows of each of the five days."""
    values = [
        f"({day * 1000 + number}, {instant(f'2024-01-0{day} 12:00:00')[place.engine]}, '{words}')"
        for day in range(1, 6)
        for number in range(rows)
    ]
    return f"INSERT INTO t VALUES {', '.join(values)}"  # noqa: S608 - the test's own SQL


def build(places: Places, target: str, *, source: str = "sqlite") -> WriteWorld:
    """t(id, seen, words), filled in the source and, with older words, in the target."""
    world = WriteWorld(places.make(source, "source"), places.make(target, "target"))
    for place, words in ((world.source, "new"), (world.target, "old")):
        create_table(place, ["id", "seen", "words"])
        place.run(insert_rows(place, words))
    return world


def states(world: WriteWorld) -> dict[str, tuple[int, int]]:
    """Rows, and new rows among them, of each day."""
    rows = world.target.ask("SELECT id, words FROM t")
    found = {f"2024-01-0{day}": (0, 0) for day in range(1, 6)}
    for number, words in rows:
        key = f"2024-01-0{int(number) // 1000}"
        found[key] = (found[key][0] + 1, found[key][1] + (words == "new"))
    return found


OLD, NEW = (ROWS, 0), (ROWS, ROWS)


def wait_forever_at(boundary: str, engine: str) -> None:
    """Make this process kill itself where a partition's write has come to a boundary, the third time it gets there."""
    writer, calls = WRITERS[engine], iter(range(100))

    def die(*_: object, **__: object) -> None:
        if next(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(owner: Any, name: str) -> None:
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **options: (die(), original(*args, **options))[1])

    def after(owner: Any, name: str) -> None:
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **options: (original(*args, **options), die())[0])

    if boundary == "deleted":
        after(writer, "delete_windows")
    elif boundary == "inserted":
        after(writer, "insert_rows")
    elif boundary == "proved":
        after(GroupWriter, "_prove")
    elif boundary == "recorded":
        after(partition_write, "record_batches")
    elif boundary == "before commit":
        before(writer, "commit")
    elif boundary == "committed":
        after(writer, "commit")


def kill_at(world: WriteWorld, boundary: str, *, unprotected: bool = False) -> None:
    """Run a backfill of one partition a transaction in a process that is killed with -9."""

    def work() -> None:
        if unprotected:
            SqliteWriter.begin = lambda self: None  # type: ignore[method-assign]  # each statement commits by itself
            SqliteWriter.commit = lambda self, seconds: None  # type: ignore[method-assign]
        wait_forever_at(boundary, world.target.engine)
        world.backfill(run_id="killed", group_partitions=1)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def check_whole(world: WriteWorld) -> set[str]:
    """Every partition is the old or the new one, with one batch and one audit entry if it is new."""
    found = states(world)
    assert set(found.values()) <= {OLD, NEW}, found
    new = {key for key, state in found.items() if state == NEW}
    batches = ledger_table(world.target.engine, "batches")
    partition = "`partition`" if world.target.engine == "mysql" else "partition"
    recorded = [row[0] for row in world.target.ask(f"SELECT {partition} FROM {batches}")]  # noqa: S608
    assert sorted(recorded) == sorted(new)
    assert world.count_ledger() == (len(new), len(new))
    return new


KILLED = {
    "mysql": ("deleted", "inserted", "proved", "before commit", "committed"),
    "sqlite": ("inserted", "recorded"),
    "duckdb": ("recorded", "committed"),
}


@pytest.mark.parametrize(
    ("engine", "boundary"), [(engine, boundary) for engine, all_ in KILLED.items() for boundary in all_]
)
def test_a_killed_backfill_leaves_old_or_new_partitions_and_a_rerun_completes(
    places: Places, engine: str, boundary: str
) -> None:
    world = build(places, engine)
    kill_at(world, boundary)
    assert len(check_whole(world)) == (1 if boundary == "before commit" else 2)  # the first COMMIT is the ledger's
    assert len(written(world.backfill(run_id="rerun"))) == 5
    assert set(states(world).values()) == {NEW}
    entries = world.count_ledger()
    assert entries[0] == entries[1]


def test_control_without_the_transaction_a_killed_backfill_loses_rows(places: Places) -> None:
    world = build(places, "sqlite")
    kill_at(world, "deleted", unprotected=True)
    with pytest.raises(AssertionError):
        check_whole(world)


@pytest.mark.parametrize("engine", ["mysql", "sqlite"])
def test_a_reader_in_a_loop_sees_the_old_partition_or_the_new_one(places: Places, engine: str) -> None:
    world = build(places, engine)
    seen: set[tuple[int, int]] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.update(states(world).values())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(3):
            assert len(written(world.backfill(group_partitions=1))) == 5
    finally:
        ended.set()
        reader.join()
    assert seen <= {OLD, NEW}
    assert NEW in seen


@pytest.fixture
def proxied(places: Places) -> Iterator[tuple[WriteWorld, FaultProxy]]:
    world = build(places, "mysql")
    world.backfill("2024-01-01")  # the target's ledger is there: the next COMMIT but one is a partition's
    direct = world.target
    with FaultProxy(direct.url) as proxy:
        world.target = Place("mysql", proxy.url)
        yield world, proxy
        world.target = direct


@pytest.mark.parametrize(("fault", "attempts"), [("reset", 2), ("black hole", 2), ("before", 2), ("stuck", 2)])
def test_a_lost_reply_to_commit_is_settled_by_looking_the_batch_up(
    proxied: tuple[WriteWorld, FaultProxy], fault: str, attempts: int
) -> None:
    world, proxy = proxied
    proxy.lose_commits("pass", fault)
    write = world.backfill(DAY, commit_wait=1.0, lock_wait=10.0)[DAY]
    assert isinstance(write, PartitionWrite), write
    assert proxy.faults >= 1
    assert write.attempts == attempts
    assert states(world)[DAY] == NEW
    assert world.count_ledger() == (2, 2)
    found = world.target.ask(f"SELECT attempts FROM reconcile_assets_batches WHERE batch_id = '{write.batch_id}'")  # noqa: S608
    assert [int(row[0]) for row in found] == [1 if fault in ("reset", "black hole") else 2]


def test_control_a_blind_retry_after_a_lost_reply_does_not_settle_it(
    proxied: tuple[WriteWorld, FaultProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, proxy = proxied
    monkeypatch.setattr(GroupWriter, "_is_committed", lambda *_: False)
    proxy.lose_commits("pass", "reset")
    assert list(failed(world.backfill(DAY))) == [DAY]


def test_an_outcome_that_stays_unknown_is_said_to_be(proxied: tuple[WriteWorld, FaultProxy]) -> None:
    world, proxy = proxied
    proxy.lose_commits("pass", *["before"] * 3)
    assert isinstance(failed(world.backfill(DAY, tries=3))[DAY], UnknownOutcome)


def test_two_runs_of_one_partition_wait_for_each_other_in_mariadb(places: Places) -> None:
    world = build(places, "mysql")
    with world.connections() as connections, connections.database("target").writing(lock_wait=1.0) as writer:
        with connections.database("target").session() as session:
            table = session.describe(partition_write_relation())
        writer.lock_partitions(table, [DAY])
        outcomes = world.backfill(lock_wait=1.0)
    assert isinstance(failed(outcomes)[DAY], PartitionsHeld)
    assert f"another run is writing {DAY}" in str(failed(outcomes)[DAY])
    assert len(written(outcomes)) == 4
    assert written(world.backfill(DAY)) == [DAY]


def partition_write_relation() -> Any:
    from reconcile_assets.core.tables import TableName
    from reconcile_assets.databases.base import Relation

    return Relation(table=TableName(None, "t"))


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_file_has_one_writing_process_and_the_other_is_named(places: Places, engine: str) -> None:
    world = build(places, engine)
    with (
        writer_lock(world.target.url.partition(":///")[2], name="other", wait=0.0),
        pytest.raises(AlreadyRunning, match=rf"another process \({os.getpid()}\) is writing to .*run this again"),
    ):
        world.backfill(lock_wait=0.2)
    assert set(states(world).values()) == {OLD}
    assert len(written(world.backfill(lock_wait=0.2))) == 5


def test_another_programs_lock_on_a_sqlite_file_is_told(places: Places) -> None:
    world = build(places, "sqlite")
    other = sqlite3.connect(world.target.url.partition(":///")[2], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AlreadyRunning, match="another program holds the write lock"):
        world.backfill(lock_wait=0.2)
    other.close()


def test_a_table_of_an_engine_without_transactions_is_refused(places: Places) -> None:
    world = build(places, "mysql")
    world.target.run("ALTER TABLE t ENGINE=MyISAM")
    errors = failed(world.backfill())
    assert len(errors) == 5
    assert all(isinstance(error, ConfigurationError) for error in errors.values())
    assert "MyISAM, which has no transactions" in str(errors[DAY])
    assert set(states(world).values()) == {OLD}


@pytest.mark.parametrize("engine", ["mysql", "sqlite"])
def test_a_foreign_key_that_would_take_rows_along_is_refused(places: Places, engine: str) -> None:
    world = build(places, engine)
    world.target.run(
        "CREATE TABLE child (parent BIGINT, FOREIGN KEY (parent) REFERENCES t (id) ON DELETE CASCADE)",
        "INSERT INTO child VALUES (2001)",
    )
    errors = failed(world.backfill(DAY))
    assert isinstance(errors[DAY], ConstraintRefused)
    assert "child by its foreign key" in str(errors[DAY])
    assert world.target.ask("SELECT count(*) FROM child")[0][0] == 1
    assert states(world)[DAY] == OLD


def test_rows_that_others_refer_to_can_be_replaced_in_sqlite_where_keys_wait(places: Places) -> None:
    world = build(places, "sqlite")
    world.target.run("CREATE TABLE child (parent BIGINT REFERENCES t (id))", "INSERT INTO child VALUES (2001)")
    assert written(world.backfill(DAY)) == [DAY]
    world.source.run("DELETE FROM t WHERE id = 2001")
    errors = failed(world.backfill(DAY))
    assert isinstance(errors[DAY], RowsCollide)
    assert states(world)[DAY] == NEW


def build_columns(places: Places, source: str, target: str, columns: Sequence[tuple[str, str, str]]) -> WriteWorld:
    """t(id, seen, v1, v2, ...): day 1 has only NULLs, and each day after it a value in one column only.

    Args:
        columns: for each the source's type, the target's type, and the value.
    """
    partition = {"column": "seen", "by": "day", "start": "2024-01-01", "end": "2024-01-10"}
    world = WriteWorld(places.make(source, "source"), places.make(target, "target"), {"partition": partition})
    for side, place in enumerate((world.source, world.target)):
        seen = {"mysql": "timestamp(6) NULL"}.get(place.engine, "TIMESTAMPTZ")
        items = ", ".join(f"v{at} {found[side]}" for at, found in enumerate(columns, start=1))
        place.run(f"CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, seen {seen}, {items})")
    for day in range(1, len(columns) + 2):
        seen = instant(f"2024-01-0{day} 12:00:00")[source] or ""
        values = [found[2] if at == day - 1 else "NULL" for at, found in enumerate(columns, start=1)]
        world.source.run(f"INSERT INTO t VALUES ({day}, {seen}, {', '.join(values)})")  # noqa: S608
    return world


@pytest.mark.parametrize("engine", ["mysql", "sqlite", "duckdb"])
def test_a_row_that_a_constraint_refuses_is_named_by_it_and_shows_no_value(places: Places, engine: str) -> None:
    text = "VARCHAR(40)"
    world = build_columns(
        places,
        "sqlite",
        engine,
        [
            (text, f"{text} UNIQUE", "'canary'"),
            (text, f"{text} CHECK (length(v2) < 5)", "'canary'"),
            (text, text, "'fine'"),
        ],
    )
    at = instant("2024-01-02 13:00:00")["sqlite"]
    world.source.run(f"INSERT INTO t VALUES (10, {at}, 'canary', NULL, NULL)")  # noqa: S608 - the test's own SQL
    outcomes = world.backfill()
    errors = failed(outcomes)
    assert list(errors) == ["2024-01-03", DAY]  # what rows collide with is tried once more, at the end
    assert isinstance(errors[DAY], RowsCollide)
    assert isinstance(errors["2024-01-03"], ConstraintRefused)
    assert "canary" not in f"{errors}"
    assert len(written(outcomes)) == 7
    assert world.target.ask("SELECT id FROM t ORDER BY id") == [(1,), (4,)]


@pytest.mark.parametrize("engine", ["mysql", "sqlite", "duckdb"])
def test_a_column_that_takes_no_null_is_named(places: Places, engine: str) -> None:
    world = build_columns(places, "sqlite", engine, [("TEXT", "VARCHAR(9) NOT NULL", "'fine'")])
    errors = failed(world.backfill("2024-01-01", DAY))
    assert list(errors) == ["2024-01-01"]
    assert isinstance(errors["2024-01-01"], ConstraintRefused)
    assert "v1" in str(errors["2024-01-01"])


LOSSY: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    ("sqlite", "postgresql"): [("TEXT", "text", "CAST(x'6100' AS TEXT)")],
    ("postgresql", "sqlite"): [
        ("numeric(20,0)", "BIGINT", "18446744073709551615"),
        ("numeric", "DECIMAL(30,10)", "1234567890123456789.25"),
        ("float8", "REAL", "'NaN'"),
    ],
    ("postgresql", "mysql"): [
        ("float8", "double", "'Infinity'"),
        ("date", "date", "'0044-03-15 BC'"),
        ("numeric(12,4)", "decimal(12,2)", "1.2345"),
        ("text", "varchar(3)", "'canary'"),
        ("text", "varchar(9) CHARACTER SET latin1", "'日本'"),
        ("bigint", "int", "4294967296"),
    ],
    ("postgresql", "duckdb"): [
        ("numeric(12,4)", "INTEGER", "1.5"),
        ("numeric(20,0)", "UBIGINT", "-1"),
        ("text", "UUID", "'canary'"),
    ],
    ("mysql", "postgresql"): [("tinyint", "boolean", "2"), ("date", "date", "'2024-02-31'")],
    ("mysql", "duckdb"): [("time", "TIME", "'-12:00:00'"), ("tinyint", "BOOLEAN", "-1")],
    ("duckdb", "postgresql"): [("UHUGEINT", "bigint", "18446744073709551616")],
    ("sqlite", "duckdb"): [("INTEGER", "BIGINT", "'canary'")],
}


@pytest.mark.parametrize(("source", "target"), list(LOSSY), ids=[f"{a} to {b}" for a, b in LOSSY])
def test_a_value_that_the_target_cannot_hold_fails_its_partition_only(places: Places, source: str, target: str) -> None:
    columns = LOSSY[source, target]
    world = build_columns(places, source, target, columns)
    outcomes = world.backfill()
    errors = failed(outcomes)
    assert list(errors) == [f"2024-01-0{day}" for day in range(2, len(columns) + 2)]
    for number, (key, error) in enumerate(errors.items(), start=1):
        assert isinstance(error, LossyWrite), error
        assert re.search(rf"\bv{number}\b", str(error)), (key, error)
        assert "canary" not in str(error)
    assert world.target.ask("SELECT id FROM t") == [(1,)]
    assert world.count_ledger() == (9 - len(columns), 9 - len(columns))


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_file_can_be_source_and_target(places: Places, engine: str) -> None:
    place = places.make(engine, "both")
    world = WriteWorld(place, place, {"target_table": "copy"})
    create_table(place, ["id", "seen", "words"])
    create_table(place, ["id", "seen", "words"], name="copy")
    place.run(insert_rows(place, "new", rows=300))
    assert len(written(world.backfill())) == 5
    assert place.ask("SELECT count(*) FROM copy") == [(1500,)]
    world.table = {}
    with pytest.raises(ConfigurationError, match="lead to the same table"):
        world.backfill()


def test_a_killed_connection_is_replaced(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(places, "mysql")
    insert, calls = MysqlWriter.insert_rows, iter(range(100))

    def cut(self: MysqlWriter, *args: Any) -> None:
        if next(calls) == 0:
            killer = pymysql.connect(**MARIADB)
            killer.cursor().execute(f"KILL {self.session.driver_connection.thread_id()}")
            killer.close()
        insert(self, *args)

    monkeypatch.setattr(MysqlWriter, "insert_rows", cut)
    outcomes = world.backfill()
    assert len(written(outcomes)) == 5
    assert all(getattr(outcome, "attempts", 0) == 2 for outcome in outcomes.values())
    assert set(states(world).values()) == {NEW}


def test_a_sqlite_file_that_was_left_half_written_is_rolled_back_by_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "whole.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, words TEXT); PRAGMA cache_size = 5; BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(number, "old" * 100) for number in range(2000)])
    connection.execute("COMMIT")
    connection.execute("BEGIN")
    connection.execute("UPDATE t SET words = 'new'")  # larger than the cache: pages and their journal are on disk
    for suffix in ("", "-journal"):  # what stands there is what a kill -9 at this moment would leave
        shutil.copy(f"{path}{suffix}", tmp_path / f"left.db{suffix}")
    connection.close()
    database = open_database(f"sqlite:///{tmp_path}/left.db", name="source")
    with database.session() as session:
        assert session.fetch_scalar("SELECT count(*) FROM t WHERE words <> 'new'") == 2000


def test_a_row_longer_than_mariadb_takes_fails_its_partition_and_a_long_one_arrives(places: Places) -> None:
    columns = [("text", "longtext", "repeat('é', 1000000)"), ("text", "longtext", "repeat('é', 9000000)")]
    world = build_columns(places, "postgresql", "mysql", columns)
    outcomes = world.backfill()
    errors = failed(outcomes)
    assert list(errors) == ["2024-01-03"]
    assert isinstance(errors["2024-01-03"], LossyWrite)
    assert "max_allowed_packet" in str(errors["2024-01-03"])
    assert world.target.ask("SELECT id, char_length(v1) FROM t ORDER BY id") == [(1, None), (2, 1_000_000)]
    assert world.pauses == []


def test_a_deadlock_twice_is_tried_a_third_time(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(places, "mysql")
    insert, calls = MysqlWriter.insert_rows, iter(range(100))

    def deadlock(self: MysqlWriter, *args: Any) -> None:
        if next(calls) < 2:
            raise pymysql.OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
        insert(self, *args)

    monkeypatch.setattr(MysqlWriter, "insert_rows", deadlock)
    write = world.backfill(DAY)[DAY]
    assert isinstance(write, PartitionWrite)
    assert write.attempts == 3
    assert len(world.pauses) == 2
    assert world.count_ledger() == (1, 1)
