"""How many small posts one core validates per second."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.report import Report, Table, Target
from schemas import InvalidPost, decode_post

NAME = "validate"
ROUNDS = 5
"""Rounds measured; the median is reported, so that a busy moment of the machine does not count."""
SECONDS, QUICK_SECONDS = 2.0, 0.2
"""For each workload."""
REQUIRED_PER_SECOND = 20_000

_TEXT = "nobody asked you, go back to the game and leave the rest of us alone 🙂"


def run(*, quick: bool) -> Report:
    """Each workload for some seconds, on one core."""
    rates = {name: round(measure(posts, QUICK_SECONDS if quick else SECONDS)) for name, posts in _posts().items()}
    table = Table("validate: posts of one core", ("workload", "posts/s"), list(rates.items()))
    target = Target("small posts validated, posts/s", rates["small"], REQUIRED_PER_SECOND)
    return Report(NAME, {"posts_per_s": rates}, (table,), (target,))


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
    return median(rates)


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
