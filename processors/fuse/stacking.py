"""Several experts' probabilities of one label become one, for posts with pictures.

Where the pack has fitted weights for a label, by logistic stacking; else the highest counts. Which packs have weights,
and how much they help, is in the manifest's `stacking.figures`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from processors.fuse.scores import Part, Probabilities
from processors.packs.fusion_part import StackedLabel

MAX_LOG_ODDS = math.log(0.9999 / 0.0001)
"""An expert that is surer than this has no more say."""


def log_odds(probability: float) -> float:
    """Within ±`MAX_LOG_ODDS`; of 0 and 1 too."""
    if probability <= 0.0 or probability >= 1.0:
        return math.copysign(MAX_LOG_ODDS, probability - 0.5)
    return min(max(math.log(probability / (1.0 - probability)), -MAX_LOG_ODDS), MAX_LOG_ODDS)


def stacking_inputs(label: str, parts: Mapping[Part, Probabilities]) -> dict[str, float]:
    """`processors.packs.fusion_part.STACKING_INPUTS` and the image expert's, of a post whose `whole` has the label."""
    lines = parts.get("ocr")
    return {
        "whole": log_odds(parts["whole"][label]),
        "ocr": log_odds(lines[label]) if lines is not None else 0.0,
        "no_ocr": 1.0 if lines is None else 0.0,
        **{f"image.{name}": log_odds(probability) for name, probability in parts.get("image", {}).items()},
    }


def stacked_probability(stacked: StackedLabel, inputs: Mapping[str, float]) -> float:
    """sigmoid(bias + sum of weights times inputs), in 0..1; exact for any weights."""
    total = stacked.bias + sum(weight * inputs.get(name, 0.0) for name, weight in stacked.weights.items())
    return 1.0 / (1.0 + math.exp(-total)) if total >= 0 else math.exp(total) / (1.0 + math.exp(total))


def contributions(stacked: StackedLabel, inputs: Mapping[str, float]) -> dict[Part, float]:
    """How far each part moves the log-odds, whichever way."""
    moved: dict[Part, float] = {}
    for name, weight in stacked.weights.items():
        part: Part = "image" if name.startswith("image.") else "whole" if name == "whole" else "ocr"
        moved[part] = moved.get(part, 0.0) + abs(weight * inputs.get(name, 0.0))
    return moved
