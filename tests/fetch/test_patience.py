"""How long one post may take: its own time, and never that of the posts beside it."""

from __future__ import annotations

import asyncio

import pytest

from processors.contract import TransientError
from processors.fetch import FetchOptions
from processors.fetch.decoding import Desk, PostDecoder
from processors.fetch.faults import Crowded
from processors.fetch.options import POST_DECODE_TIMEOUTS, POST_TIMEOUTS
from processors.fetch.patience import Patience
from processors.media.decoder import Decoded, Undecodable
from processors.media.store import MediaStore
from schemas import Record, Status
from tests.fetch.stage_parts import Decoder, fetched, inline, one, pictures, png, processor, reason, record_of, run

QUICK = FetchOptions(fetch_timeout_s=0.05, decode_timeout_s=0.05, decoders=1)
ALL_S = POST_TIMEOUTS * 0.05 + POST_DECODE_TIMEOUTS * 0.05


class Slow(Decoder):
    """Takes all the time that there is for pictures whose name says so, and refuses them then."""

    def __init__(self, options: FetchOptions) -> None:
        super().__init__()
        self._timeout_s = options.decode_timeout_s

    async def decode(self, data: bytes, /) -> Decoded:
        if b"slow" not in data:
            return await super().decode(data)
        self.decoded.append(data)
        await asyncio.sleep(self._timeout_s)
        raise Undecodable("it took too long")


def hostile(post_id: str = "p-1", attempt: int = 1) -> Record:
    return record_of(*(inline(png(f"slow {n}"), f"m-{n}") for n in range(100)), post_id=post_id, attempt=attempt)


def test_a_post_of_slow_pictures_ends_after_a_few_of_them(store: MediaStore) -> None:
    options = FetchOptions(decode_timeout_s=0.05)
    decoder = Slow(options)
    record = one(processor(store, options, decoder=decoder), hostile())
    assert 1 <= len(decoder.decoded) <= POST_DECODE_TIMEOUTS
    assert record.modalities["image"].status is Status.FAILED
    assert "the post's media take too long to decode" in reason(record)
    assert record.fetch is not None
    assert len(record.fetch.media) == 100, "each is stored and looked up all the same"


def test_the_same_picture_again_is_not_decoded_again(store: MediaStore) -> None:
    decoder = Decoder()
    data = [png("moving", 3), png("broken"), png("moving", 3), png("broken")]
    record = one(processor(store, decoder=decoder), record_of(*(inline(d, f"m-{n}") for n, d in enumerate(data))))
    assert decoder.decoded == data[:2]
    assert pictures(record) == [3, 0, 3, 0]
    assert reason(record) == "m-1: it ends too early; m-3: it ends too early"
    assert record.fetch is not None
    first, _, again, _ = record.fetch.media
    assert again.pictures == first.pictures


def test_waiting_for_a_decoder_is_not_held_against_the_post_that_waits(store: MediaStore) -> None:
    """One decoder, and three posts that take all of their time at it."""
    options = FetchOptions(decode_timeout_s=0.05, decoders=1)
    stage = processor(store, options, decoder=Slow(options))
    *_, honest = fetched(stage, *(hostile(f"h-{n}") for n in range(3)), record_of(inline(png("cat")), post_id="p"))
    assert pictures(honest) == [1]
    assert "image" not in honest.modalities


class Stuck(Decoder):
    """Decodes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def decode(self, data: bytes, /) -> Decoded:
        self.begun.set()
        await self.go_on.wait()
        return await super().decode(data)


def beside_a_stuck_post(store: MediaStore, options: FetchOptions, record: Record) -> Record:
    """The record of a post that comes while another has the only decoder and keeps it."""

    async def work() -> Record:
        decoder = Stuck()
        async with processor(store, options, decoder=decoder).session() as handle, asyncio.timeout(30):
            ahead = asyncio.ensure_future(handle(record_of(inline(png("ahead")), post_id="p-0")))
            try:
                await decoder.begun.wait()
                return await handle(record)
            finally:
                decoder.go_on.set()
                await asyncio.gather(ahead, return_exceptions=True)  # what becomes of it is not asked here

    return run(work())


def test_who_does_not_get_a_turn_in_time_is_tried_again_and_then_reviewed(store: MediaStore) -> None:
    options = FetchOptions(fetch_timeout_s=0.3, decode_timeout_s=0.3, decoders=1)
    said = "the worker was too busy with other media"
    with pytest.raises(TransientError, match=said):
        beside_a_stuck_post(store, options, record_of(inline(png("cat"))))
    record = beside_a_stuck_post(store, options, record_of(inline(png("cat")), attempt=options.max_attempts))
    assert said in reason(record)
    assert record.fetch is not None
    assert [media.media_id for media in record.fetch.media] == ["m-1"], "stored and looked up"


def test_time_without_a_fetch_under_way_does_not_count_as_fetching() -> None:
    async def work() -> None:
        patience = Patience(QUICK)
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(0.02)
        before_s = clock()
        with patience.fetching() as end_s:
            assert end_s >= before_s + POST_TIMEOUTS * QUICK.fetch_timeout_s - 1e-6
            with patience.fetching() as same_end_s:
                assert same_end_s == end_s
                await asyncio.sleep(0.02)
        used_s = clock() - before_s
        before_s = clock()
        with patience.fetching() as end_s:
            left_s = end_s - before_s
        share_s = POST_TIMEOUTS * QUICK.fetch_timeout_s
        assert share_s - used_s - 1e-6 <= left_s < share_s

    run(work())


def test_a_decoder_that_had_to_be_started_costs_a_post_no_more_than_an_item_may() -> None:
    async def work() -> int:
        patience = Patience(QUICK)
        decoded = 0
        while patience.may_decode:
            decoded += 1
            with patience.decoding():
                await asyncio.sleep(3 * QUICK.decode_timeout_s)
        return decoded

    assert run(work()) >= POST_DECODE_TIMEOUTS - 1


def test_turns_end_where_what_comes_after_would_not_fit() -> None:
    async def work() -> None:
        patience = Patience(QUICK)
        room = asyncio.Semaphore(1)
        await patience.turn(room, 0.05)
        with pytest.raises(Crowded, match=f"within {ALL_S:g} s"):
            await patience.turn(room, 0.05)
        room.release()
        with pytest.raises(Crowded):
            await patience.turn(room, 0.05)
        assert not room.locked(), "who is sent away takes no place with him"

    run(work())


def test_turns_are_given_back_whatever_an_item_comes_to() -> None:
    async def work() -> bool:
        turns = asyncio.Semaphore(1)
        desk = Desk(Decoder(), turns)
        decoder = PostDecoder(desk, desk, Patience(QUICK), QUICK.decode_timeout_s, final=False)
        with pytest.raises(Undecodable):
            await decoder.decode(png("broken"), "image")
        return turns.locked()

    assert not run(work())
