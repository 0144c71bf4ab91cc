"""The stages of this process: their threads, and the way of a record through them."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from processors.canary import TakenBack
from processors.contract import AnyProcessor, BatchPolicy, Outcome, ProcessingError, TransientError, is_async
from processors.isolation import poison
from schemas import DOUBTFUL_STATUSES, Cause, Record, Stage
from streams.logs import about, extra
from streams.metrics import WorkerMetrics
from streams.telemetry import finish, inject, traceparent
from streams.topology import LANES, LONG, STANDARD, StageLane, lanes_of, next_lane, next_stage, stays_here
from streams.worker.async_stage import AsyncStageRunner
from streams.worker.batcher import Batcher, Work
from streams.worker.ledger import Decided, Output, Ticket
from streams.worker.outcomes import OUR_FAILURES, Outcomes, Received
from streams.worker.shadow_tally import Judged
from streams.worker.stage import StageObserver, StageRunner

log = logging.getLogger(__name__)

IDLE_S = 0.1
"""What the thread of an idle stage gets to end."""


class Completion(NamedTuple):
    """A ticket that has left the stages. `outputs` None: it was not begun, its partition is another worker's."""

    ticket: Ticket
    outputs: list[Output] | None
    decided: Decided | None
    our_failure: bool


class Completions:
    """Hands finished tickets from the stage threads to the consumer thread."""

    def __init__(self) -> None:
        self._done: deque[list[Completion]] = deque()
        self._filled = threading.Event()

    def put(self, done: list[Completion]) -> None:
        self._done.append(done)
        self._filled.set()

    def drain(self) -> list[Completion]:
        """All that is there, without waiting."""
        self._filled.clear()
        found: list[Completion] = []
        while self._done:
            found += self._done.popleft()
        return found

    def wait(self, timeout_s: float) -> None:
        """Until there is something, at most `timeout_s`."""
        self._filled.wait(timeout_s)


