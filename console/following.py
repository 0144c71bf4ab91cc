"""Following decisions, flags and dead letters on a thread of its own, from a little before now on."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from console.events import DecisionEvent, FlagEvent, Held, LetterEvent, Took
from schemas import InvalidMessage, decode_decision, decode_flag
from streams.offsets import Place, end_offsets, first_offsets, places_of
from streams.reader import Read, Reader, read_between
from streams.settings import Settings
from streams.topics import TopicsError
from streams.topology import Topics

WAIT_S = 0.2
"""How long one read waits: how soon the end of the console is noticed."""

AGAIN_S = 5.0
"""After a fault of the cluster, such as a topic that was made anew."""

PURPOSE = "console"

log = logging.getLogger(__name__)

Topic = Literal["decisions", "flags", "dead-letters"]


class Follower:
    """Reads the topics from the newest `settings.console.keep` messages on, without joining a group, and hands what it
    decodes to `deliver` on the event loop, waiting until it is taken."""

    def __init__(
        self,
        settings: Settings,
        admin: AdminClient,
        loop: asyncio.AbstractEventLoop,
        begin: Callable[[int | None], None],
        deliver: Callable[[Sequence[Took]], None],
    ) -> None:
        """`begin` is told, on the event loop and before anything is delivered, since when decisions are read (ms since
        the epoch; None for all of them). Blocks. Raises `TopicsError` when a topic is missing."""
        topics = Topics(settings.topics.prefix)
        self._settings = settings
        self._topics: dict[str, Topic] = {
            topics.decisions: "decisions",
            topics.flags: "flags",
            topics.dead_letters: "dead-letters",
        }
        self._begin = begin
        self._deliver = deliver
        self._loop = loop
        self._stopping = threading.Event()
        self._next = self._start(admin)
        self._since_ms = self._first_time(admin, topics.decisions)
        self._thread = threading.Thread(target=self._run, name="console-follower", daemon=True)

    def start(self) -> None:
        self._begin(self._since_ms)
        self._thread.start()

    async def stop(self) -> None:
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    def _start(self, admin: AdminClient) -> dict[Place, int]:
        places = places_of(admin, self._topics)
        first, end = first_offsets(admin, places), end_offsets(admin, places)
        parts = {topic: sum(1 for place in places if place[0] == topic) for topic in self._topics}
        keep = self._settings.console.keep
        return {place: max(first[place], end[place] - max(1, keep // parts[place[0]])) for place in places}

    def _first_time(self, admin: AdminClient, topic: str) -> int | None:
        """From when on every decision is read; None where nothing is left out."""
        places = [place for place in self._next if place[0] == topic]
        first, end = first_offsets(admin, places), end_offsets(admin, places)
        kafka, group = self._settings.kafka, self._settings.group
        times: list[int] = []
        for place in places:
            if self._next[place] > first[place]:
                rest = read_between(kafka, group, PURPOSE, {place: self._next[place]}, {place: end[place]})
                times += [message.timestamp_ms for message in islice(rest, 1)]
        return max(times, default=None)

    def _run(self) -> None:
        kafka, group = self._settings.kafka, self._settings.group
        while not self._stopping.is_set():
            try:
                with Reader(kafka, group, PURPOSE, self._next) as reader:
                    while not self._stopping.is_set():
                        self._hand_over(reader.read(WAIT_S))
            except (KafkaException, TopicsError) as error:
                log.warning("the topics cannot be followed, and are again in %g s: %s", AGAIN_S, error)
                self._stopping.wait(AGAIN_S)
            except Exception:
                if self._loop.is_closed() or self._stopping.is_set():
                    return  # the console ends
                # A fault of ours: without this thread the page would show nothing new, and not say so.
                log.exception("the topics cannot be followed, and are again in %g s", AGAIN_S)
                self._stopping.wait(AGAIN_S)

    def _hand_over(self, messages: list[Read]) -> None:
        if not messages:
            return
        took = [taken(self._topics[message.topic], message) for message in messages]

        async def deliver() -> None:
            self._deliver(took)

        # Waited for: messages that come faster than they are taken wait in Kafka, not in memory.
        asyncio.run_coroutine_threadsafe(deliver(), self._loop).result()
        for message in messages:
            self._next[message.place] = message.offset + 1


def taken(topic: Topic, message: Read) -> Took:
    """A message as it is held. What does not decode is nothing: whoever writes to our topics, the page goes on."""
    key = message.key or b""
    post_id = key.decode("utf-8", "replace")
    row: Held | FlagEvent | LetterEvent | None = None
    deleted = topic == "decisions" and message.value is None
    try:
        match topic:
            case "dead-letters":
                row = LetterEvent.of(message)
            case "decisions" if message.value is not None:
                decision = decode_decision(message.value)
                source = decision.source
                row = Held(
                    DecisionEvent.of(decision),
                    (message.partition, message.offset),
                    (source.timestamp_ms, source.offset),
                )
                post_id = decision.post_id
            case "flags" if message.value is not None:
                flag = decode_flag(message.value)
                row, post_id = FlagEvent.of(flag), flag.post_id
            case _:
                pass
    except InvalidMessage as error:
        where = f"{message.topic}-{message.partition}:{message.offset}"
        log.warning("%s is no message of its topic (%s): it is not shown", where, error.field)
    return Took(topic, (message.partition, message.offset), message.timestamp_ms, post_id, row, deleted)
