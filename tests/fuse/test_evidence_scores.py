from __future__ import annotations

from processors.fuse import EvidenceLimits
from processors.fuse.evidence import post_evidence
from processors.fuse.pieces import Piece
from schemas import Evidence


def test_a_share_of_a_probability_has_three_decimals_too() -> None:
    piece = Piece(Evidence(modality="text", score=0.0), {"abuse": 0.901}, shares={"abuse": 1 / 3})
    [shown] = post_evidence([piece], {"abuse": 0.5}, EvidenceLimits()).pieces
    assert shown.score == 0.3
