"""Long and many: the worker neither stops nor grows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.delivery.cluster import Cluster, Process, post
from tests.delivery.test_failure_table import ACCEPTED, HOSTILE

ROUND = 20_000
ROUNDS = 5
LARGE_EVERY = 500
"""The post of 1.9 MB comes this often; all others are small."""
GROWTH_BYTES = 48 * 1024 * 1024
"""What the allocator may keep from the first round to the last; a leak of 1 KiB a post would be twice that."""


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
def test_a_hundred_thousand_hostile_posts_leave_the_worker_as_large_as_the_first_did(cluster: Cluster) -> None:
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
    assert sizes[-1] - sizes[0] < GROWTH_BYTES, sizes
