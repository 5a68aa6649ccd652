"""A small TCP proxy before PostgreSQL or MariaDB that loses the reply to a COMMIT, or cuts connections."""

import contextlib
import selectors
import socket
import struct
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_COMMITS = (b"Q\x00\x00\x00\x0bCOMMIT\x00", b"\x03COMMIT")  # as PostgreSQL's and MariaDB's protocols have it
_RESET = struct.pack("ii", 1, 0)


class FaultProxy:
    """Listens on a port of its own and passes bytes on to a server.

    Attributes:
        connections: accepted so far.
        faults: how often something was lost on purpose.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._user = parts.netloc.rpartition("@")[0]
        self._parts = parts
        self._lost: list[str] = []
        self._bytes: int | None = None
        self._closing = threading.Event()
        self.connections = 0
        self.faults = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The database's URL through this proxy."""
        return urlunsplit(self._parts._replace(netloc=f"{self._user}@{self._address}"))

    def lose_commits(self, *how: str) -> None:
        """What becomes of the next commits, one word each.

        ``pass``: nothing; ``reset``: committed, then the connection is reset instead of the reply;
        ``black hole``: committed, and no byte of the reply ever comes; ``before``: the connection
        is reset and the server never sees the COMMIT; ``stuck``: the COMMIT is swallowed and
        both connections stay open.
        """
        self._lost = list(how)

    def cut_after(self, count: int | None) -> None:
        """Cut every connection once so many bytes went from the client to the server."""
        self._bytes = count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server, contextlib.suppress(OSError):
            self._pump(client, server)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        sent, fault = 0, ""
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
            while not self._closing.is_set():
                for key, _ in selector.select(0.2):
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # both are sockets
                    if not data:
                        return
                    if key.fileobj is client:
                        sent += len(data)
                        if self._bytes is not None and sent > self._bytes:
                            self._reset(client)
                            return
                        if data.endswith(_COMMITS) and self._lost:
                            fault = self._lost.pop(0)
                        if fault == "before":
                            self._reset(client)
                            return
                        if fault == "stuck":
                            self.faults += 1
                            fault = "black hole"
                            continue
                        server.sendall(data)
                    elif fault == "reset":
                        self._reset(client)
                        return
                    elif fault == "black hole":
                        self.faults += 1
                    else:
                        client.sendall(data)

    def _reset(self, client: socket.socket) -> None:
        self.faults += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        client.close()
