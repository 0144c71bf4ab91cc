"""What a row gives does not depend on the rows beside it, nor on their number, order or length."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.engines import BucketedRunner, EngineStatistics, IsolatedRunner, Runner

PAD = 1

Array = NDArray[Any]


def shape_model(ids: Array, mask: Array) -> tuple[Array, ...]:
    """Gives away all that a runner may let vary: the sum of the tokens shown, and the row's padded width."""
    assert np.array_equal(ids[mask == 0], np.full((mask == 0).sum(), PAD))
    return (ids * mask).sum(axis=1), np.full((len(ids), 2), ids.shape[1])


def neighbour_model(ids: Array, mask: Array) -> tuple[Array, ...]:
    """Rows that influence each other, as with one activation scale per tensor."""
    return ((ids * mask).sum(axis=1) / ids.max(),)


def rows_of(lengths: Sequence[int]) -> list[NDArray[np.int32]]:
    return [np.arange(2, 2 + length, dtype=np.int32) for length in lengths]


lengths = st.lists(st.integers(1, 70), min_size=1, max_size=40)


@given(lengths)
def test_bucketed_rows_keep_their_own_width_in_any_company(lengths: list[int]) -> None:
    runner = BucketedRunner(shape_model, pad=PAD, max_tokens=70, max_rows=5)
    rows = rows_of(lengths)
    (sums, widths), _ = runner.run(rows)
    for index, row in enumerate(rows):
        (alone, width), _ = runner.run([row])
        assert (sums[index], widths[index].tolist()) == (alone[0], width[0].tolist())
        assert sums[index] == row.sum()
        assert len(row) <= width[0][0] < len(row) + 16
        assert width[0][0] <= 70


@given(lengths)
def test_isolated_rows_have_neither_neighbours_nor_padding(lengths: list[int]) -> None:
    runner = IsolatedRunner(shape_model, 1)
    (sums, widths), statistics = runner.run(rows_of(lengths))
    assert widths[:, 0].tolist() == lengths
    assert sums.tolist() == [int(row.sum()) for row in rows_of(lengths)]
    assert (statistics.runs, statistics.rows, statistics.tokens) == (len(lengths), len(lengths), sum(lengths))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_isolation_holds_for_rows_that_influence_each_other(threads: int) -> None:
    runner = IsolatedRunner(neighbour_model, threads)
    rows = rows_of([3, 50, 1, 7, 7, 20, 64, 2, 9] * 5)
    (together,), _ = runner.run(rows)
    alone = [runner.run([row])[0][0][0] for row in rows]
    assert together.tolist() == alone


def test_isolated_rows_really_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=30)

    def model(ids: Array, mask: Array) -> tuple[Array, ...]:
        meeting.wait()  # breaks, and raises, where only one row runs at a time
        return (ids.sum(axis=1),)

    (sums,), _ = IsolatedRunner(model, 2).run(rows_of([4, 4]))
    assert sums.tolist() == [14, 14]


@pytest.mark.parametrize("runner_type", [IsolatedRunner, BucketedRunner])
def test_an_error_of_the_model_is_raised_and_the_runner_stays_usable(runner_type: type) -> None:
    def model(ids: Array, mask: Array) -> tuple[Array, ...]:
        if (ids == 13).any():
            raise RuntimeError("thirteen")
        return (ids.sum(axis=1),)

    runner: Runner = (
        IsolatedRunner(model, 2)
        if runner_type is IsolatedRunner
        else BucketedRunner(model, pad=PAD, max_tokens=70, max_rows=2)
    )
    with pytest.raises(RuntimeError, match="thirteen"):
        runner.run(rows_of([1, 2, 3, 20, 4, 5]))
    (sums,), _ = runner.run(rows_of([1, 2]))
    assert sums.shape == (2,)


def test_many_threads_may_share_a_runner() -> None:
    runner = IsolatedRunner(neighbour_model, 2)
    batches = [rows_of([1 + (seed * 7 + place) % 30 for place in range(12)]) for seed in range(8)]
    expected = [runner.run(batch)[0][0].tolist() for batch in batches]
    found: dict[int, list[float]] = {}

    def work(index: int) -> None:
        for _ in range(20):
            found[index] = runner.run(batches[index])[0][0].tolist()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[index] for index in range(len(batches))] == expected


def test_statistics_count_runs_rows_and_places_and_add_up() -> None:
    runner = BucketedRunner(shape_model, pad=PAD, max_tokens=70, max_rows=2)
    _, statistics = runner.run(rows_of([3, 16, 5, 17]))
    assert (statistics.runs, statistics.rows, statistics.tokens) == (3, 4, 3 * 16 + 32)
    assert statistics.seconds >= 0
    total = statistics + EngineStatistics(1, 2, 3, 0.5)
    assert (total.runs, total.rows, total.tokens) == (4, 6, 83)
