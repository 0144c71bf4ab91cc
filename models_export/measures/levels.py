"""Figures of merit of rounded probabilities, from how many rows stand at each level; over many resamples at once.

Probabilities have three decimals before anything is decided by them, so 1,001 counts of each class say all there is to
say of a label, and a bootstrap over rows is a multinomial draw of these counts. All functions take arrays of the shape
[..., 2, LEVELS], negatives before positives, and give one number for each of the leading places; NaN where a class that
is needed is empty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models_export.measures.metrics import ECE_BINS, Scores, Truth

LEVELS = 1_001
"""0.000 to 1.000."""

VALUES = np.arange(LEVELS) / (LEVELS - 1)

Counts = NDArray[np.int64]


def level_counts(scores: Scores, truth: Truth) -> Counts:
    """Shape [2, LEVELS]. Scores are rounded to three decimals."""
    at = np.rint(np.asarray(scores, float) * (LEVELS - 1)).astype(np.int64)
    return np.bincount(at + LEVELS * np.asarray(truth, np.int64), minlength=2 * LEVELS).reshape(2, LEVELS)


def average_precision(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Area under the precision-recall curve, as a sum of steps."""
    negatives, positives = _from_above(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = positives / (positives + negatives)
        gained = np.diff(positives, axis=-1, prepend=0) / positives[..., -1:]
    # Levels above the highest score have no precision, and gain nothing.
    area = np.where(gained > 0, gained * precision, 0.0).sum(axis=-1)
    return np.where(positives[..., -1] > 0, area, np.nan)


def roc_auc(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """The chance that a positive stands higher than a negative; a tie is half a win."""
    negatives, positives = counts[..., 0, :], counts[..., 1, :]
    below = np.cumsum(negatives, axis=-1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=-1)
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, wins / pairs, np.nan)


def calibration_error(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Expected calibration error with bins of equal width, as `metrics.calibration_error` has it."""
    gaps = counts[..., 1, :] * (1 - VALUES) - counts[..., 0, :] * VALUES
    starts = np.searchsorted(_bins(), np.arange(ECE_BINS))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(np.add.reduceat(gaps, starts, axis=-1)).sum(axis=-1) / counts.sum(axis=(-1, -2))


def brier(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Mean squared distance of the probabilities from the truth."""
    squares = counts[..., 1, :] * (1 - VALUES) ** 2 + counts[..., 0, :] * VALUES**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return squares.sum(axis=-1) / counts.sum(axis=(-1, -2))


def reliability(counts: Counts) -> list[tuple[float, float, int]]:
    """Of each bin with rows: mean probability, share of positives, rows. `counts`: [2, LEVELS]."""
    starts = np.searchsorted(_bins(), np.arange(ECE_BINS))
    rows = np.add.reduceat(counts.sum(axis=0), starts)
    said = np.add.reduceat(counts.sum(axis=0) * VALUES, starts)
    true = np.add.reduceat(counts[1], starts)
    return [(float(s / n), float(t / n), int(n)) for s, t, n in zip(said, true, rows, strict=True) if n]


def precision_recall(counts: Counts) -> list[tuple[float, float]]:
    """(recall, precision) from the strictest threshold to the mildest. `counts`: [2, LEVELS]."""
    negatives, positives = _from_above(counts)
    said = positives + negatives
    steps = np.flatnonzero(np.diff(said, prepend=0) > 0) if positives[-1] else []
    return [(float(positives[at] / positives[-1]), float(positives[at] / said[at])) for at in steps]


def _bins() -> NDArray[np.int64]:
    """The bin of each level; it never falls."""
    return np.minimum((VALUES * ECE_BINS).astype(np.int64), ECE_BINS - 1)


def _from_above(counts: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Negatives and positives at a level or higher, the highest level first."""
    above = np.cumsum(counts[..., ::-1], axis=-1)
    return above[..., 0, :], above[..., 1, :]
