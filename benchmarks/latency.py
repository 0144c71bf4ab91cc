"""From publishing a post to reading its decision, at half of what the chain can do.

Posts arrive at random (Poisson) by a plan that is made before, whatever the chain does meanwhile; each latency counts
from the planned moment. So a stall meets all posts that should have come during it, not only the one that stalled.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from confluent_kafka import Consumer

from benchmarks.bed import Bed, Chain, WrongOutputs
from benchmarks.chain import MIB
from benchmarks.chain import measure as measure_chain
from benchmarks.processes import Subject
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, latencies
from benchmarks.texts import posts

NAME = "latency"
REQUIRED_P95_MS = 100.0
LOAD = 0.5
"""Of the capacity."""
SECONDS, QUICK_SECONDS = 60.0, 5.0
WARM_UP_S = 3.0
CAPACITY_ITEMS = 1_500
PATIENCE_S = 60.0
SEED = 11


@dataclass(frozen=True, slots=True)
class Arrival:
    """A post, and when it is to be published, in seconds from the start."""

    at_s: float
    key: str
    value: bytes


@dataclass(slots=True)
class Reading:
    """The decisions as they become readable: key -> moment, and the time that each stage says it took."""

    seen_s: dict[str, float] = field(default_factory=dict[str, float])
    timings_ms: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Modality and its status -> decisions."""
    doubled: int = 0


def plan(
    per_second: float, seconds: float, make: Callable[[int], Iterable[tuple[str, bytes]]] = posts
) -> list[Arrival]:
    """Arrivals of a Poisson process, the same every time. `make`: key and value of this many posts."""
    chance = random.Random(SEED)
    moments: list[float] = []
    at = chance.expovariate(per_second)
    while at < seconds:
        moments.append(at)
        at += chance.expovariate(per_second)
    return [Arrival(at, key, value) for at, (key, value) in zip(moments, make(len(moments)), strict=True)]


def run(bed: Bed, capacity: float | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`capacity` in items per second; measured here where it is not known."""
    if capacity is None:
        say("latency: the chain's capacity first")
        capacity = measure_chain(bed, CAPACITY_ITEMS // 5 if quick else CAPACITY_ITEMS).per_second
    seconds = QUICK_SECONDS if quick else SECONDS
    arrivals = plan(capacity * LOAD, WARM_UP_S + seconds)
    say(f"latency: {len(arrivals):,} posts at {capacity * LOAD:.0f} a second")
    with bed.chain(NAME) as chain, chain.worker("commands", "worker", "all") as worker:
        worker.wait_ready()
        values, reading = drive(chain, arrivals, worker)
        rss = worker.watch.peak_rss_bytes
    return report(values, reading.timings_ms, capacity=capacity, rss_bytes=rss)


def report(values_ms: list[float], timings: list[dict[str, float]], *, capacity: float, rss_bytes: int) -> Report:
    """The report on these latencies."""
    figures, tables = findings(NAME, values_ms, timings, capacity=capacity, rss_bytes=rss_bytes)
    target = Target("p95 at half load, ms", figures["latency_ms"]["p95"], REQUIRED_P95_MS, at_least=False)
    return Report(NAME, figures, tables, (target,))


def findings(
    name: str, values_ms: list[float], timings: list[dict[str, float]], *, capacity: float, rss_bytes: int
) -> tuple[dict[str, Any], tuple[Table, ...]]:
    """What is reported of these latencies: figures and tables."""
    found = latencies(values_ms)
    stages = sorted({stage for timing in timings for stage in timing})
    figures: dict[str, Any] = {
        "capacity_per_s": digits(capacity),
        "offered_per_s": digits(capacity * LOAD),
        "posts": len(values_ms),
        "latency_ms": found,
        "stage_median_ms": {
            stage: digits(median(timing[stage] for timing in timings if stage in timing)) for stage in stages
        },
        "worker_peak_rss_mib": round(rss_bytes / MIB),
    }
    columns = ("posts", "posts/s", "p50 ms", "p95 ms", "p99 ms", "most ms", "memory MiB")
    row = (len(values_ms), figures["offered_per_s"], *found.values(), figures["worker_peak_rss_mib"])
    own = Table("median of a decision's own timings, ms", tuple(stages), [tuple(figures["stage_median_ms"].values())])
    title = f"{name}: from publishing to a decision that can be read, at half load"
    return figures, (Table(title, columns, [row]), own)


def drive(
    chain: Chain, arrivals: list[Arrival], worker: Subject, beside: Sequence[Arrival] = ()
) -> tuple[list[float], Reading]:
    """Publish by the plan; returns, once every decision has been read, the latencies after the warm-up in milliseconds,
    and what was read. `beside`: posts that are published too, and not waited for. Raises `WrongOutputs`."""
    wanted = {arrival.key for arrival in arrivals}
    reading = Reading()
    ended = threading.Event()
    with chain.reader(chain.topics.decisions) as consumer:
        thread = threading.Thread(target=_read, args=(consumer, reading, ended))
        thread.start()
        try:
            began = _publish(chain, sorted((*arrivals, *beside), key=lambda arrival: arrival.at_s))
            deadline = time.monotonic() + PATIENCE_S
            while missing := len(wanted - reading.seen_s.keys()):
                worker.check()
                if time.monotonic() > deadline:
                    raise WrongOutputs(f"only {len(wanted) - missing:,} of {len(wanted):,} decisions came")
                time.sleep(0.1)
        finally:
            ended.set()
            thread.join()
    if reading.doubled:
        raise WrongOutputs(f"{reading.doubled:,} decisions came twice")
    counted = [arrival for arrival in arrivals if arrival.at_s >= WARM_UP_S]
    return [(reading.seen_s[arrival.key] - began - arrival.at_s) * 1000 for arrival in counted], reading


def _publish(chain: Chain, arrivals: list[Arrival]) -> float:
    producer = chain.bed.producer(**{"linger.ms": 0})
    producer.list_topics(chain.posts, timeout=10)  # connected before the first post is due
    began = time.monotonic()
    for arrival in arrivals:
        if (wait := began + arrival.at_s - time.monotonic()) > 0:
            time.sleep(wait)
        producer.produce(chain.posts, arrival.value, arrival.key)
        producer.poll(0)
    producer.flush(PATIENCE_S)
    return began


def _read(consumer: Consumer, reading: Reading, ended: threading.Event) -> None:
    while not ended.is_set():
        for key, value in _messages(consumer):
            now = time.monotonic()
            reading.doubled += key in reading.seen_s
            reading.seen_s.setdefault(key, now)
            decision = json.loads(value)
            reading.timings_ms.append(decision["timings_ms"])
            reading.statuses.update((name, read["status"]) for name, read in decision["modalities"].items())


def _messages(consumer: Consumer) -> Iterator[tuple[str, bytes]]:
    message = consumer.poll(0.1)
    if message is not None and message.error() is None:
        yield (message.key() or b"").decode(), message.value() or b"{}"  # type: ignore[union-attr]
