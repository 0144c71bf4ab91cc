"""Reading partitions from given offsets, beside the chain: no group is joined and nothing is committed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas import DeadLetterHeaders
from streams.codes import PARTITION_EOF
from streams.kafka import common_settings, new_consumer, reader_settings
from streams.offsets import Place
from streams.settings import KafkaSettings

log = logging.getLogger(__name__)

BATCH = 500
"""Most messages per call: enough that calls do not count, few enough to hold."""

PREFETCH_KIB = 16 * 1024
"""What is fetched ahead; a person reads slower than any broker."""

WAIT_S = 0.25
"""How long one call waits for a message."""

PATIENCE_S = 30.0
"""How long messages that are known to be there may take to come: long enough for a broker's restart."""

RECONNECT_MS = 1000
"""Between tries to connect. Where all brokers are away, librdkafka begins anew with its list of servers and forgets how
long it has waited: with its own 100 ms, an outage fills the log with 50 lines a second."""

Header = tuple[str, bytes | None]


class Read(NamedTuple):
    """A message as it lies in its partition."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]

    @property
    def place(self) -> Place:
        return self.topic, self.partition

    @property
    def origin(self) -> DeadLetterHeaders:
        """Our headers."""
        return DeadLetterHeaders.from_headers(self.headers)


class Reader:
    """A consumer of the partitions in `start`, each from its offset; a context manager.

    `purpose` becomes part of the client's name and of a group's name that is never joined.
    """

    def __init__(self, kafka: KafkaSettings, group: str, purpose: str, start: Mapping[Place, int]) -> None:
        settings = {
            "reconnect.backoff.ms": RECONNECT_MS,
            **common_settings(kafka, purpose),
            **reader_settings(),
            "group.id": f"{group}.{purpose}",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": PREFETCH_KIB,
        }
        self.ended: set[Place] = set()
        """Partitions whose present end was reached."""
        self._consumer: Consumer = new_consumer(settings, _note)
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in start.items()])

    def read(self, timeout_s: float) -> list[Read]:
        """What is there, waiting at most `timeout_s` for the first message. Raises KafkaException."""
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        return [read for read in map(self._taken, (first, *self._consumer.consume(BATCH - 1, 0))) if read is not None]

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _taken(self, message: Message) -> Read | None:
        error = message.error()
        if error is None:
            return _read(message)
        if error.code() == PARTITION_EOF:
            self.ended.add((str(message.topic()), int(message.partition() or 0)))
        elif error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            pass  # the client looks for its group's coordinator; we join no group and need nothing of it
        elif not error.retriable():
            raise KafkaException(error)
        return None


def read_between(
    kafka: KafkaSettings,
    group: str,
    purpose: str,
    start: Mapping[Place, int],
    end: Mapping[Place, int],
) -> Iterator[Read]:
    """Every committed message from `start` up to but without `end`, partition by partition as they come.

    Raises KafkaException, or TimeoutError when nothing comes for `PATIENCE_S`.
    """
    left = {place: offset for place, offset in start.items() if offset < end[place]}
    if not left:
        return
    with Reader(kafka, group, purpose, left) as reader:
        heard_s = time.monotonic()
        while left.keys() - reader.ended:
            batch = reader.read(WAIT_S)
            for message in batch:
                if message.offset < end[message.place]:
                    yield message
                if message.offset >= end[message.place] - 1:
                    reader.ended.add(message.place)
            if batch:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > PATIENCE_S:
                raise TimeoutError(f"no message came for {PATIENCE_S:g} s, though there are some: is a broker away?")


def _read(message: Message) -> Read:
    offset, partition = message.offset(), message.partition()
    if offset is None or partition is None:
        raise TypeError("a message without a place")
    return Read(
        str(message.topic()),
        partition,
        offset,
        message.timestamp()[1],
        _bytes(message.key()),
        _bytes(message.value()),
        tuple((name, _bytes(value)) for name, value in message.headers() or ()),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _note(error: KafkaError) -> None:
    log.warning("%s", error.str())
