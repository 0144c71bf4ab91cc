"""A server of pictures on loopback, which answers as a test tells it and says when it was asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import cast

from tests.delivery.cluster import PATIENCE_S

Answer = int | bytes
"""A status without a body, or a picture."""


class MediaServer(ThreadingHTTPServer):
    """Paths of which it knows nothing are answered with 404. Use it as a context manager."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.held: set[str] = set()
        self.opened = threading.Event()
        self._asked: SimpleQueue[str] = SimpleQueue()
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self) -> MediaServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    @property
    def settings(self) -> dict[str, str]:
        """What lets a worker fetch from here."""
        return {
            "MODSTREAM_MEDIA__ALLOW_HTTP": "true",
            "MODSTREAM_MEDIA__ALLOWED_NETWORKS": "127.0.0.0/8",
            "MODSTREAM_MEDIA__ALLOWED_PORTS": str(self.server_port),
        }

    def serve(self, path: str, answers: Sequence[Answer], *, held: bool = False) -> str:
        """The address of a path with these answers in turn, the last one for ever. `held`: half of the answer's head
        comes at once, and the rest when `opened` is set."""
        self.answers[path] = list(answers)
        if held:
            self.held.add(path)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def wait_asked(self) -> str:
        """The path of the next request that has not been waited for yet."""
        return self._asked.get(timeout=PATIENCE_S)

    def next_answer(self, path: str) -> Answer:
        self._asked.put(path)
        turns = self.answers.get(path, [404])
        return turns.pop(0) if len(turns) > 1 else turns[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Silence: those who asked may have been killed."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast("MediaServer", self.server)
        answer = server.next_answer(self.path)
        if self.path in server.held:
            self.wfile.write(b"HTTP/1.1 ")
            server.opened.wait()
            self.wfile.write(b"200 OK\r\n")
        else:
            self.send_response(200 if isinstance(answer, bytes) else answer)
        body = answer if isinstance(answer, bytes) else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Silence."""
