"""Which partitions are ours: what happens when they come, go or are lost, and why one of them waits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable

from confluent_kafka import Consumer, TopicPartition

from streams.metrics import WorkerMetrics
from streams.worker.journal import Crashed, Journal
from streams.worker.ledger import Ledger, PartitionLedger, TopicPartitionKey
from streams.worker.pauses import Pauses, Why

log = logging.getLogger(__name__)

Settle = Callable[[Iterable[PartitionLedger], float], None]
"""Finish and commit what has begun on partitions that are being given up; second argument: until when (clock)."""


class Assignment:
    """The consumer's partitions. Its callbacks run inside `poll`, on the consumer thread."""

    def __init__(
        self,
        consumer: Consumer,
        ledger: Ledger,
        journal: Journal,
        metrics: WorkerMetrics,
        *,
        settle: Settle,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._ledger = ledger
        self._journal = journal
        self._metrics = metrics
        self._settle = settle
        self._clock = clock
        self._drain_s = 0.0
        self._suspects: dict[TopicPartitionKey, dict[int, Crashed]] = {}
        self.joined = False
        """Whether the group has let us in, with partitions or without."""
        self.pauses = Pauses(
            lambda keys: consumer.pause(_partitions(keys)), lambda keys: consumer.resume(_partitions(keys))
        )

    def subscribe(self, topics: list[str], drain_s: float) -> None:
        """Join the group. `drain_s` is the shared deadline for everything that one rebalance takes away."""
        self._drain_s = drain_s
        self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def rewind(self) -> None:
        """Read every partition again from its committed offset."""
        keys = [(entry.topic, entry.partition) for entry in self._consumer.assignment()]
        self._ledger.forget(list(self._ledger.partitions))
        self.pauses.forget(keys)
        self._consumer.incremental_unassign(_partitions(keys))
        self._open(keys)

    def give_up_all(self, drain_s: float) -> None:
        """Before leaving: finish, commit, forget."""
        self._give_up(list(self._ledger.partitions), drain_s)

    def block(self, home: PartitionLedger, offset: int) -> None:
        """Hold a partition back at a message that is for a later version of modstream."""
        home.blocked = True
        self.pauses.hold(Why.NEWER_VERSION, [(home.topic, home.partition)])
        self._consumer.seek(TopicPartition(home.topic, home.partition, offset))
        self._report()

    def newer(self) -> frozenset[TopicPartitionKey]:
        """The partitions that wait for a later version of modstream."""
        return self.pauses.held(Why.NEWER_VERSION)

    def report(self) -> None:
        """What changes without a rebalance: pauses, and lag by what the client knows without asking (what is behind the
        last commit, and how old its first is)."""
        self._report()
        for (topic, partition), home in self._ledger.partitions.items():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            if high < 0:
                continue  # nothing has been fetched from it yet
            begun = home.tickets[0] if home.tickets else None
            behind = begun.offset if begun else home.position if home.position is not None else home.committed
            messages = max(0, high - max(low, behind)) if behind is not None else 0
            self._metrics.lag(topic, partition, messages, begun.message.timestamp_ms if begun else None, behind)

    def suspect(self, home: PartitionLedger, offset: int) -> Crashed | None:
        """What the journal holds against a message; None for nearly all."""
        found = self._suspects.get((home.topic, home.partition))
        return found.get(offset) if found else None

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.joined = True
        self._open([(entry.topic, entry.partition) for entry in partitions])
        self._metrics.rebalanced("assigned")

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        began = self._clock()
        self._give_up([(entry.topic, entry.partition) for entry in partitions], self._drain_s)
        self._consumer.incremental_unassign(partitions)
        self._metrics.rebalanced("revoked", self._clock() - began)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.warning("lost %s partitions: what was under way on them is dropped", len(partitions))
        self._forget([(entry.topic, entry.partition) for entry in partitions])
        self._consumer.incremental_unassign(partitions)
        self._metrics.rebalanced("lost")

    def _open(self, keys: list[TopicPartitionKey]) -> None:
        for topic, partition in keys:
            self._ledger.open(topic, partition)
            self._suspects[topic, partition] = self._journal.suspects(topic, partition)
        self._consumer.incremental_assign(_partitions(keys))
        self._report()

    def _give_up(self, keys: list[TopicPartitionKey], drain_s: float) -> None:
        homes = [self._ledger.partitions[key] for key in keys if key in self._ledger.partitions]
        for home in homes:
            home.revoked = True
        self._settle(homes, self._clock() + drain_s)
        self._forget(keys)

    def _forget(self, keys: list[TopicPartitionKey]) -> None:
        self._ledger.forget(keys)
        self.pauses.forget(keys)
        for key in keys:
            self._suspects.pop(key, None)
            self._metrics.forget_partition(*key)
        self._report()

    def _report(self) -> None:
        self._metrics.assigned(len(self._ledger.partitions))
        self._metrics.suspects(sum(map(len, self._suspects.values())))
        for why in Why:
            self._metrics.paused(why.value, len(self.pauses.held(why)))


def _partitions(keys: Collection[TopicPartitionKey]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for topic, partition in keys]
