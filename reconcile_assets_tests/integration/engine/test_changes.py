"""Partitions that change though no batch wrote them, and those that do not, told by kept checksums."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from reconcile_assets.alerts.grouping import group_alerts
from reconcile_assets.alerts.message import render_message
from reconcile_assets.core.changes import ChecksumScope
from reconcile_assets.core.gaps import GapKind, GapReport
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.databases.postgresql.session import PostgresSession
from reconcile_assets.engine.gaps import find_gaps
from reconcile_assets.engine.reconcile import reconcile_partitions, run_and_record
from reconcile_assets.ledger import Alert, LatestVerdict
from reconcile_assets_tests.engine_world import World, build_world

Urls = Callable[[str], str]
DAY, OTHER = "2024-01-05", "2024-01-06"
BY_HAND = "UPDATE orders SET note = 'by hand' WHERE id = 4004"


ON_EACH_LEDGER = pytest.mark.parametrize("world", ["postgresql", "sqlite"], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, postgres_urls: Urls, tmp_path: Path) -> World:
    """Two days, filled; the ledger is a SQLite file unless a test asks for the other engine."""
    on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    found = build_world(postgres_urls, project=on_postgres)
    if not on_postgres:
        found.project = f"sqlite:///{tmp_path}/ledger.db"
    found.backfill(DAY, OTHER)
    return found


def _reconcile(world: World) -> CheckVerdict:
    """The verdict of the rows check on the day, recorded; the other day is compared too and must match."""
    with world.connections() as connections:
        found = run_and_record(
            world.orders, world.partitions(DAY, OTHER), connections=connections, run_id="r", checks=["rows"]
        )
    verdicts = {verdict.partition: verdict for verdict in found}
    assert verdicts[OTHER].verdict is Verdict.MATCHED
    assert verdicts[OTHER].change is None
    return verdicts[DAY]


def _gaps(world: World) -> GapReport:
    with world.connections() as connections:
        return find_gaps(world.orders, world.partitions(DAY, OTHER), connections=connections)


def _latest(world: World) -> LatestVerdict:
    with world.connections() as connections:
        return next(
            each for each in connections.ledger().iterate_latest_verdicts(["orders"]) if each.verdict.partition == DAY
        )


def _alerts(world: World) -> tuple[Alert, ...]:
    with world.connections() as connections:
        return connections.ledger().fetch_alerts()


def _written_at(world: World) -> datetime:
    found = dict(world.ask_target("SELECT partition, recorded_at FROM reconcile_assets.batches"))
    return found[DAY].astimezone(UTC)  # type: ignore[no-any-return]


@ON_EACH_LEDGER
def test_what_stands_as_its_batch_proved_it_is_known_to_be_unchanged(world: World) -> None:
    first, second = _reconcile(world), _reconcile(world)
    assert first.unchanged_since == second.unchanged_since == _written_at(world)
    assert _gaps(world).partitions[0].unchanged_since == _written_at(world)


def test_what_nobody_of_ours_wrote_is_unchanged_since_it_was_first_proved(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, project=True)
    _copy_by_hand(world)
    first = _reconcile(world)
    second, third = _reconcile(world), _reconcile(world)
    assert (first.verdict, first.unchanged_since) == (Verdict.MATCHED, None)
    assert first.evaluated_at == second.unchanged_since == third.unchanged_since


@ON_EACH_LEDGER
def test_a_target_that_was_changed_by_hand_is_an_unaudited_change_with_both_checksums(world: World) -> None:
    before = _reconcile(world)
    world.run_target(BY_HAND)
    found = _reconcile(world)
    assert found.verdict is Verdict.MISMATCHED
    assert found.change is not None
    assert (found.change.name, found.change.source) == ("unaudited change", None)
    assert found.change.target == (before.target_checksum, found.target_checksum)
    assert before.target_checksum != found.target_checksum
    assert found.notes[0] == found.change.sentence
    kept = _latest(world)
    assert kept.verdict.change == found.change

    (alert,) = _alerts(world)
    message = render_message(group_alerts([alert])[0], ui_url="http://ui")
    line = f"{DAY}: unaudited change, target checksum {before.target_checksum} before, {found.target_checksum} now"
    assert line in message.body
    assert "unaudited change" in message.title

    state = _gaps(world).partitions[0]
    assert (state.kind, state.change) == (GapKind.DIFFERENT, found.change)
    with world.connections() as connections:
        (recorded,) = connections.ledger().fetch_changes(["orders"])
    assert (recorded.partition, recorded.check, recorded.change) == (DAY, "rows", found.change)


def test_a_change_between_the_write_and_the_first_check_is_found_by_the_batch(world: World) -> None:
    world.run_target(BY_HAND)
    found = _reconcile(world)
    assert found.change is not None
    assert (found.change.name, found.change.since) == ("unaudited change", _written_at(world))


def test_without_a_ledger_the_batch_alone_tells_it(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls)
    world.backfill(DAY)
    world.run_target(BY_HAND)
    with world.connections() as connections:
        (found,) = reconcile_partitions(world.orders, world.partitions(DAY), connections=connections, checks=["rows"])
    assert found.change is not None
    assert found.change.is_unaudited
    state = _gaps(world).partitions[0]
    assert state.change == found.change


def test_what_a_batch_of_ours_changed_is_no_unaudited_change(world: World) -> None:
    """The control: the same edit of the target, made by a backfill."""
    _reconcile(world)
    world.run_source(BY_HAND)
    world.backfill(DAY, run_id="again")
    found = _reconcile(world)
    assert (found.verdict, found.change) == (Verdict.MATCHED, None)
    assert found.unchanged_since is not None
    assert _gaps(world).partitions[0].change is None


@ON_EACH_LEDGER
def test_a_source_that_moved_on_is_stale_and_no_unaudited_change(world: World) -> None:
    before = _reconcile(world)
    world.run_source("UPDATE orders SET note = 'late' WHERE id = 4004")
    found = _reconcile(world)
    assert found.verdict is Verdict.MISMATCHED
    assert found.change is not None
    assert (found.change.name, found.change.target) == ("stale", None)
    assert found.change.source == (before.source_checksum, found.source_checksum)
    assert _gaps(world).partitions[0].kind is GapKind.STALE


@ON_EACH_LEDGER
def test_a_copy_by_hand_of_what_changed_in_the_source_matches_and_is_noted(world: World) -> None:
    _reconcile(world)
    world.run_source(BY_HAND)
    world.run_target(BY_HAND)
    state = _gaps(world).partitions[0]
    found, next_time = _reconcile(world), _reconcile(world)
    assert found.verdict is Verdict.MATCHED
    assert found.change is not None
    assert found.change.name == "unaudited change, stale"
    assert (state.kind, state.change) == (GapKind.MATCHED, found.change)
    assert _alerts(world) == ()
    assert next_time.change is None
    assert next_time.unchanged_since == found.evaluated_at
    with world.connections() as connections:
        assert len(connections.ledger().fetch_changes(["orders"])) == 1


def test_a_change_that_goes_on_standing_is_told_each_time_and_counted_once(world: World) -> None:
    _reconcile(world)
    world.run_target(BY_HAND)
    assert _reconcile(world).change == _reconcile(world).change
    with world.connections() as connections:
        assert len(connections.ledger().fetch_changes(["orders"])) == 1
    assert len(_alerts(world)) == 1


def test_a_change_that_was_undone_by_hand_leaves_it_as_it_was_proved(world: World) -> None:
    since = _reconcile(world).unchanged_since
    world.run_target(BY_HAND)
    _reconcile(world)
    world.run_target("UPDATE orders SET note = 'note 4' WHERE id = 4004")
    found = _reconcile(world)
    assert (found.verdict, found.change, found.unchanged_since) == (Verdict.MATCHED, None, since)


def test_a_check_against_another_database_keeps_checksums_of_its_own(world: World) -> None:
    world.extra_environ["REPORTING_DATABASE_URL"] = world.source
    world.table["checks"] = [{"type": "rows"}, {"type": "rows", "against": "reporting"}]

    def look() -> dict[str, CheckVerdict]:
        with world.connections() as connections:
            found = run_and_record(world.orders, world.partitions(DAY), connections=connections, run_id="r")
        return {verdict.check: verdict for verdict in found}

    first = look()
    assert first["rows_reporting"].unchanged_since is None  # its other side is not the batch's
    assert look()["rows_reporting"].unchanged_since == first["rows_reporting"].evaluated_at
    world.run_target(BY_HAND)
    assert {name: verdict.change.name for name, verdict in look().items() if verdict.change is not None} == {
        "rows": "unaudited change",
        "rows_reporting": "unaudited change",
    }


def test_a_target_that_was_emptied_by_hand_is_missing_by_an_unaudited_change(world: World) -> None:
    world.run_target("DELETE FROM orders WHERE id BETWEEN 4000 AND 4999")
    state = _gaps(world).partitions[0]
    assert state.kind is GapKind.MISSING
    assert state.change is not None
    assert state.change.is_unaudited


def test_new_columns_are_no_change_of_the_rows(world: World) -> None:
    """Checksums of other columns say nothing beside each other."""
    _reconcile(world)
    for run in (world.run_source, world.run_target):
        run("ALTER TABLE orders ADD extra int DEFAULT 7")
    found = _reconcile(world)
    assert (found.verdict, found.change, found.unchanged_since) == (Verdict.MATCHED, None, None)
    world.run_target(BY_HAND)  # and from then on it is kept again
    change = _reconcile(world).change
    assert change is not None
    assert change.is_unaudited


def _unlike_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the two servers hashed in two ways: the portable digest serves from now on."""
    monkeypatch.setattr(PostgresSession, "hash_family", property(lambda session: session.name))


