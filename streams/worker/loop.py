"""The consumer thread: poll, hand out, commit. It never computes and never waits for a model."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from schemas import Cause, NewerVersion, Record, Stage
from streams.codes import PARTITION_EOF
from streams.metrics import WorkerMetrics
from streams.telemetry import Tracing
from streams.topology import LONG, StageLane
from streams.worker.accounts import report_commit
from streams.worker.alone import Alone
from streams.worker.assignment import Assignment
from streams.worker.batcher import Work
from streams.worker.breaker import Breaker, BreakerState
from streams.worker.budget import Budget, Budgets
from streams.worker.delivery import Committed, Delivery
from streams.worker.intake import received_of, take_in
from streams.worker.journal import Journal
from streams.worker.ledger import Ledger, Output, PartitionLedger, Prefix
from streams.worker.outcomes import Outcomes, Received
from streams.worker.pauses import Why
from streams.worker.segment import Segment
from streams.worker.shelf import Shelf

log = logging.getLogger(__name__)

IDLE_POLL_S = 0.1
"""The longest the loop sleeps: how quickly it sees SIGTERM and renews its heartbeat. A message ends the wait."""
BUSY_POLL_S = 0.002
"""While work is under way: what a finished batch may wait before the loop sees it."""
POLL_BATCH = 1000
"""Most messages per turn, so that a turn stays a few milliseconds."""
PROBE_RECORDS = 32
"""What an open breaker lets through to see whether it may close."""
ABORTING_LIMIT_S = 60.0
"""Transactions that are aborted for this long, one after the other, are not unlucky: something is refused for good."""
ABORT_BACKOFF_S = 0.1
"""After an aborted transaction: time to poll, so that a rebalance that caused it can be seen."""


class Fenced(Exception):
    """Another process works under this worker's identity."""


class Broken(Exception):
    """The worker cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What the loop needs to know."""

    inputs: Mapping[str, StageLane]
    """Topic -> (stage, lane)."""
    budgets: Mapping[str, Budget]
    """Of each lane among them."""
    commit_interval_s: float
    revoke_timeout_s: float
    """What finishing work may take when partitions are taken away, and"""
    drain_timeout_s: float
    """when this process is told to stop."""


