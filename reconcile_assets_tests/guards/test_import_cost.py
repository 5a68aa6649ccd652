"""Commands that must start at once import nothing heavy."""

import json
import subprocess
import sys

import psycopg
import pytest

HEAVY = {
    "alembic", "apprise", "dagster", "dagster_shared", "grpc", "jinja2", "numpy", "pandas", "psycopg2", "pydantic",
    "requests", "rich", "sqlalchemy", "tenacity", "yaml",
}  # fmt: skip
RUN = """
import json, sys
from reconcile_assets.cli import main
code = main(json.loads(sys.argv[1]))
print(json.dumps({"code": code, "modules": sorted({name.partition(".")[0] for name in sys.modules})}), file=sys.stderr)
"""


def _run(*arguments: str) -> tuple[int, set[str], str]:
    """The exit code, the packages that were imported, and stdout."""
    command = [sys.executable, "-c", RUN, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(done.stderr.splitlines()[-1])
    return told["code"], set(told["modules"]), done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["diff", "--help"]])
def test_asking_imports_neither_frameworks_nor_drivers(arguments: list[str]) -> None:
    code, modules, _ = _run(*arguments)

    assert code == 0
    assert modules & (HEAVY | {"psycopg"}) == set()


def test_diff_imports_the_driver_that_it_needs_and_nothing_else(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE a (id int PRIMARY KEY, name text)")
        connection.execute("CREATE TABLE b (id int PRIMARY KEY, name text)")
        connection.execute("INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1, 'x'), (2, 'z')")

    code, modules, output = _run("diff", postgres_url, "a", postgres_url, "b", "--json")

    assert code == 1
    assert json.loads(output)["value_differs"] == 1
    assert modules & HEAVY == set()


def test_the_control_a_command_with_a_configuration_does_import_more() -> None:
    _, modules, _ = _run("gaps", "--config", "no-such-file.yaml")

    assert {"pydantic", "yaml"} <= modules


def test_importing_the_package_imports_none_of_its_modules() -> None:
    code = "import sys, reconcile_assets; print([name for name in sys.modules if name.startswith('reconcile_assets.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
