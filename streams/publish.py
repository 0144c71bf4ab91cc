"""Publishing posts as they are given: each line is a message, and each delivery is confirmed by its broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message

from schemas import Priority, Stage
from schemas.post import MAX_ID_CHARS
from streams.json_lines import Line
from streams.kafka import MESSAGE_BYTES, error_of, new_producer, producer_settings
from streams.settings import Settings
from streams.topology import STANDARD, Topics, lane_of

QUEUE_KIB = 64 * 1024
"""What may wait in the producer: some 30 of the largest posts, or a second of small ones."""

GIVE_UP_MS = 120_000
"""A message that no broker has taken for so long has failed. Long enough for a broker's restart."""

QUEUE_WAIT_S = 0.1
FLUSH_S = 0.5
MAX_ERRORS = 5
"""Failures that are told one by one; more of them look alike."""


@dataclass(slots=True)
class Summary:
    """What became of the messages."""

    sent: int = 0
    """Confirmed by a broker."""
    failed: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list[str])
    """The first failures, one sentence each."""

    @property
    def per_second(self) -> float:
        return self.sent / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a message lies. `line` None: it was a delete."""

    line: int | None
    topic: str
    partition: int
    offset: int


def publish(
    settings: Settings,
    lines: Iterable[Line],
    *,
    deletes: Iterable[str] = (),
    progress: Callable[[Summary], None] | None = None,
    on_delivered: Callable[[Delivered], None] | None = None,
) -> Summary:
    """Publish every line to the input topics, which must exist, then delete the posts of these ids.

    `progress` is called often, with the counts so far.
    """
    publisher = _Publisher(settings, on_delivered)
    for line in lines:
        publisher.send(line)
        if progress is not None:
            progress(publisher.summary)
    for post_id in deletes:
        publisher.delete(post_id)
    return publisher.finish(progress)


class _Publisher:
    def __init__(self, settings: Settings, on_delivered: Callable[[Delivered], None] | None) -> None:
        self.summary = Summary()
        self._topics = Topics(settings.topics.prefix)
        self._on_delivered = on_delivered
        self._began_s = time.monotonic()
        self._producer = new_producer(
            {
                **producer_settings(settings.kafka, "publish"),
                "queue.buffering.max.kbytes": QUEUE_KIB,
                "message.timeout.ms": GIVE_UP_MS,
            }
        )

    def send(self, line: Line) -> None:
        """One line, as it is: what is wrong with it is for the chain to say."""
        if not line.is_whole:
            self._failed(f"line {line.number}", f"{line.size:,} bytes, expected at most {MESSAGE_BYTES:,}")
            return
        post_id, priority = head_of(line.value)
        topic = self._topics.stage(Stage.INGEST, lane_of(priority))
        self._produce(f"line {line.number}", topic, post_id, line.value, line.number)

    def delete(self, post_id: str) -> None:
        """The null value that deletes a post."""
        topic = self._topics.stage(Stage.INGEST, STANDARD)
        self._produce(f"the delete of {post_id}", topic, post_id.encode(), None, None)

    def finish(self, progress: Callable[[Summary], None] | None) -> Summary:
        """Wait until every message is delivered or has failed."""
        while self._producer.flush(FLUSH_S) > 0:
            if progress is not None:
                progress(self.summary)
        self.summary.seconds = time.monotonic() - self._began_s
        return self.summary

    def _produce(self, what: str, topic: str, key: bytes | None, value: bytes | None, line: int | None) -> None:
        def reported(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failed(what, error.str())
                return
            self.summary.sent += 1
            if self._on_delivered is not None:
                self._on_delivered(Delivered(line, topic, _number(message.partition()), _number(message.offset())))

        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=reported)
                break
            except BufferError:  # the brokers are slower than the file
                self._producer.poll(QUEUE_WAIT_S)
            except KafkaException as failure:  # refused here and now: too large
                self._failed(what, error_of(failure).str())
                break
        self._producer.poll(0)

    def _failed(self, what: str, reason: str) -> None:
        self.summary.failed += 1
        if len(self.summary.errors) < MAX_ERRORS:
            self.summary.errors.append(f"{what}: {reason}")


class _Head(msgspec.Struct):
    post_id: Any = None
    priority: Any = None


_head_decoder = msgspec.json.Decoder(_Head)


def head_of(value: bytes) -> tuple[bytes | None, Priority]:
    """Key and priority of a post, as far as they can be read: the chain refuses the rest, with its reason."""
    try:
        head = _head_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None, Priority.STANDARD
    named = isinstance(head.post_id, str) and 0 < len(head.post_id) <= MAX_ID_CHARS
    known = isinstance(head.priority, str) and head.priority in Priority.__members__.values()
    return head.post_id.encode() if named else None, Priority(head.priority) if known else Priority.STANDARD


def _number(found: int | None) -> int:
    if found is None:
        raise TypeError("a delivered message without a place")
    return found
