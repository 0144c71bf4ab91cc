"""How much later texts are decided while long recordings are heard beside them: what the lane of long media is for.

The same texts by the same plan, once alone and once among posts of which one in twenty is ten minutes of sound. Long
media are fetched and heard by workers of their own. Where there are cores enough these have theirs, so that what is
left to see is what all posts share: the broker, the consumer group and the code. Elsewhere everybody shares the cores.
"""

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from benchmarks.bed import Bed, Chain, WrongOutputs
from benchmarks.chain import measure as measure_chain
from benchmarks.latency import CAPACITY_ITEMS, WARM_UP_S, Arrival, drive, plan
from benchmarks.processes import Subject
from benchmarks.recording import RATE, Samples, piece, recordings, write_sound
from benchmarks.report import Report, Table, Target
from benchmarks.statistics import digits, latencies
from schemas import Stage
from streams.topology import LONG, LONG_STAGES, STAGES, STANDARD, URGENT

NAME = "lanes"
SHARE = 0.05
"""Of all posts, those with a recording."""
MOST_TIMES = 1.2
"""What p95 may become, by the goal."""
LOAD = 0.3
"""Of the capacity for texts: with half of the cores left to them, their stages are idle half of the time."""
SECONDS, QUICK_SECONDS = 45.0, 5.0
APART_CORES = 4
"""From so many on, long media have half of them to themselves: Kafka and the texts need two."""

LENGTH_S, PART_S, BITS = 600.0, 30.0, 16_000
"""A recording is put together from parts in an order of its own, so that none is heard twice and few are encoded."""

SHORT_LANES = f"{STANDARD},{URGENT}"
SHORT_STAGES = tuple(stage.value for stage in STAGES if stage is not Stage.FETCH)
AT_ONCE = {"MODSTREAM_WORKER__DRAIN_TIMEOUT_S": "0"}
"""A recording that is under way when all has been measured is not waited for."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run showed."""

    values_ms: list[float]
    """Latencies of the texts."""
    crossed: int = 0
    """Recordings that came to the lane of long media while texts were measured,"""
    decided: int = 0
    """and those of them that were decided."""


def run(bed: Bed, capacity: float | None, *, quick: bool, say: Callable[[str], None]) -> Report:
    """`capacity` for texts, in items per second; measured here where it is not known."""
    if capacity is None:
        say("lanes: the chain's capacity first")
        capacity = measure_chain(bed, CAPACITY_ITEMS // 5 if quick else CAPACITY_ITEMS).per_second
    texts = plan(capacity * LOAD, WARM_UP_S + (QUICK_SECONDS if quick else SECONDS))
    folder = bed.folder / "recordings"
    long = _beside(texts, make_recordings(folder, round(len(texts) * SHARE / (1 - SHARE))))
    cores = sorted(os.sched_getaffinity(0))
    apart = len(cores) >= APART_CORES
    half = len(cores) // 2
    theirs, others = (cores[half:], cores[:half]) if apart else (cores, cores)
    say(f"lanes: {len(texts):,} texts at {capacity * LOAD:.0f} a second, alone")
    alone = _measure(bed, texts, [], folder, theirs, others)
    say(f"lanes: and with {len(long):,} recordings of {LENGTH_S / 60:.0f} minutes among them")
    among = _measure(bed, texts, long, folder, theirs, others)
    if not among.crossed:
        raise WrongOutputs("lanes: no recording came to the lane of long media while texts were measured")
    return report(alone, among, recordings=len(long), apart=apart)


def report(alone: Run, among: Run, *, recordings: int, apart: bool) -> Report:
    """The report on these runs. The goal is for cores that are not shared: there is none elsewhere."""
    found = {"alone": latencies(alone.values_ms), "among recordings": latencies(among.values_ms)}
    times = digits(found["among recordings"]["p95"] / found["alone"]["p95"])
    figures: dict[str, Any] = {
        "texts": len(alone.values_ms),
        "recordings": recordings,
        "recordings_crossed": among.crossed,
        "recordings_decided": among.decided,
        "cores_apart": apart,
        "latency_ms": found,
        "p95_times": times,
    }
    columns = ("texts", "p50 ms", "p95 ms", "p99 ms", "most ms")
    title = (
        f"lanes: texts, with {SHARE:.0%} of ten-minute recordings and without, cores {'apart' if apart else 'shared'}"
    )
    table = Table(title, columns, [(name, *values.values()) for name, values in found.items()])
    targets = (Target("p95 among recordings, times", times, MOST_TIMES, at_least=False),) if apart else ()
    return Report(NAME, figures, (table,), targets)


def make_recordings(folder: Path, count: int) -> list[tuple[str, bytes]]:
    """Key and value of `count` posts, each with a recording in `folder` that nobody has heard before."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = recordings(None)
    parts = [_mp3(piece(number, PART_S, sources)) for number in range(round(LENGTH_S / PART_S))]
    found: list[tuple[str, bytes]] = []
    for number in range(count):
        path = folder / f"{number:05}.mp3"
        path.write_bytes(b"".join(random.Random(number).sample(parts, len(parts))))
        media = {"media_id": "m-1", "kind": "audio", "uri": path.as_uri()}
        key = f"long-{number:05}"
        found.append((key, json.dumps({"schema": "post/1", "post_id": key, "media": [media]}).encode()))
    return found


def _mp3(sound: Samples) -> bytes:
    """Nothing but frames, so that pieces one after the other are a recording."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        write_sound(container, container.add_stream("libmp3lame", rate=RATE, layout="mono"), BITS, sound)
    return out.getvalue()


def _beside(texts: Sequence[Arrival], posts: Sequence[tuple[str, bytes]]) -> list[Arrival]:
    """Evenly among the texts, from the first on."""
    end_s = texts[-1].at_s
    return [Arrival(end_s * number / len(posts), key, value) for number, (key, value) in enumerate(posts)]


def _measure(
    bed: Bed, texts: list[Arrival], long: list[Arrival], folder: Path, theirs: Iterable[int], others: Iterable[int]
) -> Run:
    with bed.chain(NAME) as chain, ExitStack() as stack:
        with _on(theirs):
            media = [
                _worker(
                    stack, chain, [Stage.FETCH.value], "fetch", SHORT_LANES, MODSTREAM_MEDIA__FILE_ROOTS=str(folder)
                ),
                _worker(stack, chain, LONG_STAGES, "long", LONG),
            ]
        with _on(others):
            worker = _worker(stack, chain, (*SHORT_STAGES, Stage.RETRY.value), "short", SHORT_LANES)
        for subject in (*media, worker):
            subject.wait_ready()
        values, reading = drive(chain, texts, worker, long)
        for subject in media:
            subject.check()
        crossed = len(chain.read(chain.topics.stage(Stage.ASR, LONG), 0).keys)
    return Run(values, crossed, sum(arrival.key in reading.seen_s for arrival in long))


def _worker(stack: ExitStack, chain: Chain, stages: Sequence[str], instance: str, lanes: str, **extra: str) -> Subject:
    settings = {"MODSTREAM_WORKER__LANES": lanes, **AT_ONCE, **extra}
    return stack.enter_context(chain.worker("commands", "worker", *stages, instance=instance, **settings))


@contextmanager
def _on(cores: Iterable[int]) -> Generator[None]:
    """What is started in it has these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
