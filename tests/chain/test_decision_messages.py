"""The messages of a decision: valid for their schemas, and within the size of their topics."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from processors.contract import ProcessingError
from processors.fuse import FuseProcessor, confidence_of, decision_messages
from schemas import Record, decode_decision, decode_flag, encode_decision
from tests.fused import Chain
from tests.ingested import ingested, post_of, received
from tests.pictured import MEDIA, Shot, with_pictures

SCHEMAS = Path(__file__).parents[2] / "schemas" / "json"

POSTS = (
    ingested(received(post_of("hello world"))),
    ingested(received(post_of("you are all scum", title="vermin", parent="good day"))),
    ingested(received(post_of("hello world")), lang="tlh"),
    ingested(received(post_of(" "))),
    ingested(received(post_of("hello", media=list(MEDIA.values())))),
    ingested(received(post_of("you s-c-u-m " * 40)), disguised=True),
    with_pictures(Shot(["you are", "all scum"], t=1.5), text="hello"),
)


def valid(message: bytes, schema: str) -> None:
    jsonschema.validate(json.loads(message), json.loads((SCHEMAS / f"{schema}-1.schema.json").read_text()))


@pytest.mark.parametrize("record", POSTS)
def test_messages_are_valid_for_their_schemas(chain: Chain, fuser: FuseProcessor, record: Record) -> None:
    done = chain.fused(fuser, record)
    messages = decision_messages(done)
    valid(messages.decision, "decision")
    valid(messages.confidence, "confidence")
    for flag in messages.flags:
        valid(flag, "flag")
    assert decode_decision(messages.decision) == done.decision
    assert [decode_flag(flag) for flag in messages.flags] == list(done.flags)
    assert done.decision is not None
    assert confidence_of(done.decision).combined == done.decision.labels


def test_messages_over_the_limit_go_without_their_evidence(chain: Chain, fuser: FuseProcessor) -> None:
    done = chain.fused(fuser, ingested(received(post_of("you are all scum " * 40))))
    assert done.decision is not None
    assert done.decision.evidence
    full = len(encode_decision(done.decision))
    decision = decode_decision(decision_messages(done, max_bytes=full - 1).decision)
    assert decision.evidence == ()
    assert all(reason.evidence == () for reason in decision.reasons)
    assert (decision.action, decision.labels, decision.flags) == (
        done.decision.action,
        done.decision.labels,
        done.decision.flags,
    )


def test_messages_that_stay_too_large_are_a_dead_letter(chain: Chain, fuser: FuseProcessor) -> None:
    done = chain.fused(fuser, ingested(received(post_of("you are scum"))))
    with pytest.raises(ProcessingError, match="bytes without evidence; expected at most 100") as caught:
        decision_messages(done, max_bytes=100)
    assert caught.value.cause == "too_large"


def test_a_record_without_a_decision_has_no_messages() -> None:
    with pytest.raises(ValueError, match="no decision"):
        decision_messages(POSTS[0])
