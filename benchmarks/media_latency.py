"""From publishing a post with media to reading its decision, at half of what the chain can do with such posts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.bed import Bed, WrongOutputs
from benchmarks.latency import LOAD, WARM_UP_S, Reading, drive, findings, plan
from benchmarks.report import Table

SECONDS, QUICK_SECONDS = 120.0, 5.0
LEAST_POSTS, QUICK_LEAST_POSTS = 100, 6
"""It goes on until about so many have come: there are fewer a second than of text, and a p99 wants a hundred."""
TIMEOUT_S = 600.0
READ = ("ok", "partial", "unsafe")
"""What a modality's status may be here, looked for and judged: else a latency would be that of a failure."""


class Maker(Protocol):
    def __call__(self, count: int, first: int = 0) -> Iterable[tuple[str, bytes]]:
        """Key and value of `count` posts, none of which is one of those before `first`."""
        ...


@dataclass(frozen=True, slots=True)
class MediaPosts:
    """Posts of one kind."""

    name: str
    make: Maker
    modalities: tuple[str, ...]
    """That each of them must be judged by."""
    backlog: int
    quick_backlog: int
    """Posts that the capacity is measured with."""


def at_half_load(
    bed: Bed, posts: MediaPosts, *, quick: bool, say: Callable[[str], None]
) -> tuple[dict[str, Any], tuple[Table, ...]]:
    """The capacity first. Figures and tables as `latency` has them. Raises `WrongOutputs`."""
    items = posts.quick_backlog if quick else posts.backlog
    say(f"{posts.name}: the chain's capacity, with {items} posts")
    capacity = measure_capacity(bed, posts, items)

    def fresh(count: int) -> Iterable[tuple[str, bytes]]:
        return posts.make(count, first=items)

    seconds, least = (QUICK_SECONDS, QUICK_LEAST_POSTS) if quick else (SECONDS, LEAST_POSTS)
    arrivals = plan(capacity * LOAD, WARM_UP_S + max(seconds, least / (capacity * LOAD)), fresh)
    say(f"{posts.name}: {len(arrivals):,} posts at {capacity * LOAD:.1f} a second")
    with bed.chain(posts.name) as chain, chain.worker("commands", "worker", "all") as worker:
        worker.wait_ready()
        values, reading = drive(chain, arrivals, worker)
        rss = worker.watch.peak_rss_bytes
    require_read(reading, len(arrivals), posts.modalities)
    return findings(posts.name, values, reading.timings_ms, capacity=capacity, rss_bytes=rss)


def measure_capacity(bed: Bed, posts: MediaPosts, count: int) -> float:
    """Posts a second: a backlog of `count` of them through a worker with all stages, from when it is ready to the last
    decision. Decisions on media come in bursts, a batch at a time, so that the first of them tell no rate."""
    backlog = list(posts.make(count))
    with bed.chain(posts.name) as chain:
        chain.preload(backlog)
        with chain.worker("commands", "worker", "all") as worker:
            worker.wait_ready()
            ready_s = time.time()  # the broker, which stamps what comes, is on the same machine
            # Media wait in a second topic, so the posts' offsets do not tell when all is done. To read along costs
            # nothing at some posts a second.
            outputs = chain.read(chain.topics.decisions, count, TIMEOUT_S)
        outputs.require(key for key, _ in backlog)
    return count / (max(outputs.appended_ms) / 1000 - ready_s)


def require_read(reading: Reading, count: int, modalities: tuple[str, ...]) -> None:
    """Raises `WrongOutputs` unless these modalities of `count` decisions were read."""
    for modality in modalities:
        read = sum(reading.statuses[modality, status] for status in READ)
        if read < count:
            told = {status: number for (name, status), number in reading.statuses.items() if name == modality}
            raise WrongOutputs(f"{modality}: only {read:,} of {count:,} posts were read: {told}")
