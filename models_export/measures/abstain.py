"""A band of probabilities in which a label is left to people, so wide that the error outside it is known and low."""

from __future__ import annotations

import msgspec
import numpy as np

from models_export.measures import levels
from models_export.measures.bootstrap import Estimate, estimate
from models_export.measures.metrics import Scores, Truth

MAX_ERROR = 0.05


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The label does not hold at `low` and under, it holds at `high` and over; between them nothing is said."""

    low: float | None
    """None: nothing is ever said to lack the label."""
    high: float | None
    """None: nothing is ever said to have it."""


class BandFigures(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    coverage: Estimate
    """Share of the rows outside the band: of which something is said."""
    error: Estimate
    """Share of these that are wrong."""


def choose_band(scores: Scores, truth: Truth, threshold: float, max_error: float = MAX_ERROR) -> Band:
    """The narrowest band around the threshold (by rows in it) with at most `max_error` of the rows outside it wrong.

    A side of the threshold may be in the band as a whole, and so may all rows be.
    """
    negatives, positives = levels.level_counts(scores, truth)
    at = int(np.rint(threshold * (levels.LEVELS - 1)))
    # Place k: the lowest k levels are said to lack the label, or the highest k to have it; at 0 nothing is.
    rows_low = _summed((negatives + positives)[: at + 1])
    wrong_low = _summed(positives[: at + 1])
    rows_high = _summed((negatives + positives)[:at:-1])
    wrong_high = _summed(negatives[:at:-1])
    rows = rows_low[:, None] + rows_high
    wrong = wrong_low[:, None] + wrong_high
    allowed = wrong <= max_error * rows
    # Of bands with as many rows, the one with fewer errors: each row more is worth more than all errors.
    worth = np.where(allowed, rows * (len(scores) + 1) - wrong, -1)
    low, high = (int(place) for place in np.unravel_index(int(worth.argmax()), worth.shape))
    return Band(low=float(levels.VALUES[low - 1]) if low else None, high=float(levels.VALUES[-high]) if high else None)


def band_figures(band: Band, scores: Scores, truth: Truth) -> BandFigures:
    """What the band is worth on other rows than those it was chosen on."""
    above = scores >= band.high if band.high is not None else np.zeros(len(scores), bool)
    below = scores <= band.low if band.low is not None else np.zeros(len(scores), bool)
    wrong = int((above & ~truth).sum() + (below & truth).sum())
    outside = int((above | below).sum())
    counts = np.array([[len(scores) - outside, outside - wrong, wrong]])  # left to people, right, wrong
    with np.errstate(invalid="ignore", divide="ignore"):
        return BandFigures(
            rows=len(scores),
            coverage=estimate(counts, lambda drawn: drawn[..., 0, 1:].sum(axis=-1) / drawn[..., 0, :].sum(axis=-1)),
            error=estimate(counts, lambda drawn: drawn[..., 0, 2] / drawn[..., 0, 1:].sum(axis=-1)),
        )


def _summed(counts: levels.Counts) -> levels.Counts:
    return np.concatenate([[0], np.cumsum(counts)])
