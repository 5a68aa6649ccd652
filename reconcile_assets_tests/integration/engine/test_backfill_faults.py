"""What a backfill survives; each fault has a control that fails without the protection."""

from collections.abc import Callable, Iterator

import pytest

from reconcile_assets.engine.backfill import PartitionWrite
from reconcile_assets.engine.partition_write import GroupWriter
from reconcile_assets.errors import ConnectionLost, DatabaseUnavailable, SerializationConflict, UnknownOutcome
from reconcile_assets_tests.engine_world import World, build_world, failed, written
from reconcile_assets_tests.fault_proxy import FaultProxy

Urls = Callable[[str], str]
DAY = "2024-01-05"
RAISE = """
CREATE SEQUENCE attempts;
CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('attempts') <= {times} THEN {fault}; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER fail_first BEFORE INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION fail_first()
"""


@pytest.fixture
def world(postgres_urls: Urls) -> World:
    found = build_world(postgres_urls)
    found.backfill("2024-01-01")  # the target's ledger is there: the next COMMIT is a partition's
    return found


@pytest.fixture
def proxy(world: World) -> Iterator[FaultProxy]:
    with FaultProxy(world.target) as found:
        world.target_through = found.url
        yield found


def _fail_first(world: World, fault: str, *, times: int) -> None:
    world.run_target(RAISE.format(fault=fault, times=times))


@pytest.mark.parametrize("fault", ["reset", "black hole"])
def test_a_lost_reply_to_commit_is_settled_by_looking_the_batch_up(world: World, proxy: FaultProxy, fault: str) -> None:
    proxy.lose_commits("pass", fault)  # the first is the check of the target's ledger
    write = world.backfill(DAY, commit_wait=1.0)[DAY]
    assert isinstance(write, PartitionWrite)
    assert proxy.faults >= 1
    assert write.attempts == 2
    assert world.ask_target("SELECT count(*) FROM orders WHERE at::date = '2024-01-05'") == [(12,)]
    assert [batch for batch in world.batches() if batch[0] == DAY] == [(DAY, write.batch_id)]
    assert world.count_batches() == (2, 2)


def test_control_a_blind_retry_after_a_lost_reply_does_not_settle_it(
    world: World, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GroupWriter, "_is_committed", lambda *_: False)
    proxy.lose_commits("pass", "reset")
    assert list(failed(world.backfill(DAY))) == [DAY]


@pytest.mark.parametrize("fault", ["before", "stuck"])
def test_a_commit_that_never_arrived_is_made_again(world: World, proxy: FaultProxy, fault: str) -> None:
    proxy.lose_commits("pass", fault)
    write = world.backfill(DAY, commit_wait=1.0, lock_wait=5.0)[DAY]
    assert isinstance(write, PartitionWrite)
    assert proxy.faults >= 1
    assert write.attempts == 2
    assert world.ask_target("SELECT partition, attempts FROM reconcile_assets.batches WHERE attempts > 1") == [(DAY, 2)]
    assert world.count_batches() == (2, 2)


def test_an_outcome_that_stays_unknown_is_said_to_be(world: World, proxy: FaultProxy) -> None:
    proxy.lose_commits("pass", *["before"] * 3)
    error = failed(world.backfill(DAY, tries=3))[DAY]
    assert isinstance(error, UnknownOutcome)
    assert "batch" in str(error)


def test_connections_that_are_cut_again_and_again_still_get_it_done(world: World, proxy: FaultProxy) -> None:
    proxy.cut_after(40_000)
    world.run_source("UPDATE orders SET note = repeat('x', 1500)")  # 18 kB a partition: the group never fits
    outcomes = world.backfill(group_partitions=5, tries=2)
    assert len(written(outcomes)) == 10
    assert proxy.faults > 0
    assert proxy.connections > 3
    assert world.target_rows() == world.source_rows()
    assert world.count_batches() == (11, 11)


@pytest.mark.parametrize("state", ["serialization_failure", "deadlock_detected"])
def test_a_conflict_twice_is_tried_a_third_time(world: World, state: str) -> None:
    _fail_first(world, f"RAISE SQLSTATE '{'40001' if state == 'serialization_failure' else '40P01'}'", times=2)
    write = world.backfill(DAY)[DAY]
    assert isinstance(write, PartitionWrite)
    assert write.attempts == 3
    assert len(world.pauses) == 2
    assert world.count_batches() == (2, 2)