class Segment:
    """One runner for each lane of the hosted stages, so that no lane waits for another's batch; the lanes of a stage
    share its processor. `put` begins a record's way; its end comes out of `completions`."""

    def __init__(
        self,
        processors: Sequence[AnyProcessor],
        outcomes: Outcomes,
        observer: StageObserver,
        *,
        metrics: WorkerMetrics,
        lanes: Collection[str] = LANES,
        batching: Mapping[Stage, BatchPolicy],
        threads: int,
        on_crash: Callable[[BaseException], None],
        shadow: Callable[[list[Judged]], None] | None = None,
    ) -> None:
        """`shadow` is shown what the live pack and policy have decided, batch by batch."""
        self.completions = Completions()
        self._outcomes = outcomes
        self._shadow = shadow
        self._all_metrics = metrics
        self._metrics = {processor.stage: metrics.stage(processor.stage) for processor in processors}
        # Of each lane too: what one prepares must not stand in another's way. A pool that is not used has no threads.
        self._pools = {lane: ThreadPoolExecutor(threads, "prepare") for lane in lanes} if threads > 1 else {}
        self._hosted: dict[StageLane, StageRunner | AsyncStageRunner] = {}
        self._runners: list[tuple[StageRunner | AsyncStageRunner, str]] = []
        for processor in processors:
            stage = processor.stage
            hosted = [lane for lane in lanes_of(stage) if lane in lanes]
            if is_async(processor):
                runner = AsyncStageRunner(processor, self._deliver, self._skip, observer, on_crash)
                self._runners.append((runner, STANDARD))
                self._hosted |= {(stage, lane): runner for lane in hosted}
                continue
            for lane in hosted:
                policy = batching.get(stage, processor.batching)
                self._metrics[stage].limits(policy.max_items, policy.max_cost)
                inbox = Batcher(policy)
                runner = StageRunner(
                    processor,
                    lane,
                    inbox,
                    self._deliver,
                    self._skip,
                    observer,
                    self._pools.get(lane),
                    threads,
                    on_crash,
                )
                self._runners.append((runner, lane))
                self._hosted[stage, lane] = runner

    def start(self) -> None:
        for runner, _ in self._runners:
            runner.start()

    def stop(self, timeout_s: float, *, long_timeout_s: float | None = None) -> set[str]:
        """End the threads; batches under way are finished first, as far as the time allows. Returns the lanes that are
        still at it then. `long_timeout_s`: for long media, where it is another."""
        began_s = time.monotonic()
        long_timeout_s = timeout_s if long_timeout_s is None else long_timeout_s
        for runner, _ in self._runners:
            runner.close(timeout_s)
        busy: set[str] = set()
        for runner, lane in self._runners:
            left_s = began_s + (long_timeout_s if lane == LONG else timeout_s) - time.monotonic()
            if not runner.stop(max(IDLE_S, left_s)):
                busy.add(lane)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        return busy

    def put(self, stage: Stage, lane: str, works: Sequence[Work]) -> None:
        """Queue records of one lane at a stage of this process."""
        if broken := self._queue(stage, lane, works):
            self.completions.put(broken)

    def _queue(self, stage: Stage, lane: str, works: Sequence[Work]) -> list[Completion]:
        runner = self._hosted[stage, lane]
        cost = runner.processor.cost
        ready: list[Work] = []
        broken: list[Completion] = []
        for work in works:
            try:
                work.cost = cost(work.record)
            except Exception as error:  # noqa: BLE001 - the failure table: what a processor raises is poison
                broken.append(self._failed(stage, work, poison(error)))
            else:
                ready.append(work)
        if ready:
            runner.put(ready)
        return broken

    def _deliver(self, stage: Stage, results: list[tuple[Work, Outcome]]) -> None:
        done: list[Completion] = []
        onward: dict[StageLane, list[Work]] = {}
        judged: list[Judged] = []
        for work, outcome in results:
            back_to: Stage | None = None
            if isinstance(outcome, TakenBack):
                outcome, back_to = outcome.record, outcome.stage
            if not isinstance(outcome, Record):
                done.append(self._failed(stage, work, outcome))
                continue
            try:
                following = back_to or next_stage(outcome, stage)
                lane = work.lane if following is None else next_lane(outcome, following, work.lane)
                if following is not None and stays_here(following, lane, work.lane, self._hosted):
                    work.record = outcome
                    onward.setdefault((following, lane), []).append(work)
                    continue
                headers = inject(work.span.get_span_context()) if work.span else None
                outputs = (
                    self._outcomes.decided(outcome, headers)
                    if following is None
                    else [self._outcomes.crossing(outcome, following, lane, headers)]
                )
            except ProcessingError as error:
                error.by_canary = self._outcomes.is_canarys(outcome)
                done.append(self._failed(stage, work, error))
                continue
            except Exception as error:  # noqa: BLE001 - a record that cannot be sent on: its processor's fault, so poison
                done.append(self._failed(stage, work, poison(error)))
                continue
            if self._shadow is not None and outcome.decision is not None and not self._outcomes.is_canarys(outcome):
                judged.append(Judged(work.record, outcome.decision, work.ticket.size))
            work.record = outcome
            self._end_span(work, stage, None)
            self._report_unread(outcome)
            done.append(Completion(work.ticket, outputs, _decided(work) if following is None else None, False))
        for (following, lane), works in onward.items():
            done += self._queue(following, lane, works)
        if done:
            self.completions.put(done)
        if judged and self._shadow is not None:
            self._shadow(judged)

    def _skip(self, works: list[Work]) -> None:
        self.completions.put([Completion(work.ticket, None, None, False) for work in works])

    def _failed(self, stage: Stage, work: Work, error: ProcessingError) -> Completion:
        message, attempt = work.ticket.message, work.record.attempt
        trace = traceparent(work.span.get_span_context()) if work.span else None
        self._end_span(work, stage, f"{error.cause}: {error.reason}")
        metrics = self._metrics[stage]
        if isinstance(error, TransientError):
            output = self._outcomes.retry_or_give_up(
                message,
                stage,
                work.input_stage,
                error.reason,
                attempt,
                int(time.time() * 1000),
                trace,
                by_canary=error.by_canary,
            )
            gave_up = output.topic == self._outcomes.topics.dead_letters
            if gave_up:
                metrics.dead_lettered(Cause.RETRIES_EXHAUSTED)
                self._tell(stage, work, Cause.RETRIES_EXHAUSTED)
            else:
                metrics.retried(output.topic.rpartition(".")[2])
            return Completion(work.ticket, [output], None, gave_up)
        metrics.dead_lettered(error.cause)
        if error.cause in OUR_FAILURES:
            self._tell(stage, work, error.cause)
        output = self._outcomes.dead_letter(
            message, stage, error.cause, error.reason, error.field, attempt, trace, by_canary=error.by_canary
        )
        return Completion(work.ticket, [output], None, error.cause in OUR_FAILURES)

    def _tell(self, stage: Stage, work: Work, cause: str) -> None:
        """Senders cannot fill the log: what is their fault is counted, and the breaker ends what is ours. The reason,
        which may quote the post, is in the dead letter only."""
        found = about(stage.value, work.record.post.post_id, work.span)
        log.warning("given up: %s; the dead letter says why", cause, extra=extra(found))

    def _report_unread(self, record: Record) -> None:
        if record.decision is not None:
            for name, modality in record.decision.modalities.items():
                if modality.status in DOUBTFUL_STATUSES:
                    self._all_metrics.modality_failed(name, modality.status.value)

    def _end_span(self, work: Work, stage: Stage, failure: str | None) -> None:
        if work.span is None:
            return
        message: Received = work.ticket.message
        route = work.record.route
        stages = [done.value for done in route[route.index(work.input_stage) : route.index(stage) + 1]]
        finish(
            work.span,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            post_id=work.record.post.post_id,
            stages=stages,
            failure=failure,
        )


def _decided(work: Work) -> Decided | None:
    record = work.record
    if record.decision is None:
        return None
    post = record.post
    return Decided(
        # What had to be listened to for minutes is no measure of how long the others wait.
        LONG if record.long else work.lane,
        record.source.timestamp_ms,
        record.decision.action.value,
        post.tenant,
        record.decision.lang,
        post.region,
        "media" if post.media else "text",
        record.decision.confidence,
        tuple(
            (name, modality.confidence)
            for name, modality in record.decision.modalities.items()
            if modality.confidence is not None
        ),
    )
