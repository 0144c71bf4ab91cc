"""A language that the pack does not read: its scores count for nothing, and the post is never approved."""

from __future__ import annotations

import pytest

from processors.fuse import FuseProcessor
from processors.fuse.language import MAX_UNTOLD_LETTERS
from schemas import Action
from tests.fused import Chain
from tests.ingested import ingested, post_of, received


@pytest.mark.parametrize(
    ("text", "lang", "action"),
    [
        pytest.param("hello world", "en", Action.APPROVE, id="measured"),
        pytest.param("hello world", "de", Action.APPROVE, id="zero-shot"),
        pytest.param("hello world", "xx", Action.REVIEW, id="named as unsupported"),
        pytest.param("hello world", "tlh", Action.REVIEW, id="not named"),
        pytest.param("😀😀😀", "und", Action.APPROVE, id="emoji"),
        pytest.param("ok", "und", Action.APPROVE, id="too short to tell"),
        pytest.param("o" * MAX_UNTOLD_LETTERS, "und", Action.APPROVE, id="just short enough"),
        pytest.param("o" * (MAX_UNTOLD_LETTERS + 1), "und", Action.REVIEW, id="too long for no language"),
        pytest.param("ᏣᎳᎩ", "und", Action.REVIEW, id="short, and no token for its letters"),
        pytest.param("漢字", "en", Action.REVIEW, id="no token for its letters"),
    ],
)
def test_a_language_that_the_pack_cannot_read_is_never_approved(
    chain: Chain, lenient: FuseProcessor, text: str, lang: str, action: Action
) -> None:
    assert chain.decision(lenient, ingested(received(post_of(text)), lang=lang)).action is action


def test_an_unsupported_language_is_flagged_and_its_scores_count_for_nothing(
    chain: Chain, fuser: FuseProcessor
) -> None:
    record = chain.fused(fuser, ingested(received(post_of("hello world")), lang="tlh"))
    assert record.decision is not None
    assert record.decision.flags == ("lang.unsupported",)
    assert record.decision.confidence == 0.0
    assert record.decision.modalities["text"].confidence == 0.0
    [flag] = record.flags
    assert (flag.flag, flag.probability, flag.threshold) == ("lang.unsupported", None, None)
