"""How sure the figures of a canary are. All intervals are of 95%."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Z = 1.959964
"""The normal distribution's 97.5th percentile."""

Interval = tuple[float, float]


def wilson(hits: int, of: int) -> Interval:
    """Of a share, by its score (Wilson, JASA 22, 1927): also where it is 0 or 1. `of` > 0."""
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(hits: int, of: int, less_hits: int, less_of: int) -> tuple[float, Interval]:
    """One share less another, of samples that know nothing of each other (Newcombe, Statistics in Medicine 17, 1998,
    method 10). Both `of` > 0."""
    first, second = hits / of, less_hits / less_of
    (low, high), (less_low, less_high) = wilson(hits, of), wilson(less_hits, less_of)
    found = first - second
    return found, (
        found - math.hypot(first - low, less_high - second),
        found + math.hypot(high - first, second - less_low),
    )


def quantile(values: NDArray[np.float64], share: float) -> tuple[float, Interval]:
    """A quantile, and the order statistics between which that of the population is, whatever the distribution
    (Conover, Practical Nonparametric Statistics, 3.2). The upper one is infinite where there are too few values."""
    ordered = np.sort(values)
    count = len(ordered)
    spread = Z * math.sqrt(count * share * (1 - share))
    low = max(0, math.floor(count * share - spread))
    high = math.ceil(count * share + spread)
    at = min(count - 1, math.ceil(count * share) - 1)
    return float(ordered[at]), (float(ordered[low]), float(ordered[high]) if high < count else math.inf)


def same_mix(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """The probability of two counts by kind that differ as much as these or more, if both come from one mix (Pearson's
    chi-square test). Up to three kinds, for which it has a closed form; 1 for fewer than two."""
    kinds = [kind for kind in {*first, *second} if first.get(kind, 0) + second.get(kind, 0)]
    if len(kinds) < 2:
        return 1.0
    if len(kinds) > 3:
        raise ValueError(f"{len(kinds)} kinds: expected at most 3")
    sums = sum(first.values()), sum(second.values())
    square = 0.0
    for kind in kinds:
        both = first.get(kind, 0) + second.get(kind, 0)
        for counts, total in zip((first, second), sums, strict=True):
            expected = both * total / sum(sums)
            square += (counts.get(kind, 0) - expected) ** 2 / expected if expected else 0.0
    return math.erfc(math.sqrt(square / 2)) if len(kinds) == 2 else math.exp(-square / 2)
