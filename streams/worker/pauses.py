"""Why partitions are not read: a partition is paused for as long as there is any reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum

from streams.worker.ledger import TopicPartitionKey


class Why(StrEnum):
    """The reasons, as the metrics name them."""

    BUDGET = "budget"
    BREAKER = "breaker"
    NEWER_VERSION = "newer_version"
    NOT_BEFORE = "not_before"


class Pauses:
    """Keeps the reasons; calls `pause` and `resume` only for partitions whose state changes."""

    def __init__(
        self,
        pause: Callable[[Collection[TopicPartitionKey]], None],
        resume: Callable[[Collection[TopicPartitionKey]], None],
    ) -> None:
        self._pause = pause
        self._resume = resume
        self._held: dict[Why, set[TopicPartitionKey]] = {why: set() for why in Why}

    def hold(self, why: Why, keys: Iterable[TopicPartitionKey]) -> None:
        fresh = {key for key in keys if key not in self._held[why]}
        running = [key for key in fresh if not self.is_held(key)]
        self._held[why] |= fresh
        if running:
            self._pause(running)

    def lift(self, why: Why, keys: Iterable[TopicPartitionKey] | None = None) -> None:
        """Take a reason away, from all partitions if none are named."""
        gone = self._held[why] & set(keys) if keys is not None else set(self._held[why])
        self._held[why] -= gone
        free = [key for key in gone if not self.is_held(key)]
        if free:
            self._resume(free)

    def forget(self, keys: Iterable[TopicPartitionKey]) -> None:
        """The partitions are another worker's now, or are read anew: no reason holds, and the client is told so while
        it still has them (it keeps a pause over a new assignment)."""
        gone = set(keys)
        paused = [key for key in gone if self.is_held(key)]
        for held in self._held.values():
            held -= gone
        if paused:
            self._resume(paused)

    def is_held(self, key: TopicPartitionKey) -> bool:
        return any(key in held for held in self._held.values())

    def held(self, why: Why) -> frozenset[TopicPartitionKey]:
        return frozenset(self._held[why])
