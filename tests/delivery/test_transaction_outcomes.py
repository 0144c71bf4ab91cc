"""Every outcome of a transaction that ARCHITECTURE names, brought about on a real broker."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas import Stage
from streams.broker import LocalBroker
from streams.kafka import consumer_settings, producer_settings
from streams.settings import KafkaSettings
from streams.worker.delivery import AtLeastOnce, Committed, ExactlyOnce
from streams.worker.ledger import Output
from tests.delivery.cluster import PATIENCE_S, Cluster, post

TIMEOUT_S = 10.0


class Member:
    """A consumer in the chain's group, with a partition of the posts."""

    def __init__(self, cluster: Cluster, meanwhile: Member | None = None) -> None:
        self.topic = cluster.topics.stage(Stage.INGEST)
        settings = consumer_settings(KafkaSettings(bootstrap_servers=cluster.bootstrap), cluster.prefix.rstrip("."))
        self.consumer = Consumer(settings)
        self.consumer.subscribe([self.topic])
        while not self.consumer.assignment():
            self.consumer.poll(0.1)
            if meanwhile is not None:
                meanwhile.consumer.poll(0.1)  # a rebalance needs every member

    def leave(self) -> None:
        self.consumer.close()


@pytest.fixture
def member(cluster: Cluster) -> Iterator[Member]:
    cluster.publish([post("p-1")])
    made = Member(cluster)
    yield made
    made.leave()


def exactly_once(cluster: Cluster, *, timed_out: Callable[[], None] = lambda: None) -> ExactlyOnce:
    settings = producer_settings(KafkaSettings(bootstrap_servers=cluster.bootstrap))
    made = ExactlyOnce(settings, f"{cluster.prefix}one", TIMEOUT_S, alive=lambda: None, timed_out=timed_out)
    made.open()
    return made


def out(cluster: Cluster, name: str) -> Output:
    return Output(cluster.topics.decisions, name.encode(), name.encode())


def published(cluster: Cluster) -> list[bytes | None]:
    return [message.key() for message in cluster.read(cluster.topics.decisions, 0, quiet_s=0.3)]  # pyright: ignore[reportReturnType]


@pytest.mark.timeout(120)
def test_a_commit_publishes_outputs_and_offsets_together(cluster: Cluster, member: Member) -> None:
    delivery = exactly_once(cluster)
    offsets = {(member.topic, 0): 5}
    assert delivery.commit([out(cluster, "a")], offsets, member.consumer) is Committed.DONE
    assert published(cluster) == [b"a"]
    assert cluster.committed(member.topic)[0] == 5


@pytest.mark.timeout(120)
def test_an_abortable_error_aborts_and_the_outputs_can_be_sent_again(cluster: Cluster, member: Member) -> None:
    delivery = exactly_once(cluster)
    past = _PastGeneration(member.consumer)
    other = Member(cluster, meanwhile=member)  # its arrival begins a new generation
    # A partition that has moved: for one that stayed, Kafka 4.3 takes the word of an earlier generation.
    moved = other.consumer.assignment()[0].partition
    outputs, offsets = [out(cluster, "a")], {(member.topic, moved): 1}
    assert delivery.commit(outputs, offsets, past) is Committed.ABORTED  # pyright: ignore[reportArgumentType]
    assert "generation" in delivery.trouble.lower()
    assert published(cluster) == []
    assert delivery.commit(outputs, offsets, member.consumer) is Committed.DONE
    assert published(cluster) == [b"a"]
    other.leave()


