"""A piece of evidence before it is known which labels matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas import Evidence


@dataclass(frozen=True, slots=True)
class Piece:
    evidence: Evidence
    """Its score is yet to be set."""
    scores: Mapping[str, float]
    """Label -> probability, of the labels that the piece's expert was measured on; none where nothing was judged."""
    always: bool = False
    """Whether it is shown even where it speaks for nothing."""

    def score(self, labels: Mapping[str, object]) -> float:
        """The highest of these labels' probabilities; of all where it has none of them."""
        known = [probability for label, probability in self.scores.items() if label in labels]
        return max(known or self.scores.values(), default=0.0)
