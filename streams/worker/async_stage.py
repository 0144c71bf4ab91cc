"""A stage that waits for others: its items are under way side by side, on an event loop on a thread of its own.

A slow item holds up nobody but the messages behind it in its own partition, as far as the slots (`concurrency`) and the
worker's budget of what is under way last: what has finished behind it counts until it is committed. When all slots that
an item may have are taken, it waits for one; when the budget is used up, all partitions pause until the slow ones end.
Nothing is lost by that, and every item has an end of its own.

What goes wrong with an item is settled as in `stage`: a modality that cannot be read is noted on its record, a passing
fault is tried again in place.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence

from processors.contract import AsyncProcessor, Handle, TransientError
from processors.isolation import attempt, timed
from schemas import Record
from streams.logs import about, set_about
from streams.topology import STANDARD, URGENT
from streams.worker.batcher import Work
from streams.worker.stage import IN_PLACE_WAITS_S, BatchReport, Deliver, OnCrash, Skip, StageObserver

IN_PLACE_BUDGET_S = 1.0
"""Tries in place are for faults that show at once; one that took longer to show waits for its retry topic."""

URGENT_SHARE = 1 / 8
"""Of the slots: only urgent items may have these, so that they never wait for a slow download of others. Enough for the
few posts that are urgent, and little taken from the many that are not."""

CANCEL_S = 1.0
"""What cancelled items get to let go of their sockets and children."""


class AsyncStageRunner:
    """Runs one asynchronous processor until `stop`, for all its lanes; what it is given is as in `StageRunner`."""

    def __init__(
        self, processor: AsyncProcessor, deliver: Deliver, skip: Skip, observer: StageObserver, on_crash: OnCrash
    ) -> None:
        self.processor = processor
        self._deliver = deliver
        self._skip = skip
        self._observer = observer
        self._on_crash = on_crash
        self._waiting: tuple[deque[Work], deque[Work]] = (deque(), deque())  # urgent, others
        self._under_way: dict[asyncio.Task[None], Work] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # set while there is one to be woken
        self._woken = asyncio.Event()
        self._stop_by_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"stage-{processor.stage}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, works: Sequence[Work]) -> None:
        """Queue items whose `cost` is set; urgent ones go first. May be called from any thread."""
        now = time.monotonic()
        with self._lock:
            for work in works:
                work.queued_s = now
                self._waiting[0 if work.lane == URGENT else 1].append(work)
        self._wake()

    def close(self, timeout_s: float) -> None:
        """Begin nothing more, and give what is under way `timeout_s`."""
        self._stop_by_s = time.monotonic() + timeout_s
        self._wake()

    def stop(self, timeout_s: float) -> bool:
        """Begin nothing more, give what is under way `timeout_s`, and end the thread. False if it hangs."""
        self.close(timeout_s)
        if self._thread.ident is not None:
            self._thread.join(timeout_s + 2 * CANCEL_S)
        return not self._thread.is_alive()

    def _wake(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._woken.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._on_crash(error)
            raise

    async def _main(self) -> None:
        async with self.processor.session() as handle:
            with self._lock:
                self._loop = asyncio.get_running_loop()
            try:
                while self._stop_by_s is None:
                    self._begin(handle)
                    await self._woken.wait()
                    self._woken.clear()
                if self._under_way:
                    await asyncio.wait(self._under_way, timeout=max(0.0, self._stop_by_s - time.monotonic()))
            finally:
                with self._lock:
                    self._loop = None
                left = list(self._under_way)
                for task in left:
                    task.cancel()
                if left:
                    await asyncio.wait(left, timeout=CANCEL_S)

    def _begin(self, handle: Handle) -> None:
        """Start as many items as there is room for, with the last slots left to urgent ones."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            task.result()  # an item's faults are its outcome: what is raised here is a fault of ours
        slots = self.processor.concurrency
        for_others = max(1, int(slots * (1 - URGENT_SHARE)))
        others = sum(work.lane != URGENT for work in self._under_way.values())
        while len(self._under_way) < slots and (work := self._next(others < for_others)) is not None:
            if work.ticket.unwanted:
                self._skip([work])
                continue
            work.ticket.begin(time.monotonic())
            task = asyncio.get_running_loop().create_task(self._one(handle, work))
            self._under_way[task] = work
            others += work.lane != URGENT
            task.add_done_callback(lambda _: self._woken.set())

    def _next(self, others_too: bool) -> Work | None:
        urgent, others = self._waiting
        with self._lock:
            if urgent:
                return urgent.popleft()
            return others.popleft() if others and others_too else None

    async def _one(self, handle: Handle, work: Work) -> None:
        stage = self.processor.stage
        began_s = time.monotonic()
        batch = self._observer.entered(stage, STANDARD, [work], beside=self._others(work))
        # A task has a context of its own: it need not be set back.
        set_about(about(stage.value, work.record.post.post_id, work.span))
        outcome, isolated = await attempt(handle, work.record)
        tries = 0
        for wait_s in IN_PLACE_WAITS_S:
            late = time.monotonic() - began_s + wait_s > IN_PLACE_BUDGET_S
            if not isinstance(outcome, TransientError) or late or self._stop_by_s is not None:
                break
            await asyncio.sleep(wait_s)
            tries += 1
            outcome, isolated = await attempt(handle, work.record)
        took_s = time.monotonic() - began_s
        if isinstance(outcome, Record):
            outcome = timed(outcome, stage, round(took_s * 1000, 3))
        self._deliver(stage, [(work, outcome)])
        self._observer.left(
            batch,
            BatchReport(
                stage=stage,
                lane=STANDARD,
                items=1,
                cost=work.cost,
                waited_s=began_s - work.queued_s,
                prepare_s=0.0,
                process_s=took_s,
                finished=int(isinstance(outcome, Record)),
                isolated=isolated,
                retried=tries,
            ),
            beside=self._others(work),
        )

    def _others(self, work: Work) -> list[Work]:
        return [other for task, other in self._under_way.items() if other is not work and not task.done()]
