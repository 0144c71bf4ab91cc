"""How sure a measured rate is: percentile intervals by resampling the items that it was measured on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

RESAMPLES = 1_000
"""Enough for two stable digits of a 95% interval."""

COVERAGE = (2.5, 97.5)
"""Percentiles of the resampled rates: a 95% interval."""

SEED = 4


class Estimate(msgspec.Struct, frozen=True):
    """A rate and its 95% interval; all None where there was nothing to measure."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def rate(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """Sum of numerators over sum of denominators, one of each per item; the interval is over items (Efron 1979).

    Items stay together: a picture whose text is long weighs as much in every resample as it does in the rate. The same
    items give the same interval.
    """
    above, below = np.asarray(numerators, float), np.asarray(denominators, float)
    if below.sum() == 0:
        return Estimate()
    drawn = np.random.default_rng(SEED).integers(len(above), size=(RESAMPLES, len(above)))
    totals = below[drawn].sum(axis=1)
    usable = totals > 0
    low, high = np.percentile(above[drawn].sum(axis=1)[usable] / totals[usable], COVERAGE)
    return Estimate(float(above.sum() / below.sum()), float(low), float(high))
