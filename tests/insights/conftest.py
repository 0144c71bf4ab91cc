from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from schemas import Insight, decode_insight
from streams.broker import LocalBroker
from streams.insights import InsightTopics, Message, Source
from streams.kafka import check_connection, new_producer, producer_settings
from streams.offsets import end_offsets, first_offsets, places_of
from streams.reader import Read, read_between
from streams.settings import InsightSettings, KafkaSettings, MetricSettings, Settings, TopicSettings
from streams.topics import create_topics, planned

PARTITIONS = 3
PATIENCE_S = 90.0
"""Only a failing test waits that long."""

INSIGHTS = InsightSettings(
    window_s=10, grace_s=2, drift_window_s=60, reference_s=120, drift_min_scores=20, flood_posts=5
)
METRICS = MetricSettings(tenants=("default", "acme"))


@dataclass
class Worker:
    """`modstream insights` in a process of its own."""

    process: subprocess.Popen[str]
    ready: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._note, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            if line == "ready\n":
                self.ready.set()

    def _note(self) -> None:
        self.said.extend(self.process.stderr or ())

    def wait_ready(self) -> None:
        until(lambda: self.ready.is_set() or self.process.poll() is not None, lambda: "".join(self.said))
        assert self.process.poll() is None, "".join(self.said)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def until(holds: Callable[[], bool], why: Callable[[], str]) -> None:
    """Wait for a condition."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, why()
        time.sleep(0.05)  # between two looks; what is waited for is the condition


@dataclass
class Insighted:
    """Topics on the real Kafka that only one test uses, and the workers on them."""

    settings: Settings
    admin: AdminClient
    producer: Producer
    workers: list[Worker] = field(default_factory=list[Worker])

    @property
    def topics(self) -> InsightTopics:
        return InsightTopics(self.settings)

    def publish(self, messages: Iterable[Message]) -> None:
        """Deliver them to the partitions that they name."""
        _produce(self.producer, self._names(), messages)
        assert self.producer.flush(30) == 0

    @contextmanager
    def transaction(self, messages: Iterable[Message], *, commit: bool) -> Generator[None]:
        """Deliver them in one transaction, which is open within the `with` and then ends as `commit` says."""
        producer = new_producer(
            {**producer_settings(self.settings.kafka, "test"), "transactional.id": f"{self.settings.group}.{commit}"}
        )
        producer.init_transactions(20)
        producer.begin_transaction()
        _produce(producer, self._names(), messages)
        producer.flush(20)
        yield
        if commit:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)

    def _names(self) -> dict[Source, str]:
        return {source: topic for topic, source in self.topics.sources().items()}

    def start(self, *flags: str) -> Worker:
        insights = self.settings.insights
        worker = Worker(
            subprocess.Popen(
                [sys.executable, "-m", "commands", "insights", *self.flags, *flags],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith("MODSTREAM_")},
                    "MODSTREAM_TOPICS__PARTITIONS": str(PARTITIONS),
                    "MODSTREAM_METRICS__TENANTS": ",".join(self.settings.metrics.tenants),
                    **{
                        f"MODSTREAM_INSIGHTS__{name.upper()}": str(getattr(insights, name)).lower()
                        for name in InsightSettings.__struct_fields__
                    },
                },
            )
        )
        self.workers.append(worker)
        return worker

    @property
    def flags(self) -> tuple[str, ...]:
        return (
            f"--bootstrap-servers={self.settings.kafka.bootstrap_servers}",
            f"--topics-prefix={self.settings.topics.prefix}",
            f"--group={self.settings.group}",
        )

    def read(self, topic: str) -> list[Read]:
        """Every committed message of a topic, now."""
        places = places_of(self.admin, [topic])
        first, end = first_offsets(self.admin, places), end_offsets(self.admin, places)
        return list(read_between(self.settings.kafka, self.settings.group, "test", first, end))

    def size(self, topic: str) -> int:
        """Offsets used, of a topic that may not be there yet."""
        if topic not in self.admin.list_topics(timeout=20).topics:
            return 0
        return sum(end_offsets(self.admin, places_of(self.admin, [topic])).values())

    def insights(self) -> dict[str, Insight]:
        """The latest for each key."""
        found: dict[str, Insight] = {}
        for message in self.read(self.topics.insights):
            insight = decode_insight(message.value or b"")
            assert message.key == insight.key.encode()
            found[insight.key] = insight
        return found

    def said(self) -> list[list[str]]:
        return [worker.said[-5:] for worker in self.workers]

    def members(self) -> dict[str, set[tuple[str, int]]]:
        """Of the insights' group: member -> what it was assigned."""
        group = self.topics.group
        found = self.admin.describe_consumer_groups([group], request_timeout=20)[group].result()
        return {
            member.member_id: {(place.topic, place.partition) for place in member.assignment.topic_partitions}
            for member in found.members
        }

    def wait_for(self, expected: dict[str, Insight]) -> None:
        """Until every insight expected is there, and then they must all be as expected, and no others be there."""
        until(
            lambda: expected.keys() <= self.insights().keys(),
            lambda: f"missing: {sorted(expected.keys() - self.insights().keys())[:5]}; {self.said()}",
        )
        found = self.insights()
        assert sorted(found) == sorted(expected)
        assert {key: insight for key, insight in found.items() if insight != expected[key]} == {}


def _produce(producer: Producer, names: dict[Source, str], messages: Iterable[Message]) -> None:
    def delivered(error: Any, _: object) -> None:
        assert error is None, error.str()

    for message in messages:
        while True:
            try:
                producer.produce(
                    names[message.source],
                    message.value,
                    f"{message.partition}-{message.offset}",
                    message.partition,
                    delivered,
                    timestamp=message.timestamp_ms,
                    headers=list(message.headers),
                )
                break
            except BufferError:
                producer.poll(0.1)


@pytest.fixture
def insighted(kafka: LocalBroker, topic_prefix: str) -> Iterator[Insighted]:
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers),
        topics=TopicSettings(prefix=topic_prefix, partitions=PARTITIONS),
        group=topic_prefix.rstrip("."),
        insights=INSIGHTS,
        metrics=METRICS,
    )
    admin = check_connection(settings.kafka)
    topics = InsightTopics(settings)
    needed = {*topics.sources(), topics.insights}
    create_topics(admin, [plan for plan in planned(settings.topics) if plan.name in needed])
    system = Insighted(settings, admin, new_producer(producer_settings(settings.kafka, "test")))
    yield system
    for worker in system.workers:
        if worker.process.poll() is None:
            worker.kill()
