"""How long the media of one post may take, and whose fault it is when they do."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from processors.fetch.faults import Crowded
from processors.fetch.options import POST_DECODE_TIMEOUTS, POST_TIMEOUTS, FetchOptions


class Patience:
    """The time limits of one post, from now on.

    It is fetched and decoded for its share of each; what it waits for its turn counts against neither. All together
    end after the sum of both: whoever would still be waiting by then is sent away.
    """

    def __init__(self, options: FetchOptions) -> None:
        self._clock = asyncio.get_running_loop().time
        self._decode_timeout_s = options.decode_timeout_s
        self._fetching_left_s = POST_TIMEOUTS * options.fetch_timeout_s
        self._decoding_left_s = POST_DECODE_TIMEOUTS * options.decode_timeout_s
        self._all_s = self._fetching_left_s + self._decoding_left_s
        self._end_s = self._clock() + self._all_s
        self._fetches = 0
        self._fetching_since_s = 0.0

    async def turn(self, room: asyncio.Semaphore, then_s: float) -> None:
        """Wait for a place in `room`, as long as there is time for what takes `then_s` then. Raises `Crowded`."""
        until_s = self._end_s - then_s
        try:
            if self._clock() <= until_s:
                async with asyncio.timeout_at(until_s):
                    await room.acquire()
                return
        except TimeoutError:
            pass
        raise Crowded(f"the worker was too busy with other media to get to it within {self._all_s:g} s")

    @contextmanager
    def fetching(self) -> Generator[float]:
        """For as long as an item is fetched; gives when the post's share ends, by the loop's clock. What is fetched
        side by side counts once."""
        if not self._fetches:
            self._fetching_since_s = self._clock()
        self._fetches += 1
        try:
            yield self._fetching_since_s + self._fetching_left_s
        finally:
            self._fetches -= 1
            if not self._fetches:
                self._fetching_left_s -= self._clock() - self._fetching_since_s

    @property
    def may_decode(self) -> bool:
        """Whether one more item fits into the post's share even if it takes all the time that one may."""
        return self._decoding_left_s >= self._decode_timeout_s

    @contextmanager
    def decoding(self) -> Generator[None]:
        """For as long as an item is decoded. More than one may take is not the item's: a decoder had to be started."""
        since_s = self._clock()
        try:
            yield
        finally:
            self._decoding_left_s -= min(self._clock() - since_s, self._decode_timeout_s)
