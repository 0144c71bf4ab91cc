"""The worker stops when too much fails by its own fault, and goes on when a probe succeeds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.breaker import Breaker, BreakerPolicy, BreakerState

POLICY = BreakerPolicy(window_s=60.0, min_count=20, ratio=0.5, probe_interval_s=10.0)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(POLICY)


@pytest.fixture
def opened(breaker: Breaker) -> Breaker:
    assert breaker.record(100.0, 20, 20)
    return breaker


def test_it_opens_once_enough_has_failed(breaker: Breaker) -> None:
    assert not breaker.record(0.0, 19, 19)
    assert breaker.record(1.0, 1, 1)
    assert breaker.state is BreakerState.OPEN


def test_a_few_failures_say_nothing_however_large_their_share(breaker: Breaker) -> None:
    assert not breaker.record(0.0, 19, 19)
    assert breaker.state is BreakerState.CLOSED


def test_single_poison_posts_in_a_stream_that_works_stay_below_the_ratio(breaker: Breaker) -> None:
    for second in range(50):
        assert not breaker.record(float(second), 100, 2)


def test_what_succeeds_counts_against_opening(breaker: Breaker) -> None:
    """Also posts that are invalid, which are never among the failures: a sender cannot stop us."""
    assert not breaker.record(0.0, 50, 0)
    assert not breaker.record(1.0, 30, 30)
    assert breaker.record(2.0, 20, 20)


def test_failures_that_are_long_past_count_no_more(breaker: Breaker) -> None:
    assert not breaker.record(0.0, 19, 19)
    assert not breaker.record(61.0, 19, 19)
    assert breaker.record(62.0, 1, 1)


def test_an_open_breaker_does_not_open_again(opened: Breaker) -> None:
    assert not opened.record(101.0, 50, 50)
    assert opened.state is BreakerState.OPEN


def test_a_probe_is_let_through_after_the_interval_and_only_one(opened: Breaker) -> None:
    assert not opened.may_probe(109.9)
    assert opened.may_probe(110.0)
    assert opened.state is BreakerState.PROBING
    assert not opened.may_probe(200.0)


def test_a_closed_breaker_has_nothing_to_probe(breaker: Breaker) -> None:
    assert not breaker.may_probe(1e9)


def test_a_probe_that_succeeds_closes_it_and_the_past_is_forgotten(opened: Breaker) -> None:
    assert opened.may_probe(110.0)
    assert not opened.record(111.0, 32, 0)
    assert opened.state is BreakerState.CLOSED
    assert not opened.record(112.0, 19, 19)


def test_a_probe_that_fails_opens_it_for_another_interval(opened: Breaker) -> None:
    assert opened.may_probe(110.0)
    assert opened.record(111.0, 32, 16)
    assert not opened.may_probe(120.9)
    assert opened.may_probe(121.0)


def test_a_probe_with_a_single_poison_among_many_closes_it(opened: Breaker) -> None:
    assert opened.may_probe(110.0)
    assert not opened.record(111.0, 32, 1)
    assert opened.state is BreakerState.CLOSED


def test_a_probe_of_nothing_but_one_failure_fails(opened: Breaker) -> None:
    assert opened.may_probe(110.0)
    assert opened.record(111.0, 1, 1)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_it_opens_exactly_when_the_window_says_so(batches: list[tuple[float, int, int]]) -> None:
    breaker = Breaker(POLICY)
    now = 0.0
    seen: list[tuple[float, int, int]] = []
    for pause_s, good, bad in batches:
        now += pause_s
        seen.append((now, good + bad, bad))
        window = [batch for batch in seen if batch[0] >= now - POLICY.window_s]
        messages, failures = sum(batch[1] for batch in window), sum(batch[2] for batch in window)
        opens = failures >= POLICY.min_count and failures >= POLICY.ratio * messages
        assert breaker.record(now, good + bad, bad) is opens
        if opens:
            return
