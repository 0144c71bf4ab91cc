"""Heavy hitters in bounded memory: Space-Saving.

A. Metwally, D. Agrawal, A. El Abbadi, *Efficient Computation of Frequent and Top-k Elements in Data Streams* (ICDT
2005).
Of N additions to a sketch of k names, every name that came more than N / k times is in it, and a name's true count is
between `count - error` and `count`. While there are at most k names, all counts are exact, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping


def add_bounded(counts: dict[str, int], errors: dict[str, int], name: str, by: int, capacity: int) -> str | None:
    """Count `name`. Where there is no room, the smallest makes way and is returned; `name` inherits its count."""
    if name in counts:
        counts[name] += by
        return None
    if len(counts) < capacity:
        counts[name] = by
        return None
    smallest = min(counts, key=lambda known: (counts[known], known))
    errors.pop(smallest, None)
    inherited = counts.pop(smallest)
    counts[name] = inherited + by
    errors[name] = inherited
    return smallest


def at_least(counts: Mapping[str, int], errors: Mapping[str, int]) -> dict[str, int]:
    """What each name surely came to: a flood is never made larger than it was."""
    return {name: count - errors.get(name, 0) for name, count in counts.items()}
