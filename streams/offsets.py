"""Where partitions begin and end, for readers of committed messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from streams.topics import ADMIN_TIMEOUT_S, TopicsError, error_of, require_topics

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


def _list(admin: AdminClient, places: Iterable[Place], spec: object) -> dict[Place, int]:
    wanted = {TopicPartition(topic, partition): spec for topic, partition in places}
    if not wanted:
        return {}
    client: Any = admin  # the binding does not say what its futures hold
    futures: Mapping[TopicPartition, Future[Any]] = client.list_offsets(
        wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ADMIN_TIMEOUT_S
    )
    found: dict[Place, int] = {}
    for key, future in futures.items():
        place = (str(key.topic), int(key.partition))
        try:
            found[place] = int(future.result().offset)
        except KafkaException as failure:
            raise TopicsError(
                f"the offsets of {place[0]}[{place[1]}] cannot be read: {error_of(failure).str()}"
            ) from failure
    return found
