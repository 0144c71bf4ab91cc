"""Figures of yes and no, from how often each of truth and answer met; over many resamples at once.

All functions take counts of the shape [..., 4] (true negatives, false positives, false negatives, true positives: the
place is 2 * truth + said) and give one number for each of the leading places; NaN where there is nothing to count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models_export.measures.metrics import Truth

Cells = NDArray[np.int64]
Figure = NDArray[np.float64]


def cells(said: Truth, truth: Truth) -> Cells:
    """Shape [4]."""
    return np.bincount(2 * np.asarray(truth, np.int64) + np.asarray(said, np.int64), minlength=4)


def precision(counts: NDArray[np.integer]) -> Figure:
    return _share(counts[..., 3], counts[..., 1] + counts[..., 3])


def recall(counts: NDArray[np.integer]) -> Figure:
    return _share(counts[..., 3], counts[..., 2] + counts[..., 3])


def false_positive_rate(counts: NDArray[np.integer]) -> Figure:
    return _share(counts[..., 1], counts[..., 0] + counts[..., 1])


def accuracy(counts: NDArray[np.integer]) -> Figure:
    return _share(counts[..., 0] + counts[..., 3], counts.sum(axis=-1))


def f1(counts: NDArray[np.integer]) -> Figure:
    """Of the positive class; 0 where nothing is positive, neither said nor true."""
    return np.nan_to_num(_share(2 * counts[..., 3], 2 * counts[..., 3] + counts[..., 1] + counts[..., 2]))


def macro_f1(counts: NDArray[np.integer]) -> Figure:
    """Mean of the F1 of both classes, as `metrics.macro_f1` has it."""
    return (f1(counts) + f1(counts[..., ::-1])) / 2


def share(counts: NDArray[np.integer]) -> Figure:
    """Of counts [..., 2], does not hold before holds: the share of the second."""
    return _share(counts[..., 1], counts.sum(axis=-1))


def _share(of: NDArray[np.integer], among: NDArray[np.integer]) -> Figure:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(among > 0, of / among, np.nan)