def test_another_hash_family_is_no_change_of_the_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _reconcile(world)
    _unlike_hashes(monkeypatch)
    found, state = _reconcile(world), _gaps(world).partitions[0]
    assert found.target_checksum != before.target_checksum
    assert (found.verdict, found.change, found.unchanged_since) == (Verdict.MATCHED, None, None)
    assert state.change is None
    assert _reconcile(world).unchanged_since == found.evaluated_at


def test_without_its_form_another_hash_family_would_look_like_a_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(ChecksumScope, "form", lambda *_: "always the same")
    _reconcile(world)
    _unlike_hashes(monkeypatch)
    with world.connections() as connections:
        found = run_and_record(world.orders, world.partitions(DAY), connections=connections, run_id="r")
    assert any(verdict.change is not None for verdict in found)


def test_who_cannot_be_asked_for_batches_is_not_accused(world: World) -> None:
    _reconcile(world)
    role = "reader_without_ledger"
    password = sa.make_url(world.target).password
    world.run_target(
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN PASSWORD '{password}'",
        f"GRANT SELECT ON orders TO {role}",
        BY_HAND,
    )
    world.target_through = sa.make_url(world.target).set(username=role).render_as_string(hide_password=False)
    found = _reconcile(world)
    world.target_through = None
    world.run_target(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert found.verdict is Verdict.MISMATCHED
    assert (found.change, found.batch_id) == (None, None)


def _copy_by_hand(world: World) -> None:
    with psycopg.connect(world.source) as reader, psycopg.connect(world.target) as writer:
        with (
            reader.cursor().copy("COPY orders TO STDOUT") as rows,
            writer.cursor().copy("COPY orders FROM STDIN") as sink,
        ):
            for row in rows:
                sink.write(row)
        writer.commit()
