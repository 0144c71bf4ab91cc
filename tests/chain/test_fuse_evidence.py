"""The stretches of a post's text that a decision shows: as they were posted, in order, bounded."""

from __future__ import annotations

import pytest

from processors.fuse import EvidenceLimits, FuseProcessor
from processors.packs import Pack
from processors.policy import Policy
from schemas import Action
from tests.fused import Chain
from tests.ingested import ingested, post_of, received


def test_disguised_words_are_found_in_the_folded_view_and_shown_as_posted(chain: Chain, fuser: FuseProcessor) -> None:
    text = "you s-c-u-m"
    plain = chain.decision(fuser, ingested(received(post_of(text))))
    assert plain.action is Action.APPROVE
    folded = chain.decision(fuser, ingested(received(post_of(text)), disguised=True))
    assert folded.action is not Action.APPROVE
    [piece] = folded.evidence
    assert (piece.span, piece.text) == ((0, len(text)), text)


def test_evidence_in_the_title_says_so_and_the_parent_is_never_evidence(chain: Chain, fuser: FuseProcessor) -> None:
    post = post_of("hello world", title="you are scum", parent="vermin")
    decision = chain.decision(fuser, ingested(received(post)))
    assert {piece.field for piece in decision.evidence} == {"title", None}
    assert [piece.text for piece in decision.evidence] == ["you are scum", "hello world"]


@pytest.mark.parametrize(
    ("limits", "pieces", "longest"), [(EvidenceLimits(2, 300), 2, 300), (EvidenceLimits(50, 10), 6, 10)]
)
def test_evidence_is_bounded_in_number_and_length(
    chain: Chain, pack: Pack, policy: Policy, limits: EvidenceLimits, pieces: int, longest: int
) -> None:
    text = "you are all scum and vermin . " * 20
    fuser = FuseProcessor(pack, policy, code="test", limits=limits)
    decision = chain.decision(fuser, ingested(received(post_of(text))))
    assert len(decision.evidence) == pieces
    for piece in decision.evidence:
        assert piece.span is not None
        start, end = piece.span
        assert piece.text == text[start:end]
        assert end - start <= longest
    starts = [piece.span[0] for piece in decision.evidence if piece.span]
    assert starts == sorted(starts)
    assert all(index < pieces for reason in decision.reasons for index in reason.evidence)


def test_no_evidence_may_be_asked_for(chain: Chain, pack: Pack, policy: Policy) -> None:
    fuser = FuseProcessor(pack, policy, code="test", limits=EvidenceLimits(count=0))
    decision = chain.decision(fuser, ingested(received(post_of("you are scum"))))
    assert decision.action is not Action.APPROVE
    assert decision.evidence == ()
