"""Hostile posts and pictures, long and many: the worker neither stops nor grows."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from processors.media.decoder import DecoderLimits, DecoderPool, Undecodable
from tests.delivery.cluster import ALL, Cluster, Process, alive, decisions, post
from tests.delivery.test_failure_table import ACCEPTED, HOSTILE
from tests.hostile_pictures import hostile_pictures

ROUND = 10_000
ROUNDS = 10
WARM_ROUNDS = 4
"""Until then the allocator fills its arenas, one for every thread: over 28 such rounds, a worker of 191 MB grew to 252
MB in the first 12, and by 1 MB in the others."""
LARGE_EVERY = 500
"""The post of 1.9 MB comes this often; all others are small."""
GROWTH_BYTES = 24 * 1024 * 1024
"""What the allocator may keep from then on; a leak of 1 KiB a post would be more than twice that."""

PICTURES = 500
FIRST = 100
"""Pictures after which the worker has met every kind of attack three times, and has its engines' working memory."""
PICTURE_GROWTH_BYTES = 96 * 1024 * 1024
"""What the worker may grow by over the other 400: working memory for pictures of new shapes, and readings remembered.
The decoded pixels of one bomb alone would be more."""
INLINE_BYTES = 256 * 1024
"""`media.max_inline_bytes` as it is by default."""


def hostile_stream() -> Iterator[tuple[str, dict[str, object] | bytes | None]]:
    """Bad posts, good posts, huge posts and deletes, without end."""
    at = 0
    small = [value for value, _ in HOSTILE.values()]
    while True:
        yield f"bad-{at}", small[at % len(small)]
        yield post(f"good-{at}", "a perfectly normal post")
        yield f"good-{at}", None
        if at % LARGE_EVERY == 0:
            yield "huge", ACCEPTED["huge text"]
        at += 1


def resident_bytes(process: Process) -> int:
    """What the process holds in memory now."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_hundred_thousand_hostile_posts_leave_the_worker_as_large_as_the_first_ones_did(cluster: Cluster) -> None:
    worker = cluster.start()
    stream = hostile_stream()
    sizes: list[int] = []
    for number in range(1, ROUNDS + 1):
        cluster.publish(islice(stream, ROUND))
        last = f"last-{number}"
        cluster.publish([post(last)])
        for message in cluster.follow(cluster.topics.decisions):
            if message.key() == last.encode():
                break
        sizes.append(resident_bytes(worker))
    assert worker.terminate() == 0
    assert sizes[-1] - sizes[WARM_ROUNDS - 1] < GROWTH_BYTES, sizes


def picture_post(name: str, data: bytes, folder: Path) -> tuple[str, dict[str, Any]]:
    """A post with a picture; what may not ride in it is a file in `folder`."""
    media = {"media_id": "m", "kind": "image"}
    if 0 < len(data) <= INLINE_BYTES:
        media["data"] = base64.b64encode(data).decode()
    else:
        path = folder / name
        path.write_bytes(data)
        media["uri"] = path.as_uri()
    return name, {"schema": "post/1", "post_id": name, "text": "What a lovely day in the park.", "media": [media]}


def refused(pictures: Sequence[tuple[str, bytes]]) -> set[str]:
    """Those of which a decoder makes no picture."""

    async def judge() -> set[str]:
        found: set[str] = set()
        async with DecoderPool(DecoderLimits(), 2) as pool:
            for name, data in pictures:
                try:
                    await pool.decode(data)
                except Undecodable:
                    found.add(name)
        return found

    return asyncio.run(judge())


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_five_hundred_hostile_pictures_get_a_decision_each_and_none_is_approved_unread(cluster: Cluster) -> None:
    pictures = list(hostile_pictures(4, PICTURES))
    unread = refused(pictures)
    folder = cluster.folder / "pictures"
    folder.mkdir()
    worker = cluster.spawn("one", "commands", "worker", *ALL, MODSTREAM_MEDIA__FILE_ROOTS=str(folder))
    worker.wait_ready()
    cluster.publish(picture_post(name, data, folder) for name, data in pictures[:FIRST])
    first = list(islice(cluster.follow(cluster.topics.decisions), FIRST))
    before = resident_bytes(worker)
    cluster.publish(picture_post(name, data, folder) for name, data in pictures[FIRST:])
    rest = list(islice(cluster.follow(cluster.topics.decisions), PICTURES))[FIRST:]
    after = resident_bytes(worker)

    found = {decision["post_id"]: decision for decision in decisions([*first, *rest])}
    assert len(cluster.read(cluster.topics.decisions, PICTURES)) == PICTURES
    assert found.keys() == {name for name, _ in pictures}
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    for modality in ("ocr", "image"):
        assert {name for name, decision in found.items() if decision["modalities"][modality]["status"] == "failed"} == (
            unread
        )
    assert {found[name]["action"] for name in unread} == {"review"}
    assert len(unread) < PICTURES, "some of it is only odd, and is read"
    assert after - before < PICTURE_GROWTH_BYTES, (before, after)
    decoders = worker.children()
    assert decoders
    assert worker.terminate() == 0
    assert not any(map(alive, decoders))
