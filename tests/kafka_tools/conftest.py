from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from commands.main import main
from schemas import DeadLetterHeaders, Stage
from streams.broker import LocalBroker
from streams.kafka import check_connection, consumer_settings, new_consumer, new_producer, producer_settings
from streams.offsets import Place, end_offsets, first_offsets, places_of
from streams.reader import Read, read_between
from streams.settings import KafkaSettings, Settings, TopicSettings
from streams.topics import create_topics, planned
from streams.topology import Topics

PARTITIONS = 3
ANY = -1  # as the partitioner says
PATIENCE_S = 60.0
"""Only a failing test waits that long."""


@dataclass(frozen=True)
class System:
    """Topics on the real Kafka that only one test uses."""

    settings: Settings
    admin: AdminClient
    topics: Topics
    producer: Producer

    @property
    def flags(self) -> tuple[str, ...]:
        """The same, for a command line."""
        return (
            f"--bootstrap-servers={self.settings.kafka.bootstrap_servers}",
            f"--topics-prefix={self.settings.topics.prefix}",
            f"--group={self.settings.group}",
        )

    def produce(
        self,
        topic: str,
        *messages: tuple[str | None, bytes | None],
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        at_ms: int = 0,
    ) -> None:
        """(key, value) each, delivered on return. `at_ms`: their timestamp, 0 for now."""
        _produce(self.producer, topic, messages, partition, headers, at_ms)
        assert self.producer.flush(20) == 0

    def transaction(self, topic: str, *messages: tuple[str | None, bytes | None], commit: bool) -> None:
        """The same in one transaction, which ends as `commit` says."""
        producer = new_producer(
            {**producer_settings(self.settings.kafka, "test"), "transactional.id": uuid.uuid4().hex}
        )
        producer.init_transactions(20)
        producer.begin_transaction()
        _produce(producer, topic, messages, None, (), 0)
        producer.flush(20)
        if commit:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)

    def dead_letter(
        self, key: str, value: bytes | None, *, partition: int | None = None, at_ms: int = 0, **ours: object
    ) -> None:
        """A dead letter of a post that was read from the posts' topic."""
        origin = {
            "stage": "encode",
            "cause": "poison",
            "reason": "it broke",
            "attempt": 2,
            "topic": self.topics.stage(Stage.INGEST),
            "partition": 1,
            "offset": 7,
            "timestamp_ms": 1_700_000_000_000,
            "code": "0.1.0",
            "pack": "tiny@1",
            **ours,
        }
        headers = msgspec.convert(origin, DeadLetterHeaders).to_headers([("tenant", b"acme"), ("traceparent", b"00-1")])
        self.produce(self.topics.dead_letters, (key, value), partition=partition, headers=headers, at_ms=at_ms)

    def read(self, topic: str, count: int) -> list[Read]:
        """Every committed message of a topic, once there are so many: a transaction can be read a moment after its
        commit, when the broker has marked its end."""
        places = places_of(self.admin, [topic])
        first = first_offsets(self.admin, places)
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            end = end_offsets(self.admin, places)
            found = list(read_between(self.settings.kafka, self.settings.group, "test", first, end))
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline_s, f"{topic}: {len(found)} of {count} messages came"

    def ends(self, topic: str) -> dict[Place, int]:
        return end_offsets(self.admin, places_of(self.admin, [topic]))

    def commit(self, offsets: dict[Place, int]) -> None:
        """As a worker of the chain's group does."""
        consumer = new_consumer(consumer_settings(self.settings.kafka, self.settings.group), lambda error: None)
        found = consumer.commit(
            offsets=[TopicPartition(*place, offset) for place, offset in offsets.items()], asynchronous=False
        )
        consumer.close()
        assert found is not None
        assert all(entry.error is None for entry in found)


def _produce(
    producer: Producer,
    topic: str,
    messages: Sequence[tuple[str | None, bytes | None]],
    partition: int | None,
    headers: Sequence[tuple[str, bytes]],
    at_ms: int,
) -> None:
    def delivered(error: KafkaError | None, _: Message) -> None:
        assert error is None, error.str()  # raised by flush, which itself does not mind

    where = ANY if partition is None else partition
    for key, value in messages:
        producer.produce(topic, value, key, where, delivered, timestamp=at_ms, headers=list(headers))


@pytest.fixture(scope="session")
def producer(kafka: LocalBroker) -> Producer:
    """One for all tests: each new one would have to get an id first."""
    return new_producer(producer_settings(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers), "test"))


@pytest.fixture
def empty(kafka: LocalBroker, topic_prefix: str, producer: Producer) -> System:
    """Names of topics that do not exist yet."""
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers),
        topics=TopicSettings(prefix=topic_prefix, partitions=PARTITIONS),
        group=topic_prefix.rstrip("."),
    )
    return System(settings, check_connection(settings.kafka), Topics(topic_prefix), producer)


@pytest.fixture
def system(empty: System) -> Iterator[System]:
    """All topics, empty. They go at the end: with thousands of partitions, a broker on a small machine gets slow."""
    create_topics(empty.admin, planned(empty.settings.topics))
    yield empty
    client: Any = empty.admin
    for future in client.delete_topics(list(empty.topics.all())).values():
        future.result()


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process: (exit code, stdout, stderr)."""

    def command(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return command
