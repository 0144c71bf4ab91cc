"""Population stability index: how far the scores of now are from those of the reference.

Scores are counted in bins, so that windows add up. PSI = sum over bins of (p - q) * ln(p / q), with p the share of the
window and q that of the reference: N. Siddiqi, *Credit Risk Scorecards* (Wiley, 2006); it is the symmetric
Kullback-Leibler divergence. Without any drift it is about (B - 1) * (1/n + 1/m) on average for B bins and n and m
scores: B. Yurdakul, *Statistical Properties of Population Stability Index* (Western Michigan University,
2018). Hence a least number of scores: of few, it says nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Ten bins over calibrated probabilities: [0, 0.01), [0.01, 0.02), …, [0.9, 1]. Most labels are rare and their scores
near 0, where bins of equal width would have nearly all of them in one."""

BINS = len(EDGES) + 1

SMOOTHING = 0.5
"""Added to every bin, or one empty bin would make the index infinite: half an observation, as the Jeffreys prior has it
for shares (Brown, Cai and DasGupta, *Interval estimation for a binomial proportion*, Statistical Science, 2001)."""

_PREFIX = "score."


def bin_of(score: float) -> int:
    """The bin, 0 to 9, of a probability."""
    return bisect_right(EDGES, score)


def score_name(label: str, score: float) -> str:
    """The name under which a score is counted."""
    return f"{_PREFIX}{label}.{bin_of(score)}"


def is_score(name: str) -> bool:
    return name.startswith(_PREFIX)


def only_scores(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of scores among all of a window's."""
    return {name: count for name, count in counts.items() if is_score(name)}


def histograms(counts: Mapping[str, int]) -> dict[str, list[int]]:
    """Label -> its scores in each bin."""
    found: dict[str, list[int]] = {}
    for name, count in counts.items():
        if is_score(name):
            label, _, at = name.removeprefix(_PREFIX).rpartition(".")
            found.setdefault(label, [0] * BINS)[int(at)] += count
    return found


def psi(window: Sequence[int], reference: Sequence[int]) -> float:
    """The index of two histograms with the same bins; 0 for equal shares, and never negative."""
    if len(window) != len(reference):
        raise ValueError(f"{len(window)} bins and {len(reference)}: expected the same")
    p, q = _shares(window), _shares(reference)
    return sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) + SMOOTHING * len(counts)
    return [(count + SMOOTHING) / whole for count in counts]