def test_a_conflict_that_never_ends_fails_only_its_group(world: World) -> None:
    _fail_first(world, "RAISE SQLSTATE '40001'", times=5)
    outcomes = world.backfill(tries=5)
    assert [type(error) for error in failed(outcomes).values()] == [SerializationConflict] * 5
    assert len(written(outcomes)) == 5


def test_control_without_a_retry_one_conflict_fails_the_partition(world: World) -> None:
    _fail_first(world, "RAISE SQLSTATE '40001'", times=1)
    assert list(failed(world.backfill(DAY, tries=1))) == [DAY]


def test_a_server_process_that_is_ended_is_replaced(world: World) -> None:
    _fail_first(world, "PERFORM pg_terminate_backend(pg_backend_pid())", times=1)
    write = world.backfill(DAY)[DAY]
    assert isinstance(write, PartitionWrite)
    assert write.attempts == 2


def test_the_pauses_are_random_and_grow(world: World) -> None:
    _fail_first(world, "RAISE SQLSTATE '40001'", times=4)
    world.backfill(DAY)
    assert len(world.pauses) == 4
    assert all(0 <= pause <= 0.2 * 2**number for number, pause in enumerate(world.pauses))


@pytest.mark.parametrize("table", ["batches", "audit_entries"])
def test_without_an_audit_entry_no_row_is_written(world: World, table: str) -> None:
    before = world.target_rows()
    world.run_target(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END $$",
        f"CREATE TRIGGER refuse BEFORE INSERT ON reconcile_assets.{table} FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    )
    assert len(failed(world.backfill())) == 10
    assert world.target_rows() == before
    assert world.count_batches() == (1, 1)


def test_a_source_that_is_lost_in_the_middle_changes_nothing(world: World) -> None:
    world.run_source(
        "CREATE FUNCTION end_me(n bigint) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN IF n = 4007 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN 'x'; END $$"
    )
    world.run_target("INSERT INTO orders VALUES (-1, '2024-01-05 03:00+00', 1, 'old')")
    world.table = {"source_query": "SELECT id, at, amount, end_me(id) AS note FROM orders"}
    errors = failed(world.backfill(DAY, tries=2))
    assert isinstance(errors[DAY], ConnectionLost)
    assert world.ask_target("SELECT note FROM orders WHERE at::date = '2024-01-05'") == [("old",)]


@pytest.mark.parametrize(("outage_wait", "is_written"), [(30.0, True), (0.0, False)], ids=["waits", "control"])
def test_a_server_that_restarts_in_the_middle_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch, outage_wait: float, is_written: bool
) -> None:
    attempt, refusals = GroupWriter.attempt, iter([True] * 8)

    def restarting(writer: GroupWriter) -> tuple[PartitionWrite, ...]:
        if writer.partitions[0].key == DAY and next(refusals, False):
            raise DatabaseUnavailable("target: the server refused the connection")
        return attempt(writer)

    monkeypatch.setattr(GroupWriter, "attempt", restarting)
    outcomes = world.backfill(DAY, "2024-01-06", group_partitions=1, outage_wait=outage_wait, longest_pause=2.0)
    assert (len(written(outcomes)) == 2) is is_written
    assert len(failed(outcomes)) == (0 if is_written else 2)


def test_a_server_that_stays_away_ends_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(writer: GroupWriter) -> tuple[PartitionWrite, ...]:
        raise DatabaseUnavailable("target: the server refused the connection")

    monkeypatch.setattr(GroupWriter, "attempt", away)
    assert len(failed(world.backfill(group_partitions=1))) == 10
    assert 30 <= sum(world.pauses) <= 40  # once, not again for each group


def test_a_connection_that_is_closed_while_it_is_made_means_that_the_server_is_away(
    world: World, proxy: FaultProxy
) -> None:
    proxy.cut_after(10)
    with pytest.raises(DatabaseUnavailable, match="while it was made"):
        world.backfill(DAY, tries=1)
