"""Retries that are not due: their partition waits, and is read again from there when the time has come."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from schemas import DeadLetterHeaders
from streams.topology import RETRY_DELAYS_S
from streams.worker.ledger import PartitionLedger, TopicPartitionKey
from streams.worker.outcomes import Received
from streams.worker.pauses import Pauses, Why

LONGEST_DELAY_S = max(RETRY_DELAYS_S.values())


class Shelf:
    """A retry topic has one delay, so its messages fall due in their order: the first that is not due holds its
    partition. Times are seconds since the epoch, as in the header that another process wrote."""

    def __init__(self, consumer: Consumer, pauses: Pauses) -> None:
        self._consumer = consumer
        self._pauses = pauses
        self._due_s: dict[TopicPartitionKey, float] = {}

    def holds(self, home: PartitionLedger, message: Received, now_s: float) -> bool:
        """Whether the message waits (also behind another); then it will be read again."""
        key = (home.topic, home.partition)
        if key in self._pauses.held(Why.NOT_BEFORE):
            return True
        not_before_ms = DeadLetterHeaders.from_headers(message.headers).not_before_ms
        if not_before_ms is None or not_before_ms / 1000 <= now_s:
            return False
        # A header far in the future (another's clock) must not hold the partition for ever.
        self._due_s[key] = min(not_before_ms / 1000, now_s + LONGEST_DELAY_S)
        home.held_at = message.offset
        self._pauses.hold(Why.NOT_BEFORE, [key])
        self._consumer.seek(TopicPartition(home.topic, home.partition, message.offset))
        return True

    def lift_due(self, now_s: float) -> None:
        """Let go on what is due, and forget what is another worker's now."""
        if not self._due_s:
            return
        held = self._pauses.held(Why.NOT_BEFORE)
        done = [key for key, due_s in self._due_s.items() if due_s <= now_s or key not in held]
        for key in done:
            del self._due_s[key]
        self._pauses.lift(Why.NOT_BEFORE, done)
