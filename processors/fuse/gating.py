"""How far each modality of a post is trusted, by how well it was read, and what that does to its scores.

What was badly read weighs less against who posted it, but it cannot hide anything: a label that is over its threshold
stays over it, so a post that was flagged is flagged, and nothing that another modality says is lowered. Nor can the
fusion take back what it is shown with less than the whole weight. What is lost is the sureness that it takes to block.
What could not be read at all is `failed` or `unsafe`, and reviewed, as ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from processors.fuse.scores import Part, Probabilities
from processors.packs.calibration import DECIMALS
from processors.packs.fusion_part import Gating

MODALITY_PARTS: Mapping[Part, str] = {"text": "text", "ocr": "ocr", "image": "image", "asr": "speech"}
"""Part -> the modality that it is all there is to judge of."""

SMALLEST_STEP = 10.0**-DECIMALS
"""What a probability is over its threshold by, at the least, once it is rounded."""


def part_weights(
    features: Mapping[str, float], parts: Mapping[Part, Probabilities], gating: Gating
) -> dict[Part, float]:
    """Part -> weight, `gating.least`..1, of three decimals; of the parts that were judged: any other weighs nothing.

    `features`: the quality features (`processors.pack.features`); one that is missing is 0. A picture is what it is: no
    quality of it is measured, and its weight is 1. All words together are as good as the worst of them.
    """

    def of(name: str) -> float:
        return features.get(name, 0.0)

    known = {part: gating.unknown_share.weight(of(name)) for part, name in _UNKNOWN.items()}
    found: dict[Part, float] = {
        "text": known["text"] * gating.text_letters.weight(of("letters")),
        "ocr": known["ocr"]
        * gating.ocr_confidence.weight(of("ocr_confidence"))
        * gating.ocr_coverage.weight(of("ocr_coverage")),
        "asr": known["asr"]
        * gating.asr_confidence.weight(of("asr_confidence"))
        * gating.asr_unsafe_ratio.weight(of("asr_unsafe_ratio")),
        "image": 1.0,
    }
    weights: dict[Part, float] = {
        part: round(max(gating.least, found[part]), DECIMALS) for part in MODALITY_PARTS if part in parts
    }
    if "together" in parts:
        weights["together"] = min((weight for part, weight in weights.items() if part in _UNKNOWN), default=1.0)
    return weights


_UNKNOWN: Mapping[Part, str] = {"text": "unknown_share", "ocr": "ocr_unknown_share", "asr": "asr_unknown_share"}


def gated(probability: float, weight: float, threshold: float) -> float:
    """What a witness of that weight, over 0, makes of a probability: over the threshold it is drawn back to it.

    p' = t + w (p - t) for p > t, and p otherwise. It rises with p and with w, is p for w = 1, and stays over t by
    `SMALLEST_STEP` where p is.
    """
    if probability <= threshold + SMALLEST_STEP:
        return probability
    return max(threshold + SMALLEST_STEP, threshold + weight * (probability - threshold))