def stop_all_threads(pid: int) -> None:
    """SIGSTOP, and wait until the kernel has stopped every thread (Linux): on a busy machine that takes longer than a
    commit does."""
    os.kill(pid, signal.SIGSTOP)
    deadline_s = time.monotonic() + PATIENCE_S
    tasks = Path(f"/proc/{pid}/task")
    while any((task / "stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()):
        assert time.monotonic() < deadline_s, "a thread did not stop"


class _PastGeneration:
    """A consumer that has not heard of the last rebalance: its metadata are those of before."""

    def __init__(self, consumer: Consumer) -> None:
        self._metadata = consumer.consumer_group_metadata()

    def consumer_group_metadata(self) -> object:
        return self._metadata


@pytest.mark.timeout(120)
def test_a_commit_that_times_out_is_asked_for_again_and_never_aborted(
    cluster: Cluster, member: Member, kafka: LocalBroker
) -> None:
    def wake() -> None:
        timeouts.append(1)
        os.kill(kafka.pid, signal.SIGCONT)

    timeouts: list[int] = []
    delivery = exactly_once(cluster, timed_out=wake)
    assert delivery.commit([out(cluster, "a")], {(member.topic, 0): 1}, member.consumer) is Committed.DONE

    producer = delivery.producer
    frozen = threading.Event()

    class Freezer:
        """Stops the broker between the offsets and the commit, so that the commit's outcome is unknown."""

        def __getattr__(self, name: str) -> object:
            if name == "commit_transaction" and not frozen.is_set():
                frozen.set()
                stop_all_threads(kafka.pid)
            return getattr(producer, name)

    delivery.producer = Freezer()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        assert delivery.commit([out(cluster, "b")], {(member.topic, 0): 2}, member.consumer) is Committed.DONE
    finally:
        os.kill(kafka.pid, signal.SIGCONT)
    assert timeouts, "the commit timed out first"
    assert sorted(published(cluster), key=str) == [b"a", b"b"]
    assert cluster.committed(member.topic)[0] == 2


@pytest.mark.timeout(120)
def test_a_producer_that_another_has_replaced_is_fenced_and_publishes_nothing(cluster: Cluster, member: Member) -> None:
    first = exactly_once(cluster)
    assert first.commit([out(cluster, "a")], {(member.topic, 0): 1}, member.consumer) is Committed.DONE
    second = exactly_once(cluster)
    assert first.commit([out(cluster, "b")], {(member.topic, 0): 2}, member.consumer) is Committed.FENCED
    assert second.commit([out(cluster, "c")], {(member.topic, 0): 2}, member.consumer) is Committed.DONE
    assert sorted(published(cluster), key=str) == [b"a", b"c"]
    first.open()  # and it can begin anew
    assert first.commit([out(cluster, "d")], {(member.topic, 0): 3}, member.consumer) is Committed.DONE


@pytest.mark.timeout(150)
def test_a_broker_that_stays_away_leaves_the_outcome_lost_and_a_new_producer_goes_on(
    cluster: Cluster, member: Member, kafka: LocalBroker
) -> None:
    settings = producer_settings(KafkaSettings(bootstrap_servers=cluster.bootstrap))
    delivery = ExactlyOnce(settings, f"{cluster.prefix}one", 2.0, alive=lambda: None, timed_out=lambda: None)
    delivery.open()
    stop_all_threads(kafka.pid)
    try:
        ended = delivery.commit([out(cluster, "a")], {(member.topic, 0): 1}, member.consumer)
    finally:
        os.kill(kafka.pid, signal.SIGCONT)
    assert ended in {Committed.LOST, Committed.FENCED}, "nobody can say whether it was published"
    delivery.open()
    again = Member(cluster)  # the session may have ended with the broker away
    assert delivery.commit([out(cluster, "b")], {(member.topic, 0): 2}, again.consumer) is Committed.DONE
    assert b"b" in published(cluster)
    again.leave()


@pytest.mark.timeout(120)
def test_at_least_once_sees_failed_deliveries_though_flush_is_content(cluster: Cluster, member: Member) -> None:
    settings = producer_settings(KafkaSettings(bootstrap_servers=cluster.bootstrap))
    delivery = AtLeastOnce(settings, TIMEOUT_S, alive=lambda: None)
    delivery.open()
    narrow = f"{cluster.prefix}narrow"
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic(narrow, 1, 1, config={"max.message.bytes": "1000"})])[narrow].result()
    refused = Output(narrow, b"a", os.urandom(5_000))
    assert delivery.commit([refused], {(member.topic, 0): 1}, member.consumer) is Committed.ABORTED
    assert delivery.trouble
    assert cluster.committed(member.topic)[0] < 1
    assert delivery.commit([out(cluster, "a")], {(member.topic, 0): 1}, member.consumer) is Committed.DONE
    assert cluster.committed(member.topic)[0] == 1
    delivery.close()
