"""Quantiles of a histogram's buckets."""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantile(q: float, buckets: Mapping[float, float]) -> float | None:
    """The `q`-quantile (0..1) of what was observed; None where nothing was, or where there is no bucket up to +Inf.

    `buckets`: upper bound -> cumulative count, as Prometheus' `le`. Linear interpolation within the bucket that holds
    the quantile's rank, from 0 in the first one; a rank in the last bucket is its lower bound. That is what Prometheus'
    `histogram_quantile` does with classic histograms:
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or bounds[-1] != math.inf:
        return None
    # Counts of one moment, summed over workers, always rise; differences of two scrapes may miss that by a hair.
    counts: list[float] = []
    for bound in bounds:
        counts.append(max(buckets[bound], counts[-1] if counts else 0.0))
    total = counts[-1]
    if total <= 0:
        return None
    rank = q * total
    at = next(place for place, count in enumerate(counts) if count >= rank)
    if at == len(bounds) - 1:
        return bounds[-2]
    if at == 0 and bounds[0] <= 0:
        return bounds[0]
    start, before = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    inside = counts[at] - before
    return start + (bounds[at] - start) * ((rank - before) / inside if inside else 1.0)
