"""The failure-rate pause: when too much of what is processed fails by our own fault, stop instead of filling the dead
letters, and probe until it is over. Pure; the loop does what it says."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum


class BreakerState(Enum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """Opens when, within `window_s`, at least `min_count` messages failed by our fault and they are at least `ratio` of
    all; probes every `probe_interval_s`."""

    window_s: float
    min_count: int
    ratio: float
    probe_interval_s: float


class Breaker:
    """Counts the outcomes of batches. Times are seconds of one monotonic clock."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._batches: deque[tuple[float, int, int]] = deque()  # (when, messages, our failures)
        self._messages = 0
        self._failures = 0
        self._next_probe_s = 0.0
        self.state = BreakerState.CLOSED

    def record(self, now_s: float, messages: int, failures: int) -> bool:
        """Note a batch's outcome. True if the breaker has just opened: its failures must not become dead letters, the
        messages are to be read again later."""
        if self.state is BreakerState.PROBING:
            if failures and failures >= self._policy.ratio * messages:
                self._open(now_s)
                return True
            self.state = BreakerState.CLOSED
            self._clear()
            return False
        if self.state is BreakerState.OPEN:
            return False
        self._batches.append((now_s, messages, failures))
        self._messages += messages
        self._failures += failures
        while self._batches and self._batches[0][0] < now_s - self._policy.window_s:
            _, old_messages, old_failures = self._batches.popleft()
            self._messages -= old_messages
            self._failures -= old_failures
        if self._failures >= self._policy.min_count and self._failures >= self._policy.ratio * self._messages:
            self._open(now_s)
            return True
        return False

    def may_probe(self, now_s: float) -> bool:
        """Whether it is time to let one batch through; the answer True begins the probe."""
        if self.state is BreakerState.OPEN and now_s >= self._next_probe_s:
            self.state = BreakerState.PROBING
            return True
        return False

    def _open(self, now_s: float) -> None:
        self.state = BreakerState.OPEN
        self._next_probe_s = now_s + self._policy.probe_interval_s
        self._clear()

    def _clear(self) -> None:
        self._batches.clear()
        self._messages = self._failures = 0
