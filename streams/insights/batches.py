"""Items as they come, handed on in batches. Faust's `take_events` also acknowledges a batch whose work has failed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """Calls `work` with at most `most` items, in their order, `within_s` seconds after the first or when it is full.

    One batch at a time; whoever adds waits while a full one has not been taken. `serve` runs until it is cancelled.
    """

    def __init__(self, work: Callable[[list[T]], Awaitable[None]], most: int, within_s: float) -> None:
        self._work = work
        self._most = most
        self._within_s = within_s
        self._items: list[T] = []
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()

    async def add(self, item: T) -> None:
        while len(self._items) >= self._most:
            self._room.clear()
            await self._room.wait()
        self._items.append(item)
        self._some.set()
        if len(self._items) >= self._most:
            self._full.set()

    async def serve(self) -> None:
        while True:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), self._within_s)
            items, self._items = self._items, []
            self._some.clear()
            self._full.clear()
            self._room.set()
            await self._work(items)
