"""``dev`` listens on the loopback interface only, holds its folder alone, and leaves nothing running."""

import ipaddress
import socket
import time
from typing import Any

import psutil
import pytest

from reconcile_assets_tests.e2e.product import Product, is_running, wait_for

pytestmark = pytest.mark.timeout(300)


def test_every_port_is_on_the_loopback_interface(product: Product) -> None:
    listening = [address for process in _family(product) for address in _listening(process)]

    assert len({address.port for address in listening}) >= 3, "the UI, the code server and the embedded PostgreSQL"
    assert [address for address in listening if not _is_loopback(address.ip)] == []


def test_the_ui_does_not_answer_on_another_address_of_the_machine(product: Product) -> None:
    port = int(product.url.rsplit(":", 1)[1])
    others = {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not _is_loopback(address.address)
    }

    for address in others:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, port)) != 0, address


def test_a_second_dev_on_the_same_folder_is_refused_in_one_line(product: Product) -> None:
    done = product.run("dev", DATABASE_URL="")

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(product.state) in done.stderr or "state folder" in done.stderr


def test_no_log_of_dagster_has_a_warning(product: Product) -> None:
    logs = "".join(path.read_text() for path in sorted((product.state / "logs").glob("*.log")))

    assert [line for line in logs.splitlines() if "warning" in line.lower() or "error" in line.lower()] == []


def test_ctrl_c_ends_all_of_it(product: Product) -> None:
    family = _family(product)

    code = product.stop()

    assert code == 130
    assert len(family) >= 4
    wait_for(lambda: not [each for each in family if is_running(each)], seconds=20, what="the end of all processes")
    time.sleep(0.2)
    assert not (product.state / "postgresql" / "data" / "postmaster.pid").exists()


def _listening(process: psutil.Process) -> list[Any]:
    try:
        connections = process.net_connections(kind="inet")
    except psutil.NoSuchProcess:  # a server's worker that has ended meanwhile
        return []
    return [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _family(product: Product) -> list[psutil.Process]:
    top = psutil.Process(product.process.pid)
    return [top, *top.children(recursive=True)]
