"""A stage's queue: hands out batches by cost, number and waiting time, in the order in which items came."""

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

    def __init__(self, policy: BatchPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._queue: deque[Work] = deque()
        self._cost = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, works: Sequence[Work]) -> None:
        """Queue items whose `cost` is set."""
        now = self._clock()
        with self._changed:
            for work in works:
                work.queued_s = now
                self._cost += work.cost
            self._queue.extend(works)
            self._changed.notify_all()  # a list can hold a batch for each taker

    def take(self) -> Taken | None:
        """The next batch, once there is one; None when closed."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                if not self._queue:
                    self._changed.wait()
                    continue
                left = self._queue[0].queued_s + self._policy.max_wait_s - self._clock()
                if left <= 0 or len(self) >= self._policy.max_items or self._cost >= self._policy.max_cost:
                    return self._assemble()
                self._changed.wait(left)

    def close(self) -> None:
        """Wake every taker; what is still queued is not handed out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _assemble(self) -> Taken:
        works: list[Work] = []
        cost = 0
        queue = self._queue
        while queue and len(works) < self._policy.max_items:
            if works and cost + queue[0].cost > self._policy.max_cost:
                break
            work = queue.popleft()
            cost += work.cost
            works.append(work)
        self._cost -= cost
        return Taken(works, cost, self._clock() - works[0].queued_s)
