"""Unit and property tests cannot reach a socket or a database."""

from pathlib import Path

import pytest

PROBES = {
    "a socket": "import socket\n    socket.create_connection(('127.0.0.1', 5432))",
    "the driver's own connection": "import psycopg\n    psycopg.connect('postgresql://postgres@127.0.0.1/postgres')",
}
RUN = "-p no:cacheprovider"


@pytest.mark.parametrize("folder", ["unit", "property"])
@pytest.mark.parametrize("probe", PROBES)
def test_offline_tests_can_not_use(probe: str, folder: str, pytester: pytest.Pytester) -> None:
    conftest = Path(__file__).parents[1] / "conftest.py"
    pytester.makeconftest(conftest.read_text())
    target = pytester.path / folder / "test_probe.py"
    target.parent.mkdir()
    target.write_text(f"def test_probe():\n    {PROBES[probe]}\n")

    result = pytester.runpytest_subprocess(*RUN.split(), "--import-mode=importlib")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*SocketBlockedError*"])
