"""Decoding in processes of its own: what hostile items do ends with the process, and the pool goes on."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from processors.media.decoder import DecoderBroken, DecoderPool, MovingLimits, Undecodable, moving, pool, process
from processors.media.decoder.picture import decode
from processors.media.decoder.tiles import MAX_TILES
from tests.media.drawn import animation, corners, photo, saved
from tests.media.odd_decoder import SOUND, SOUND_START, item
from tests.media.odd_pool import LIMITS, QUICK, Gate, is_there, odd_pool, refused, run, said
from tests.media.sounded import sound, tone, video

MOVING = replace(LIMITS, moving=MovingLimits(max_seconds=1, video_frames=1))


def test_the_pool_gives_what_decoding_gives() -> None:
    pictures = [
        saved(photo(1), "JPEG"),
        saved(photo(2, 3_000, 2_000), "PNG"),
        animation([photo(seed) for seed in range(3)], "GIF", duration=80),
        saved(corners(), "TIFF", save_all=True, append_images=[corners()]),
    ]

    async def scenario() -> None:
        async with DecoderPool(LIMITS, 2) as pool:
            decoded = await asyncio.gather(*map(pool.decode, pictures))
        assert decoded == [decode(picture, LIMITS) for picture in pictures]

    run(scenario())


def test_the_pool_gives_video_and_sound_as_decoding_does() -> None:
    files = [
        saved(photo(1), "JPEG"),
        video([photo(seed, 160, 120) for seed in (1, 2) for _ in range(8)], samples=tone(0.6)),
        sound(tone(0.8), "ogg"),
    ]

    async def scenario() -> None:
        async with DecoderPool(MOVING, 2) as pool:
            decoded = await asyncio.gather(*map(pool.decode, files))
        assert [found.kind for found in decoded] == ["image", "video", "audio"]
        assert decoded == [moving.decode(data, MOVING) for data in files]

    run(scenario())


def test_a_broken_picture_says_why_and_costs_no_process() -> None:
    async def scenario() -> None:
        async with DecoderPool(LIMITS, 1) as pool:
            await pool.decode(saved(corners(), "PNG"))
            before = pool.pids
            with pytest.raises(Undecodable, match="the image/jpeg file is broken"):
                await pool.decode(saved(photo(1), "JPEG")[:5_000])
            assert pool.pids == before

    run(scenario())


def test_a_picture_that_takes_more_memory_than_allowed_is_refused_and_the_next_is_decoded() -> None:
    bomb = saved(Image.new("RGBA", (6_000, 6_000)), "PNG")

    async def scenario() -> None:
        async with DecoderPool(replace(LIMITS, memory_mb=64), 1) as pool:
            with pytest.raises(Undecodable, match="64 MB of memory"):
                await pool.decode(bomb)
            assert (await pool.decode(saved(corners(), "PNG"))).width == 64

    run(scenario())


def test_no_process_is_started_for_what_is_no_picture() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            for data, words in ((b"", "no known type"), (b"%PDF-1.7", "no known type"), (b"fLaC" * 9, "audio/flac")):
                with pytest.raises(Undecodable, match=f"expected a picture, found .*{words}"):
                    await pool.decode(data)
            assert not pool.pids
        async with odd_pool(MOVING) as pool:
            with pytest.raises(Undecodable, match="expected a picture, a video or a sound"):
                await pool.decode(b"%PDF-1.7")
            assert not pool.pids

    run(scenario())


def test_a_process_is_used_again() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            assert len({await said(pool, "pid") for _ in range(5)}) == 1
            assert await refused(pool, "refuse", "it is ugly") == "it is ugly"
            assert len(pool.pids) == 1

    run(scenario())


def test_a_process_is_replaced_after_its_share_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ITEMS_PER_DECODER", 2)

    async def scenario() -> None:
        async with odd_pool() as decoders:
            pids = [await said(decoders, "pid") for _ in range(5)]
            assert len(set(pids)) == 3
            assert pids[0] == pids[1] != pids[2]

    run(scenario())


def test_items_of_any_size_arrive_whole() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            for size in (0, 1, 65_536, 5_000_001):
                data = item("length", "x" * size)
                assert await said(pool, "length", "x" * size) == str(len(data))

    run(scenario())


def test_an_item_that_hangs_is_killed_at_its_time_and_the_pool_goes_on() -> None:
    async def scenario() -> None:
        async with odd_pool(QUICK) as pool:
            reason = await refused(pool, "spin")
            assert reason == "the image/gif file took too long: its decoder was killed after 1 s"
            assert not pool.pids

    run(scenario())


@pytest.mark.parametrize(
    ("what", "argument", "reason"),
    [
        ("die", "SIGSEGV", "crash (it died of SIGSEGV; its memory limit is 512 MB)"),
        ("die", "SIGABRT", "crash (it died of SIGABRT; its memory limit is 512 MB)"),
        ("exit", 3, "crash (it ended with status 3; its memory limit is 512 MB)"),
        ("die", "SIGXCPU", "took too long: its decoder was killed by its CPU limit of 60 s"),
        ("hog", "", "decoding took more than the 512 MB of memory that a decoder may use"),
    ],
)
def test_what_an_item_does_to_its_process_is_told_and_ends_with_it(what: str, argument: object, reason: str) -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            first = await said(pool, "pid")
            assert reason in await refused(pool, what, argument)
            assert await said(pool, "pid") != first
            assert not is_there(int(first))

    run(scenario())


@pytest.mark.parametrize(
    "how",
    [
        *("type", "kind", "number", "none", "original", "header", "bytes", "size", "size of none"),
        *("side", "format", "scale", "hash", "sound"),
    ],
)
def test_a_process_that_lies_is_killed(how: str) -> None:
    async def scenario() -> None:
        async with odd_pool(replace(LIMITS, picture_side=256, max_frames=MAX_TILES)) as pool:
            liar = await said(pool, "pid")
            assert "made its decoder send" in await refused(pool, "lie", how)
            assert await said(pool, "pid") != liar

    run(scenario())


@pytest.mark.parametrize(
    "how",
    [
        *("kind", "nothing", "no sample", "pictures", "seconds", "no seconds", "short"),
        *("start", "bytes", "header"),
    ],
)
def test_a_process_that_lies_about_sound_is_killed(how: str) -> None:
    async def scenario() -> None:
        async with odd_pool(MOVING) as pool:
            sound = (await pool.decode(item("sound", start=SOUND_START))).sound
            assert sound == SOUND
            with pytest.raises(Undecodable, match="made its decoder send"):
                await pool.decode(item("lie", how, SOUND_START))
            assert not pool.pids

    run(scenario())


def test_what_a_library_prints_is_not_taken_for_an_answer() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            assert await said(pool, "babble") == "done"

    run(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_has_no_secrets_no_files_and_writes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    kept = {name for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    names = sorted({"LC_ALL", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONPATH", *kept})

    async def scenario() -> None:
        async with odd_pool() as pool:
            assert await said(pool, "confess") == f"{','.join(names)} [0, 1, 2, 3, 4] OSError 0 own group /"

    run(scenario())


def test_a_process_is_deaf_to_signals_that_are_for_the_worker() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            pid = await said(pool, "pid")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(int(pid), number)
            assert await said(pool, "pid") == pid

    run(scenario())


def test_no_more_items_than_processes_are_under_way(tmp_path: Path) -> None:
    gates = [Gate(tmp_path, name) for name in "abc"]

    async def scenario() -> None:
        async with odd_pool(processes=2) as pool:
            answers = [asyncio.create_task(said(pool, "wait", gate.path)) for gate in gates]
            first, second = await gates[0].reached(), await gates[1].reached()
            assert len(pool.pids) == 2
            assert not gates[2].is_waited_at()
            os.close(first)
            third = await gates[2].reached()
            assert len(pool.pids) == 2
            os.close(second)
            os.close(third)
            assert len({answer.split()[0] for answer in await asyncio.gather(*answers)}) == 2

    run(scenario())


def test_an_item_whose_process_is_killed_from_outside_gets_another(tmp_path: Path) -> None:
    gate = Gate(tmp_path, "gate")

    async def scenario() -> None:
        async with odd_pool() as pool:
            answer = asyncio.create_task(said(pool, "wait", gate.path))
            held = await gate.reached()
            gate.path.unlink()
            gate.path.write_text("well")  # for the next process; the first one reads what was there before
            (killed,) = pool.pids
            os.kill(killed, signal.SIGKILL)
            pid, word = (await answer).split()
            assert (int(pid) != killed, word) == (True, "well")
            os.close(held)

    run(scenario())


def test_an_item_that_costs_two_processes_is_given_up() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            reason = await refused(pool, "die", "SIGKILL")
            assert reason == (
                "the image/gif file cost 2 decoders: each was killed from outside, as systems short of memory do"
            )
            assert await said(pool, "pid")

    run(scenario())


def test_a_process_that_dies_with_nothing_to_do_is_replaced() -> None:
    async def scenario() -> None:
        async with odd_pool() as pool:
            pid = int(await said(pool, "pid"))
            os.kill(pid, signal.SIGKILL)
            assert int(await said(pool, "pid")) != pid  # noticed or not when the item comes
            (pid,) = pool.pids
            os.kill(pid, signal.SIGKILL)
            while pid in pool.pids:
                await asyncio.sleep(0)
            assert int(await said(pool, "pid")) != pid

    run(scenario())


def test_a_process_that_cannot_start_is_our_fault_and_says_why() -> None:
    async def scenario() -> None:
        for command, reason in (
            ((sys.executable, "-c", "import sys; sys.exit('no such library')"), "status 1.*no such library"),
            (("/nowhere/python",), "cannot be started"),
            ((sys.executable, "-c", "print('hello, this is no decoder')"), "a header of"),
        ):
            async with DecoderPool(LIMITS, 1, command=command) as pool:
                with pytest.raises(DecoderBroken, match=reason):
                    await pool.decode(item("pid"))
                assert not pool.pids

    run(scenario())


def test_a_process_that_does_not_come_up_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_TIMEOUT_S", 0.2)

    async def scenario() -> None:
        async with DecoderPool(LIMITS, 1, command=(sys.executable, "-c", "input()")) as pool:
            with pytest.raises(DecoderBroken, match=r"within 0\.2 s"):
                await pool.decode(item("pid"))
            assert not pool.pids

    run(scenario())


FORKING = """
import os, signal, sys
from pathlib import Path
from processors.media.decoder.protocol import Ready, read_item, write_reply
if (other := os.fork()) == 0:
    os.setsid() if {leaves} else None
    signal.pause()
