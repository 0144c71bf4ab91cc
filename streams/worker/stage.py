"""A stage's thread: take a batch, prepare, one engine call, hand the outcomes on.

What goes wrong is settled here as far as one process can: a batch that raises is halved until the item at fault is
found, a modality that cannot be read is noted on its record, a transient fault is tried again in place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from processors.contract import Outcome, Processor, TransientError
from processors.isolation import Fault, outcomes_of, prepare_all, run_isolating, timed
from schemas import Record, Stage
from streams.logs import about, set_about
from streams.worker.batcher import Batcher, Taken, Work

IN_PLACE_WAITS_S = (0.2, 0.6)
"""Waits before the second and third try in place: together under a second, so that a batch is not held up longer."""

MIN_CHUNK = 8
"""Handing fewer items than this to another thread costs more than preparing them here."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one batch cost, for the metrics. Times in seconds."""

    stage: Stage
    lane: str
    items: int
    cost: int
    waited_s: float
    prepare_s: float
    process_s: float
    finished: int
    """Items that go on or out."""
    isolated: int
    """Items found guilty of making their batch fail."""
    retried: int
    """Tries in place, over all items."""


class StageObserver(Protocol):
    """What a stage thread tells about itself: a batch begins, and the same batch (what `entered` gave) is through.

    `beside`: other items that this thread has under way at that moment.
    """

    def entered(self, stage: Stage, lane: str, works: Sequence[Work], *, beside: Sequence[Work] = ()) -> Any: ...

    def left(self, batch: Any, report: BatchReport, *, beside: Sequence[Work] = ()) -> None: ...


Deliver = Callable[[Stage, list[tuple[Work, Outcome]]], None]
Skip = Callable[[list[Work]], None]
OnCrash = Callable[[BaseException], None]


class StageRunner:
    """Runs one processor on a thread of its own until `stop`, for one lane; those of other lanes share the processor.

    `deliver` gets the outcomes of each batch, in its order; `skip` what is not begun because its partition is another
    worker's now. `on_crash` is told when the thread itself breaks: a fault of ours that ends the process.
    """

    def __init__(
        self,
        processor: Processor[Any],
        lane: str,
        inbox: Batcher,
        deliver: Deliver,
        skip: Skip,
        observer: StageObserver,
        pool: Executor | None,
        pool_size: int,
        on_crash: OnCrash,
    ) -> None:
        self.processor = processor
        self._lane = lane
        self._inbox = inbox
        self._deliver = deliver
        self._skip = skip
        self._observer = observer
        self._pool = pool
        self._pool_size = pool_size
        self._on_crash = on_crash
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"stage-{processor.stage}-{lane}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, works: Sequence[Work]) -> None:
        """Queue items whose `cost` is set."""
        self._inbox.put(works)

    def close(self, timeout_s: float) -> None:
        """Begin nothing more; the batch under way is finished, however long that takes."""
        self._stopping.set()
        self._inbox.close()

    def stop(self, timeout_s: float) -> bool:
        """Finish the batch under way and end the thread. False if it is still at it after `timeout_s`."""
        self.close(timeout_s)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        try:
            while (taken := self._inbox.take()) is not None:
                self._run(taken)
        except BaseException as error:
            self._on_crash(error)
            raise

    def _run(self, taken: Taken) -> None:
        works: list[Work] = []
        skipped: list[Work] = []
        now_s = time.monotonic()
        for work in taken.works:
            if work.ticket.unwanted:
                skipped.append(work)
            else:
                work.ticket.begin(now_s)
                works.append(work)
        if skipped:
            self._skip(skipped)
        if not works:
            return
        stage = self.processor.stage
        batch = self._observer.entered(stage, self._lane, works)
        only = works[0] if len(works) == 1 else None
        set_about(about(stage.value, only and only.record.post.post_id, only and only.span))
        outcomes, prepare_s, process_s, isolated = self._attempt([work.record for work in works])
        tries = 0
        for wait in IN_PLACE_WAITS_S:
            again = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, TransientError)]
            if not again or self._stopping.wait(wait):
                break
            tries += len(again)
            retried, more_prepare_s, more_process_s, more = self._attempt([works[at].record for at in again])
            prepare_s, process_s, isolated = prepare_s + more_prepare_s, process_s + more_process_s, isolated + more
            for at, outcome in zip(again, retried, strict=True):
                outcomes[at] = outcome
        took_ms = round((prepare_s + process_s) * 1000, 3)
        results: list[tuple[Work, Outcome]] = [
            (work, timed(outcome, stage, took_ms) if isinstance(outcome, Record) else outcome)
            for work, outcome in zip(works, outcomes, strict=True)
        ]
        self._deliver(stage, results)
        finished = sum(isinstance(outcome, Record) for outcome in outcomes)
        self._observer.left(
            batch,
            BatchReport(
                stage=stage,
                lane=self._lane,
                items=len(works),
                cost=sum(work.cost for work in works),
                waited_s=taken.waited_s,
                prepare_s=prepare_s,
                process_s=process_s,
                finished=finished,
                isolated=isolated,
                retried=tries,
            ),
        )

    def _attempt(self, records: Sequence[Record]) -> tuple[list[Outcome], float, float, int]:
        began = time.perf_counter()
        prepared = self._prepare(records)
        between = time.perf_counter()
        processed, isolated = run_isolating(self.processor.process, [item for item, fault in prepared if fault is None])
        outcomes = outcomes_of(records, prepared, processed)
        return outcomes, between - began, time.perf_counter() - between, isolated

    def _prepare(self, records: Sequence[Record]) -> list[tuple[Any, Fault | None]]:
        if self._pool is None or len(records) < 2 * MIN_CHUNK:
            return prepare_all(self.processor, records)
        size = max(MIN_CHUNK, -(-len(records) // self._pool_size))
        chunks = [records[start : start + size] for start in range(0, len(records), size)]
        futures = [self._pool.submit(prepare_all, self.processor, chunk) for chunk in chunks[1:]]
        first = prepare_all(self.processor, chunks[0])
        return first + [item for future in futures for item in future.result()]
