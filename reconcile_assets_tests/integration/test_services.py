"""The services that a required run must reach: a missing one is a failure there, and never a silent skip."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest

from reconcile_assets_tests.conftest import SERVICES, require_service

if TYPE_CHECKING:
    from dagster import DagsterInstance


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_service_answers(name: str) -> None:
    require_service(name)


def test_a_required_service_that_is_missing_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVICES, "redis", ("127.0.0.1", 1))
    monkeypatch.setenv("RECONCILE_REQUIRE_SERVICES", "postgres,redis")

    with pytest.raises(pytest.fail.Exception, match=r"redis does not answer at 127\.0\.0\.1:1"):
        require_service("redis")


def test_a_missing_service_that_is_not_required_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVICES, "redis", ("127.0.0.1", 1))
    monkeypatch.setenv("RECONCILE_REQUIRE_SERVICES", "")

    with pytest.raises(pytest.skip.Exception, match="start it"):
        require_service("redis")


def test_every_test_gets_databases_of_its_own(postgres_urls: Callable[[str], str]) -> None:
    first, second = postgres_urls("one"), postgres_urls("two")

    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE only_here (id int)")

    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_the_storage_of_dagster_works_on_the_embedded_server(dagster_postgres_instance: "DagsterInstance") -> None:
    assert dagster_postgres_instance.get_runs() == []
