"""Hundreds of hostile pictures through real decoders: none gets further than a decoder."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from processors.media.decoder import Decoded, DecoderLimits, DecoderPool, Undecodable
from tests.hostile_pictures import hostile_pictures
from tests.media.drawn import photo, saved
from tests.media.soaking import outcome, resident

MOST_GROWTH = 64 * 1024 * 1024
"""Bytes. What is kept for the sender's largest picture is some megabytes; every bomb is hundreds."""

LIMITS = DecoderLimits(memory_mb=1_024, timeout_s=20)


def test_the_same_seed_makes_the_same_pictures() -> None:
    assert list(hostile_pictures(3, 60)) == list(hostile_pictures(3, 60))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_hostile_picture_is_decoded_or_refused_and_costs_the_worker_nothing() -> None:
    good = saved(photo(1), "JPEG")

    async def scenario() -> None:
        async with DecoderPool(LIMITS, 2) as pool:
            expected = await pool.decode(good)
            list(hostile_pictures(1, 40))  # what makes them has its own memory, kept from here on
            before = resident()
            seen: Counter[type[Decoded | Undecodable]] = Counter()
            for _, data in hostile_pictures(1, 500):
                found = await outcome(pool, data)
                seen[type(found)] += 1
                if isinstance(found, Decoded):
                    assert found.pictures
                else:
                    assert found.reason.isprintable()
            assert resident() - before < MOST_GROWTH
            assert seen.total() == 500
            assert min(seen[Decoded], seen[Undecodable]) > 50  # some of it is only odd
            assert await pool.decode(good) == expected

    asyncio.run(scenario())
