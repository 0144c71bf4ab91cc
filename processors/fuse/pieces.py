"""A piece of evidence before it is known which labels matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas import Evidence


@dataclass(frozen=True, slots=True)
class Piece:
    evidence: Evidence
    """Its score is yet to be set."""
    scores: Mapping[str, float]
    """Label -> probability, of the labels that the piece's expert was measured on; none where nothing was judged."""
    always: bool = False
    """Whether it is shown even where it speaks for nothing."""
    shares: Mapping[str, float] = field(default_factory=dict[str, float])
    """Label -> 0..1, how much of its probability rests on the piece; 1 where nothing is said."""

    def score(self, labels: Mapping[str, object]) -> float:
        """The highest of these labels' probabilities, each times its share; of all where it has none of them."""
        shown = {label: probability * self.shares.get(label, 1.0) for label, probability in self.scores.items()}
        known = [score for label, score in shown.items() if label in labels]
        return max(known or shown.values(), default=0.0)
