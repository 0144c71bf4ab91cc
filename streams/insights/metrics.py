"""What `modstream insights` tells Prometheus of itself, and the drift and floods that alerts may look at."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, ProcessCollector

from schemas import Insight
from streams.insights.groups import Kind, Source
from streams.metrics.specs import CounterSpec, GaugeSpec, Instruments, Spec

MESSAGES = CounterSpec(
    "modstream_insights_messages_total",
    "Messages read, also those that are read again after a restart.",
    ("source",),
)
INVALID = CounterSpec(
    "modstream_insights_invalid_total", "Messages that are not what their topic holds, and were left out.", ("source",)
)
PUBLISHED = CounterSpec("modstream_insights_published_total", "Insights published.", ("kind",))
LATE = CounterSpec(
    "modstream_insights_late_total", "Observations that came after their window was closed, and are in none.", ("kind",)
)
REPEATED = CounterSpec(
    "modstream_insights_repeated_total",
    "Observations that were told again after a restart and not counted again. If it rises all the time, a topic was "
    "made anew while the state was kept.",
    ("kind",),
)
WATERMARK = GaugeSpec(
    "modstream_insights_watermark_seconds",
    "Time (since the epoch) that all partitions read for a kind of insight have reached; windows end a grace later.",
    ("kind",),
)
PSI = GaugeSpec(
    "modstream_insights_psi",
    "Drift of a label's scores over all posts, in the last drift window that was closed.",
    ("label",),
)
FLOODS = CounterSpec(
    "modstream_insights_floods_total", "Media and texts that were in more posts of a window than `flood_posts`."
)

INSIGHT_METRICS: tuple[Spec, ...] = (MESSAGES, INVALID, PUBLISHED, LATE, REPEATED, WATERMARK, PSI, FLOODS)
"""All of them; they are of the insights worker, and no other has them."""


class InsightMetrics:
    """In one registry, its own unless one is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        instruments = Instruments(self.registry)
        self._messages = instruments.counter(MESSAGES)
        self._invalid = instruments.counter(INVALID)
        self._published = instruments.counter(PUBLISHED)
        self._late = instruments.counter(LATE)
        self._repeated = instruments.counter(REPEATED)
        self._watermark = instruments.gauge(WATERMARK)
        self._psi = instruments.gauge(PSI)
        self._floods = instruments.counter(FLOODS)[()]
        ProcessCollector(registry=self.registry)
        for kind in Kind:  # a counter that first appears with a value hides its first rise from rate()
            for counter in (self._late, self._repeated):
                counter[kind.value,].inc(0)
        for source in Source:
            self._invalid[source.value,].inc(0)

    def read(self, source: Source, messages: int, invalid: int) -> None:
        self._messages[source.value,].inc(messages)
        self._invalid[source.value,].inc(invalid)

    def counted(self, kind: Kind, late: int, repeated: int) -> None:
        self._late[kind.value,].inc(late)
        self._repeated[kind.value,].inc(repeated)

    def watermark(self, kind: Kind, at_ms: int) -> None:
        self._watermark[kind.value,].set(at_ms / 1000)

    def published(self, insight: Insight) -> None:
        self._published[insight.kind,].inc()
        if insight.kind == "floods":
            self._floods.inc(len(insight.notable))
        elif insight.kind == "drift" and not insight.dimensions:
            self._psi.forget_all()
            for name, value in insight.values.items():
                self._psi[name.removeprefix("psi."),].set(value)
