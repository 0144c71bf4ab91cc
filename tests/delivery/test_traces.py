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
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from schemas import Stage
from tests.delivery.cluster import Cluster, post

STAGES = {"ingest", "fetch", "ocr", "asr", "pack", "encode", "fuse"}
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


@pytest.mark.timeout(150)
def test_a_post_that_no_sender_traces_is_one_trace_over_three_workers(cluster: Cluster, collector: Collector) -> None:
    settings = always(collector)
    workers = [
        cluster.start("front", ["ingest"], **settings),
        cluster.start("media", ["fetch", "ocr", "asr"], **settings),
        cluster.start("back", ["pack", "encode", "fuse"], **settings),
    ]
    cluster.publish([post("p-1", picture=True)])
    cluster.read(cluster.topics.decisions, 1)
    assert [worker.terminate() for worker in workers] == [0, 0, 0]

    spans = collector.spans(3 + len(STAGES))
    ways = {text_of(span, "messaging.destination.name"): span for span in spans if span.name == "modstream.process"}
    first, second, third = (ways[cluster.topics.stage(stage)] for stage in (Stage.INGEST, Stage.FETCH, Stage.PACK))
    assert first.parent_span_id == b"", "it begins where posts come in"
    assert (second.parent_span_id, third.parent_span_id) == (first.span_id, second.span_id)
    assert len({span.trace_id for span in ways.values()}) == 1
    assert {text_of(span, "modstream.post_id") for span in ways.values()} == {"p-1"}
    batches = {text_of(span, "modstream.stage"): span for span in spans if span.name == "modstream.batch"}
    assert batches.keys() == STAGES
    for stages, way in ((["ingest"], first), (["fetch", "ocr", "asr"], second), (["pack", "encode", "fuse"], third)):
        assert {link.span_id for link in way.links} == {batches[stage].span_id for stage in stages}
        for stage in stages:
            assert [link.span_id for link in batches[stage].links] == [way.span_id]


@pytest.mark.timeout(150)
def test_a_retry_and_a_dead_letter_belong_to_the_posts_trace(cluster: Cluster, collector: Collector) -> None:
    worker = cluster.start(**always(collector), MODSTREAM_RETRY__MAX_ATTEMPTS="1")
    cluster.publish([post("p-1", "transient")])
    (letter,) = cluster.read(cluster.topics.dead_letters, 1)
    assert worker.terminate() == 0

    ways = [span for span in collector.spans(2 + 6) if span.name == "modstream.process"]
    first, second = sorted(ways, key=lambda span: span.start_time_unix_nano)
    assert second.parent_span_id == first.span_id
    assert second.trace_id == first.trace_id
    assert {span.status.code for span in ways} == {Status.STATUS_CODE_ERROR}
    carried = dict(letter.headers() or [])  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert carried["modstream-traceparent"] == f"00-{first.trace_id.hex()}-{second.span_id.hex()}-01".encode()


def always(collector: Collector) -> dict[str, str]:
    """Every post is traced."""
    return {
        "MODSTREAM_TRACING__OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "MODSTREAM_TRACING__SAMPLE_RATIO": "1",
    }


def text_of(span: Span, name: str) -> str:
    (found,) = (attribute.value.string_value for attribute in span.attributes if attribute.key == name)
    return found
