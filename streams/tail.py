"""Following an output topic: what there is from its beginning, or what comes from now on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from confluent_kafka.admin import AdminClient

from streams.offsets import end_offsets, first_offsets, places_of
from streams.reader import Read, Reader
from streams.settings import Settings
from streams.topology import Topics

WAIT_S = 0.25
"""How long one call waits: how soon a passed time limit is seen."""


class Followed(StrEnum):
    """What can be followed."""

    DECISIONS = "decisions"
    CONFIDENCE = "confidence"
    FLAGS = "flags"
    DEAD_LETTERS = "dead-letters"

    def topic(self, topics: Topics) -> str:
        match self:
            case Followed.DECISIONS:
                return topics.decisions
            case Followed.CONFIDENCE:
                return topics.confidence
            case Followed.FLAGS:
                return topics.flags
            case Followed.DEAD_LETTERS:
                return topics.dead_letters


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages, and when to stop. None: all of them, and never."""

    post_id: str | None = None
    count: int | None = None
    timeout_s: float | None = None


class Tail:
    """One topic, followed from its beginning or from the moment at which this object is made.

    The offsets are settled here, before anything is said to be followed: a message that is published afterwards is
    seen. Raises `TopicsError` when the topic does not exist.
    """

    def __init__(self, settings: Settings, admin: AdminClient, followed: Followed, *, from_beginning: bool) -> None:
        self.topic = followed.topic(Topics(settings.topics.prefix))
        places = places_of(admin, [self.topic])
        self.partitions = len(places)
        start = first_offsets(admin, places) if from_beginning else end_offsets(admin, places)
        self._reader = Reader(settings.kafka, settings.group, "tail", start)

    def messages(self, wanted: Wanted) -> Iterator[Read]:
        """Messages as they come, until `wanted` says that it is enough."""
        deadline_s = None if wanted.timeout_s is None else time.monotonic() + wanted.timeout_s
        key = None if wanted.post_id is None else wanted.post_id.encode()
        left = wanted.count
        while left is None or left > 0:
            now_s = time.monotonic()
            if deadline_s is not None and now_s >= deadline_s:
                return
            for message in self._reader.read(WAIT_S if deadline_s is None else min(WAIT_S, deadline_s - now_s)):
                if key is not None and message.key != key:
                    continue
                yield message
                if left is not None:
                    left -= 1
                    if left == 0:
                        return

    def close(self) -> None:
        self._reader.close()
