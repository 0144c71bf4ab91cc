"""From publishing a post with a picture to reading its decision, at half of what the chain can do.

As `latency`, for posts of one captioned picture each, which rides in the post itself: what a network and a foreign
server add is not measured. No picture comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchmarks.bed import Bed, WrongOutputs
from benchmarks.drawing import picture_posts
from benchmarks.latency import LOAD, Reading, drive, findings, plan
from benchmarks.report import Report
from benchmarks.statistics import steady

NAME = "pictures"
SECONDS, QUICK_SECONDS = 120.0, 5.0
"""Longer than for text: there are fewer of them a second, and a p99 wants a hundred at least."""
CAPACITY_ITEMS, QUICK_CAPACITY_ITEMS = 200, 40
TIMEOUT_S = 600.0
READ = ("ok", "partial", "unsafe")
"""What a picture's status may be here, its lines looked for and judged: else a latency would be that of a failure."""


def run(bed: Bed, *, quick: bool, say: Callable[[str], None]) -> Report:
    """The capacity first."""
    items = QUICK_CAPACITY_ITEMS if quick else CAPACITY_ITEMS
    say(f"pictures: the chain's capacity, with {items} posts")
    capacity = measure_capacity(bed, items)

    def fresh(count: int) -> Iterable[tuple[str, bytes]]:
        return picture_posts(count, first=items)

    arrivals = plan(capacity * LOAD, QUICK_SECONDS if quick else SECONDS, fresh)
    say(f"pictures: {len(arrivals):,} posts at {capacity * LOAD:.1f} a second")
    with bed.chain(NAME) as chain, chain.worker("commands", "worker", "all") as worker:
        worker.wait_ready()
        values, reading = drive(chain, arrivals, worker)
        rss = worker.watch.peak_rss_bytes
    require_read(reading, len(arrivals))
    figures, tables = findings(NAME, values, reading.timings_ms, capacity=capacity, rss_bytes=rss)
    return Report(NAME, figures, tables)


def measure_capacity(bed: Bed, count: int) -> float:
    """Posts a second: a backlog of `count` of them through a worker with all stages."""
    posts = list(picture_posts(count))
    with bed.chain(NAME) as chain:
        chain.preload(posts)
        with chain.worker("commands", "worker", "all") as worker:
            worker.wait_ready()
            # Pictures wait in a second topic, so the posts' offsets do not tell when all is done. To read along costs
            # nothing at some posts a second.
            outputs = chain.read(chain.topics.decisions, count, TIMEOUT_S)
        outputs.require(key for key, _ in posts)
    return steady(outputs.appended_ms).per_second


def require_read(reading: Reading, count: int) -> None:
    """Raises `WrongOutputs` unless the pictures of `count` decisions were read."""
    for modality in ("ocr", "image"):
        read = sum(reading.statuses[modality, status] for status in READ)
        if read < count:
            told = {status: number for (name, status), number in reading.statuses.items() if name == modality}
            raise WrongOutputs(f"{modality}: only {read:,} of {count:,} pictures were read: {told}")
