"""What doctor makes of what it is told, without a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconcile_assets.configuration.models import Config
from reconcile_assets.databases.diagnosis import ServerFacts, is_remote
from reconcile_assets.engine import doctor
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.findings import Finding, Level, on_side, worst_level
from reconcile_assets.errors import AuthenticationFailed, DatabaseUnavailable

NOW = datetime(2013, 3, 1, tzinfo=UTC)
ENVIRON = {"SOURCE_DATABASE_URL": "postgresql://a/b", "TARGET_DATABASE_URL": "postgresql://c/d"}


def config(**partition: object) -> Config:
    table = {
        "name": "flights",
        "source_table": "ops.flights",
        "target_table": "warehouse.flights",
        "key": ["id"],
        "partition": {"column": "at", "by": "day", "start": "2013-01-01", **partition},
    }
    return Config.model_validate({"tables": [table]})


def found(tmp_path: Path, configured: Config, environ: dict[str, str] | None = None) -> list[str]:
    findings = doctor.diagnose(configured, environ=environ or {}, cwd=tmp_path, now=NOW)
    return [f"{each.level} {each.subject}: {each.message}" for each in findings]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Connections by name: facts, or the error that opening one raises."""
    known: dict[str, Any] = {}

    def database(self: Connections, name: str) -> Any:
        @contextmanager
        def session(**options: object) -> Iterator[str]:
            if isinstance(known[name], Exception):
                raise known[name]
            yield name

        return SimpleNamespace(session=session)

    monkeypatch.setattr(Connections, "database", database)
    monkeypatch.setattr(doctor, "fetch_server_facts", lambda name: known[name])
    monkeypatch.setattr(doctor, "fetch_ledger_obstacle", lambda name: known.get("obstacle"))
    monkeypatch.setattr(doctor, "diagnose_table", lambda table, *args, **options: iter(()))
    return known


def facts(**changes: Any) -> ServerFacts:
    known = {
        "version": "18.1",
        "user": "reader",
        "database": "app",
        "remote": False,
        "encrypted": False,
        "writable": None,
    }
    return ServerFacts(**{**known, **changes})


def test_an_empty_configuration_is_a_warning(tmp_path: Path) -> None:
    assert "warning configuration: no tables" in found(tmp_path, Config())


def test_what_is_read_but_not_active_is_said(tmp_path: Path) -> None:
    configured = Config.model_validate({"queue": {}, "health": {}})
    lines = found(tmp_path, configured)
    assert "warning configuration queue: read, but not active in this version" in lines
    assert "warning configuration health: read, but not active in this version" in lines
    assert not any("critical_tables" in line for line in lines)


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        ({"start": "2013-01-01T06:00"}, "rows from 2013-01-01 06:00:00 up to 2013-01-02 00:00:00 are in no partition"),
        ({"by": "week"}, "rows from 2013-01-01 00:00:00 up to 2013-01-06 00:00:00 are in no partition"),
        ({"end": "2013-02-01T06:00"}, "rows from 2013-02-01 00:00:00 up to 2013-02-01 06:00:00 are in no partition"),
        ({"start": "2013-03-01"}, "no day of [2013-03-01 00:00, now) UTC by day has ended yet"),
        ({"by": "hour", "start": "2010-01-01"}, "27720 partitions: the UI's pages freeze above 25000"),
    ],
)
def test_partitions_that_leave_rows_out_or_are_too_many_are_a_warning(
    tmp_path: Path, partition: dict[str, str], message: str
) -> None:
    assert f"warning table flights: {message}" in found(tmp_path, config(**partition))


@pytest.mark.parametrize(
    "partition", [{}, {"end": "2013-02-01"}, {"end": "2014-01-01"}, {"timezone": "America/New_York"}]
)
def test_partitions_that_leave_nothing_out_are_no_warning(tmp_path: Path, partition: dict[str, str]) -> None:
    assert not any("table flights: rows" in line for line in found(tmp_path, config(**partition)))


def test_unset_variables_fail_one_by_one(tmp_path: Path) -> None:
    lines = found(tmp_path, config())
    assert "fail connection source: SOURCE_DATABASE_URL is not set" in lines
    assert "fail connection target: TARGET_DATABASE_URL is not set" in lines
    assert "fail table flights: not looked at: connection source failed" in lines