class Loop:
    """Owns the consumer, the ledger and the transaction. Everything here runs on one thread."""

    def __init__(
        self,
        consumer: Consumer,
        delivery: Delivery,
        segment: Segment,
        outcomes: Outcomes,
        journal: Journal,
        breaker: Breaker,
        metrics: WorkerMetrics,
        tracing: Tracing,
        settings: LoopSettings,
        *,
        beat: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._delivery = delivery
        self._segment = segment
        self._outcomes = outcomes
        self._journal = journal
        self._breaker = breaker
        self._metrics = metrics
        self._tracing = tracing
        self._settings = settings
        self._beat = beat
        self._clock = clock
        self.ledger = Ledger({topic: lane for topic, (_, lane) in settings.inputs.items()})
        self.assignment = Assignment(consumer, self.ledger, journal, metrics, settle=self._settle, clock=clock)
        self._shelf = Shelf(consumer, self.assignment.pauses)
        self._budgets = Budgets(
            settings.budgets,
            self.ledger,
            self.assignment.pauses,
            seek=lambda place, offset: consumer.seek(TopicPartition(*place, offset)),
        )
        self._alone = Alone()
        self._changed = False  # something finished, or a partition's end moved: a commit may be due
        self._next_commit_s = 0.0
        self._fences = 0
        self._aborting_since_s: float | None = None
        self._rewind = False  # read again from the committed offsets
        self._reopen = False  # and with a new producer
        self._leaving = False  # this process is told to stop

    def run(self, stopping: Callable[[], bool]) -> None:
        """Work until `stopping`, then finish what has begun, commit and leave the group.

        Raises `Fenced`, `Broken`, or KafkaException when the broker refuses us for good.
        """
        self._delivery.open()
        self.assignment.subscribe(list(self._settings.inputs), self._settings.revoke_timeout_s)
        while not stopping():
            self.turn()
        log.info("stopping: finishing what has begun")
        self._leaving = True
        self.assignment.give_up_all(self._settings.drain_timeout_s)
        self._consumer.close()
        self._delivery.close()

    def turn(self) -> None:
        """One round: messages in, finished work out."""
        self._beat()
        if self._rewind:
            self._start_over()
        self._take(self._read())
        self._collect()
        if (suspect := self._alone.next()) is not None:
            self._segment.put(suspect.input_stage, suspect.lane, [suspect])
        self._shelf.lift_due(time.time())
        self._breathe()
        if self._changed and self._clock() >= self._next_commit_s:
            self._commit(self.ledger.prefixes())
        for lane, load in self.ledger.loads.items():
            self._metrics.in_flight(lane, load.records, load.bytes)
        self._metrics.oldest_ticket(self.ledger.oldest_s())

    # In

    def _read(self) -> list[Message]:
        most = None if self._breaker.state is BreakerState.CLOSED else PROBE_RECORDS
        room = self._budgets.room(self._clock(), most=most, closed=self._alone.closed)
        if room == 0:
            self._segment.completions.wait(BUSY_POLL_S)
            return []
        first = self._consumer.poll(BUSY_POLL_S if self._alone.under_way or self._changed else IDLE_POLL_S)
        if first is None:
            return []
        return [first, *self._consumer.consume(min(POLL_BATCH, room) - 1, 0)] if room > 1 else [first]

    def _take(self, messages: list[Message]) -> None:
        if not messages:
            return
        now_s, now_ms = self._clock(), int(time.time() * 1000)
        works: dict[StageLane, list[Work]] = {}
        counts: dict[str, int] = {}
        partitions = self.ledger.partitions
        for message in messages:
            error = message.error()
            if error is not None:
                self._event(message, error)
                continue
            received = received_of(message)
            home = partitions.get((received.topic, received.partition))
            # A partition that was revoked or held back meanwhile: its messages are read again by whoever owns it then.
            if home is None or home.revoked or home.blocked:
                continue
            if home.position is not None and received.offset < home.position:
                continue
            if self._budgets.turns_back(home, received.offset):
                continue
            counts[received.topic] = counts.get(received.topic, 0) + 1
            stage, lane = self._settings.inputs[received.topic]
            if stage is Stage.RETRY:
                self._take_retry(home, received, now_s)
            else:
                self._take_in(home, received, stage, lane, now_s, now_ms, works)
        for (stage, lane), batch in works.items():
            self._alone.begin(lane, batch)
            self._segment.put(stage, lane, batch)
        for topic, count in counts.items():
            self._metrics.consumed(topic, self._settings.inputs[topic][1], count)

    def _take_in(
        self,
        home: PartitionLedger,
        received: Received,
        stage: Stage,
        lane: str,
        now_s: float,
        now_ms: int,
        works: dict[StageLane, list[Work]],
    ) -> None:
        try:
            taken = take_in(received, stage, lane, self._outcomes, now_ms)
        except NewerVersion as newer:
            log.warning("%s[%s]@%s: %s; the partition waits", home.topic, home.partition, received.offset, newer)
            self.assignment.block(home, received.offset)
            return
        ticket = self.ledger.admit(home, received.offset, len(received.value or b""), now_s, received)
        if not isinstance(taken, Record):
            ticket.outputs = taken
            self._changed = True
            self._report_unread(stage, received, taken)
            return
        suspect = self.assignment.suspect(home, received.offset)
        if suspect is not None and suspect.alone:
            reason = f"the process died {suspect.crashes} times while it worked on this message, the last time alone"
            ticket.outputs = [
                self._outcomes.dead_letter(received, stage, Cause.CRASH_LOOP, reason, None, taken.attempt)
            ]
            self._metrics.stage(stage).dead_lettered(Cause.CRASH_LOOP)
            self._changed = True
            return
        span = self._tracing.start(received.headers, root=stage is Stage.INGEST)
        work = Work(ticket, taken, stage, lane, span, alone=suspect is not None)
        if work.alone:
            self._alone.wait(work)
        else:
            works.setdefault((stage, lane), []).append(work)

    def _report_unread(self, stage: Stage, received: Received, outputs: list[Output]) -> None:
        if received.value is None:
            if len(outputs) > 1 or received.key:
                self._metrics.deleted(1)
        elif outputs[0].topic == self._outcomes.topics.dead_letters:
            self._metrics.stage(stage).dead_lettered(
                Cause.INVALID_POST if stage is Stage.INGEST else Cause.INVALID_RECORD
            )

    def _take_retry(self, home: PartitionLedger, received: Received, now_s: float) -> None:
        if self._shelf.holds(home, received, time.time()):
            return
        ticket = self.ledger.admit(home, received.offset, len(received.value or b""), now_s, received)
        output = self._outcomes.republished(received)
        if output is None:
            reason = "a retry whose header modstream-stage names no stage of the chain"
            output = self._outcomes.dead_letter(received, Stage.RETRY, Cause.INVALID_RECORD, reason, "modstream-stage")
            self._metrics.stage(Stage.RETRY).dead_lettered(Cause.INVALID_RECORD)
        ticket.outputs = [output]
        self._changed = True

    def _event(self, message: Message, error: KafkaError) -> None:
        if error.code() == PARTITION_EOF:
            home = self.ledger.partitions.get((str(message.topic()), int(message.partition() or 0)))
            offset = message.offset()
            if home is not None and offset is not None:
                home.reached_end(offset)
                self._changed = True
        elif error.fatal():
            raise Broken(f"the consumer cannot go on: {error.str()}")
        elif error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise Broken(f"{error.str()}: create the topics with `modstream topics create`")
        else:
            log.warning("consumer: %s", error.str())

    # Out

    def _collect(self) -> None:
        done = self._segment.completions.drain()
        if not done:
            return
        self._alone.end([completion.ticket for completion in done])
        # What was begun before everything was read anew says nothing about now.
        processed = [
            completion for completion in done if completion.outputs is not None and not completion.ticket.home.forgotten
        ]
        if processed:
            self._judge(len(processed), sum(completion.our_failure for completion in processed))
        if self._rewind:
            return  # none of these may become a dead letter: they are read again
        for completion in processed:
            completion.ticket.outputs = completion.outputs
            completion.ticket.decided = completion.decided
        self._changed = True

    def _judge(self, messages: int, failures: int) -> None:
        probing = self._breaker.state is BreakerState.PROBING
        opened = self._breaker.record(self._clock(), messages, failures)
        if probing:
            self._metrics.probed(succeeded=not opened)
        if opened:
            log.error("too many messages fail by a fault of ours: paused; none of them is given up while it lasts")
            self._rewind = True
        if opened or probing:
            self._metrics.breaker(self._breaker.state.value)

    def _breathe(self) -> None:
        """The breaker's pause and its probes."""
        pauses = self.assignment.pauses
        if self._breaker.state is BreakerState.OPEN:
            if self._breaker.may_probe(self._clock()):
                pauses.lift(Why.BREAKER)
            else:
                pauses.hold(Why.BREAKER, self.ledger.partitions)

    def _commit(self, prefixes: list[Prefix]) -> Committed | None:
        self._changed = False
        if not prefixes:
            return None
        began = self._clock()
        outputs = chain.from_iterable(prefix.outputs() for prefix in prefixes)
        offsets = {(prefix.home.topic, prefix.home.partition): prefix.next_offset for prefix in prefixes}
        ended = self._delivery.commit(outputs, offsets, self._consumer)
        now = self._clock()
        self._metrics.transaction(ended.value, now - began if ended is Committed.DONE else None)
        self._next_commit_s = now + self._settings.commit_interval_s
        match ended:
            case Committed.DONE:
                self._fences = 0
                self._aborting_since_s = None
                report_commit(self._metrics, self.ledger.release(prefixes))
                for prefix in prefixes:
                    self._journal.forget_before(prefix.home.topic, prefix.home.partition, prefix.next_offset)
            case Committed.ABORTED:
                log.warning("aborted: %s; what is still ours is sent again", self._delivery.trouble)
                self._aborting_since_s = began if self._aborting_since_s is None else self._aborting_since_s
                if now - self._aborting_since_s > ABORTING_LIMIT_S:
                    raise Broken(f"nothing could be committed for {ABORTING_LIMIT_S:g} s: {self._delivery.trouble}")
                self._next_commit_s = now + max(ABORT_BACKOFF_S, self._settings.commit_interval_s)
                self._changed = True
            case Committed.LOST | Committed.FENCED:
                log.warning("%s: %s; beginning anew from the committed offsets", ended.value, self._delivery.trouble)
                self._fences += ended is Committed.FENCED
                if self._fences >= 2:
                    raise Fenced(
                        "another process works under the same identity: give each worker its own MODSTREAM_INSTANCE"
                        " (or MODSTREAM_GROUP, for another chain)"
                    )
                self._rewind = self._reopen = True
        return ended

    def _start_over(self) -> None:
        """Forget everything under way and read again from the committed offsets, with a new producer."""
        self._alone.forget()
        if self._reopen:
            self._delivery.open()
        self.assignment.rewind()
        self._breathe()
        self._rewind = self._reopen = False
        self._budgets.forget()

    def _settle(self, homes: Iterable[PartitionLedger], deadline_s: float) -> None:
        """Finish what has begun on partitions that are being given up, as far as the deadline allows, and commit.

        Long media are left to whoever gets them: all short posts of this worker would wait for them, since nobody reads
        their partitions meanwhile. Only a worker that has none, and is told to stop, waits.
        """
        waits = self._leaving and set(self.ledger.loads) == {LONG}
        awaited = [home for home in homes if waits or home.lane != LONG]
        while not self._rewind and self._clock() < deadline_s:
            self._collect()
            if not any(ticket.started and not ticket.finished for home in awaited for ticket in home.tickets):
                break
            if self._changed and self._clock() >= self._next_commit_s:
                self._commit(self.ledger.prefixes())
            self._beat()
            self._segment.completions.wait(BUSY_POLL_S)
        self._collect()
        while not self._rewind and (prefixes := self.ledger.prefixes()):
            if self._commit(prefixes) is not Committed.DONE:
                break
