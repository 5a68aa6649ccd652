"""Rows that a policy hides from our role are never part of a green answer."""

import json
import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from reconcile_assets import cli
from reconcile_assets.databases.postgresql import connection


@pytest.fixture
def tenant(postgres_url: str) -> Iterator[tuple[str, str]]:
    """The URLs of the owner and of a role that a policy lets see some rows only."""
    role = f"tenant_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(role)))
        owner.execute("CREATE TABLE whole (id int PRIMARY KEY)")
        owner.execute("CREATE TABLE guarded (id int PRIMARY KEY)")
        owner.execute("INSERT INTO whole VALUES (1)")
        owner.execute("INSERT INTO guarded VALUES (1), (2)")
        owner.execute("CREATE POLICY only_one ON guarded USING (id = 1)")
        owner.execute(sql.SQL("GRANT SELECT ON whole, guarded TO {}").format(sql.Identifier(role)))
    parts = conninfo_to_dict(postgres_url)
    yield postgres_url, f"postgresql://{role}:x@{parts['host']}:{parts['port']}/{parts['dbname']}"
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def diff(url: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = cli.main(["diff", url, "whole", url, "guarded", "-k", "id", "--json"])
    return code, json.loads(capsys.readouterr().out)["verdict"]


def enable(url: str, *, on: bool) -> None:
    word: Callable[[str], sql.SQL] = sql.SQL  # type: ignore[assignment]  # the words are this test's own
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(word(f"ALTER TABLE guarded {'ENABLE' if on else 'DISABLE'} ROW LEVEL SECURITY"))


def test_a_table_that_hides_rows_cannot_be_verified(
    tenant: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    owner, role = tenant
    enable(owner, on=True)
    assert diff(role, capsys) == (2, "inconclusive")


def test_the_control_without_the_setting_takes_hidden_rows_for_equal(
    tenant: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, role = tenant
    enable(owner, on=True)
    monkeypatch.setitem(connection._SETTINGS, "row_security", "on")
    assert diff(role, capsys) == (0, "matched")


def test_without_the_policy_the_difference_is_seen(tenant: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    owner, role = tenant
    enable(owner, on=False)
    assert diff(role, capsys) == (1, "mismatched")


def test_a_role_that_sees_every_row_compares_as_ever(
    tenant: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    owner, _ = tenant
    enable(owner, on=True)
    assert diff(owner, capsys) == (1, "mismatched")
