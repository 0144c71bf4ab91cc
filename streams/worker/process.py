"""What a worker asks of its process: the cores it may use, and a garbage collector that keeps out of the way."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 200_000
"""Objects made before the collector looks at the young ones. A worker holds thousands of records that are all alive:
looking at them again every 700 objects (Python's default) took more than half of the time of a message. The garbage
that only the collector frees (cycles, in exceptions mostly) is little."""


def calm_collector() -> None:
    """Collect seldom, and never look at what is alive for good: modules, models, settings."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
