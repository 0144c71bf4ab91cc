"""What the text expert says of a post besides its labels: whom it is aimed at, how, how openly, how badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from processors.packs.calibration import DECIMALS
from processors.packs.heads import ATTACK_HEADS, IMPLICIT, SEVERITY_HEADS, TARGET_HEADS

Explicitness = Literal["explicit", "implicit"]


@dataclass(frozen=True, slots=True)
class Details:
    """Calibrated probabilities, rounded; of heads that the pack measured, and none where there was nothing to read."""

    targets: dict[str, float]
    """Of `schemas.TARGETS`."""
    attacks: dict[str, float]
    """Of `schemas.ATTACKS`."""
    severities: dict[int, float]
    """k -> probability that the post's severity is at least k."""
    implicit: float | None
    """None where the pack has no such head. It means nothing of a post that is not abusive."""

    @classmethod
    def of(cls, exact: Mapping[str, float]) -> Details:
        """`exact`: head -> probability, not rounded."""
        found = {head: round(probability, DECIMALS) for head, probability in exact.items()}
        return cls(
            targets={name: found[head] for head, name in TARGET_HEADS.items() if head in found},
            attacks={name: found[head] for head, name in ATTACK_HEADS.items() if head in found},
            severities={least: found[head] for head, least in SEVERITY_HEADS.items() if head in found},
            implicit=found.get(IMPLICIT),
        )

    def explicitness(self, threshold: float | None, *, abusive: bool) -> Explicitness | None:
        """`threshold`: of the head, None in a pack without it. None of a post that is not abusive, or was not read."""
        if self.implicit is None or threshold is None or not abusive:
            return None
        return "implicit" if self.implicit > threshold else "explicit"
