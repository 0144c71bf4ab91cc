"""The parts' probabilities become the post's, and each part's share in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from processors.fuse.calibration import DECIMALS
from processors.fuse.scores import Part, Probabilities
from processors.fuse.stacking import contributions, stacked_probability, stacking_inputs
from processors.packs.fusion_part import StackedLabel

MODALITY_PARTS: Mapping[Part, str] = {"text": "text", "ocr": "ocr", "image": "image", "asr": "speech"}
"""Part -> the modality that it is all there is to judge of."""


@dataclass(frozen=True, slots=True)
class Fused:
    labels: dict[str, float]
    """Label -> probability, rounded; only labels that some expert measured on this post."""
    weights: dict[str, float]
    """Modality -> its share, 0..1, of three decimals; of those that were scored, and summing to 1."""


def fuse_scores(parts: Mapping[Part, Probabilities], stacking: Mapping[str, StackedLabel]) -> Fused:
    """A label with weights in `stacking` is stacked where the text expert read something; any other is the highest of
    the experts that measured it: a post is as bad as its worst part.

    A stacked label is at least as probable as speech alone makes it. The weights were fitted on pictures, and know of
    speech only what it adds to `whole`: they may not take back what was said.

    A modality's weight is its score's share of all modalities' scores. Where the most probable label is stacked, it is
    the share in what moves its log-odds, whichever way; what all words together move is shared by text, lines and
    speech as their scores are. Where speech alone makes it more probable than that, scores count as for any other.
    """
    whole, image = parts.get("whole", {}), parts.get("image", {})
    labels = {label: max(whole.get(label, 0.0), image.get(label, 0.0)) for label in (*whole, *image)}
    moves: dict[str, dict[Part, float]] = {}
    for label in whole.keys() & stacking.keys():
        inputs = stacking_inputs(label, parts)
        stacked, said = stacked_probability(stacking[label], inputs), parts.get("asr", {}).get(label, 0.0)
        labels[label] = max(stacked, said)
        if stacked >= said:
            moves[label] = contributions(stacking[label], inputs)
    rounded = {label: round(probability, DECIMALS) for label, probability in labels.items()}
    sizes: dict[Part, float] = {part: max(parts[part].values()) for part in MODALITY_PARTS if part in parts}
    leading = max(rounded, key=lambda label: rounded[label], default=None)
    if leading in moves:
        sizes = _moved(moves[leading], sizes)
    return Fused(rounded, {MODALITY_PARTS[part]: share for part, share in _shares(sizes).items()})


def _moved(moves: Mapping[Part, float], scores: Mapping[Part, float]) -> dict[Part, float]:
    words = _shares({part: score for part, score in scores.items() if part != "image"})
    return {part: moves.get(part, 0.0) + words.get(part, 0.0) * moves.get("whole", 0.0) for part in scores}


def _shares(sizes: Mapping[Part, float]) -> dict[Part, float]:
    """Sizes, at least 0, as weights that sum to 1; equal ones where all are 0."""
    if not sizes:
        return {}
    total = sum(sizes.values())
    shares: dict[Part, float] = {
        part: round(size / total if total else 1 / len(sizes), DECIMALS) for part, size in sizes.items()
    }
    # What rounding lost or gained goes to the largest, where it shows least.
    largest = max(shares, key=lambda part: shares[part])
    shares[largest] = round(shares[largest] + 1.0 - sum(shares.values()), DECIMALS)
    return shares
