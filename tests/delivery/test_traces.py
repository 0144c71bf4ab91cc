"""A post's trace goes through every topic and reaches the collector."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import cast

import pytest
from confluent_kafka import Producer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from schemas import Stage
from tests.delivery.cluster import Cluster

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Takes what an OTLP exporter sends over HTTP."""

    def __init__(self) -> None:
        self.received: SimpleQueue[ExportTraceServiceRequest] = SimpleQueue()
        super().__init__(("127.0.0.1", 0), _Handler)

    def spans(self, enough: int) -> list[Span]:
        found: list[Span] = []
        while len(found) < enough:
            request = self.received.get(timeout=60)
            found += [
                span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
            ]
        return found


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        cast("Collector", self.server).received.put(request)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Silence."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.timeout(150)
def test_spans_of_two_workers_form_one_trace_and_batches_link_to_it(cluster: Cluster, collector: Collector) -> None:
    endpoint = {"MODSTREAM_TRACING__OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
    workers = [
        cluster.start("front", ["ingest"], **endpoint),
        cluster.start("back", ["pack", "encode", "fuse"], **endpoint),
    ]
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    headers: list[tuple[str, str | bytes | None]] = [("traceparent", f"00-{TRACE}-{PARENT}-01".encode())]
    producer.produce(
        cluster.topics.stage(Stage.INGEST), b'{"post_id": "p-1", "text": "hello"}', b"p-1", headers=headers
    )
    producer.flush(30)
    (decision,) = cluster.read(cluster.topics.decisions, 1)
    assert [worker.terminate() for worker in workers] == [0, 0]  # sends what is left

    spans = collector.spans(6)
    first, second = sorted(
        (span for span in spans if span.name == "modstream.process"), key=lambda span: span.start_time_unix_nano
    )
    assert {first.trace_id.hex(), second.trace_id.hex()} == {TRACE}
    assert first.parent_span_id.hex() == PARENT
    assert second.parent_span_id == first.span_id
    carried = dict(decision.headers() or [])  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert carried["traceparent"] == f"00-{TRACE}-{second.span_id.hex()}-01".encode()
    batches = [span for span in spans if span.name == "modstream.batch"]
    assert len(batches) == 4, "one per stage"
    assert {link.trace_id.hex() for batch in batches for link in batch.links} == {TRACE}
