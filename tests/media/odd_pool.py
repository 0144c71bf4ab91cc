"""Pools of odd decoders (`odd_decoder.py`), and what tests ask of them."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from processors.media.decoder import DecoderLimits, DecoderPool, Undecodable
from tests.media.odd_decoder import item

LIMITS = DecoderLimits(memory_mb=512, timeout_s=60)
QUICK = replace(LIMITS, timeout_s=1)
"""For items that hang: long enough for those of the odd decoder that do not."""

ODD = (sys.executable, "-P", "-m", "tests.media.odd_decoder")

T = TypeVar("T")


def odd_pool(limits: DecoderLimits = LIMITS, processes: int = 1) -> DecoderPool:
    return DecoderPool(limits, processes, command=ODD)


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


async def said(pool: DecoderPool, what: str, argument: object = "") -> str:
    gap = (await pool.decode(item(what, argument))).picture_gap
    assert gap is not None
    return gap.reason


async def refused(pool: DecoderPool, what: str, argument: object = "") -> str:
    with pytest.raises(Undecodable) as caught:
        await pool.decode(item(what, argument))
    return caught.value.reason


class Gate:
    """Holds the `wait` items that name it, until told."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        os.mkfifo(self.path)

    async def reached(self) -> int:
        """Waits until an item is there, and gives the end to write to: closing that lets the item go on."""
        return await asyncio.to_thread(os.open, self.path, os.O_WRONLY)

    def is_waited_at(self) -> bool:
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            return error.errno != errno.ENXIO  # "no such device": nobody reads
        return True


def is_there(pid: int) -> bool:
    """Also as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
