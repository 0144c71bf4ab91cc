"""A batch leaves when it is full by number or cost, or when its oldest item has waited long enough."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.contract import BatchPolicy
from streams.worker.batcher import Batcher, Taken, Work
from tests.worker.parts import record_of, work_of

RECORD = record_of()


class Clock:
    """Seconds that pass when somebody waits; `meanwhile` is what happens during the waits, one after the other."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float | None] = []
        self.meanwhile: list[Callable[[], None]] = []

    def __call__(self) -> float:
        return self.now


class Waiting(threading.Condition):
    """A condition that lets the clock's time pass instead of waiting."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.waits.append(timeout)
        if self._clock.meanwhile:
            self._clock.meanwhile.pop(0)()
            return True
        assert timeout is not None, "it would wait for ever"
        self._clock.now += timeout
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def batcher(clock: Clock) -> Batcher:
    """Of 3 items, cost 10, half a second."""
    return batcher_of(clock, BatchPolicy(max_items=3, max_cost=10, max_wait_s=0.5))


def batcher_of(clock: Clock, policy: BatchPolicy) -> Batcher:
    batcher = Batcher(policy, clock)
    batcher._changed = Waiting(clock)
    return batcher


def work(cost: int = 1) -> Work:
    return work_of(RECORD, cost=cost)


def taken(batcher: Batcher) -> Taken:
    found = batcher.take()
    assert found is not None
    return found


def test_a_batch_that_is_full_by_number_leaves_at_once_in_order(batcher: Batcher, clock: Clock) -> None:
    works = [work() for _ in range(5)]
    batcher.put(works)
    assert taken(batcher).works == works[:3]
    assert clock.waits == []
    assert len(batcher) == 2


def test_a_batch_that_is_full_by_cost_leaves_at_once(batcher: Batcher, clock: Clock) -> None:
    works = [work(6), work(4)]
    batcher.put(works)
    assert (taken(batcher).works, clock.waits) == (works, [])


def test_what_would_cost_too_much_stays_for_the_next_batch(batcher: Batcher) -> None:
    works = [work(6), work(5)]
    batcher.put(works)
    first = taken(batcher)
    assert (first.works, first.cost) == (works[:1], 6)
    assert taken(batcher).works == works[1:]


def test_an_item_over_the_cost_is_a_batch_of_its_own(batcher: Batcher) -> None:
    small, huge, after = work(1), work(500), work(1)
    batcher.put([small, huge, after])
    assert [taken(batcher).works for _ in range(3)] == [[small], [huge], [after]]


def test_a_batch_that_is_not_full_leaves_when_its_first_item_has_waited(batcher: Batcher, clock: Clock) -> None:
    batcher.put([work()])
    clock.now = 0.2
    batcher.put([work()])
    found = taken(batcher)
    assert clock.waits == [pytest.approx(0.3)]
    assert len(found.works) == 2
    assert found.waited_s == pytest.approx(0.5)


def test_what_arrives_during_the_wait_joins_and_may_fill_the_batch(batcher: Batcher, clock: Clock) -> None:
    works = [work() for _ in range(3)]
    batcher.put(works[:1])
    clock.meanwhile = [lambda: batcher.put(works[1:2]), lambda: batcher.put(works[2:])]
    found = taken(batcher)
    assert found.works == works
    assert found.waited_s == 0.0


def test_without_a_wait_what_is_there_leaves(clock: Clock) -> None:
    batcher = batcher_of(clock, BatchPolicy(max_items=100, max_cost=100, max_wait_s=0.0))
    works = [work(), work()]
    batcher.put(works)
    assert (taken(batcher).works, clock.waits) == (works, [])


def test_an_idle_stage_waits_for_as_long_as_it_takes(batcher: Batcher, clock: Clock) -> None:
    clock.meanwhile = [lambda: batcher.put([work(10)])]
    assert len(taken(batcher).works) == 1
    assert clock.waits == [None]


def test_the_wait_told_is_that_of_the_batch_not_of_what_stays(batcher: Batcher, clock: Clock) -> None:
    batcher.put([work() for _ in range(3)])
    clock.now = 0.4
    batcher.put([work()])
    assert taken(batcher).waited_s == pytest.approx(0.4)
    assert taken(batcher).waited_s == pytest.approx(0.5)


def test_a_closed_batcher_hands_out_nothing_more(batcher: Batcher) -> None:
    batcher.put([work() for _ in range(3)])
    batcher.close()
    assert batcher.take() is None


def test_closing_ends_a_wait(batcher: Batcher, clock: Clock) -> None:
    batcher.put([work()])
    clock.meanwhile = [batcher.close]
    assert batcher.take() is None


def test_closing_wakes_every_taker() -> None:
    batcher = Batcher(BatchPolicy(max_items=3, max_cost=10, max_wait_s=0.0))
    ended: list[Taken | None] = []
    takers = [threading.Thread(target=lambda: ended.append(batcher.take())) for _ in range(3)]
    for taker in takers:
        taker.start()
    batcher.close()
    for taker in takers:
        taker.join(10)
    assert ended == [None, None, None]


def test_a_list_of_two_batches_wakes_two_takers() -> None:
    """Each taker keeps the first batch that it gets until both have one: none can take the other's."""
    batcher = Batcher(BatchPolicy(max_items=1, max_cost=10, max_wait_s=0.0))
    both = threading.Barrier(3, timeout=10)

    def take_one() -> None:
        batcher.take()
        both.wait()

    takers = [threading.Thread(target=take_one, daemon=True) for _ in range(2)]
    for taker in takers:
        taker.start()
    batcher.put([work(), work()])
    both.wait()  # breaks after its time-out if one of them was left asleep
    assert len(batcher) == 0


def test_many_threads_get_each_item_once() -> None:
    batcher = Batcher(BatchPolicy(max_items=7, max_cost=20, max_wait_s=0.0))
    works = [work(cost=at % 5 + 1) for at in range(1200)]
    got: list[list[Work]] = [[] for _ in range(3)]
    left = threading.Semaphore(0)

    def take_all(into: list[Work]) -> None:
        while (found := batcher.take()) is not None:
            into += found.works
            for _ in found.works:
                left.release()

    takers = [threading.Thread(target=take_all, args=(into,)) for into in got]
    putters = [
        threading.Thread(target=lambda start=start: [batcher.put(works[at : at + 5]) for at in range(start, 1200, 20)])
        for start in range(0, 20, 5)
    ]
    for thread in (*takers, *putters):
        thread.start()
    for _ in works:
        assert left.acquire(timeout=10)
    batcher.close()
    for thread in (*takers, *putters):
        thread.join(10)
    assert sorted(map(id, chain.from_iterable(got))) == sorted(map(id, works))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 8), st.integers(1, 40), st.floats(0, 2))
def test_no_batch_is_over_its_limits_and_items_keep_their_order(
    costs: list[int], max_items: int, max_cost: int, max_wait_s: float
) -> None:
    clock = Clock()
    batcher = batcher_of(clock, BatchPolicy(max_items=max_items, max_cost=max_cost, max_wait_s=max_wait_s))
    works = [work(cost) for cost in costs]
    batcher.put(works)
    order: list[Work] = []
    while len(batcher):
        found = taken(batcher)
        assert len(found.works) <= max_items
        assert found.cost == sum(entry.cost for entry in found.works)
        assert found.cost <= max_cost or len(found.works) == 1 or found.cost - found.works[0].cost == 0
        assert 0 <= found.waited_s <= max_wait_s + 1e-9
        order += found.works
    assert order == works
    assert batcher._cost == 0
