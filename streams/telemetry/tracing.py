"""Spans that follow a post through every topic.

Whether a post is traced is decided once: by its sender, if the message has a `traceparent`, else where the chain takes
it in, by the ratio of the settings. A post that is not traced has no span and no object of any kind: its message goes
without a header of ours, and topics inside the chain begin no traces of their own.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanKind, Status, StatusCode, set_span_in_context

from streams.telemetry.propagation import Headers, extract

SERVICE = "modstream"
PROCESS_SPAN = "modstream.process"
BATCH_SPAN = "modstream.batch"

CLOSE_TIMEOUT_S = 3.0
"""What the last spans get to reach their collector: one that is away must not eat up the time that a draining worker
has before it is killed."""

_ID_LIMIT = 1 << 64
"""OpenTelemetry samples by the lower 64 bits of the trace id, so that every system decides alike on one trace."""


class Tracing:
    """Begins and ends spans, from any thread. Nothing of it is global: what else OpenTelemetry has installed in this
    process is neither used nor changed.

    `processors` receive the spans that have ended; without any, nothing is recorded, and messages keep the context they
    came with. `rng` is for tests; its own is seeded by the system, as ids must differ between processes.
    """

    def __init__(
        self,
        sample_ratio: float,
        processors: Sequence[SpanProcessor] = (),
        *,
        instance: str = "",
        version: str = "",
        rng: random.Random | None = None,
    ) -> None:
        rng = rng or random.Random()
        self._getrandbits = rng.getrandbits
        self._recording = bool(processors)
        self._bound = TraceIdRatioBased.get_bound_for_rate(sample_ratio) if processors else 0
        identity = {"service.name": SERVICE, "service.instance.id": instance, "service.version": version}
        self._provider = TracerProvider(
            # A root that gets as far as the sampler is one that `start` has chosen by the ratio, or a batch of such.
            sampler=ParentBased(root=ALWAYS_ON),
            resource=Resource.create({name: value for name, value in identity.items() if value}),
            shutdown_on_exit=False,
            id_generator=_ChosenIds(rng, self._bound or _ID_LIMIT),
        )
        for processor in processors:
            self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(SERVICE, version)

    def start(self, headers: Headers | None, *, root: bool) -> Span | None:
        """The span of a message, or None when there is nothing to record and nothing to pass on.

        `root` says that the message's topic is where posts come in, so that a trace may begin here. What is not None
        must be ended with `finish`, and its context injected into the message's outputs, also when it does not record:
        then the sender has decided against a trace, and whoever comes after us is to know.
        """
        parent = extract(headers) if headers else None
        if parent is not None:
            if not (self._recording and parent.trace_flags.sampled):
                return NonRecordingSpan(parent)
            context = set_span_in_context(NonRecordingSpan(parent), Context())
            return self._tracer.start_span(PROCESS_SPAN, context=context, kind=SpanKind.CONSUMER)
        if root and self._bound and self._getrandbits(64) < self._bound:
            return self._tracer.start_span(PROCESS_SPAN, context=Context(), kind=SpanKind.CONSUMER)
        return None

    def start_batch(self, stage: str, items: int, cost: int, spans: Iterable[Span | None]) -> Span | None:
        """The span of one engine call, to be ended by the caller; None when none of its records is recorded.

        `items` and `cost` are those of the whole batch. The batch has a trace of its own: it belongs to several posts,
        and is linked with the span of each, both ways.
        """
        recording = [span for span in spans if span is not None and span.is_recording()]
        if not recording:
            return None
        batch = self._tracer.start_span(
            BATCH_SPAN,
            context=Context(),
            attributes={"modstream.stage": stage, "modstream.batch.items": items, "modstream.batch.cost": cost},
            links=[Link(span.get_span_context()) for span in recording],
        )
        for span in recording:
            span.add_link(batch.get_span_context(), {"modstream.stage": stage})
        return batch

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Sends what has ended and releases the exporter; what that leaves after `timeout_s` is lost with the process.
        Spans that end later are dropped."""
        # The SDK waits up to 30 s and takes no limit.
        closing = threading.Thread(target=self._provider.shutdown, name="tracing-close", daemon=True)
        closing.start()
        closing.join(timeout_s)


def finish(
    span: Span,
    *,
    topic: str,
    partition: int,
    offset: int,
    post_id: str | None,
    stages: Iterable[str],
    failure: str | None = None,
) -> None:
    """Ends a message's span, with where the message came from and the stages that it went through in this process.

    `failure` says why it did not get further, as in its dead letter or retry.
    """
    if span.is_recording():
        span.set_attributes(
            {
                "messaging.system": "kafka",
                "messaging.destination.name": topic,
                "messaging.destination.partition.id": str(partition),
                "messaging.kafka.offset": offset,
                "modstream.stages": tuple(stages),
            }
        )
        if post_id is not None:
            span.set_attribute("modstream.post_id", post_id)
        if failure is not None:
            span.set_status(Status(StatusCode.ERROR, failure))
    span.end()


class _ChosenIds(IdGenerator):
    """Ids of traces that have been chosen: their lower 64 bits are under the ratio's bound, so that any other system
    with this ratio would have chosen them too."""

    def __init__(self, rng: random.Random, bound: int) -> None:
        self._rng = rng
        self._bound = bound

    def generate_span_id(self) -> int:
        return self._rng.getrandbits(64) or 1  # 0 is no id

    def generate_trace_id(self) -> int:
        return (self._rng.getrandbits(64) << 64 | self._rng.randrange(self._bound)) or 1
