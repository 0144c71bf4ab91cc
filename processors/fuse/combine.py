"""The parts' probabilities become the post's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from processors.fuse.gating import gated
from processors.fuse.scores import Part, Probabilities
from processors.pack.parts import WORD_PARTS
from processors.packs.calibration import DECIMALS

NO_THRESHOLD = 1.0
"""Of a label that nobody has a threshold for: it raises no flag, and nothing is drawn back."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What the fusion says of words and pictures together."""

    probabilities: Probabilities
    """Calibrated, not rounded."""
    parts: frozenset[Part]
    """What it stands for: the parts that it was shown whole, and trusts wholly."""


def fuse_scores(
    parts: Mapping[Part, Probabilities],
    weights: Mapping[Part, float],
    thresholds: Mapping[str, float],
    whole: Whole | None = None,
) -> dict[str, float]:
    """Label -> probability, rounded; only labels that some expert measured on this post.

    A label is the highest of the experts that measured it, each as far as it is trusted (`gated`): a post is as bad as
    its worst part. Where the fusion judged a label, its probability stands for `Whole.parts`. What it was not shown, or
    hardly hears, it cannot take back: otherwise lines that are hard to read would be the way past it.
    """
    labels: dict[str, float] = {}
    for part, probabilities in parts.items():
        if part == "whole":
            continue
        for label, probability in probabilities.items():
            if whole is not None and label in whole.probabilities and _stands_for(part, parts, whole):
                continue
            trusted = gated(probability, weights.get(part, 1.0), thresholds.get(label, NO_THRESHOLD))
            labels[label] = max(labels.get(label, 0.0), trusted)
    for label, probability in whole.probabilities.items() if whole is not None else ():
        labels[label] = max(labels.get(label, 0.0), probability)
    return {label: round(probability, DECIMALS) for label, probability in labels.items()}


def _stands_for(part: Part, parts: Mapping[Part, Probabilities], whole: Whole) -> bool:
    if part == "together":
        return all(words in whole.parts for words in WORD_PARTS if words in parts)
    return part in whole.parts