with Path({note!r}).open("a") as note:
    print(other, file=note)
write_reply(sys.stdout.buffer, Ready())
read_item(sys.stdin.buffer)
os._exit(3)
"""


@pytest.mark.parametrize("leaves", [False, True], ids=["in its group", "in a group of its own"])
def test_a_process_whose_pipes_others_hold_is_given_up_and_holds_nobody_up(
    leaves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "DYING_S", 0.2)
    note = tmp_path / "pid"
    command = (sys.executable, "-c", FORKING.format(leaves=leaves, note=str(note)))

    async def scenario() -> None:
        async with DecoderPool(QUICK, 1, command=command) as pool:
            with pytest.raises(DecoderBroken, match="2 decoders were lost"):
                await pool.decode(item("pid"))
            assert not pool.pids

    run(scenario())
    others = [int(line) for line in note.read_text().split()]
    assert len(others) == 2
    for other in others:
        if leaves:
            os.kill(other, signal.SIGKILL)  # alive: nobody could know of it
        else:
            assert ends(other)


def ends(pid: int) -> bool:
    """Whether it comes to its end: killed, it does so when the system next lets it run."""
    if sys.platform != "linux":
        return not is_there(pid)
    try:
        process_handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(process_handle, "rb") as handle:  # noqa: PTH123  # a descriptor, not a path
        return bool(select.select([handle], [], [], 60)[0])


def test_a_decode_that_is_cancelled_takes_its_process_with_it(tmp_path: Path) -> None:
    gate = Gate(tmp_path, "gate")

    async def scenario() -> None:
        async with odd_pool() as pool:
            answer = asyncio.create_task(said(pool, "wait", gate.path))
            held = await gate.reached()
            (pid,) = pool.pids
            answer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await answer
            os.close(held)
            assert not is_there(pid)
            assert int(await said(pool, "pid")) != pid

    run(scenario())


def test_a_decode_that_is_cancelled_while_it_waits_costs_nobody_anything(tmp_path: Path) -> None:
    gate = Gate(tmp_path, "gate")

    async def scenario() -> None:
        async with odd_pool() as pool:
            answer = asyncio.create_task(said(pool, "wait", gate.path))
            held = await gate.reached()
            waiting = asyncio.create_task(said(pool, "pid"))
            await asyncio.sleep(0)
            waiting.cancel()
            os.close(held)
            assert (await answer).split()[0] == await said(pool, "pid")

    run(scenario())


def test_a_pool_that_is_closed_while_processes_start_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[process.DecoderProcess] = []
    become_ready = process.DecoderProcess.become_ready

    async def noted(child: process.DecoderProcess) -> None:
        started.append(child)
        await become_ready(child)

    monkeypatch.setattr(process.DecoderProcess, "become_ready", noted)

    async def scenario() -> None:
        async with odd_pool(processes=2) as pool:
            answers = [asyncio.create_task(said(pool, "pid")) for _ in range(4)]
            while len(started) < 2:
                await asyncio.sleep(0)
        for answer in answers:
            with pytest.raises(DecoderBroken):
                await answer
        assert len(started) == 2
        assert not any(is_there(child.pid) for child in started)

    run(scenario())


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    gate = Gate(tmp_path, "gate")

    async def scenario() -> None:
        async with odd_pool() as pool:  # the event loop's own descriptors are there from here on
            await said(pool, "pid")
        before = len(list(Path("/dev/fd").iterdir()))
        async with odd_pool(processes=3) as pool:
            await asyncio.gather(*(said(pool, "pid") for _ in range(6)))
            await refused(pool, "exit", 1)
            busy = asyncio.create_task(said(pool, "wait", gate.path))
            held = await gate.reached()
            pids = pool.pids
            assert pids
        with pytest.raises(DecoderBroken, match="the pool was closed over the item"):
            await busy
        os.close(held)
        assert not any(map(is_there, pids))
        with pytest.raises(DecoderBroken, match="the pool is closed"):
            await pool.decode(item("pid"))
        assert len(list(Path("/dev/fd").iterdir())) == before

    run(scenario())
