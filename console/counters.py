"""Counters of many workers over time: what they rose by in a window, also where a worker was restarted meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from console.exposition import (
    BATCH,
    COMPUTE,
    CONSUMED,
    DECIDED,
    LATENCY,
    QUEUE,
    RECORDS,
    STARTED,
    Series,
    bucket_bounds,
)
from console.quantiles import quantile

MAX_SERIES = 20_000
"""Of all workers together: what a broken worker invents must not fill the memory."""


class Counters:
    """What the workers' counters rose by since the console began, and when.

    A counter that is lower than before, or whose process has another start time, has begun anew: it rose by its whole
    value (as Prometheus' `increase` has it). One that appears in a worker that was known before began at 0; what a
    worker had counted before it was first seen does not count. One that has not answered for longer than `gap_s` is new
    when it comes back: what it counted meanwhile did not happen at that moment.
    """

    def __init__(self, keep_s: float, gap_s: float) -> None:
        """`keep_s`: the longest window that is asked for."""
        self._keep_s = keep_s
        self._gap_s = gap_s
        self._last: dict[str, tuple[float, dict[Series, float]]] = {}
        self._totals: dict[Series, float] = {}
        self._moments: deque[tuple[float, dict[Series, float]]] = deque()

    def took(self, at_s: float, scrapes: Mapping[str, Mapping[Series, float]]) -> None:
        """One round of scrapes: worker -> its counters; those that did not answer are not among them.

        `at_s`: monotonic time in seconds, rising.
        """
        self._last = {worker: last for worker, last in self._last.items() if at_s - last[0] <= self._gap_s}
        for worker, now in scrapes.items():
            self._rise(self._last[worker][1] if worker in self._last else None, now)
            self._last[worker] = (at_s, dict(now))
        if scrapes:
            self._moments.append((at_s, dict(self._totals)))
        while len(self._moments) > 1 and self._moments[1][0] <= at_s - self._keep_s:
            self._moments.popleft()

    def _rise(self, before: Mapping[Series, float] | None, now: Mapping[Series, float]) -> None:
        anew = before is not None and before.get((STARTED,)) != now.get((STARTED,))
        for series, value in now.items():
            if series[0] == STARTED or (series not in self._totals and len(self._totals) >= MAX_SERIES):
                continue
            if before is None:
                rise = 0.0
            else:
                earlier = 0.0 if anew else before.get(series, 0.0)
                rise = value if value < earlier else value - earlier
            self._totals[series] = self._totals.get(series, 0.0) + rise

    def window(self, at_s: float, window_s: float) -> Window:
        """What happened in the last `window_s` seconds before `at_s`, or since the first scrape where that is less."""
        if not self._moments:
            return Window(0.0, {}, {})
        end_s, end = self._moments[-1]
        if at_s - end_s > window_s:  # nobody has answered for all of it
            return Window(0.0, {}, {})
        start_s, start = next(moment for moment in self._moments if moment[0] >= end_s - window_s)
        return Window(end_s - start_s, start, end)


class Window:
    """Rises of counters between two moments. Where nobody measured, every figure is None."""

    def __init__(self, seconds: float, start: Mapping[Series, float], end: Mapping[Series, float]) -> None:
        self.seconds = seconds
        self._rises = {series: value - start.get(series, 0.0) for series, value in end.items()} if seconds else {}
        self._bounds = bucket_bounds(self._rises)

    def _per_second(self, name: str, labels: frozenset[str] | None = None) -> float | None:
        rises = [rise for series, rise in self._rises.items() if _is(series, name, labels)]
        return sum(rises) / self.seconds if rises else None

    def records(self, stage: str) -> float | None:
        """Records a second that a stage has finished."""
        return self._per_second(RECORDS, frozenset({stage}))

    def consumed(self, topics: frozenset[str], stage: str) -> float | None:
        """Messages a second taken from these topics, which feed a stage."""
        return self._by(stage, self._per_second(CONSUMED, topics))

    def decided(self, stage: str) -> float | None:
        """Posts a second whose decision, which a stage made, was committed."""
        return self._by(stage, self._per_second(DECIDED))

    def _by(self, stage: str, rate: float | None) -> float | None:
        """A counter appears with what it first counts; that of the stage's records is there from its worker's start."""
        return 0.0 if rate is None and self.records(stage) is not None else rate

    def queue(self, stage: str, q: float) -> float | None:
        """Seconds that the oldest record of a batch waited at a stage: a quantile."""
        return self._quantile(QUEUE, stage, q)

    def compute(self, stage: str, q: float) -> float | None:
        """Seconds of an engine call of a stage: a quantile."""
        return self._quantile(COMPUTE, stage, q)

    def latency(self, lane: str | None, q: float) -> float | None:
        """Seconds from a post's publication to its decision on a lane, or on all of them: a quantile."""
        return self._quantile(LATENCY, lane, q)

    def lanes(self) -> list[str]:
        """Lanes on which posts were decided at all."""
        name = f"{LATENCY}_bucket"
        return sorted({series[1] for series in self._rises if series[0] == name})

    def batch_mean(self, stage: str) -> float | None:
        """Records in an engine call of a stage, on average."""
        batches = self._rises.get((f"{BATCH}_count", stage), 0.0)
        return self._rises.get((f"{BATCH}_sum", stage), 0.0) / batches if batches else None

    def _quantile(self, name: str, label: str | None, q: float) -> float | None:
        buckets: dict[float, float] = {}
        for series, bound in self._bounds.items():
            if series[0] == f"{name}_bucket" and label in (None, series[1]):
                buckets[bound] = buckets.get(bound, 0.0) + self._rises[series]
        return quantile(q, buckets)


def _is(series: Series, name: str, labels: frozenset[str] | None) -> bool:
    return series[0] == name and (labels is None or series[1] in labels)
