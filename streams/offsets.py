"""Where partitions begin and end, for readers of committed messages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from streams.kafka import error_of
from streams.topics import ADMIN_TIMEOUT_S, WAIT_S, TopicsError, require_topics

_PASSING = frozenset(
    {
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""What a partition answers whose leader has just been chosen: a new topic, or a broker that comes or goes."""

_NO_COORDINATOR = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
"""What a cluster answers whose topic of offsets is new, or on its way to another broker."""

Place = tuple[str, int]
"""Topic and partition."""


def places_of(admin: AdminClient, topics: Iterable[str]) -> list[Place]:
    """All partitions of these topics. Raises `TopicsError` for a topic that does not exist."""
    return [(topic, partition) for topic, count in require_topics(admin, topics).items() for partition in range(count)]


def first_offsets(admin: AdminClient, places: Iterable[Place]) -> dict[Place, int]:
    """The first offset that each partition still has. Raises `TopicsError`."""
    return _list(admin, places, OffsetSpec.earliest())


def end_offsets(admin: AdminClient, places: Iterable[Place]) -> dict[Place, int]:
    """The offset up to which each partition can be read: where the first open transaction begins, or its end.

    Raises `TopicsError`.
    """
    return _list(admin, places, OffsetSpec.latest())


def offsets_at(admin: AdminClient, places: Iterable[Place], at_ms: int) -> dict[Place, int]:
    """The offset of each partition's first message that is not older than `at_ms` (ms since the epoch); a partition
    that has none is left out. Raises `TopicsError`."""
    found = _list(admin, places, OffsetSpec.for_timestamp(at_ms))
    return {place: offset for place, offset in found.items() if offset >= 0}


def committed_offsets(consumer: Consumer, places: Iterable[Place]) -> dict[Place, TopicPartition]:
    """Offset (negative where there is none) and metadata that the consumer's group has committed.

    Raises KafkaException.
    """
    wanted = [TopicPartition(*place) for place in places]
    deadline_s = time.monotonic() + ADMIN_TIMEOUT_S
    while True:
        try:
            found = consumer.committed(wanted, timeout=ADMIN_TIMEOUT_S)
            return {(entry.topic, entry.partition): entry for entry in found}
        except KafkaException as failure:
            if error_of(failure).code() not in _NO_COORDINATOR or time.monotonic() > deadline_s:
                raise
            time.sleep(WAIT_S)


def _list(admin: AdminClient, places: Iterable[Place], spec: object) -> dict[Place, int]:
    found: dict[Place, int] = {}
    left = set(places)
    deadline_s = time.monotonic() + ADMIN_TIMEOUT_S
    while left:
        for place, future in _ask(admin, left, spec).items():
            try:
                found[place] = int(future.result().offset)
            except KafkaException as failure:
                error = error_of(failure)
                if error.code() not in _PASSING or time.monotonic() > deadline_s:
                    raise TopicsError(
                        f"the offsets of {place[0]}[{place[1]}] cannot be read: {error.str()}"
                    ) from failure
        left -= found.keys()
        if left:
            time.sleep(WAIT_S)
    return found


def _ask(admin: AdminClient, places: Iterable[Place], spec: object) -> dict[Place, Future[Any]]:
    client: Any = admin  # the binding does not say what its futures hold
    futures: Mapping[TopicPartition, Future[Any]] = client.list_offsets(
        {TopicPartition(topic, partition): spec for topic, partition in places},
        isolation_level=IsolationLevel.READ_COMMITTED,
        request_timeout=ADMIN_TIMEOUT_S,
    )
    return {(str(key.topic), int(key.partition)): future for key, future in futures.items()}
