"""A local HTTP receiver: where the demo's alerts arrive, sent through Apprise's ``json://``."""

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from reconcile_assets.serving.ports import HOST

_LARGEST_MESSAGE = 1_000_000


@dataclass(frozen=True)
class Received:
    """One message as it arrived.

    Attributes:
        kind: ``failure`` or ``success``, as Apprise names them.
        at: when it arrived; aware, UTC.
    """

    title: str
    body: str
    kind: str
    at: datetime


class Receiver:
    """Listens on the loopback interface while the block lasts.

    ::

        with Receiver() as receiver:
            send_to(receiver.apprise_url)
            receiver.messages
    """

    def __init__(self) -> None:
        self._messages: list[Received] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="alert receiver", daemon=True)

    @property
    def apprise_url(self) -> str:
        """Its address, as Apprise takes it."""
        return f"json://{HOST}:{self._server.server_port}/"

    @property
    def messages(self) -> tuple[Received, ...]:
        """What has arrived so far, in the order of arrival."""
        with self._lock:
            return tuple(self._messages)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, body: bytes) -> bool:
        try:
            document = json.loads(body)
            received = Received(document["title"], document["message"], document["type"], datetime.now(UTC))
        except (ValueError, KeyError, TypeError):
            return False
        with self._lock:
            self._messages.append(received)
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server looks for
                length = int(self.headers.get("Content-Length") or 0)
                taken = 0 < length <= _LARGEST_MESSAGE and take(self.rfile.read(length))
                self.send_response(200 if taken else 400)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: the story tells what arrives."""

        return Handler
