"""Thresholds for those who know which of two errors costs them more."""

from __future__ import annotations

import numpy as np

from models_export.measures.calibrate import CANDIDATES, MIN_CLASS_ROWS
from models_export.measures.metrics import Scores, Truth


def threshold_of_precision(scores: Scores, truth: Truth, least: float) -> float | None:
    """The lowest threshold over which at least this share is rightly said; it finds the most.

    None where no threshold with MIN_CLASS_ROWS rows over it is that precise.
    """
    said = scores[None] > CANDIDATES[:, None]
    rows = said.sum(axis=1)
    precise = (said & truth).sum(axis=1) >= least * rows
    usable = np.flatnonzero(precise & (rows >= MIN_CLASS_ROWS))
    return float(CANDIDATES[usable[0]]) if len(usable) else None


def threshold_of_recall(scores: Scores, truth: Truth, least: float) -> float | None:
    """The highest threshold that still finds at least this share of the positives; it is the most precise such.

    None where even the lowest finds less.
    """
    found = ((scores[None] > CANDIDATES[:, None]) & truth).sum(axis=1)
    usable = np.flatnonzero(found >= least * truth.sum())
    return float(CANDIDATES[usable[-1]]) if len(usable) else None
