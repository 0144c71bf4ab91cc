"""Adds to the metrics what a shadow and a canary count."""

from __future__ import annotations

from collections import Counter

from schemas import Stage
from streams.metrics import WorkerMetrics
from streams.worker.canary import CanaryWatch
from streams.worker.shadow import Shadow


class ShadowReporter:
    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow

    def report(self, metrics: WorkerMetrics) -> None:
        shadow, tally, beside = self._shadow, self._shadow.tally(), metrics.beside
        beside.shadow(running=shadow.running, waiting=shadow.waiting)
        beside.shadow_posts(tally.posts)
        beside.shadow_compared(tally.actions, tally.flags, tally.shifts)
        beside.shadow_batches(tally.seconds)


class CanaryReporter:
    def __init__(self, watch: CanaryWatch) -> None:
        self._watch = watch
        self._seen: Counter[tuple[Stage, str]] = Counter()

    def report(self, metrics: WorkerMetrics) -> None:
        metrics.beside.canary(chosen=not self._watch.off)
        for key, posts in self._watch.counts().items():
            metrics.beside.canary_posts(*key, posts - self._seen[key])
            self._seen[key] = posts
