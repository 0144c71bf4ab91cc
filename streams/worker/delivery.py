"""Getting outputs and offsets out: exactly once in a transaction, or at least once.

Every commit ends in one of the outcomes of ARCHITECTURE's table; the loop acts on them. Nothing here remembers what was
sent: outputs stay in the ledger until a commit has succeeded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from streams.codes import AUTHORIZATION, FENCING, QUEUE_FULL
from streams.kafka import error_of, new_producer, persist
from streams.worker.ledger import Output, TopicPartitionKey

CALL_TIMEOUT_S = 5.0
"""One blocking call to the broker; after it the loop's heartbeat is renewed and the call is made again."""

QUEUE_WAIT_S = 0.05
"""How long to serve the producer when its queue is full before trying again."""


class Refused(Exception):
    """The brokers' ACLs do not allow what a commit needs; the message is theirs."""


class Committed(Enum):
    """How a commit ended."""

    DONE = "committed"
    ABORTED = "aborted"
    """Nothing was published; what is still owned may be sent again."""
    LOST = "lost"
    """Unknown or broken: begin anew from the committed offsets."""
    FENCED = "fenced"
    """As `LOST`, and the broker says that another producer has this identity."""


class Delivery(Protocol):
    """Publishes outputs and commits offsets, for one consumer."""

    @property
    def trouble(self) -> str:
        """Why the last commit that was not DONE ended as it did, in the client's words."""
        ...

    def open(self) -> None:
        """Get ready, also again after LOST or FENCED. Raises KafkaException when the broker refuses for good, `Refused`
        when it does so for want of a permission; so does `commit`."""

    def commit(
        self, outputs: Iterable[Output], offsets: Mapping[TopicPartitionKey, int], consumer: Consumer
    ) -> Committed: ...

    def close(self) -> None: ...


