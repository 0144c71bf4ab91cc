"""Figures of merit of binary scores, in numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.bool_]
"""Shape [rows]: whether the label holds."""
Scores = NDArray[np.float64]
"""Shape [rows]: the probability that it does."""

ECE_BINS = 15


def f1(said: Truth, truth: Truth) -> float:
    """F1 of the positive class; 0 where nothing is positive, neither said nor true."""
    hits = np.sum(said & truth)
    total = np.sum(said) + np.sum(truth)
    return float(2 * hits / total) if total else 0.0


def macro_f1(said: Truth, truth: Truth) -> float:
    """Mean of the F1 of both classes."""
    return (f1(said, truth) + f1(~said, ~truth)) / 2


def average_precision(scores: Scores, truth: Truth) -> float:
    """Area under the precision-recall curve as a sum of steps, one per score. NaN without positives."""
    if not truth.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(truth[order])[ends]
    recall = hits / truth.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * hits / (ends + 1)))


def ranking_quality(scores: Scores, truth: Truth) -> float:
    """Area under the ROC curve: the chance that a positive scores higher than a negative (a tie is half a win)."""
    positives, negatives = np.sort(scores[truth]), scores[~truth]
    if not len(positives) or not len(negatives):
        return float("nan")
    higher = len(positives) - np.searchsorted(positives, negatives, "right")
    equal = len(positives) - np.searchsorted(positives, negatives, "left") - higher
    return float((higher + equal / 2).mean() / len(positives))


def calibration_error(scores: Scores, truth: Truth, bins: int = ECE_BINS) -> float:
    """Expected calibration error with bins of equal width: mean |share of positives - mean score|, weighed by rows."""
    if not scores.size:
        return float("nan")
    at = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(at, truth.astype(float) - scores, bins)
    return float(np.abs(gaps).sum() / len(scores))


def sigmoid(logits: NDArray[np.floating]) -> Scores:
    values = np.asarray(logits, np.float64)
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1, small) / (1 + small)
