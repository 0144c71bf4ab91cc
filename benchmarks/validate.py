"""How many small posts one core validates per second: `python -m benchmarks.validate [--seconds S] [--json]`."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence

from schemas import InvalidPost, decode_post

ROUNDS = 5
"""Rounds measured; the median is reported, so that a busy moment of the machine does not count."""

REQUIRED_PER_SECOND = 20_000

_TEXT = "nobody asked you, go back to the game and leave the rest of us alone 🙂"


def _posts() -> dict[str, list[bytes]]:
    """Workloads by name; each is a list of encoded posts, all different."""
    count = 1_000
    full = {
        "schema": "post/1",
        "created_at": "2026-11-22T10:00:00Z",
        "tenant": "default",
        "region": "EU",
        "platform": None,
        "author_id": "u-9",
        "account_type": None,
        "reach": 1200,
        "priority": "standard",
        "lang": None,
        "text": _TEXT,
        "media": [{"media_id": "m-1", "kind": "image", "uri": "https://cdn.example/x.jpg"}],
        "context": {"parent_text": "what do you think?", "title": None},
        "metadata": {"client": "web", "tags": ["a", "b"], "edits": 2},
    }
    return {
        "small": [_encode({"post_id": f"p-{i}", "text": _TEXT}) for i in range(count)],
        "full": [_encode({"post_id": f"p-{i}", **full}) for i in range(count)],
        "invalid": [_encode({"post_id": f"p-{i}", "text": _TEXT, "reach": "many"}) for i in range(count)],
    }


def _encode(post: dict[str, object]) -> bytes:
    return json.dumps(post).encode()  # escapes all but ASCII, as most producers do


def _validate(posts: Sequence[bytes]) -> int:
    """Validates all posts; returns how many were invalid."""
    invalid = 0
    for raw in posts:
        try:
            decode_post(raw)
        except InvalidPost:
            invalid += 1
    return invalid


def measure(posts: Sequence[bytes], seconds: float) -> float:
    """Posts per second, the median of `ROUNDS` rounds that take `seconds` in all."""
    _validate(posts)
    rates: list[float] = []
    for _ in range(ROUNDS):
        done, start = 0, time.perf_counter()
        while (taken := time.perf_counter() - start) < seconds / ROUNDS:
            _validate(posts)
            done += len(posts)
        rates.append(done / taken)
    return statistics.median(rates)


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code is 1 where small posts take longer than required."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each workload (default 2)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args(arguments)
    rates = {name: round(measure(posts, chosen.seconds)) for name, posts in _posts().items()}
    if chosen.json:
        print(json.dumps({"benchmark": "validate", "posts_per_s": rates, "required_small": REQUIRED_PER_SECOND}))
    else:
        for name, rate in rates.items():
            print(f"{name:>8} {rate:>10,} posts/s")
    return 0 if rates["small"] >= REQUIRED_PER_SECOND else 1


if __name__ == "__main__":
    sys.exit(main())
