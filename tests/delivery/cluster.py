"""A chain on the session's Kafka for one test: its topics, its worker processes, and what comes out of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.kafka import MESSAGE_BYTES
from streams.offsets import committed_offsets
from streams.topology import STAGES, Topics

ALL = (*(stage.value for stage in STAGES), "retry")
PATIENCE_S = 90.0
"""How long a test waits for what must come. Only a failing test waits that long."""


@dataclass
class Process:
    """A worker process and what it has said."""

    popen: subprocess.Popen[str]
    log: Path

    def wait_ready(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            if line.strip() == "ready":
                return
        raise AssertionError(f"the worker ended before it was ready:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def terminate(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(60)

    def children(self) -> list[int]:
        """The processes that it has started: its decoders (Linux)."""
        tasks = Path(f"/proc/{self.popen.pid}/task")
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


@dataclass
class Cluster:
    """Topics under one prefix, workers of one group."""

    bootstrap: str
    prefix: str
    folder: Path
    partitions: int = 3
    processes: list[Process] = field(default_factory=list[Process])

    def __post_init__(self) -> None:
        self.topics = Topics(self.prefix)
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        config = {"max.message.bytes": str(MESSAGE_BYTES)}
        new = [NewTopic(topic, self.partitions, 1, config=config) for topic in self.topics.all()]
        for future in admin.create_topics(new).values():
            future.result()
        self._producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "enable.idempotence": True,
                "message.max.bytes": MESSAGE_BYTES,
            }
        )

    def environment(self, instance: str, **extra: str) -> dict[str, str]:
        return {
            **os.environ,
            "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "MODSTREAM_TOPICS__PREFIX": self.prefix,
            "MODSTREAM_GROUP": self.prefix.rstrip("."),
            "MODSTREAM_INSTANCE": instance,
            "MODSTREAM_STATE_DIR": str(self.folder / "state"),
            "MODSTREAM_STORE__URL": str(self.folder / "store"),
            "MODSTREAM_WORKER__CPU_THREADS": "1",
            **extra,
        }

    def start(self, instance: str = "one", stages: Sequence[str] = ALL, **extra: str) -> Process:
        """A worker process with the light chain, ready; `extra` are environment variables."""
        process = self.launch(instance, stages, **extra)
        process.wait_ready()
        return process

    def launch(self, instance: str = "one", stages: Sequence[str] = ALL, **extra: str) -> Process:
        """The same, without waiting for it."""
        return self.spawn(instance, "tests.delivery.segment", *stages, **extra)

    def spawn(self, instance: str, module: str, *arguments: str, **extra: str) -> Process:
        """A Python module as a process of this chain."""
        log = self.folder / f"{instance}-{len(self.processes)}.log"
        with log.open("w") as stderr:
            popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment(instance, **extra),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=Path(__file__).resolve().parents[2],
            )
        process = Process(popen, log)
        self.processes.append(process)
        return process

    def publish(
        self,
        posts: Iterable[tuple[str, dict[str, Any] | bytes | None]],
        *,
        topic: str | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """(key, post) to the posts topic, all of them delivered on return; bytes go as they are, None deletes."""
        to = topic or self.topics.stage(STAGES[0])
        for key, post in posts:
            value = post if isinstance(post, bytes) or post is None else json.dumps(post).encode()
            while True:
                try:
                    self._producer.produce(to, value, key, headers=list(headers))
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
        assert self._producer.flush(PATIENCE_S) == 0, "posts were not delivered"

    def read(self, topic: str, count: int, *, quiet_s: float = 1.0, committed_only: bool = True) -> list[Message]:
        """The messages of a topic, in the order of each partition: at least `count` are waited for, and then everything
        up to a moment at which all partitions stood at their ends and nothing had come for `quiet_s`."""
        found: list[Message] = []
        deadline = time.monotonic() + PATIENCE_S
        last = time.monotonic()
        ended: set[int] = set()
        consumer = self._consumer(topic, committed_only=committed_only)
        try:
            while len(found) < count or len(ended) < self.partitions or time.monotonic() - last < quiet_s:
                for message in consumer.consume(10_000, 0.1):
                    if message.error() is None:
                        found.append(message)
                        ended.discard(message.partition() or 0)
                        last = time.monotonic()
                    else:
                        ended.add(message.partition() or 0)
                assert time.monotonic() < deadline, f"{topic}: {len(found)} of {count} messages came"
        finally:
            consumer.close()
        return found

    def follow(self, topic: str) -> Iterator[Message]:
        """Messages of a topic as they come, without end."""
        consumer = self._consumer(topic, committed_only=True)
        try:
            while True:
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    yield message
        finally:
            consumer.close()

    def committed(self, topic: str) -> dict[int, int]:
        """The group's committed offset of each partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.prefix.rstrip(".")})
        try:
            asked = [(topic, partition) for partition in range(self.partitions)]
            return {entry.partition: entry.offset for entry in committed_offsets(consumer, asked).values()}
        finally:
            consumer.close()

    def ends(self, topic: str) -> dict[int, int]:
        """The end offset of each partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "ends"})
        try:
            return {
                partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)[1]
                for partition in range(self.partitions)
            }
        finally:
            consumer.close()

    def close(self) -> None:
        for process in self.processes:
            if process.popen.poll() is None:
                process.kill()
            if process.popen.stdout is not None:
                process.popen.stdout.close()

    def _consumer(self, topic: str, *, committed_only: bool) -> Consumer:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "reader",
                "isolation.level": "read_committed" if committed_only else "read_uncommitted",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(self.partitions)])
        return consumer


def post(post_id: str, text: str = "hello", *, picture: bool = False) -> tuple[str, dict[str, Any]]:
    value: dict[str, Any] = {"schema": "post/1", "post_id": post_id, "text": text}
    if picture:
        value["media"] = [{"media_id": "m-1", "kind": "image", "uri": "https://cdn.example/x.jpg"}]
    return post_id, value


def alive(pid: int) -> bool:
    """Whether a process runs (Linux); False also for one that is dead and has not been waited for."""
    try:
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")
    except (FileNotFoundError, ProcessLookupError):
        return False


def decisions(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [json.loads(message.value() or b"null") for message in messages]
