"""How sure a measured rate is: percentile intervals by resampling the items that it was measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

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
    rates = above[drawn].sum(axis=1)[usable] / totals[usable]
    return Estimate(float(above.sum() / below.sum()), *interval(rates))


def estimate(counts: NDArray[np.integer], figure: Callable[[NDArray[np.integer]], NDArray[np.float64]]) -> Estimate:
    """A figure of counts and its interval over rows: a resample of rows is a multinomial draw of their counts.

    `counts`: [groups, ...], of which each group is resampled by itself, as the groups are not drawn but given.
    `figure` takes [..., groups, ...] and gives one number for each of the leading places; NaN is nothing to measure.
    """
    value = float(figure(counts))
    if np.isnan(value):
        return Estimate()
    return Estimate(value, *interval(figure(resampled(counts))))


def resampled(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Shape [RESAMPLES, *counts.shape]; the same counts give the same resamples."""
    flat = counts.reshape(len(counts), -1)
    rows = flat.sum(axis=1)
    drawn = np.random.default_rng(SEED).multinomial(rows, flat / np.maximum(rows, 1)[:, None], (RESAMPLES, len(counts)))
    return drawn.reshape(RESAMPLES, *counts.shape)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The percentiles of what could be measured. A resample may lack a class; one in which none could is no number."""
    low, high = np.nanpercentile(values, COVERAGE)
    return float(low), float(high)
