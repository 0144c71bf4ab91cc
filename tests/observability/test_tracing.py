from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode

from streams.telemetry import Tracing, extract, finish, inject

UNSAMPLED = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")]
SAMPLED = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("tracestate", b"vendor=a")]


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def tracing_to(exporter: SpanExporter, ratio: float = 1.0, seed: int = 1) -> Tracing:
    return Tracing(ratio, [SimpleSpanProcessor(exporter)], instance="w-1", version="1.2.0", rng=random.Random(seed))


def context_of(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def end(span: Span | None, topic: str = "moderation.posts", failure: str | None = None) -> Span:
    assert span is not None
    finish(span, topic=topic, partition=3, offset=4711, post_id="p-1", stages=["ingest", "pack"], failure=failure)
    return span


def test_a_post_is_followed_across_two_topics_and_two_workers(exporter: InMemorySpanExporter) -> None:
    first, second = tracing_to(exporter, seed=1), tracing_to(exporter, ratio=0.0, seed=2)
    ingest = end(first.start(None, root=True), "moderation.posts")
    headers = inject(ingest.get_span_context())
    end(second.start(headers, root=False), "moderation.encode")

    upstream, downstream = exporter.get_finished_spans()
    assert upstream.parent is None
    assert downstream.parent is not None
    assert downstream.parent.span_id == context_of(upstream).span_id
    assert context_of(downstream).trace_id == context_of(upstream).trace_id
    assert [span.attributes["messaging.destination.name"] for span in (upstream, downstream) if span.attributes] == [
        "moderation.posts",
        "moderation.encode",
    ]


def test_a_span_says_which_message_it_was_and_what_was_done(exporter: InMemorySpanExporter) -> None:
    end(tracing_to(exporter).start([], root=True))
    (span,) = exporter.get_finished_spans()
    assert span.name == "modstream.process"
    assert span.kind is SpanKind.CONSUMER
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.destination.name": "moderation.posts",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 4711,
        "modstream.stages": ("ingest", "pack"),
        "modstream.post_id": "p-1",
    }
    assert span.resource.attributes["service.name"] == "modstream"
    assert span.resource.attributes["service.instance.id"] == "w-1"


def test_a_message_that_failed_says_why(exporter: InMemorySpanExporter) -> None:
    end(tracing_to(exporter).start(None, root=True), failure="poison: ValueError")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "poison: ValueError"


def test_the_sender_of_a_post_decides_for_a_trace(exporter: InMemorySpanExporter) -> None:
    span = end(tracing_to(exporter, ratio=0.0).start(SAMPLED, root=True))
    (exported,) = exporter.get_finished_spans()
    sender = extract(SAMPLED)
    assert sender is not None
    assert exported.parent == sender
    assert dict(inject(span.get_span_context()))["tracestate"] == b"vendor=a"


def test_the_sender_of_a_post_decides_against_a_trace_and_whoever_comes_later_is_told(
    exporter: InMemorySpanExporter,
) -> None:
    span = end(tracing_to(exporter, ratio=1.0).start(UNSAMPLED, root=True))
    assert exporter.get_finished_spans() == ()
    assert inject(span.get_span_context()) == UNSAMPLED


def test_a_malformed_traceparent_counts_as_none(exporter: InMemorySpanExporter) -> None:
    tracing = tracing_to(exporter)
    broken = [("traceparent", b"00-xyz")]
    assert tracing.start(broken, root=False) is None
    end(tracing.start(broken, root=True))
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


def test_topics_inside_the_chain_begin_no_trace(exporter: InMemorySpanExporter) -> None:
    assert tracing_to(exporter, ratio=1.0).start(None, root=False) is None


def test_the_ratio_picks_one_post_in_a_hundred_and_any_system_would_pick_the_same_traces(
    exporter: InMemorySpanExporter,
) -> None:
    tracing = tracing_to(exporter, ratio=0.01)
    spans = [span for _ in range(20_000) if (span := tracing.start(None, root=True)) is not None]
    assert 150 <= len(spans) <= 250  # 200 expected, the seed is fixed
    elsewhere = TraceIdRatioBased(0.01)
    chosen = {span.get_span_context().trace_id for span in spans}
    assert len(chosen) == len(spans)
    assert all(elsewhere.should_sample(None, trace_id, "any").decision.is_sampled() for trace_id in chosen)
    assert not TraceIdRatioBased(0.0001).should_sample(None, max(chosen, key=_low), "any").decision.is_sampled()


