"""Server-sent events: what happens, to every page that follows, and nobody waits for one that does not read."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable

import msgspec
from aiohttp import web

from console.events import DecisionEvent, FlagEvent

QUEUE = 200
"""Events that wait for one page: some seconds' worth. A page that is further behind is cut off, and comes back."""

ROWS_PER_TICK = 20
"""Decisions, and as many flags, that are told of at one tick: nobody reads more a second. The lists have them all."""

WRITE_TIMEOUT_S = 10.0
"""For a page to take what was written; one that does not is gone, or asleep."""

RETRY_MS = 2_000
"""After which a page that was cut off comes back."""

_encoder = msgspec.json.Encoder()


class TooManyPages(Exception):
    """As many pages follow as may."""


class Live:
    """The pages that follow."""

    def __init__(self, most: int) -> None:
        """`most`: pages at the same time."""
        self._most = most
        self._pages: set[_Page] = set()
        self._decisions: deque[DecisionEvent] = deque(maxlen=ROWS_PER_TICK)
        self._flags: deque[FlagEvent] = deque(maxlen=ROWS_PER_TICK)
        self._state: bytes | None = None

    @property
    def pages(self) -> int:
        return len(self._pages)

    def rows(self, rows: Iterable[DecisionEvent | FlagEvent]) -> None:
        """What was decided; told at the next tick, the newest of it where there is more than a person reads."""
        for row in rows:
            if isinstance(row, DecisionEvent):
                self._decisions.append(row)
            else:
                self._flags.append(row)

    def tick(self, state: object) -> None:
        """Tell all pages the state of now, and what was decided since the last tick."""
        self._state = _event("state", state)
        told = [self._state]
        told += [_event("decision", row) for row in self._decisions]
        told += [_event("flag", row) for row in self._flags]
        self._decisions.clear()
        self._flags.clear()
        for page in tuple(self._pages):
            page.tell(told)

    async def serve(self, request: web.Request, goes_on: Callable[[], bool]) -> web.StreamResponse:
        """Follow until the page leaves, does not read, or `goes_on` says no (its session has ended).

        Raises `TooManyPages`.
        """
        if len(self._pages) >= self._most:
            raise TooManyPages
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        )
        page = _Page()
        self._pages.add(page)
        try:
            # Also where a page leaves at once: that is no fault.
            with contextlib.suppress(ConnectionError, TimeoutError, _Behind):
                await response.prepare(request)
                await response.write(f"retry: {RETRY_MS}\n\n".encode())
                if self._state is not None:
                    page.tell([self._state])
                while goes_on():
                    told = await page.next()
                    await asyncio.wait_for(response.write(told), WRITE_TIMEOUT_S)
        finally:
            self._pages.discard(page)
            if request.transport is not None:
                request.transport.abort()  # what is still buffered for a page that does not read goes with it
        return response

    def close(self) -> None:
        """Let all pages go."""
        for page in tuple(self._pages):
            page.end()


class _Behind(Exception):
    """The page does not keep up, or the console ends."""


class _Page:
    """One page's events that are yet to be written."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._some = asyncio.Event()
        self._over = False

    def tell(self, events: Iterable[bytes]) -> None:
        self._waiting.extend(events)
        if len(self._waiting) > QUEUE:
            self.end()
        self._some.set()

    def end(self) -> None:
        self._over = True
        self._waiting.clear()
        self._some.set()

    async def next(self) -> bytes:
        """All that waits."""
        await self._some.wait()
        self._some.clear()
        if self._over:
            raise _Behind
        told = b"".join(self._waiting)
        self._waiting.clear()
        return told


def _event(name: str, value: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _encoder.encode(value) + b"\n\n"