def test_a_state_folder_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lines = found(tmp_path, Config(), {"RECONCILE_STATE": str(tmp_path / "file")})
    assert f"fail storage: {tmp_path / 'file'} cannot be written to" in lines


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=7 * 1024 * 1024))
    assert f"warning storage: {tmp_path / '.state'} has 7 MiB left" in found(tmp_path, Config())


def test_a_reader_and_a_writer_are_all_well(tmp_path: Path, servers: dict[str, Any]) -> None:
    servers.update(source=facts(), target=facts(user="writer", writable="warehouse.flights"))
    lines = found(tmp_path, config(), ENVIRON)
    assert "ok connection source: PostgreSQL 18.1, database app, role reader, local" in lines
    assert not any(line.startswith("fail") for line in lines)


def test_a_source_role_that_can_write_fails(tmp_path: Path, servers: dict[str, Any]) -> None:
    servers.update(source=facts(writable="ops.flights"), target=facts())
    assert any(
        line.startswith("fail connection source: the role reader can write to ops.flights")
        for line in found(tmp_path, config(), ENVIRON)
    )


@pytest.mark.parametrize(
    ("remote", "encrypted", "fails"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_remote_server_must_speak_tls(
    tmp_path: Path, servers: dict[str, Any], remote: bool, encrypted: bool, fails: bool
) -> None:
    servers.update(source=facts(remote=remote, encrypted=encrypted), target=facts())
    lines = found(tmp_path, config(), ENVIRON)
    assert any(line.startswith("fail connection source: a remote server without TLS") for line in lines) is fails


@pytest.mark.parametrize(
    ("obstacle", "message"),
    [
        ("create", "the role reader cannot create the schema reconcile_assets"),
        ("usage", "the role reader cannot write to the schema reconcile_assets"),
        ("tables", "the role reader cannot write to the schema reconcile_assets"),
    ],
)
def test_a_target_that_cannot_hold_the_ledger_fails(
    tmp_path: Path, servers: dict[str, Any], obstacle: str, message: str
) -> None:
    servers.update(source=facts(), target=facts(), obstacle=obstacle)
    assert f"fail connection target: {message}" in found(tmp_path, config(), ENVIRON)


def test_a_connection_that_fails_does_not_hide_the_others(tmp_path: Path, servers: dict[str, Any]) -> None:
    servers.update(
        source=DatabaseUnavailable("source: refused; start it"), target=AuthenticationFailed("target: wrong")
    )
    lines = found(tmp_path, config(), ENVIRON)
    assert "fail connection source: source: refused; start it" in lines
    assert "fail connection target: target: wrong" in lines


def test_only_the_connections_of_the_chosen_tables_are_looked_at(tmp_path: Path, servers: dict[str, Any]) -> None:
    assert not any("connection" in f"{each.subject}" for each in doctor.diagnose(
        config(), environ=ENVIRON, cwd=tmp_path, now=NOW, tables=()
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("host", "address", "remote"),
    [
        ("/var/run/postgresql", "", False),
        ("@abstract", "", False),
        ("", "", False),
        ("localhost", "127.0.0.1", False),
        ("localhost", "::1", False),
        ("localhost", "", False),
        ("127.8.0.1", "", False),
        ("db.example", "10.0.0.5", True),
        ("db.example", "", True),
        ("fe80::1%eth0", "", True),
        ("localhost.evil.example", "203.0.113.7", True),
    ],
)
def test_a_server_is_remote_unless_reached_by_socket_or_loopback(host: str, address: str, remote: bool) -> None:
    assert is_remote(host, address) is remote


def test_the_worst_finding_decides() -> None:
    well, bad = Finding.ok("a", "b"), Finding.warning("a", "b", "c")
    assert worst_level([]) is Level.OK
    assert worst_level([well, bad, well]) is Level.WARNING
    assert worst_level([bad, Finding.fail("a", "b"), well]) is Level.FAIL


def test_a_side_is_named_once() -> None:
    assert on_side("source", DatabaseUnavailable("source: refused")) == "source: refused"
    assert on_side("source", DatabaseUnavailable("archive: refused")) == "source: archive: refused"
