"""How many bytes a connection has received, as the system counts them: with TLS, headers and all."""

import socket
import struct
import sys
from collections.abc import Callable

_RECEIVED = 128  # where ``tcpi_bytes_received`` stands in Linux's ``struct tcp_info``
_SIZE = _RECEIVED + 8


def received_bytes(open_socket: Callable[[], int]) -> Callable[[], int | None] | None:
    """A function that tells the bytes received so far; None where the system does not count them.

    Linux counts those of TCP; nobody counts those of a Unix socket.

    Args:
        open_socket: the connection's file descriptor; -1 once it is closed.

    Returns:
        The function gives None when the connection is closed.
    """
    if sys.platform != "linux":
        return None

    def received() -> int | None:
        try:
            borrowed = socket.socket(fileno=open_socket())
        except (OSError, ValueError):
            return None
        try:
            told = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
        except OSError:
            return None
        finally:
            borrowed.detach()  # the driver closes it
        if len(told) < _SIZE:
            return None
        return int(struct.unpack_from("=Q", told, _RECEIVED)[0])

    return received if received() else None
