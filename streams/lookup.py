"""Finding single messages: one at a known place, or the newest of a key, read backwards from its partition's end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from streams.offsets import Place, end_offsets, first_offsets, places_of
from streams.partitioner import partition_of
from streams.reader import Read, read_between
from streams.settings import Settings

FIRST_CHUNK = 500
"""Messages that are read first: what is new is asked for most."""

GROWTH = 4
"""Each further chunk is so many times larger: few consumers, and no more than that many times too much read."""

MOST_FOUND = 200
"""Messages of one key that are given, the newest: whoever sends one id again and again fills no memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `whole`: the partition was read to its first message, so that nothing older is there."""

    messages: tuple[Read, ...]
    """In the order of the partition."""
    whole: bool


class Lookup:
    """Reads partitions of one cluster, without joining a group. Every method blocks, and may be called from several
    threads. Raises `TopicsError`, KafkaException and TimeoutError."""

    def __init__(self, settings: Settings, admin: AdminClient, purpose: str, limit: int) -> None:
        """`limit`: messages of a partition that one search reads at most."""
        self._settings = settings
        self._admin = admin
        self._purpose = purpose
        self._limit = limit

    def at(self, topic: str, partition: int, offset: int) -> Read | None:
        """The message at a place; None where it is no longer, or not yet, there."""
        if offset < 0 or (topic, partition) not in places_of(self._admin, [topic]):
            return None
        place = (topic, partition)
        if not first_offsets(self._admin, [place])[place] <= offset < end_offsets(self._admin, [place])[place]:
            return None
        return next((read for read in self._read(place, offset, offset + 1) if read.offset == offset), None)

    def place_of(self, topic: str, key: bytes) -> Place:
        """The partition that a key's messages are in, where `murmur2_random` chose it."""
        return topic, partition_of(key, len(places_of(self._admin, [topic])))

    def last_of(self, topic: str, key: bytes, takes: Callable[[Read], bool] = lambda read: True) -> Found:
        """The messages of a key that `takes` wants: those of the newest stretch of its partition that has any."""
        return self._backwards(topic, key, takes, every=False)

    def all_of(self, topic: str, key: bytes) -> Found:
        """All messages of a key, the newest `MOST_FOUND` of them, as far back as the limit goes."""
        return self._backwards(topic, key, lambda read: True, every=True)

    def _backwards(self, topic: str, key: bytes, takes: Callable[[Read], bool], *, every: bool) -> Found:
        place = self.place_of(topic, key)
        first = first_offsets(self._admin, [place])[place]
        end = last = end_offsets(self._admin, [place])[place]
        size, found = FIRST_CHUNK, list[Read]()
        while end > first and last - end < self._limit and (every or not found):
            start = max(first, end - size, last - self._limit)
            matching = (read for read in self._read(place, start, end) if read.key == key and takes(read))
            found = [*deque(matching, MOST_FOUND), *found][-MOST_FOUND:]
            end, size = start, size * GROWTH
        return Found(tuple(found), whole=end <= first)

    def _read(self, place: Place, start: int, end: int) -> Iterator[Read]:
        # One by one: a stretch of tens of thousands of posts is never held whole.
        kafka, group = self._settings.kafka, self._settings.group
        return read_between(kafka, group, self._purpose, {place: start}, {place: end})
