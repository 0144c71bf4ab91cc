"""`/live`, `/ready` and `/metrics` over HTTP, on threads of their own: they answer also while the loop hangs."""

from __future__ import annotations

import http.client
import io
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, cast

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.openmetrics import exposition as openmetrics

from streams.health.conditions import Check, Health
from streams.settings import HttpSettings, SettingsError

MAX_REQUEST_BYTES = 16 * 1024
"""Of a request's head. Probes send a few hundred bytes; a browser with its cookies sends less than half of this."""

REQUEST_TIMEOUT_S = 5.0
"""For a whole request to arrive, and for each write of the answer; Kubernetes and Prometheus give up sooner or soon
after."""

MAX_CONNECTIONS = 32
"""Each is a thread. Two probes and a few scrapers need a handful; further ones are closed at once."""

_POLL_S = 0.1
"""How soon `close` is noticed."""

_OPENMETRICS = "application/openmetrics-text"

# The client library has no types for these.
_text = cast("Callable[[CollectorRegistry], bytes]", exposition.generate_latest)  # pyright: ignore[reportUnknownMemberType]
_openmetrics = cast("Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest)  # pyright: ignore[reportUnknownMemberType]

_log = logging.getLogger(__name__)


class HealthServer:
    """Serves one worker's health and metrics from construction until `close`; also a context manager.

    Port 0 takes a free one, which `port` then names. Raises `SettingsError` when the address cannot be listened on.
    """

    def __init__(self, health: Health, registry: CollectorRegistry, settings: HttpSettings) -> None:
        try:
            self._server = _Server(health, registry, settings.host, settings.port)
        except OSError as error:
            reason = f"cannot listen there: {error.strerror or error}; expected a free address of this machine"
            raise SettingsError([f"http.host, http.port = {settings.host}, {settings.port}: {reason}"]) from None
        self.host = settings.host
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening; answers that are under way end by themselves."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> HealthServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Closing must not wait for a client that reads slowly.
    block_on_close = False
    # The default, 5, makes a burst of scrapers wait for the kernel's next try, a second later.
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, health: Health, registry: CollectorRegistry, host: str, port: int) -> None:
        self.health = health
        self.registry = registry
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        # The family of the address decides between IPv4 and IPv6.
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        super().__init__((str(address[0]), port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks the host's name up in the DNS, which may take long and serves nothing.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            _log.debug("%s went away", client_address, exc_info=True)
        else:
            _log.exception("a request from %s failed", client_address)


class _BoundedSocket(io.RawIOBase):
    """The bytes of one request: at most `MAX_REQUEST_BYTES`, all within `REQUEST_TIMEOUT_S`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = MAX_REQUEST_BYTES
        self._deadline = time.monotonic() + REQUEST_TIMEOUT_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._left <= 0:
            raise http.client.LineTooLong("request")
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the request took too long to arrive")
        self._connection.settimeout(remaining)
        count = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    # HTTP/1.0: one request a connection, so that the limits of a request are those of its connection.
    protocol_version = "HTTP/1.0"
    timeout = REQUEST_TIMEOUT_S

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_BoundedSocket(self.connection))

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except http.client.LineTooLong:  # in the request line; in the headers, parse_request sees to it
            self.requestline, self.request_version, self.command = "", self.protocol_version, ""
            self.send_error(414)

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.command not in ("GET", "HEAD"):
            self._answer(405, "text/plain; charset=utf-8", b"only GET and HEAD\n", {"Allow": "GET, HEAD"})
            return False
        return True

    def do_GET(self) -> None:
        self.connection.settimeout(REQUEST_TIMEOUT_S)
        path = self.path.split("?", 1)[0]
        if path == "/live":
            self._check(self.server.health.live())
        elif path == "/ready":
            self._check(self.server.health.ready())
        elif path == "/metrics":
            self._metrics()
        else:
            self._answer(404, "text/plain; charset=utf-8", b"try /live, /ready or /metrics\n")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _check(self, check: Check) -> None:
        self._answer(200 if check.ok else 503, "application/json", check.to_json())

    def _metrics(self) -> None:
        accepts = _OPENMETRICS in self.headers.get("Accept", "")
        encode, kind = (
            (_openmetrics, openmetrics.CONTENT_TYPE_LATEST) if accepts else (_text, exposition.CONTENT_TYPE_PLAIN_0_0_4)
        )
        self._answer(200, kind, encode(self.server.registry))

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        return "modstream"  # not which Python it is

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        _log.debug(format, *args)
