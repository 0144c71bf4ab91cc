"""Independent pieces of work side by side, each on one thread.

A run of a convolutional graph on two threads waits at each of its operators for the slower one; two runs of one thread
each never wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Lanes:
    """The calling thread and `threads - 1` others. Safe to call from several threads."""

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"{threads} threads; expected at least 1")
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="ocr-lane") if threads > 1 else None

    def map(self, work: Callable[[T], R], items: Sequence[T], cost: Callable[[T], float]) -> list[R]:
        """`work` of every item, in the items' order; the first exception of any is raised when all lanes are still.

        The costliest items are begun first, so that the lanes end together.
        """
        results: dict[int, R] = {}
        waiting: SimpleQueue[int] = SimpleQueue()
        for at in sorted(range(len(items)), key=lambda at: -cost(items[at])):
            waiting.put(at)

        def lane() -> None:
            while True:
                try:
                    at = waiting.get_nowait()
                except Empty:
                    return
                results[at] = work(items[at])

        others = [self._pool.submit(lane) for _ in range(min(self.threads, len(items)) - 1)] if self._pool else []
        try:
            lane()
        finally:
            _drain(waiting)  # after an error the other lanes need not go on
            faults = [other.exception() for other in others]
        for fault in faults:
            if fault is not None:
                raise fault
        return [results[at] for at in range(len(items))]


def _drain(waiting: SimpleQueue[int]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except Empty:
            return
