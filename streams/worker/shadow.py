"""The shadow: a second pack or policy judges what was decided, beside the chain and without any effect on it.

It has a thread of its own, a producer of its own and a queue that is bounded: what does not fit is skipped and counted.
It is given decisions before their transaction is committed, so that its own topic is best effort: a decision may be
missing there, or come twice (with the same `decision_id`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException

from processors.canary import place_of
from processors.chain import run_chain
from processors.contract import AnyProcessor, ProcessingError
from processors.fuse.messages import decision_messages
from processors.pack.processor import before_pack
from streams.kafka import error_of, new_producer, producer_settings
from streams.settings import KafkaSettings, ShadowSettings
from streams.worker.shadow_tally import Judged, Tally

log = logging.getLogger(__name__)

NICENESS = 5
"""Of its threads, the live ones' being 0: a third of their share where cores are short. Not less: this thread holds
Python's lock at times, and then all others wait for it."""

BATCH = 32
"""Posts at a time: enough for the engine, and few enough that it stops within a second or two."""

SALT = "shadow"
"""The shadow's share is another one than any canary's."""

PRODUCER_KIB = 32 * 1024
"""What waits for a broker that is away; the live outputs need their memory more."""

FLUSH_S = 2.0
"""At the end, for decisions on their way to the broker."""

T = TypeVar("T")


class Sender(Protocol):
    """A producer."""

    def produce(
        self, topic: str, value: bytes, key: bytes, *, on_delivery: Callable[[KafkaError | None, object], None]
    ) -> None: ...

    def poll(self, timeout: float) -> int: ...

    def flush(self, timeout: float) -> int: ...


class Shadow:
    """Judges on its own thread until `stop`. `put` never waits."""

    def __init__(
        self,
        processors: Sequence[AnyProcessor],
        settings: ShadowSettings,
        topic: str,
        *,
        policy: str,
        pack: str,
        anew: bool,
        producer: Callable[[], Sender],
    ) -> None:
        """`processors`: from `pack` on where the shadow has a pack of its own (`anew`), else `fuse` alone. `producer`
        is called on the thread, and again when the one it gave is broken."""
        self.policy = policy
        self.pack = pack
        self.processors = processors
        self._settings = settings
        self._topic = topic
        self._anew = anew
        self._new_producer = producer
        self._waiting: deque[Judged] = deque()
        self._bytes = 0
        self._tally = Tally()
        self._changed = threading.Condition()
        self._stopping = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Leave what waits, and end; not waiting for it longer than that."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    @property
    def running(self) -> bool:
        """False once it has ended by a fault of its own."""
        return not self._ended

    @property
    def waiting(self) -> int:
        """Posts in its queue."""
        return len(self._waiting)

    def put(self, judged: Sequence[Judged]) -> None:
        """Show it what the live pack and policy have decided."""
        share = self._settings.share
        mine = [one for one in judged if share >= 1 or place_of(one.decision.post_id, SALT) < share]
        with self._changed:
            for one in mine:
                full = len(self._waiting) >= self._settings.max_records
                if full or self._ended or self._bytes + one.size > self._settings.max_bytes:
                    self._tally.posts["skipped"] += 1
                    continue
                self._waiting.append(one)
                self._bytes += one.size
            self._changed.notify_all()

    def tally(self) -> Tally:
        """What it has done since the last call."""
        with self._changed:
            done, self._tally = self._tally, Tally()
        return done

    def _run(self) -> None:
        try:
            lower_priority()
            producer = self._new_producer()
            while (batch := self._take()) is not None:
                producer = self._judge(batch, producer)
            producer.flush(FLUSH_S)
        except BaseException:
            # Nothing of the chain depends on it, and nothing may: it ends alone, and the metrics say so.
            log.exception("the shadow has ended by a fault; the chain goes on without it")
            with self._changed:
                self._ended = True
                self._tally.posts["skipped"] += len(self._waiting)
                self._waiting.clear()

    def _take(self) -> list[Judged] | None:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            if self._stopping:
                return None
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._bytes -= sum(one.size for one in batch)
            return batch

    def _judge(self, batch: Sequence[Judged], producer: Sender) -> Sender:
        began_s = time.perf_counter()
        outcomes = run_chain(self.processors, [before_pack(one.record) if self._anew else one.record for one in batch])
        done = Tally()
        for one, outcome in zip(batch, outcomes, strict=True):
            try:
                if isinstance(outcome, ProcessingError) or outcome.decision is None:
                    done.posts["failed"] += 1
                    continue
                value = decision_messages(outcome).decision
                producer.produce(self._topic, value, one.decision.post_id.encode(), on_delivery=self._delivered)
            except ProcessingError:  # too large for the topic
                done.posts["failed"] += 1
            except BufferError:
                done.posts["unsent"] += 1
            except KafkaException as error:
                log.warning("the shadow's decisions are not taken: %s", error_of(error).str())
                done.posts["unsent"] += 1
                if error_of(error).fatal():
                    producer = self._new_producer()
            else:
                done.compare(one.decision, outcome.decision)
        done.seconds.append(time.perf_counter() - began_s)
        with self._changed:
            self._tally.add(done)
        producer.poll(0)
        return producer

    def _delivered(self, error: KafkaError | None, _message: object) -> None:
        if error is not None:
            with self._changed:
                self._tally.posts["unsent"] += 1


def shadow_producer(kafka: KafkaSettings) -> Callable[[], Sender]:
    """Makes its producer: idempotent, of no transaction."""
    settings: dict[str, Any] = {**producer_settings(kafka, "shadow"), "queue.buffering.max.kbytes": PRODUCER_KIB}
    return lambda: new_producer(settings)  # pyright: ignore[reportReturnType]  # its stub asks for less than it takes


def at_low_priority(build: Callable[[], T]) -> T:
    """What `build` makes, on a thread of low priority: the threads that an engine starts inherit it (Linux)."""
    with ThreadPoolExecutor(1, "shadow-build", initializer=lower_priority) as thread:
        return thread.submit(build).result()


def lower_priority() -> None:
    """Of the calling thread; on Linux alone a priority can be a thread's."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # not allowed here: then it shares the cores as the others do
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
