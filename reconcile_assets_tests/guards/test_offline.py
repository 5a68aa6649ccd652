"""Unit and property tests cannot reach a socket or a database."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
PROBES = """
import socket
import psycopg

def test_socket():
    socket.create_connection(("127.0.0.1", 5432))

def test_driver():
    psycopg.connect("postgresql://postgres@127.0.0.1:1/postgres")
"""


def test_unit_and_property_tests_can_use_neither_a_socket_nor_a_drivers_connection(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]")  # no settings of a folder above this one
    pytester.makeconftest(CONFTEST.read_text())
    for folder in ("unit", "property", "integration"):
        (pytester.path / folder).mkdir()
        (pytester.path / folder / "test_probe.py").write_text(PROBES)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--import-mode=importlib", "--tb=line", "-ra")

    blocked = [line for line in result.outlines if line.startswith("FAILED") and "SocketBlockedError" in line]
    assert len([line for line in blocked if " unit/" in line]) == 2
    assert len([line for line in blocked if " property/" in line]) == 2
    assert [line for line in blocked if " integration/" in line] == [], "the control: these may"
