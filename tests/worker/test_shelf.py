"""A retry waits on its topic until it is due: its partition is paused, and read again from there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.worker.ledger import PartitionLedger, TopicPartitionKey
from streams.worker.outcomes import Received
from streams.worker.pauses import Pauses, Why
from streams.worker.shelf import Shelf
from tests.worker.parts import message

RETRY = "moderation.retry.5s"
NOW_S = 1_795_316_080.0


class Client:
    """Remembers where reading goes on, and what is paused."""

    def __init__(self) -> None:
        self.seeks: list[tuple[str, int, int]] = []
        self.paused: set[TopicPartitionKey] = set()

    def seek(self, place: TopicPartition) -> None:
        self.seeks.append((place.topic, place.partition, place.offset))

    def pause(self, keys: Collection[TopicPartitionKey]) -> None:
        self.paused |= set(keys)

    def resume(self, keys: Collection[TopicPartitionKey]) -> None:
        self.paused -= set(keys)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def pauses(client: Client) -> Pauses:
    return Pauses(client.pause, client.resume)


@pytest.fixture
def shelf(client: Client, pauses: Pauses) -> Shelf:
    return Shelf(cast("Consumer", cast("Any", client)), pauses)


@pytest.fixture
def home() -> PartitionLedger:
    return PartitionLedger(RETRY, 0)


def waiting(offset: int, due_in_s: float) -> Received:
    not_before = str(int((NOW_S + due_in_s) * 1000)).encode()
    return message(b"{}", topic=RETRY, offset=offset, headers=[("modstream-not-before", not_before)])


def test_a_retry_that_is_due_is_let_through(shelf: Shelf, home: PartitionLedger, client: Client) -> None:
    assert not shelf.holds(home, waiting(4, 0.0), NOW_S)
    assert (client.paused, client.seeks) == (set(), [])


def test_one_that_is_not_due_holds_its_partition_and_is_read_again(
    shelf: Shelf, home: PartitionLedger, client: Client
) -> None:
    assert shelf.holds(home, waiting(4, 3.0), NOW_S)
    assert client.paused == {(RETRY, 0)}
    assert client.seeks == [(RETRY, 0, 4)]


def test_all_behind_it_wait_too_without_another_seek(shelf: Shelf, home: PartitionLedger, client: Client) -> None:
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    assert shelf.holds(home, waiting(5, -9.0), NOW_S)
    assert client.seeks == [(RETRY, 0, 4)]


def test_the_partition_goes_on_when_its_first_is_due(shelf: Shelf, home: PartitionLedger, client: Client) -> None:
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    shelf.lift_due(NOW_S + 2.9)
    assert client.paused == {(RETRY, 0)}
    shelf.lift_due(NOW_S + 3.0)
    assert client.paused == set()
    assert not shelf.holds(home, waiting(4, 3.0), NOW_S + 3.0)


def test_the_partitions_end_behind_a_waiting_retry_is_not_committed(shelf: Shelf, home: PartitionLedger) -> None:
    """Messages and the end can come out of the client at once: committing the end would lose what waits."""
    home.admit(3, 1, 0.0, None).outputs = []
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    shelf.holds(home, waiting(5, 3.0), NOW_S)
    home.reached_end(7)
    prefix = home.prefix()
    assert prefix is not None
    assert prefix.next_offset == 4
    home.release(prefix)
    shelf.lift_due(NOW_S + 3.0)
    for offset in (4, 5):
        assert not shelf.holds(home, waiting(offset, 3.0), NOW_S + 3.0)
        home.admit(offset, 1, 0.0, None).outputs = []
    home.reached_end(7)
    prefix = home.prefix()
    assert prefix is not None
    assert (prefix.count, prefix.next_offset) == (2, 7)


def test_partitions_wait_each_for_its_own(shelf: Shelf, home: PartitionLedger, client: Client) -> None:
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    shelf.holds(PartitionLedger(RETRY, 1), waiting(9, 1.0), NOW_S)
    shelf.lift_due(NOW_S + 1.0)
    assert client.paused == {(RETRY, 0)}


@pytest.mark.parametrize("header", [None, b"", b"soon", b"1e30", b"9" * 30])
def test_one_that_does_not_say_when_is_due_now(shelf: Shelf, home: PartitionLedger, header: bytes | None) -> None:
    received = message(b"{}", topic=RETRY, headers=[("modstream-not-before", header)])
    assert not shelf.holds(home, received, NOW_S)
    assert not shelf.holds(home, message(b"{}", topic=RETRY), NOW_S)


def test_a_partition_that_is_another_workers_is_not_resumed(
    shelf: Shelf, home: PartitionLedger, pauses: Pauses, client: Client
) -> None:
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    pauses.forget([(RETRY, 0)])
    client.paused.clear()
    shelf.lift_due(NOW_S + 9.0)
    assert client.paused == set()


def test_a_partition_that_went_and_came_back_waits_anew(
    shelf: Shelf, home: PartitionLedger, pauses: Pauses, client: Client
) -> None:
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    pauses.forget([(RETRY, 0)])
    assert shelf.holds(PartitionLedger(RETRY, 0), waiting(4, 3.0), NOW_S)
    shelf.lift_due(NOW_S + 1.0)
    assert pauses.held(Why.NOT_BEFORE) == {(RETRY, 0)}
    assert client.seeks == [(RETRY, 0, 4)] * 2


def test_a_retry_does_not_resume_what_waits_for_another_reason(
    shelf: Shelf, home: PartitionLedger, pauses: Pauses, client: Client
) -> None:
    shelf.holds(home, waiting(4, 3.0), NOW_S)
    pauses.hold(Why.BREAKER, [(RETRY, 0)])
    shelf.lift_due(NOW_S + 9.0)
    assert client.paused == {(RETRY, 0)}
