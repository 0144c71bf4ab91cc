"""What a process takes: memory and CPU time, sampled while it runs."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

EVERY_S = 0.1
"""Between two samples: a run has many of them, and one costs some microseconds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """User and system time of a process up to a moment, in seconds; `at_s` by the clock of the day."""

    at_s: float
    cpu_s: float


class Watch:
    """Samples a process from a thread of its own, as a context, until the process ends or the context does."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._samples: list[Sample] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak_rss_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def cpu_s(self, from_s: float, to_s: float) -> float:
        """CPU time taken between two moments of the day."""
        return cpu_between(self._samples, from_s, to_s)

    def _run(self) -> None:
        try:
            while not self._ended.wait(EVERY_S):
                times = self._process.cpu_times()
                self._samples.append(Sample(time.time(), times.user + times.system))
                self.peak_rss_bytes = max(self.peak_rss_bytes, self._process.memory_info().rss)
        except psutil.NoSuchProcess:
            return  # it ended between two samples


def cpu_between(samples: Sequence[Sample], from_s: float, to_s: float) -> float:
    """CPU time between two moments, straight lines drawn between the samples, which are in the order of time.

    Moments before the first sample or after the last count as those. Raises ValueError without samples.
    """
    if not samples:
        raise ValueError("the process was never sampled")

    def at(moment: float) -> float:
        after = bisect_left(samples, moment, key=lambda sample: sample.at_s)
        if after == 0:
            return samples[0].cpu_s
        if after == len(samples):
            return samples[-1].cpu_s
        before, behind = samples[after - 1], samples[after]
        share = (moment - before.at_s) / (behind.at_s - before.at_s)
        return before.cpu_s + share * (behind.cpu_s - before.cpu_s)

    return at(to_s) - at(from_s)