def _low(trace_id: int) -> int:
    return trace_id & TraceIdRatioBased.TRACE_ID_LIMIT


def test_the_same_draws_choose_the_same_posts(exporter: InMemorySpanExporter) -> None:
    def chosen() -> list[bool]:
        tracing = tracing_to(exporter, ratio=0.1, seed=7)
        return [tracing.start(None, root=True) is not None for _ in range(500)]

    assert chosen() == chosen()


def test_a_ratio_of_nothing_traces_nothing(exporter: InMemorySpanExporter) -> None:
    tracing = tracing_to(exporter, ratio=0.0)
    assert [tracing.start(None, root=True) for _ in range(100)] == [None] * 100


def test_a_batch_is_linked_with_its_sampled_records_both_ways(exporter: InMemorySpanExporter) -> None:
    tracing = tracing_to(exporter)
    first, second = tracing.start(None, root=True), tracing.start(None, root=True)
    declined = tracing.start(UNSAMPLED, root=True)
    batch = tracing.start_batch("encode", items=16, cost=900, spans=[first, None, declined, second])
    assert batch is not None
    batch.end()
    end(first)
    end(second)

    told, one, two = exporter.get_finished_spans()
    assert told.name == "modstream.batch"
    assert told.parent is None
    assert [link.context.span_id for link in told.links] == [context_of(one).span_id, context_of(two).span_id]
    assert [[link.context.span_id for link in span.links] for span in (one, two)] == [
        [context_of(told).span_id],
        [context_of(told).span_id],
    ]
    assert dict(told.attributes or {}) == {
        "modstream.stage": "encode",
        "modstream.batch.items": 16,
        "modstream.batch.cost": 900,
    }


def test_a_batch_of_a_sampled_record_is_told_also_where_no_trace_begins(exporter: InMemorySpanExporter) -> None:
    tracing = tracing_to(exporter, ratio=0.0)
    record = tracing.start(SAMPLED, root=False)
    batch = tracing.start_batch("encode", items=1, cost=1, spans=[record])
    assert batch is not None
    batch.end()
    assert [span.name for span in exporter.get_finished_spans()] == ["modstream.batch"]


def test_a_batch_without_a_sampled_record_has_no_span(exporter: InMemorySpanExporter) -> None:
    tracing = tracing_to(exporter)
    declined = tracing.start(UNSAMPLED, root=True)
    assert tracing.start_batch("encode", items=2, cost=10, spans=[None, declined]) is None


def test_without_an_exporter_messages_keep_the_context_they_came_with() -> None:
    tracing = Tracing(1.0)
    assert tracing.start(None, root=True) is None
    span = end(tracing.start(SAMPLED, root=True))
    assert not span.is_recording()
    assert inject(span.get_span_context()) == SAMPLED
    assert tracing.start_batch("encode", items=1, cost=1, spans=[span]) is None


def test_what_else_the_process_traces_is_neither_used_nor_changed(exporter: InMemorySpanExporter) -> None:
    before = trace.get_tracer_provider()
    foreign = TracerProvider(shutdown_on_exit=False).get_tracer("foreign").start_span("foreign")
    with trace.use_span(foreign):
        tracing = tracing_to(exporter)
        record = tracing.start(None, root=True)
        batch = tracing.start_batch("encode", items=1, cost=1, spans=[record])
        assert batch is not None
        assert trace.get_current_span() is foreign
        batch.end()
    end(record)
    assert [span.parent for span in exporter.get_finished_spans()] == [None, None]
    assert trace.get_tracer_provider() is before


class StuckExporter(SpanExporter):
    """A collector that accepts and never answers."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.release.wait()
        return SpanExportResult.FAILURE


def test_closing_does_not_wait_for_a_collector_that_does_not_answer() -> None:
    exporter = StuckExporter()
    tracing = Tracing(1.0, [BatchSpanProcessor(exporter)])
    end(tracing.start(None, root=True))
    tracing.close(timeout_s=0.01)
    assert exporter.entered.wait(30)
    assert not exporter.release.is_set()
    exporter.release.set()


def test_closing_sends_what_has_ended(exporter: InMemorySpanExporter) -> None:
    tracing = Tracing(1.0, [BatchSpanProcessor(exporter)])
    end(tracing.start(None, root=True))
    tracing.close(timeout_s=30)
    assert len(exporter.get_finished_spans()) == 1
