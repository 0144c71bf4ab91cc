from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streams.settings import SettingsError, TracingSettings
from streams.telemetry import build_tracing, finish

EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


def test_without_an_endpoint_nothing_is_recorded() -> None:
    tracing = build_tracing(TracingSettings(sample_ratio=1.0), instance="w-1", version="1")
    assert tracing.start(None, root=True) is None
    tracing.close()


def test_an_endpoint_without_the_extra_is_told_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, EXPORTER, None)
    with pytest.raises(SettingsError, match=r"tracing\.otlp_endpoint.*http://collector:4318.*modstream\[otlp\]"):
        build_tracing(TracingSettings(otlp_endpoint="http://collector:4318"), instance="w-1", version="1")


def test_spans_reach_a_collector_over_http() -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        settings = TracingSettings(sample_ratio=1.0, otlp_endpoint=f"http://127.0.0.1:{server.server_port}")
        tracing = build_tracing(settings, instance="w-1", version="1")
        span = tracing.start(None, root=True)
        assert span is not None
        finish(span, topic="moderation.posts", partition=0, offset=1, post_id="p-77", stages=["ingest"])
        tracing.close(timeout_s=30)
        server.shutdown()
        thread.join()
    (request,) = received
    assert request[0] == "/v1/traces"
    assert b"p-77" in request[1]
