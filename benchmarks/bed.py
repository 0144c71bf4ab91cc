"""The real Kafka that everything is measured on, and what is asked of it: fresh topics, a backlog, what came out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.processes import Subject
from benchmarks.watch import Watch
from streams.kafka import error_of, producer_settings, reader_settings
from streams.settings import KafkaSettings, TopicSettings
from streams.topics import TopicPlan, create_topics, planned
from streams.topology import STAGES, Topics

ASK_EVERY_S = 0.2
"""How often the group's offsets are asked for while a backlog is worked off: often enough to see its end, seldom enough
to cost nothing. Rates do not rest on it, they come from the outputs' own timestamps."""
QUIET_S = 0.5
"""Nothing may follow for this long after the last message that was expected: a double would."""
QUEUE_MESSAGES = 1_000_000
COORDINATOR_STARTS = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
"""What a fresh broker says to the first who ask for a group's offsets."""
QUIET = {"log_level": 2}
"""Clients of ours that live on when the broker stops have nothing to say that matters."""


class WrongOutputs(Exception):
    """Messages were lost or doubled: a speed that was bought with them is none."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The committed messages of a topic."""

    keys: list[bytes | None]
    appended_ms: list[int]
    """When the broker appended each, by its own clock."""

    def require(self, keys: Iterable[str]) -> None:
        """Raises `WrongOutputs` unless each of `keys` is there exactly once, and nothing else."""
        wanted = {key.encode() for key in keys}
        found = set(self.keys)
        if found != wanted or len(self.keys) != len(wanted):
            raise WrongOutputs(
                f"{len(self.keys):,} outputs for {len(wanted):,} posts: {len(wanted - found):,} missing,"
                f" {len(self.keys) - len(found):,} doubled, {len(found - wanted):,} foreign"
            )


@dataclass(frozen=True, slots=True)
class Chain:
    """The topics of one run, and the environment of workers and others that use them."""

    bed: Bed
    topics: Topics
    partitions: int
    environment: dict[str, str] = field(repr=False)

    @property
    def group(self) -> str:
        return self.environment["MODSTREAM_GROUP"]

    @property
    def posts(self) -> str:
        return self.topics.stage(STAGES[0])

    def worker(self, module: str, *arguments: str, instance: str = "one", **extra: str) -> Subject:
        """A process with this chain's settings in its environment."""
        env = {**self.environment, "MODSTREAM_INSTANCE": instance, **extra}
        return Subject(module, *arguments, folder=self.bed.folder, env=env)

    def preload(self, posts: Iterable[tuple[str, bytes]], *, evenly: bool = False) -> None:
        """(key, value) to the posts topic, all of them on the broker on return.

        `evenly` deals them out one by one instead of by key, so that every partition has the same number.
        """
        producer = self.bed.producer()
        for number, (key, value) in enumerate(posts):
            place: dict[str, Any] = {"partition": number % self.partitions} if evenly else {}
            producer.produce(self.posts, value, key, **place)
            if number % 1000 == 0:
                producer.poll(0)
        if producer.flush(60) != 0:
            raise WrongOutputs("the posts could not be published")

    def wait_worked_off(self, count: int, subjects: Sequence[Subject], timeout_s: float) -> None:
        """Until the group has committed `count` messages of the posts topic.

        Raises `SubjectFailed` when a process ends before, and TimeoutError.
        """
        consumer = Consumer({"bootstrap.servers": self.bed.servers, "group.id": self.group, **QUIET})
        partitions = [TopicPartition(self.posts, partition) for partition in range(self.partitions)]
        try:
            wait_until(
                lambda: committed(consumer, partitions) >= count,
                f"{count:,} posts are worked off",
                subjects,
                timeout_s,
            )
        finally:
            consumer.close()

    def read(self, topic: str, count: int, timeout_s: float = 60.0) -> Outputs:
        """Every committed message of a topic from its beginning, of which `count` are waited for."""
        found = Outputs([], [])
        deadline = time.monotonic() + timeout_s
        last = time.monotonic()
        with self.reader(topic) as consumer:
            while len(found.keys) < count or time.monotonic() - last < QUIET_S:
                for message in consumer.consume(10_000, 0.1):
                    if message.error() is not None:
                        raise KafkaException(message.error())
                    found.keys.append(message.key())  # pyright: ignore[reportArgumentType]
                    found.appended_ms.append(message.timestamp()[1])
                    last = time.monotonic()
                if time.monotonic() > deadline:
                    raise WrongOutputs(f"{topic}: only {len(found.keys):,} of {count:,} messages came")
        return found

    def shares(self) -> dict[str, int]:
        """Member of the group -> how many partitions of the posts topic it has, while the group is stable."""
        described = self.bed.admin.describe_consumer_groups([self.group])[self.group].result()
        if described.state is not ConsumerGroupState.STABLE:
            return {}
        return {
            member.member_id: sum(place.topic == self.posts for place in member.assignment.topic_partitions)
            for member in described.members
        }

    @contextmanager
    def reader(self, topic: str) -> Generator[Consumer]:
        """A reader of committed messages on all partitions from their beginnings, in no group."""
        consumer = Consumer(
            {"bootstrap.servers": self.bed.servers, "group.id": "benchmark", **QUIET, **reader_settings()}
        )
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(self.partitions)])
        try:
            yield consumer
        finally:
            consumer.close()


