"""What of a post speaks for its decision, and for which of its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from processors.fuse.pieces import Piece
from processors.packs.calibration import DECIMALS
from schemas import Evidence


@dataclass(frozen=True, slots=True)
class EvidenceLimits:
    """How much a decision shows."""

    count: int = 50
    """Most pieces; those with the highest scores are kept."""
    chars: int = 300
    """Longest piece, in code points; a longer one is cut at its end."""


@dataclass(frozen=True, slots=True)
class PostEvidence:
    """Pieces in reading order, and for each label the indices of those that speak for it."""

    pieces: tuple[Evidence, ...] = ()
    by_label: Mapping[str, tuple[int, ...]] | None = None

    def of(self, label: str) -> tuple[Evidence, ...]:
        return tuple(self.pieces[index] for index in (self.by_label or {}).get(label, ()))


def post_evidence(pieces: Sequence[Piece], thresholds: Mapping[str, float], limits: EvidenceLimits) -> PostEvidence:
    """The pieces that speak for the labels of `thresholds`, and those that are always shown, in the order given.

    `thresholds` are those of the labels that the decision rests on: a piece over one speaks for that label; where none
    is over it, the highest does. Where nothing speaks for any such label, the highest piece is shown, so that a
    reviewer has somewhere to begin.
    """
    speaking = {label: _speaking(pieces, label, threshold) for label, threshold in thresholds.items()}
    shown = {index for indices in speaking.values() for index in indices}
    scores = [round(piece.score(thresholds), DECIMALS) for piece in pieces]
    if not shown:
        shown = set(_highest({index: scores[index] for index, piece in enumerate(pieces) if not piece.always}))
    shown |= {index for index, piece in enumerate(pieces) if piece.always}
    kept = sorted(sorted(shown, key=lambda index: (-scores[index], index))[: limits.count])
    position = {index: at for at, index in enumerate(kept)}
    return PostEvidence(
        tuple(_cut(pieces[index].evidence, scores[index], limits.chars) for index in kept),
        {
            label: tuple(position[index] for index in indices if index in position)
            for label, indices in speaking.items()
        },
    )


def _speaking(pieces: Sequence[Piece], label: str, threshold: float) -> list[int]:
    """Ascending; none for a label that no piece has a score of."""
    scores = {index: piece.scores[label] for index, piece in enumerate(pieces) if label in piece.scores}
    over = [index for index, score in scores.items() if score > threshold]
    return over or _highest(scores)


def _highest(scores: Mapping[int, float]) -> list[int]:
    return [max(scores, key=lambda index: scores[index])] if scores else []


def _cut(evidence: Evidence, score: float, chars: int) -> Evidence:
    text = evidence.text[:chars] if evidence.text is not None else None
    span = (evidence.span[0], min(evidence.span[1], evidence.span[0] + chars)) if evidence.span is not None else None
    return replace(evidence, text=text, span=span, score=score)
