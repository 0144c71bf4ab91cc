"""How severe a post is, 0 to 4, from its probabilities: a pure function with settings of the policy.

A label that is over its threshold t with probability p has the strength s = (p - t) / (1 - t), in 0..1. With the
label's base severity b and the policy's steps (low, high), its severity is

    b - 1   if s < low           (barely over the threshold)
    b       if low <= s < high
    b + 1   if s >= high         (as sure as the model gets)

kept within 1 and 4. The severity of a post is the highest of its labels', 0 if no label is over its threshold. Where
the pack tells how probable it is that a flagged post's severity is at least k, and that is over its threshold, it is k
at least: what was measured of a post may show that it is worse than its labels are as a rule, and what it seems to lack
takes nothing back. Rules that match can raise it further.
"""

from __future__ import annotations

from collections.abc import Mapping

NONE, WEAKEST, EXTREME = 0, 1, 4

DEFAULT_BASE = 2
"""Moderate: what a label counts for where the policy does not say."""

DEFAULT_STEPS = (0.25, 0.75)
"""The outer quarters of the way from threshold to certainty."""


def label_severity(probability: float, threshold: float, base: int, steps: tuple[float, float]) -> int:
    """The severity of one label, 0..4; 0 at or under its threshold."""
    if probability <= threshold:
        return NONE
    strength = (probability - threshold) / (1 - threshold)
    shift = -1 if strength < steps[0] else 1 if strength >= steps[1] else 0
    return min(max(base + shift, WEAKEST), EXTREME)


def measured_severity(probabilities: Mapping[int, float], thresholds: Mapping[int, float]) -> int:
    """The highest k that the severity is over its threshold to be at least; 0 if there is none."""
    return max((k for k, threshold in thresholds.items() if probabilities.get(k, 0.0) > threshold), default=NONE)


def post_severity(
    scores: Mapping[str, float],
    raised: Mapping[str, float],
    base: Mapping[str, int],
    steps: tuple[float, float],
) -> int:
    """The highest severity of the labels that are flags. `raised`: flag -> threshold; refinements do not count."""
    return max(
        (
            label_severity(scores[name], threshold, base.get(name, DEFAULT_BASE), steps)
            for name, threshold in raised.items()
            if name in scores
        ),
        default=NONE,
    )
