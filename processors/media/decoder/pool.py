"""Decoders, as many as there are cores for them, and items that queue for one."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from processors.media.decoder.decoded import Decoded, DecoderBroken, DecoderLimits, Undecodable
from processors.media.decoder.process import DecoderLost, DecoderProcess
from processors.media.kinds import kind_of

ITEMS_PER_DECODER = 500
"""A decoder is replaced after so many: whatever a hostile file made of it, or a library lost in it, ends there. Its
start is shared by as many items: under a millisecond each."""

_ATTEMPTS = 2
"""A decoder that was killed from outside says nothing of its item; a second one that dies over it does."""

_ROOT = Path(__file__).resolve().parents[3]
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Where the system finds the libraries of this very Python."""

_log = logging.getLogger(__name__)


class DecoderPool:
    """Pictures and sound from hostile bytes, decoded in processes that are killed where they go over their limits.

    Video and sound are decoded where the limits have some for them (`DecoderLimits.moving`), pictures always.

    An asynchronous context manager; used by one event loop. Processes are started when first needed.
    """

    def __init__(self, limits: DecoderLimits, processes: int, *, command: Sequence[str] | None = None) -> None:
        """At most `processes` items are decoded at once; others wait. `command` starts another decoder than ours that
        speaks its protocol; the limits, as JSON, are added to it."""
        if processes < 1:
            raise ValueError(f"{processes} processes; expected at least 1")
        self._limits = limits
        own = (sys.executable, "-P", "-s", "-B", "-m", "processors.media.decoder.child")
        self._command = (*(command or own), msgspec.json.encode(limits).decode())
        self._processes = processes
        self._slots = asyncio.Semaphore(processes)
        self._idle: list[DecoderProcess] = []
        self._children: set[DecoderProcess] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Kills all decoders and waits until they are gone; items that are still under way get `DecoderBroken`."""
        self._closed = True
        self._idle.clear()
        await asyncio.gather(*map(self._discard, tuple(self._children)))
        for _ in range(self._processes):  # until nobody is left who might still be starting one
            await self._slots.acquire()
        for _ in range(self._processes):
            self._slots.release()

    @property
    def pids(self) -> frozenset[int]:
        """Of the decoders that are alive."""
        return frozenset(child.pid for child in self._children if child.alive)

    async def decode(self, data: bytes) -> Decoded:
        """Raises `Undecodable` where the bytes are at fault, `DecoderBroken` where we are."""
        kind = kind_of(data)
        if kind is None or (kind[0] != "image" and self._limits.moving is None):  # without asking anybody
            expected = "a picture" if self._limits.moving is None else "a picture, a video or a sound"
            raise Undecodable(f"expected {expected}, found {'bytes of no known type' if kind is None else kind[1]}")
        async with self._slots:
            if self._closed:
                raise DecoderBroken("the pool is closed")
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return await self._decode_once(data, kind[1])
                except DecoderLost as lost:
                    if self._closed:
                        raise DecoderBroken("the pool was closed over the item") from None
                    _log.warning(
                        "a decoder was lost over a %s file (%d of %d): it %s", kind[1], attempt, _ATTEMPTS, lost
                    )
                    if attempt == _ATTEMPTS:
                        raise self._given_up(lost, kind[1]) from None
        raise AssertionError("unreachable")

    async def _decode_once(self, data: bytes, media_type: str) -> Decoded:
        child = await self._take()
        try:
            return await child.decode(data, media_type)
        finally:
            # Also when we are cancelled: a decoder in the middle of something must not get the next item.
            await self._put_back(child)

    async def _take(self) -> DecoderProcess:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            _log.warning("a decoder (pid %d) has died with nothing to do; another takes its place", child.pid)
            await self._discard(child)
        child = await DecoderProcess.start(self._command, _environment(), self._limits)
        self._children.add(child)
        try:
            await child.become_ready()
        except BaseException:
            await self._discard(child)
            raise
        return child

    async def _put_back(self, child: DecoderProcess) -> None:
        if self._closed or not child.usable or child.items >= ITEMS_PER_DECODER:
            await self._discard(child)
        else:
            self._idle.append(child)

    async def _discard(self, child: DecoderProcess) -> None:
        await child.end()
        self._children.discard(child)

    @staticmethod
    def _given_up(lost: DecoderLost, media_type: str) -> Undecodable | DecoderBroken:
        if lost.begun:
            return Undecodable(f"the {media_type} file cost {_ATTEMPTS} decoders: each {lost.reason}")
        return DecoderBroken(f"{_ATTEMPTS} decoders were lost before they had an item's bytes: the last {lost.reason}")


def _environment() -> dict[str, str]:
    """No secrets, no settings of the worker's; one thread for every library."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(_ROOT), *(str(Path(entry).absolute()) for entry in inherited if entry)])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**kept, **threads, "PYTHONPATH": path, "LC_ALL": "C.UTF-8"}