class ExactlyOnce:
    """One transaction per commit.

    `settings` are those of a producer without its transactional id. `alive` is called between blocking calls; it may
    raise to give up. `timed_out` is told of each commit whose outcome is still open and that is asked for again.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        transactional_id: str,
        transaction_timeout_s: float,
        *,
        alive: Callable[[], None],
        timed_out: Callable[[], None],
    ) -> None:
        self._settings = {
            **settings,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": int(transaction_timeout_s * 1000),
        }
        self._timeout_s = transaction_timeout_s
        self._alive = alive
        self._timed_out = timed_out
        self.producer: Producer | None = None
        self.trouble = ""

    def open(self) -> None:
        self.producer = None  # drops the broken one with whatever it still holds
        producer = new_producer(self._settings)
        while True:
            try:
                producer.init_transactions(CALL_TIMEOUT_S)
                break
            except KafkaException as failure:
                error = error_of(failure)
                if error.code() in AUTHORIZATION:
                    reason = f"the transactional id {self._settings['transactional.id']} ({error.str()})"
                    raise Refused(reason) from failure
                if not error.retriable():
                    raise
                self._alive()
        self.producer = producer

    def commit(
        self, outputs: Iterable[Output], offsets: Mapping[TopicPartitionKey, int], consumer: Consumer
    ) -> Committed:
        producer = self._opened()
        try:
            producer.begin_transaction()
            for output in outputs:
                self._produce(producer, output)
            persist(
                lambda: producer.send_offsets_to_transaction(
                    _positions(offsets), consumer.consumer_group_metadata(), CALL_TIMEOUT_S
                ),
                self._timeout_s,
                self._alive,
            )
            return self._finish(producer)
        except KafkaException as failure:
            error = error_of(failure)
            self.trouble = error.str()
            ended = self._settle(producer, error)
            if error.code() in AUTHORIZATION:
                raise Refused(self.trouble) from failure
            return ended

    def close(self) -> None:
        self.producer = None

    def _opened(self) -> Producer:
        if self.producer is None:
            raise RuntimeError("commit() before open()")
        return self.producer

    def _produce(self, producer: Producer, output: Output) -> None:
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                _produce(producer, output)
                return
            except BufferError as full:
                if time.monotonic() > deadline:
                    raise KafkaException(KafkaError(QUEUE_FULL, "the broker takes no messages")) from full
                producer.poll(QUEUE_WAIT_S)

    def _finish(self, producer: Producer) -> Committed:
        """Commit; a time-out leaves the outcome open, and only asking again can tell."""
        deadline = time.monotonic() + 2 * self._timeout_s
        while True:
            try:
                producer.commit_transaction(CALL_TIMEOUT_S)
                return Committed.DONE
            except KafkaException as failure:
                error = error_of(failure)
                if error.fatal() or error.txn_requires_abort() or not error.retriable():
                    raise
                self._timed_out()
                self.trouble = error.str()
                if time.monotonic() > deadline:
                    return Committed.LOST
                self._alive()

    def _settle(self, producer: Producer, error: KafkaError) -> Committed:
        if error.fatal():
            return Committed.FENCED if error.code() in FENCING else Committed.LOST
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                producer.abort_transaction(CALL_TIMEOUT_S)
                return Committed.ABORTED
            except KafkaException as failure:
                error = error_of(failure)
                if error.fatal():
                    return Committed.FENCED if error.code() in FENCING else Committed.LOST
                if not error.retriable() or time.monotonic() > deadline:
                    return Committed.LOST
                self._alive()


class AtLeastOnce:
    """Produce, flush, look at every delivery report, and only then commit the offsets."""

    def __init__(self, settings: Mapping[str, Any], delivery_timeout_s: float, alive: Callable[[], None]) -> None:
        self._settings = dict(settings)
        self._timeout_s = delivery_timeout_s
        self._alive = alive
        self.producer: Producer | None = None
        self._failed: KafkaError | None = None
        self.trouble = ""

    def open(self) -> None:
        self.producer = new_producer(self._settings)

    def commit(
        self, outputs: Iterable[Output], offsets: Mapping[TopicPartitionKey, int], consumer: Consumer
    ) -> Committed:
        producer = self._opened()
        self._failed = None
        for output in outputs:
            while True:
                try:
                    _produce(producer, output, on_delivery=self._delivered)
                    break
                except BufferError:
                    producer.poll(QUEUE_WAIT_S)
                    self._alive()
        deadline = time.monotonic() + self._timeout_s
        while producer.flush(CALL_TIMEOUT_S) > 0:
            self._alive()
            if time.monotonic() > deadline:
                self.trouble = f"not every output was delivered within {self._timeout_s:g} s"
                return Committed.LOST
        # flush() gives 0 also when deliveries failed.
        if self._failed is not None:
            self.trouble = self._failed.str()
            if self._failed.code() in AUTHORIZATION:
                raise Refused(self.trouble)
            return Committed.LOST if self._failed.fatal() else Committed.ABORTED
        try:
            consumer.commit(offsets=_positions(offsets), asynchronous=False)
        except KafkaException as failure:
            # Repeats are allowed here: the outputs are out, the offsets may be committed with the next ones.
            self.trouble = error_of(failure).str()
            if error_of(failure).code() in AUTHORIZATION:
                raise Refused(self.trouble) from failure
            return Committed.ABORTED
        return Committed.DONE

    def close(self) -> None:
        if self.producer is not None:
            self.producer.flush(CALL_TIMEOUT_S)
            self.producer = None

    def _opened(self) -> Producer:
        if self.producer is None:
            raise RuntimeError("commit() before open()")
        return self.producer

    def _delivered(self, error: KafkaError | None, _message: object) -> None:
        if error is not None:
            self._failed = error


def _produce(producer: Producer, output: Output, **options: Any) -> None:
    if output.headers:
        options["headers"] = list(output.headers)
    producer.produce(output.topic, output.value, output.key, **options)


def _positions(offsets: Mapping[TopicPartitionKey, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
