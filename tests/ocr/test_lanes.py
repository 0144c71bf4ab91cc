"""Work side by side."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ocr.lanes import Lanes


@given(st.lists(st.integers()), st.integers(1, 4))
def test_results_come_in_the_items_order(items: list[int], threads: int) -> None:
    assert Lanes(threads).map(lambda item: item + 1, items, cost=abs) == [item + 1 for item in items]


def test_lanes_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=20)
    places = Lanes(3).map(lambda _: together.wait(), range(3), cost=lambda _: 1)
    assert sorted(places) == [0, 1, 2]


def test_the_costliest_is_begun_first() -> None:
    begun: list[int] = []
    Lanes(1).map(begun.append, [3, 9, 5], cost=lambda item: item)
    assert begun == [9, 5, 3]


def test_an_error_ends_the_work_and_is_raised() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 9:
            raise ValueError("nine")
        done.append(item)

    with pytest.raises(ValueError, match="nine"):
        Lanes(1).map(work, [1, 9, 2], cost=lambda item: item)
    assert done == []


def test_an_error_in_another_lane_is_raised_here() -> None:
    both = threading.Barrier(2, timeout=20)
    here = threading.get_ident()

    def work(_: int) -> None:
        both.wait()
        if threading.get_ident() != here:
            raise ValueError("over there")

    with pytest.raises(ValueError, match="over there"):
        Lanes(2).map(work, [1, 2], cost=lambda _: 1)


def test_no_lanes_are_no_choice() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Lanes(0)
