"""A partition is paused for as long as there is any reason, and the client is told only of changes."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.ledger import TopicPartitionKey
from streams.worker.pauses import Pauses, Why

P0, P1, P2 = ("posts", 0), ("posts", 1), ("posts", 2)


class Client:
    """Remembers what is paused, and insists on being told only of changes."""

    def __init__(self) -> None:
        self.paused: set[TopicPartitionKey] = set()
        self.calls: list[tuple[str, set[TopicPartitionKey]]] = []

    def pause(self, keys: Collection[TopicPartitionKey]) -> None:
        assert keys
        assert self.paused.isdisjoint(keys)
        self.paused |= set(keys)
        self.calls.append(("pause", set(keys)))

    def resume(self, keys: Collection[TopicPartitionKey]) -> None:
        assert keys
        assert self.paused.issuperset(keys)
        self.paused -= set(keys)
        self.calls.append(("resume", set(keys)))


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def pauses(client: Client) -> Pauses:
    return Pauses(client.pause, client.resume)


def test_what_is_held_is_paused_once(pauses: Pauses, client: Client) -> None:
    pauses.hold(Why.BUDGET, [P0, P1])
    pauses.hold(Why.BUDGET, [P0, P1])
    assert client.calls == [("pause", {P0, P1})]
    assert pauses.held(Why.BUDGET) == {P0, P1}


def test_a_second_reason_changes_nothing_for_the_client(pauses: Pauses, client: Client) -> None:
    pauses.hold(Why.BUDGET, [P0])
    pauses.hold(Why.BREAKER, [P0, P1])
    assert client.calls == [("pause", {P0}), ("pause", {P1})]


def test_it_is_resumed_when_the_last_reason_is_gone(pauses: Pauses, client: Client) -> None:
    pauses.hold(Why.BUDGET, [P0, P1])
    pauses.hold(Why.NEWER_VERSION, [P0])
    pauses.lift(Why.BUDGET)
    assert client.paused == {P0}
    assert pauses.is_held(P0)
    pauses.lift(Why.NEWER_VERSION, [P0])
    assert client.paused == set()


def test_lifting_what_is_not_held_is_nothing(pauses: Pauses, client: Client) -> None:
    pauses.lift(Why.BREAKER)
    pauses.lift(Why.BREAKER, [P0])
    assert client.calls == []


def test_a_partition_that_is_given_up_is_resumed_first_and_not_touched_any_more(pauses: Pauses, client: Client) -> None:
    pauses.hold(Why.BUDGET, [P0, P1])
    pauses.forget([P0])
    pauses.lift(Why.BUDGET)
    assert client.calls[1:] == [("resume", {P0}), ("resume", {P1})]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "lift", "lift all"]),
        st.sampled_from(list(Why)),
        st.sets(st.sampled_from([P0, P1, P2])),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_is_held_and_lifted_the_client_has_what_has_a_reason(
    steps: list[tuple[str, Why, set[TopicPartitionKey]]],
) -> None:
    client = Client()
    pauses = Pauses(client.pause, client.resume)
    for what, why, keys in steps:
        if what == "hold":
            pauses.hold(why, keys)
        else:
            pauses.lift(why, keys if what == "lift" else None)
        assert client.paused == {key for key in (P0, P1, P2) if pauses.is_held(key)}
        assert client.paused == frozenset[TopicPartitionKey]().union(*(pauses.held(reason) for reason in Why))
