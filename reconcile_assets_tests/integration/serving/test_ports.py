"""Which port a server takes."""

import socket
from collections.abc import Iterator

import pytest

from reconcile_assets.errors import AlreadyRunning, ConfigurationError
from reconcile_assets.serving.ports import HOST, choose_port, find_free_port, is_listening


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    free = find_free_port()
    assert choose_port(None, preferred=free) == free


def test_another_port_is_taken_when_the_preferred_one_is_in_use(taken: int) -> None:
    chosen = choose_port(None, preferred=taken)
    assert chosen != taken
    assert not is_listening(chosen)


def test_a_port_held_on_all_interfaces_counts_as_in_use() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104  # the case under test
        assert choose_port(None, preferred=server.getsockname()[1]) != server.getsockname()[1]


def test_the_port_asked_for_is_never_exchanged(taken: int) -> None:
    with pytest.raises(AlreadyRunning, match=rf"port {taken} is in use; choose another --port"):
        choose_port(taken)
    free = find_free_port()
    assert choose_port(free) == free


@pytest.mark.parametrize("port", [0, -1, 65536, 10**9])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"port {port} is not between 1 and 65535"):
        choose_port(port)
