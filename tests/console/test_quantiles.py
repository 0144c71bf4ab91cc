"""Quantiles of buckets, as Prometheus has them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.quantiles import quantile

INF = math.inf


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0.5, 1.5), (0.25, 1.0), (0.125, 0.5), (0.75, 2.0), (0.95, 2.0), (1.0, 2.0)],
    ids=["inside a bucket", "at a bound", "in the first, from 0", "at the last finite", "beyond it", "the highest"],
)
def test_a_quantile_is_where_its_rank_falls_within_its_bucket(q: float, expected: float) -> None:
    assert quantile(q, {1.0: 2, 2.0: 6, INF: 8}) == pytest.approx(expected)


def test_nothing_observed_is_no_quantile_and_not_zero() -> None:
    assert quantile(0.5, {}) is None
    assert quantile(0.5, {1.0: 0, INF: 0}) is None
    assert quantile(0.5, {1.0: 3}) is None  # no +Inf: not a histogram
    assert quantile(0.5, {INF: 3}) is None


def test_buckets_that_fall_by_a_hair_between_two_scrapes_do_not_break_it() -> None:
    assert quantile(0.9, {1.0: 10, 2.0: 9, INF: 10}) == pytest.approx(0.9)


@given(
    st.lists(st.integers(0, 50), min_size=3, max_size=12).filter(lambda counts: sum(counts) > 0),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_higher_quantile_is_never_lower_and_stays_within_the_bounds(
    counts: list[int], one: float, other: float
) -> None:
    cumulative = [sum(counts[: place + 1]) for place in range(len(counts))]
    bounds = [float(place + 1) for place in range(len(counts) - 1)] + [INF]
    low, high = (quantile(q, dict(zip(bounds, cumulative, strict=True))) for q in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= bounds[-2]