class Bed:
    """A broker that runs, and a folder for logs and state. Nothing of it outlasts the benchmark."""

    def __init__(self, servers: str, broker: Watch, folder: Path) -> None:
        self.servers = servers
        self.folder = folder
        self.admin = AdminClient({"bootstrap.servers": servers, **QUIET})
        self.broker = broker

    @property
    def places(self) -> dict[str, str]:
        """Settings: what a process of ours writes lies in the benchmark's folder."""
        return {
            "MODSTREAM_STATE_DIR": str(self.folder / "state"),
            "MODSTREAM_STORE__URL": str(self.folder / "store"),
        }

    def process(self, module: str, *arguments: str) -> Subject:
        """A process that needs no topics."""
        return Subject(module, *arguments, folder=self.folder, env=self.places)

    def producer(self, **extra: Any) -> Producer:
        return Producer(
            {
                **producer_settings(KafkaSettings(bootstrap_servers=self.servers), "benchmark"),
                "queue.buffering.max.messages": QUEUE_MESSAGES,
                **QUIET,
                **extra,
            }
        )

    @contextmanager
    def chain(self, name: str) -> Generator[Chain]:
        """Fresh topics as `modstream topics create` makes them, except that the broker stamps what comes in."""
        prefix = f"{name}-{uuid.uuid4().hex[:8]}."
        settings = TopicSettings(prefix=prefix)
        topics = Topics(prefix)
        posts = topics.stage(STAGES[0])
        stamped = {"message.timestamp.type": "LogAppendTime"}
        plans = [
            plan if plan.name == posts else TopicPlan(plan.name, plan.partitions, 1, {**plan.config, **stamped})
            for plan in planned(settings)
        ]
        create_topics(self.admin, plans)
        environment = {
            "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS": self.servers,
            "MODSTREAM_TOPICS__PREFIX": prefix,
            "MODSTREAM_GROUP": prefix.rstrip("."),
            **self.places,
        }
        try:
            yield Chain(self, topics, settings.partitions, environment)
        finally:
            for deleted in self.admin.delete_topics([plan.name for plan in plans], operation_timeout=30).values():
                deleted.result()


def committed(consumer: Consumer, partitions: list[TopicPartition]) -> int:
    """How many messages of these partitions the consumer's group has committed; 0 while its coordinator starts."""
    try:
        return sum(max(0, entry.offset) for entry in consumer.committed(partitions, timeout=10))
    except KafkaException as failure:
        if error_of(failure).code() not in COORDINATOR_STARTS:
            raise
        return 0


def wait_until(done: Callable[[], bool], what: str, subjects: Sequence[Subject], timeout_s: float) -> None:
    """Ask again and again; raises `SubjectFailed` when a process ends before, and TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not done():
        for subject in subjects:
            subject.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(ASK_EVERY_S)
