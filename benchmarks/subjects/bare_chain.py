"""The chain's processors in a bare loop, without Kafka: `python -m benchmarks.subjects.bare_chain COUNT`.

Settings from the environment, as a worker's. Prints JSON: items per second after the warm-up, and tokens per text.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence

from benchmarks.statistics import WARM_UP_SHARE, quantile
from benchmarks.texts import posts
from processors.chain import run_chain
from schemas import Record, Source, decode_post
from streams.assembly import chain_of
from streams.settings import load_settings
from streams.topology import STAGES


def records(values: Iterable[bytes]) -> list[Record]:
    """What a worker makes of the messages; this is not timed."""
    return [
        Record(
            post=decode_post(value),
            source=Source(topic="posts", partition=0, offset=offset, timestamp_ms=0),
            content_hash=hashlib.sha256(value).hexdigest(),
            received_ms=0,
            route=STAGES,
        )
        for offset, value in enumerate(values)
    ]


def tokens(outcomes: Sequence[object]) -> list[int]:
    """Tokens of each text. Raises RuntimeError for an outcome that is no decision."""
    found: list[int] = []
    for outcome in outcomes:
        if not isinstance(outcome, Record) or outcome.decision is None or outcome.pack is None:
            raise RuntimeError(f"the bare loop decided nothing: {outcome!r}")
        found.append(sum(len(window.ids) for window in outcome.pack.windows))
    return found


def main(count: int) -> None:
    processors, _ = chain_of(load_settings(None, os.environ, {}).settings, "benchmark")
    everything = records(value for _, value in posts(count))
    warm_up = int(count * WARM_UP_SHARE)
    run_chain(processors, everything[:warm_up])
    began = time.perf_counter()
    outcomes = run_chain(processors, everything[warm_up:])
    seconds = time.perf_counter() - began
    lengths = tokens(outcomes)
    shares = {"least": 0.0001, "median": 0.5, "most": 1.0}
    print(
        json.dumps(
            {
                "items_per_s": len(outcomes) / seconds,
                "tokens": {name: quantile(lengths, share) for name, share in shares.items()},
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
