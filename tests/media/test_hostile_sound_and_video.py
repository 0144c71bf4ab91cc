"""Hundreds of hostile sounds and videos through real decoders: none gets further than a decoder, and none leaves
anything behind."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import pytest

from processors.media.decoder import Decoded, DecoderLimits, DecoderPool, MovingLimits, Undecodable, pool
from tests.media.drawn import photo
from tests.media.hostile_media import hostile_media
from tests.media.soaking import outcome, resident
from tests.media.sounded import tone, video

MOST_GROWTH = 64 * 1024 * 1024
"""Bytes. What is kept for the sender's largest file is some megabytes."""

LIMITS = DecoderLimits(memory_mb=1_024, timeout_s=20, moving=MovingLimits(max_seconds=60))


def good() -> bytes:
    return video([photo(seed, 160, 120) for seed in (1, 2) for _ in range(10)], samples=tone(0.8))


def test_the_same_seed_makes_the_same_files() -> None:
    first = [(name, data) for name, data in hostile_media(3, 23) if "jumping" not in name]
    assert first == [(name, data) for name, data in hostile_media(3, 23) if "jumping" not in name]


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_every_hostile_file_is_decoded_or_refused_and_costs_the_worker_nothing() -> None:
    async def scenario() -> None:
        async with DecoderPool(LIMITS, 1) as decoders:
            expected = await decoders.decode(good())
            list(hostile_media(1, 46))  # what makes them has its own memory, kept from here on
            before = resident()
            seen: Counter[type[Decoded | Undecodable]] = Counter()
            for name, data in hostile_media(1, 300):
                found = await outcome(decoders, data)
                seen[type(found)] += 1
                if isinstance(found, Decoded):
                    assert found.pictures or found.sound, name
                else:
                    assert found.reason.isprintable(), name
            assert resident() - before < MOST_GROWTH
            assert seen.total() == 300
            assert min(seen[Decoded], seen[Undecodable]) > 50  # some of it is only odd
            assert await decoders.decode(good()) == expected

    asyncio.run(scenario())


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_thousand_hostile_files_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ITEMS_PER_DECODER", 100_000)  # none is replaced for its age

    async def scenario() -> None:
        async with DecoderPool(LIMITS, 1) as decoders:
            grown: dict[int, list[int]] = {}
            worker: list[int] = []
            for at, (_, data) in enumerate(hostile_media(2, 1_000)):
                await outcome(decoders, data)
                if at % 50 == 49:
                    await decoders.decode(good())
                    worker.append(resident())
                    (child,) = decoders.pids
                    grown.setdefault(child, []).append(resident(child))
            assert worker[-1] - worker[1] < MOST_GROWTH
            # The first is when all libraries have been used; from then on, each stays as it is.
            assert all(later - sizes[0] < 2 * MOST_GROWTH for sizes in grown.values() for later in sizes)

    asyncio.run(scenario())
