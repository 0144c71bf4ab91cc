"""A stage's queue: hands out batches by cost, number and waiting time. Urgent items go first."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry.trace import Span

from processors.contract import BatchPolicy
from schemas import Record, Stage
from streams.worker.ledger import Ticket


class Work:
    """A record on its way through the stages of this process."""

    __slots__ = ("alone", "cost", "input_stage", "lane", "queued_s", "record", "span", "ticket")

    def __init__(
        self,
        ticket: Ticket,
        record: Record,
        input_stage: Stage,
        lane: str,
        span: Span | None = None,
        *,
        alone: bool = False,
    ) -> None:
        self.ticket = ticket
        self.record = record
        self.input_stage = input_stage
        self.lane = lane
        self.alone = alone  # seen in several crashes: nothing else is under way beside it
        self.span = span  # None unless the record is traced
        self.cost = 1
        self.queued_s = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch, and how long its oldest item had waited."""

    works: list[Work]
    cost: int
    waited_s: float


class Batcher:
    """Thread-safe. Producers `put` lists; one or more stage threads `take`.

    The unit of waiting is the first item's: a batch leaves when it is full by number or cost, or when its oldest item
    has waited `max_wait_s`. While a stage computes, its next batch grows by itself, so the wait matters only when the
    stage is idle.
    """

    def __init__(self, policy: BatchPolicy, urgent_lane: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._urgent_lane = urgent_lane
        self._clock = clock
        self._lanes: tuple[deque[Work], deque[Work]] = (deque(), deque())  # urgent, others
        self._cost = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._lanes[0]) + len(self._lanes[1])

    def put(self, works: Sequence[Work]) -> None:
        """Queue items whose `cost` is set."""
        now = self._clock()
        with self._changed:
            urgent, others = self._lanes
            for work in works:
                work.queued_s = now
                self._cost += work.cost
                (urgent if work.lane == self._urgent_lane else others).append(work)
            self._changed.notify_all()  # a list can hold a batch for each taker

    def take(self) -> Taken | None:
        """The next batch, once there is one; None when closed."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                if not len(self):
                    self._changed.wait()
                    continue
                left = self._oldest() + self._policy.max_wait_s - self._clock()
                if left <= 0 or len(self) >= self._policy.max_items or self._cost >= self._policy.max_cost:
                    return self._assemble()
                self._changed.wait(left)

    def close(self) -> None:
        """Wake every taker; what is still queued is not handed out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _oldest(self) -> float:
        return min(lane[0].queued_s for lane in self._lanes if lane)

    def _assemble(self) -> Taken:
        works: list[Work] = []
        cost = 0
        for lane in self._lanes:
            while lane and len(works) < self._policy.max_items:
                if works and cost + lane[0].cost > self._policy.max_cost:
                    break
                work = lane.popleft()
                cost += work.cost
                works.append(work)
        self._cost -= cost
        return Taken(works, cost, self._clock() - min(work.queued_s for work in works))
