"""What the worker tells its metrics, its journal and its traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from opentelemetry.trace import Span

from schemas import Stage
from streams.metrics import PostKind, WorkerMetrics
from streams.metrics.stage import IN_PLACE
from streams.telemetry import Tracing
from streams.worker.batcher import Work
from streams.worker.journal import Journal
from streams.worker.ledger import Ticket
from streams.worker.stage import BatchReport


class Observer:
    """Follows the batches of all stages. Each lane of a stage calls from one thread; a batch is a span, or None."""

    def __init__(self, journal: Journal, metrics: WorkerMetrics, tracing: Tracing, stages: Sequence[Stage]) -> None:
        self._journal = journal
        self._tracing = tracing
        self._metrics = {stage: metrics.stage(stage) for stage in stages}

    def entered(self, stage: Stage, lane: str, works: Sequence[Work], *, beside: Sequence[Work] = ()) -> Span | None:
        """A batch begins: whatever kills the process now, these messages are under suspicion."""
        self._journal.enter(stage, lane, [work.ticket for work in (*works, *beside)], alone=works[0].alone)
        if not any(work.span for work in works):
            return None
        cost = sum(work.cost for work in works)
        return self._tracing.start_batch(stage.value, len(works), cost, [work.span for work in works])

    def left(self, batch: Span | None, report: BatchReport, *, beside: Sequence[Work] = ()) -> None:
        """The batch is through."""
        if beside:
            self._journal.enter(report.stage, report.lane, [work.ticket for work in beside], alone=False)
        else:
            self._journal.leave(report.stage, report.lane)
        if batch is not None:
            batch.end()
        metrics = self._metrics[report.stage]
        metrics.batch(
            items=report.items,
            cost=report.cost,
            queue_s=report.waited_s,
            prepare_s=report.prepare_s,
            compute_s=report.process_s,
            isolated=report.isolated,
        )
        metrics.finished(report.finished)
        if report.retried:
            metrics.retried(IN_PLACE, report.retried)


def report_commit(metrics: WorkerMetrics, tickets: Sequence[Ticket]) -> None:
    """What a commit that has succeeded made readable."""
    produced = Counter(output.topic for ticket in tickets for output in ticket.outputs or ())
    for topic, count in produced.items():
        metrics.produced(topic, count)
    decided = [ticket.decided for ticket in tickets if ticket.decided is not None]
    if not decided:
        return
    metrics.decided([(post.action, post.tenant, post.lang, post.region) for post in decided])
    published: dict[tuple[str, PostKind], list[int]] = {}
    by_action: dict[str, list[float]] = {}
    by_modality: dict[str, list[float]] = {}
    for post in decided:
        published.setdefault((post.lane, post.kind), []).append(post.published_ms)
        if post.confidence is not None:
            by_action.setdefault(post.action, []).append(post.confidence)
        for modality, confidence in post.modalities:
            by_modality.setdefault(modality, []).append(confidence)
    for (lane, kind), times_ms in published.items():
        metrics.end_to_end(lane, kind, times_ms)
    metrics.confidences(by_action, by_modality)
