"""How far the reading of the sources has come: per partition where it happens, as a watermark where it is waited for.

A watermark is the least time that every partition of the topics concerned has reached. It says nothing while one of
them is not heard of: a worker that is behind, or was just killed, holds the windows open that its messages belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.insights.groups import FED_BY, Kind, Progress, Source


@dataclass(slots=True)
class Reading:
    """What a worker knows of one partition that it reads."""

    reached_ms: int | None = None
    read_offset: int = -1
    idle_position: int | None = None
    idle_since_ms: int = 0

    def read(self, offset: int, at_ms: int, now_ms: int) -> None:
        """A message was read and what it adds was handed on. A sender's clock may run ahead: never past our own."""
        self.read_offset = max(self.read_offset, offset)
        at_ms = min(at_ms, now_ms)
        self.reached_ms = at_ms if self.reached_ms is None else max(self.reached_ms, at_ms)

    def look(self, position: int, end: int | None, received: int | None, now_ms: int) -> None:
        """Called now and then. `position` is what is fetched next, `end` the end of the partition, None if not known,
        `received` the last offset that was taken up, None if nothing was.

        A partition that stood at its end, with nothing in hand, at two looks in a row has reached the time of the
        first: what had been fetched by then was taken up since, and what was taken up was handed on.
        """
        if end is None or position < end or (received is not None and received > self.read_offset):
            self.idle_position = None
            return
        if self.idle_position == position:
            reached_ms = self.idle_since_ms
            self.reached_ms = reached_ms if self.reached_ms is None else max(self.reached_ms, reached_ms)
        self.idle_position, self.idle_since_ms = position, now_ms


@dataclass(slots=True)
class Watermarks:
    """What one partition of grouped observations was told by all workers."""

    partitions: dict[Source, int] = field(default_factory=dict[Source, int])
    times_ms: dict[tuple[Source, int], int] = field(default_factory=dict[tuple[Source, int], int])

    def note(self, progress: Progress) -> None:
        self.partitions[progress.source] = max(progress.partitions, self.partitions.get(progress.source, 0))
        for partition, at_ms in progress.times_ms.items():
            key = progress.source, partition
            self.times_ms[key] = max(at_ms, self.times_ms.get(key, at_ms))

    def of(self, kind: Kind) -> int | None:
        """In milliseconds since the epoch; None while a partition has not been heard of."""
        found: list[int] = []
        for source in FED_BY[kind]:
            partitions = self.partitions.get(source)
            if partitions is None:
                return None
            for partition in range(partitions):
                at_ms = self.times_ms.get((source, partition))
                if at_ms is None:
                    return None
                found.append(at_ms)
        return min(found)


def told(source: Source, partitions: int, readings: Mapping[int, Reading]) -> Progress:
    """What a worker says of the partitions of a topic that it reads."""
    times = {at: reading.reached_ms for at, reading in readings.items() if reading.reached_ms is not None}
    return Progress(source, partitions, times)
