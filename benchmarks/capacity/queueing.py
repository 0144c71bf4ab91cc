"""How long posts wait: a small simulation of batches on several servers."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
"""Shape [posts], seconds."""


@dataclass(frozen=True, slots=True)
class Service:
    """A server takes what waits, up to `max_items`, and is done with all of it at once after `fixed_s + each_s * n`."""

    each_s: float
    fixed_s: float = 0.0
    max_items: int = 1
    max_wait_s: float = 0.0
    """How long the first of a batch waits for others while a server is free."""

    def takes_s(self, items: int) -> float:
        return self.fixed_s + self.each_s * items


def poisson(per_second: float, count: int, seed: int = 11) -> Times:
    """Moments at which posts arrive, one independent of another; the same every time."""
    return np.cumsum(np.random.default_rng(seed).exponential(1 / per_second, count))


def sojourns(arrivals: Times, service: Service, servers: int, draws: Times | None = None) -> Times:
    """From arrival to being done, seconds, of each post: first come, first served.

    With batches of one this is the recursion of Kiefer and Wolfowitz (1955) for G/G/c, which for one server is
    Lindley's (1952): a post begins when it has come and the first server is free. A batch begins when its first post
    has waited `max_wait_s`, or it is full, and a server is free; it takes all that has come by then. `draws`: factors
    of the service time of each batch in order (shape [posts], the first ones are used); none are 1.
    """
    free = [0.0] * servers
    found = np.empty_like(arrivals)
    at, batch = 0, 0
    while at < len(arrivals):
        full_at = at + service.max_items - 1
        complete_s = arrivals[full_at] if full_at < len(arrivals) else np.inf
        ready_s = min(arrivals[at] + service.max_wait_s, max(complete_s, arrivals[at]))
        begins_s = max(float(ready_s), heapq.heappop(free))
        end = min(at + service.max_items, int(np.searchsorted(arrivals, begins_s, side="right")))
        end = max(end, at + 1)
        factor = 1.0 if draws is None else float(draws[batch])
        done_s = begins_s + service.takes_s(end - at) * factor
        found[at:end] = done_s - arrivals[at:end]
        heapq.heappush(free, done_s)
        at, batch = end, batch + 1
    return found
