"""Backfilling partitions between two real databases."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from reconcile_assets.databases.postgresql.write import lock_number
from reconcile_assets.engine.backfill import PartitionFailure, PartitionWrite, backfill_partitions
from reconcile_assets.errors import (
    AlreadyRunning,
    ConfigurationError,
    ConstraintRefused,
    DatabaseUnavailable,
    LossyWrite,
    MissingObject,
    NotComparable,
    PermissionDenied,
    ProofFailed,
    StatementTimeout,
)
from reconcile_assets_tests.engine_world import COLUMNS, World, build_world, failed, written

Urls = Callable[[str], str]
BY_HOUR = {"column": "at", "by": "hour", "start": "2024-01-01", "end": "2024-01-02"}


@pytest.fixture(params=[True, False], ids=["indexed", "unindexed"])
def world(request: pytest.FixtureRequest, postgres_urls: Urls) -> World:
    return build_world(postgres_urls, indexed=request.param)


def test_every_partition_is_filled_and_has_one_batch(world: World) -> None:
    outcomes = world.backfill()
    assert len(written(outcomes)) == 10
    assert world.target_rows() == world.source_rows()
    assert [partition for partition, _ in world.batches()] == list(outcomes)
    assert world.count_batches() == (10, 10)
    assert all(isinstance(each, PartitionWrite) and each.attempts == 1 for each in outcomes.values())


def test_what_was_written_is_counted_for_each_partition(world: World) -> None:
    world.run_target(
        "INSERT INTO orders SELECT 900000 + n, '2024-01-02 03:00+00', 1, 'old' FROM generate_series(1, 3) n"
    )
    write = world.backfill("2024-01-02")["2024-01-02"]
    assert isinstance(write, PartitionWrite)
    assert (write.rows_read, write.rows_deleted, write.rows_inserted) == (12, 3, 12)
    assert len(write.checksum) == 32
    assert write.committed_at.tzinfo is not None


def test_only_the_partitions_asked_for_are_touched(world: World) -> None:
    world.run_target("INSERT INTO orders VALUES (-1, '2024-01-05 03:00+00', 1, 'stays')")
    world.backfill("2024-01-02", "2024-01-09")
    assert world.ask_target("SELECT DISTINCT at::date::text FROM orders ORDER BY 1") == [
        ("2024-01-02",),
        ("2024-01-05",),
        ("2024-01-09",),
    ]


def test_a_second_backfill_follows_changes_and_deletions(world: World) -> None:
    world.backfill()
    world.run_source("DELETE FROM orders WHERE id = 2003", "UPDATE orders SET amount = 77 WHERE id = 3001")
    outcomes = world.backfill("2024-01-03", "2024-01-04")
    assert len(written(outcomes)) == 2
    assert world.target_rows() == world.source_rows()
    assert world.count_batches() == (12, 12)


def test_a_partition_without_source_rows_is_emptied_with_a_note(world: World) -> None:
    world.backfill("2024-01-02")
    world.run_source("DELETE FROM orders WHERE id BETWEEN 1000 AND 1999")
    write = world.backfill("2024-01-02")["2024-01-02"]
    assert isinstance(write, PartitionWrite)
    assert (write.rows_read, write.rows_deleted, write.rows_inserted) == (0, 12, 0)
    assert write.notes == ("the source has no rows", "12 deleted in the target")
    assert world.target_rows() == []


def test_rows_without_a_partition_are_left_alone_on_both_sides(world: World) -> None:
    world.run_source("INSERT INTO orders VALUES (-1, NULL, 1, 'source')")
    world.run_target(
        "INSERT INTO orders VALUES (-2, NULL, 1, 'target'), (-3, '2023-12-31 23:59:59.999999+00', 1, 'before')"
    )
    world.backfill()
    assert world.ask_target("SELECT id FROM orders WHERE at IS NULL OR at < '2024-01-01 00:00+00' ORDER BY id") == [
        (-3,),
        (-2,),
    ]


def test_a_row_at_the_end_belongs_to_the_next_partition(world: World) -> None:
    world.run_source(
        "INSERT INTO orders VALUES (-1, '2024-01-02 23:59:59.999999+00', 1, 'in'),"
        " (-2, '2024-01-03 00:00+00', 1, 'out')"
    )
    write = world.backfill("2024-01-02")["2024-01-02"]
    assert isinstance(write, PartitionWrite)
    assert write.rows_read == 13
    assert world.ask_target("SELECT note FROM orders WHERE id IN (-1, -2)") == [("in",)]


def test_one_bad_partition_of_a_hundred_leaves_ninety_nine_written(postgres_urls: Urls) -> None:
    for indexed in (True, False):
        world = build_world(
            postgres_urls,
            indexed=indexed,
            days=100,
            rows=3,
            partition={"column": "at", "by": "day", "start": "2024-01-01", "end": "2024-04-10"},
        )
        world.run_target("ALTER TABLE orders ADD CONSTRAINT no_secret CHECK (note <> 'secret@example.com')")
        world.run_source("UPDATE orders SET note = 'secret@example.com' WHERE id = 42001")
        outcomes = world.backfill()
        assert len(written(outcomes)) == 99
        errors = failed(outcomes)
        assert list(errors) == ["2024-02-12"]
        assert isinstance(errors["2024-02-12"], ConstraintRefused)
        assert "no_secret" in str(errors["2024-02-12"])
        assert "secret@example.com" not in str(errors["2024-02-12"])
        assert world.pauses == []
        assert world.count_batches() == (99, 99)
        world.run_source("UPDATE orders SET note = 'fine' WHERE id = 42001")
        assert written(world.backfill(*errors)) == ["2024-02-12"]
        assert world.target_rows() == world.source_rows()


def test_a_unique_violation_is_not_retried_and_shows_no_value(world: World) -> None:
    world.run_target("ALTER TABLE orders ADD UNIQUE (note, id)", "INSERT INTO orders VALUES (3004, NULL, 1, 'canary')")
    outcomes = world.backfill()
    errors = failed(outcomes)
    assert list(errors) == ["2024-01-04"]
    assert isinstance(errors["2024-01-04"], ConstraintRefused)
    assert "orders_pkey" in str(errors["2024-01-04"])
    assert "3004" not in str(errors["2024-01-04"])
    assert world.pauses == []


def test_a_value_that_the_target_rounds_is_not_proved_and_rolled_back(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS.replace("numeric(10,2)", "numeric(10,1)"))
    world.run_source("UPDATE orders SET amount = round(amount, 1)", "UPDATE orders SET amount = 5.55 WHERE id = 5005")
    errors = failed(world.backfill())
    assert list(errors) == ["2024-01-06"]
    assert isinstance(errors["2024-01-06"], ProofFailed)
    assert "1 changed" in str(errors["2024-01-06"])
    assert "amount" in str(errors["2024-01-06"])
    assert "5.55" not in str(errors["2024-01-06"])
    assert world.ask_target("SELECT count(*) FROM orders WHERE id BETWEEN 5000 AND 5999") == [(0,)]
    assert world.count_batches() == (9, 9)


def test_a_text_too_long_is_refused_and_never_cut(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS.replace("note text", "note varchar(7)"))
    world.run_source("UPDATE orders SET note = 'longer than seven' WHERE id = 5005")
    errors = failed(world.backfill())
    assert {"2024-01-06"} <= set(errors)
    assert all(isinstance(error, LossyWrite) for error in errors.values())


def test_a_trigger_that_alters_rows_is_found_and_the_old_rows_stay(world: World) -> None:
    world.backfill()
    before = world.target_rows()
    world.run_target(
        "CREATE FUNCTION alter_row() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.amount := NEW.amount + 1; RETURN NEW; END'",
        "CREATE TRIGGER alter_row BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.id = 4004)"
        " EXECUTE FUNCTION alter_row()",
    )
    world.run_source("UPDATE orders SET note = 'new'")
    errors = failed(world.backfill())
    assert list(errors) == ["2024-01-05"]
    assert isinstance(errors["2024-01-05"], ProofFailed)
    kept = [row for row in before if 4000 <= row[0] < 5000]
    assert [row for row in world.target_rows() if 4000 <= row[0] < 5000] == kept


def test_a_trigger_that_drops_rows_or_a_deferred_one_is_found(world: World) -> None:
    world.run_target(
        "CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders WHERE id = 4004;"
        " RETURN NULL; END'",
        "CREATE CONSTRAINT TRIGGER drop_row AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.id = 4005) EXECUTE FUNCTION drop_row()",
    )
    assert list(failed(world.backfill())) == ["2024-01-05"]


def test_generated_identity_renamed_excluded_and_own_columns_of_the_target(postgres_urls: Urls) -> None:
    world = build_world(
        postgres_urls,
        target_columns="loaded timestamptz NOT NULL DEFAULT now(), id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " happened timestamptz, amount numeric(10,2), doubled numeric GENERATED ALWAYS AS (amount * 2) STORED",
        indexed=False,
        columns={"rename": {"at": "happened"}, "exclude": ["note"]},
    )
    world.run_source("ALTER TABLE orders ADD doubled numeric", "UPDATE orders SET doubled = amount * 2")
    assert len(written(world.backfill())) == 10
    assert world.ask_target("SELECT id, happened, doubled FROM orders ORDER BY id") == world.ask_source(
        "SELECT id, at, doubled FROM orders ORDER BY id"
    )
    world.run_source("UPDATE orders SET doubled = 0 WHERE id = 3003")
    assert list(failed(world.backfill())) == ["2024-01-04"]


def test_values_of_many_types_arrive_bit_by_bit(postgres_urls: Urls) -> None:
    columns = (
        "id bigint PRIMARY KEY, at timestamptz, n numeric, f4 real, f8 double precision, t text, c char(6),"
        " v varchar(9), b bytea, j json, jb jsonb, u uuid, iv interval, d date, ts timestamp(3),"
        " tm time, tz timetz, ok boolean, mood mood, moods mood[], ints int[], texts text[], addr inet,"
        " bits bit(5), vb varbit, dom positive, r int4range"
    )
    world = build_world(postgres_urls, target_columns="id bigint", indexed=False)
    types = ("CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
    create = ("DROP TABLE orders", *types, f"CREATE TABLE orders ({columns})")
    world.run_target("CREATE TYPE earlier AS ENUM ('x')", *create)  # so that object numbers differ between the two
    world.run_source(
        *create,
        r"""INSERT INTO orders VALUES
        (1, '2024-01-02 01:00+00', 1.10, 0.1, 0.1, 'a|b' || chr(9) || E'\n\\N', 'ab', 'x',
         '\x00ff', '{"b": 1.0, "a": null}',
         '{"b": 9007199254740993}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 month 30 days', '2024-01-02',
         '2024-01-02 01:02:03.004', '23:59:59.999999', '12:00+05:30', true, 'ok', '{sad,NULL}', '{1,NULL,3}',
         '{"","NULL",NULL}', '10.0.0.1/8', B'10101', B'1', 7, '[1,5)'),
        (2, '2024-01-02 02:00+00', 'NaN', 'Infinity', '-Infinity', '', '', '', '', 'null', 'null', NULL,
         '-1 days', 'infinity',
         NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, 'empty'),
        (3, '2024-01-02 03:00+00', 123456789012345678901234567890.123456789, '-0', '1e-300', 'é😀', 'é',
         NULL, NULL, NULL, NULL, NULL, NULL, '0001-01-01 BC',
         NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
        """,
    )
    outcomes = world.backfill("2024-01-02")
    assert failed(outcomes) == {}
    query = "SELECT orders::text, f8::text, n::text FROM orders ORDER BY id"
    assert world.ask_target(query) == world.ask_source(query)


def test_a_coarser_target_type_is_accepted_and_said(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS + ", seen timestamp(3)")
    world.run_source("ALTER TABLE orders ADD seen timestamp(6)", "UPDATE orders SET seen = '2024-01-01 00:00:00.1239'")
    write = world.backfill("2024-01-02")["2024-01-02"]
    assert isinstance(write, PartitionWrite)
    assert any("coarser" in note for note in write.notes)


def test_columns_that_cannot_be_compared_are_refused_by_their_types(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS + ", seen timestamptz")
    world.run_source("ALTER TABLE orders ADD seen timestamp", "UPDATE orders SET seen = '2024-01-01 00:00:00'")
    with pytest.raises(NotComparable, match="column seen can't be written and proved: timestamp"):
        world.backfill("2024-01-02")
    assert world.target_rows() == []


def test_a_query_serves_as_the_source(postgres_urls: Urls) -> None:
    world = build_world(
        postgres_urls, source_query="SELECT id, at, amount * 1 AS amount, '100 %' AS note FROM orders WHERE id % 2 = 0;"
    )
    assert len(written(world.backfill())) == 10
    assert world.ask_target("SELECT count(*), min(note) FROM orders") == [(60, "100 %")]


def test_a_query_that_answers_differently_each_time_is_not_proved(postgres_urls: Urls) -> None:
    world = build_world(
        postgres_urls, source_query="SELECT id, at, amount, clock_timestamp()::text AS note FROM orders"
    )
    assert isinstance(failed(world.backfill("2024-01-02"))["2024-01-02"], ProofFailed)


@pytest.mark.parametrize(
    ("column", "value"),
    [("date", "'2024-01-02'"), ("timestamp", "'2024-01-02 23:59:59.999999'")],
    ids=["date", "timestamp"],
)
def test_partition_columns_without_a_zone_follow_the_wall_clock(postgres_urls: Urls, column: str, value: str) -> None:
    world = build_world(
        postgres_urls,
        target_columns="id bigint, at " + column,
        indexed=False,
        partition={
            "column": "at",
            "by": "day",
            "start": "2024-01-01",
            "end": "2024-01-11",
            "timezone": "America/New_York",
        },
        columns={"exclude": ["amount", "note"]},
    )
    world.run_source(
        f"ALTER TABLE orders ALTER at TYPE {column} USING at AT TIME ZONE 'UTC'",
        f"INSERT INTO orders VALUES (-1, {value}, 1, '')",  # noqa: S608  # one of the two texts above
    )
    write = world.backfill("2024-01-02")["2024-01-02"]
    assert isinstance(write, PartitionWrite)
    assert write.rows_inserted == 13


def test_names_that_need_quotes_work_everywhere(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls)
    create = """CREATE TABLE "we""ird %s".":t" ("Id %" bigint PRIMARY KEY, "sele""ct" timestamptz, "a b" text)"""
    for run in (world.run_source, world.run_target):
        run('CREATE SCHEMA "we""ird %s"', create)
    world.run_source("""INSERT INTO "we""ird %s".":t" VALUES (1, '2024-01-02', '%s')""")
    name = '"we""ird %s".:t'
    world.table = {
        "source_table": name,
        "target_table": name,
        "key": ["Id %"],
        "partition": {"column": 'sele"ct', "by": "day", "start": "2024-01-01", "end": "2024-01-11"},
    }
    assert failed(world.backfill()) == {}
    assert world.ask_target("""SELECT "a b" FROM "we""ird %s".":t" """) == [("%s",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ALTER TABLE orders ALTER at TYPE text", "timestamptz"),
        ("ALTER TABLE orders ALTER at TYPE timestamp", "time zone on one side only"),
        ("ALTER TABLE orders RENAME note TO remark", "no column"),
        ("DROP TABLE orders", "no table orders"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_anything_is_written(
    postgres_urls: Urls, change: str, message: str
) -> None:
    world = build_world(postgres_urls)
    world.run_target(change)
    with pytest.raises((ConfigurationError, MissingObject), match=message):
        world.backfill()
    assert world.ask_target("SELECT count(*) FROM pg_namespace WHERE nspname = 'reconcile_assets'") == [(0,)]


def test_hours_of_a_date_or_of_a_repeated_hour_are_refused(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, partition=BY_HOUR)
    for run in (world.run_source, world.run_target):
        run("ALTER TABLE orders ALTER at TYPE timestamp")
    world.table["partition"] = {**BY_HOUR, "end": "2024-12-01", "timezone": "America/New_York"}
    with pytest.raises(ConfigurationError, match="repeats an hour"):
        world.backfill()
    for run in (world.run_source, world.run_target):
        run("ALTER TABLE orders ALTER at TYPE date")
    world.table["partition"] = BY_HOUR
    with pytest.raises(ConfigurationError, match="is a date"):
        world.backfill()


def test_a_role_without_the_right_to_write_fails_every_partition_at_once(world: World) -> None:
    world.backfill("2024-01-01")  # the target's ledger is there
    world.run_target(
        "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'reader'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT ON orders TO reader",
        "GRANT USAGE ON SCHEMA reconcile_assets TO reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA reconcile_assets TO reader",
    )
    head, _, tail = world.target.partition("@")
    world.target_through = f"postgresql://reader:reader@{tail}" if tail else head
    errors = failed(world.backfill())
    assert len(errors) == 10
    assert all(isinstance(error, PermissionDenied) for error in errors.values())
    assert world.pauses == []


def test_rows_hidden_by_a_policy_are_refused_instead_of_overlooked(world: World) -> None:
    world.backfill("2024-01-01")
    world.run_target(
        "DO $$ BEGIN CREATE ROLE limited LOGIN PASSWORD 'limited'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT ALL ON orders TO limited",
        "GRANT USAGE ON SCHEMA reconcile_assets TO limited",
        "GRANT ALL ON ALL TABLES IN SCHEMA reconcile_assets TO limited",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY even_only ON orders USING (id % 2 = 0)",
    )
    _, _, tail = world.target.partition("@")
    world.target_through = f"postgresql://limited:limited@{tail}"
    assert len(failed(world.backfill())) == 10


def test_another_run_on_a_partition_is_waited_for_only_so_long(world: World) -> None:
    world.backfill("2024-01-01")
    with psycopg.connect(world.target) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (lock_number("public.orders", "2024-01-04"),))
        outcomes = world.backfill(lock_wait=0.2)
    errors = failed(outcomes)
    assert list(errors) == ["2024-01-04"]
    assert isinstance(errors["2024-01-04"], AlreadyRunning)
    assert "2024-01-04" in str(errors["2024-01-04"])


def test_two_runs_on_the_same_partitions_come_one_after_the_other(world: World) -> None:
    world.backfill("2024-01-01")
    results: list[int] = []

    def fill() -> None:
        results.append(len(written(world.backfill())))

    threads = [threading.Thread(target=fill) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [10, 10, 10]
    assert world.target_rows() == world.source_rows()
    assert world.count_batches() == (31, 31)


def test_a_server_that_is_not_there_is_one_error_before_anything_begins(world: World) -> None:
    world.target_through = "postgresql://postgres@127.0.0.1:1/none"
    with pytest.raises(DatabaseUnavailable):
        world.backfill()
    assert len(world.pauses) == 4  # five looks


def test_no_partitions_are_no_work(world: World) -> None:
    with world.connections() as connections:
        assert list(backfill_partitions(world.orders, (), connections=connections, run_id="r", actor="a")) == []


def test_progress_is_told_of_each_outcome_and_batches_carry_who_and_why(world: World) -> None:
    seen: list[str] = []
    with world.connections() as connections:
        for outcome in backfill_partitions(
            world.orders,
            world.partitions("2024-01-03", "2024-01-02"),
            connections=connections,
            run_id="run-7",
            backfill_id="bf",
            actor="ann",
            reason="late rows",
            progress=lambda outcome: seen.append(outcome.partition.key),
        ):
            assert not isinstance(outcome, PartitionFailure)
    assert seen == ["2024-01-02", "2024-01-03"]
    assert world.ask_target("SELECT DISTINCT run_id, backfill_id, actor, reason FROM reconcile_assets.batches") == [
        ("run-7", "bf", "ann", "late rows")
    ]


def test_the_audit_chain_is_copied_to_the_project_and_verifies(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, project=True)
    world.backfill()
    with world.connections() as connections, connections.database("target").session() as session:
        found = connections.ledger().verify_audit("target", session.sqlalchemy())
    assert found.ok
    assert found.entries == 10


def test_exact_decimals_and_instants_survive(world: World) -> None:
    world.run_source("INSERT INTO orders VALUES (-7, '2024-01-02 00:00:00.000001+00', 12345678.91, NULL)")
    world.backfill("2024-01-02")
    assert world.ask_target("SELECT at, amount, note FROM orders WHERE id = -7") == [
        (datetime(2024, 1, 2, 0, 0, 0, 1, tzinfo=UTC), Decimal("12345678.91"), None)
    ]


def test_a_table_without_a_key_is_proved_as_a_multiset_of_rows(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS.replace(" PRIMARY KEY", ""), key=[])
    world.run_source("ALTER TABLE orders DROP CONSTRAINT orders_pkey", "INSERT INTO orders SELECT * FROM orders")
    assert len(written(world.backfill())) == 10
    assert world.target_rows() == world.source_rows()


def test_a_table_that_someone_has_locked_fails_without_waiting_for_each_partition(world: World) -> None:
    world.backfill("2024-01-01")
    with psycopg.connect(world.target) as other:
        other.execute("LOCK TABLE orders IN SHARE MODE")
        began = time.monotonic()
        errors = failed(world.backfill(lock_wait=0.3))
    assert len(errors) == 10
    assert all(isinstance(error, StatementTimeout) for error in errors.values())
    assert time.monotonic() - began < 30


def test_a_view_is_no_target(world: World) -> None:
    world.run_target("ALTER TABLE orders RENAME TO beneath", "CREATE VIEW orders AS SELECT * FROM beneath")
    with pytest.raises(ConfigurationError, match="is a view"):
        world.backfill()
