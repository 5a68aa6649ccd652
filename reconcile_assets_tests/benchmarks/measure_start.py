"""How long ``--help`` and a small ``diff`` take, beside a Python that does nothing."""

import sys

import psycopg
import pytest

from reconcile_assets_tests.benchmarks.timing import median_seconds, tell

BARE = [sys.executable, "-c", "pass"]
PROGRAM = [sys.executable, "-m", "reconcile_assets"]
TABLE = """
CREATE TABLE {name} (id int PRIMARY KEY, name text, amount numeric(10,2), at timestamptz);
INSERT INTO {name} SELECT n, 'name ' || n, n * 0.25, timestamptz '2024-01-01' + n * interval '1 hour'
FROM generate_series(1, 1000) AS n;
"""


def test_start_times(postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(TABLE.format(name="a"))
        connection.execute(TABLE.format(name="b"))
    bare = median_seconds(BARE)
    asked = median_seconds([*PROGRAM, "--help"])
    diff = median_seconds([*PROGRAM, "diff", postgres_url, "a", postgres_url, "b", "--json"])

    tell(
        capsys,
        "Start",
        [
            f"python -c pass           {bare:6.3f} s",
            f"--help                   {asked:6.3f} s  {asked / bare:5.1f} times (at most 0.5 s)",
            f"diff, 2 tables of 1,000  {diff:6.3f} s  {diff / bare:5.1f} times (at most 1 s)",
        ],
    )
