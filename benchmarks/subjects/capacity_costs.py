"""What posts cost, stage by stage and without Kafka: `python -m benchmarks.subjects.capacity_costs FILE`.

FILE has a post on each line, settings come from the environment, as a worker's. Prints JSON: CPU seconds of each stage
for a post (its decoders' processes included), bytes of what would cross topics and of what the media store got, and
how long the whole chain takes for one alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psutil

from benchmarks.statistics import digits
from benchmarks.subjects.bare_chain import records
from processors.chain import Processors, run_chain
from processors.fuse.messages import decision_messages
from schemas import Record, Stage, encode_record
from streams.assembly import chain_of
from streams.settings import load_settings
from streams.topology import STAGES

WARM_UP = 2
"""Posts before any that counts: engines allocate, decoders start."""
LONE = 20
"""Posts that go through one at a time."""


def cpu_s() -> float:
    """Of this process and those that it has started and that still live."""
    own = time.process_time()
    return own + sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children(recursive=True))


def through(processors: Processors, batch: Sequence[Record]) -> tuple[dict[Stage, float], list[Record], int]:
    """All stages one after the other: CPU seconds of each, the decided records, and the largest size of a record."""
    spent: dict[Stage, float] = {}
    largest = 0
    for processor in processors:
        reached = any(processor.stage in record.route for record in batch)
        before = cpu_s()
        outcomes = run_chain([processor], batch)
        if reached:
            spent[processor.stage] = cpu_s() - before
        batch = [outcome for outcome in outcomes if isinstance(outcome, Record)]
        if len(batch) != len(outcomes):
            raise RuntimeError(f"{processor.stage} gave a post up: {outcomes}")
        if processor.stage is not STAGES[-1]:
            largest = max(largest, sum(len(encode_record(record)) for record in batch))
    return spent, list(batch), largest


def main(path: Path) -> None:
    settings = load_settings(None, os.environ, {}).settings
    processors, _ = chain_of(settings, "benchmark")
    everything = records(path.read_bytes().splitlines())
    warm, counted = everything[:WARM_UP], everything[WARM_UP:]
    through(processors, warm)
    store = Path(settings.store.url)
    stored = stored_bytes(store)
    spent, decided, largest = through(processors, counted)
    messages = [decision_messages(record) for record in decided]
    outputs = sum(len(each.decision) + len(each.confidence) + sum(map(len, each.flags)) for each in messages)
    count = len(counted)
    found = {
        "cpu_s": {stage.value: digits(seconds / count) for stage, seconds in spent.items()},
        "post_bytes": digits(sum(without_data(line) for line in path.read_bytes().splitlines()[WARM_UP:]) / count),
        "record_bytes": digits(largest / count),
        "output_bytes": digits(outputs / count),
        "media_bytes": digits((stored_bytes(store) - stored) / count),
    }
    print(json.dumps({"cost": found, "lone_s": lone_seconds(processors, counted)}))


def lone_seconds(processors: Processors, posts: Sequence[Record]) -> float:
    """Wall time of the whole chain for a post alone, the median of some."""
    times: list[float] = []
    for post in posts[:LONE]:
        began = time.perf_counter()
        run_chain(processors, [post])
        times.append(time.perf_counter() - began)
    return digits(median(times))


def stored_bytes(store: Path) -> int:
    """In all files of the media store."""
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) if store.exists() else 0


def without_data(line: bytes) -> int:
    """Bytes of a post whose media are addresses: what rides in it here lies elsewhere at home."""
    post = json.loads(line)
    for media in post.get("media", ()):
        if media.pop("data", None) is not None:
            media["uri"] = "https://cdn.example.com/objects/2026/11/22/0123456789abcdef0123456789abcdef"
    return len(json.dumps(post, ensure_ascii=False).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
