"""One row a run: for graphs whose rows influence each other, and without any padding.

ONNX Runtime's dynamic int8 takes one activation scale per tensor, so a row's neighbours, and its padding, move its
scores. Alone in its run it has neither.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engines.engine import EngineStatistics
from processors.engines.runner import RowModel, Rows


class IsolatedRunner:
    """Runs rows one by one on the calling thread and `threads - 1` others. Safe to call from several threads."""

    def __init__(self, model: RowModel, threads: int) -> None:
        """`threads`: how many rows run side by side, for a model whose runs use one thread each."""
        if threads < 1:
            raise ValueError(f"{threads} threads; expected at least 1")
        self._model = model
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="row-engine") if threads > 1 else None
        self._others = threads - 1

    def run(self, rows: Rows, /) -> tuple[tuple[NDArray[Any], ...], EngineStatistics]:
        results: list[tuple[NDArray[Any], ...] | None] = [None] * len(rows)
        waiting: SimpleQueue[int] = SimpleQueue()
        # Longest first: the threads finish together.
        for index in sorted(range(len(rows)), key=lambda at: -len(rows[at])):
            waiting.put(index)

        def work() -> float:
            started = time.perf_counter()
            while True:
                try:
                    index = waiting.get_nowait()
                except Empty:
                    return time.perf_counter() - started
                ids = rows[index].astype(np.int64)[None, :]
                results[index] = self._model(ids, np.ones_like(ids))

        helpers = [self._pool.submit(work) for _ in range(min(self._others, len(rows) - 1))] if self._pool else []
        try:
            seconds = work()
        finally:
            _drain(waiting)  # after an error of ours, the others need not go on
            others = [helper.exception() or helper.result() for helper in helpers]
        for other in others:
            if isinstance(other, BaseException):
                raise other
            seconds += other
        statistics = EngineStatistics(len(rows), len(rows), sum(map(len, rows)), seconds)
        return _stack([result for result in results if result is not None]), statistics


def _drain(waiting: SimpleQueue[int]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except Empty:
            return


def _stack(results: Sequence[tuple[NDArray[Any], ...]]) -> tuple[NDArray[Any], ...]:
    return tuple(np.concatenate(column) for column in zip(*results, strict=True))
