"""From a post to its decision, through every stage: the same alone, in company, and with topics between the stages."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.chain import TEXT_STAGES, ChainOptions, Models, Processors, build_chain, run_chain
from processors.fuse import decision_messages
from processors.packs import Pack
from processors.policy import Policy
from schemas import Action, Decision, Post, Record, Stage, Status, decode_record, encode_record
from tests.ingested import post_of, received

OPTIONS = ChainOptions(code="test", threads=2, clock=lambda: 1_795_316_080_250)

POSTS = (
    post_of("hello world, good day", post_id="harmless"),
    post_of("you are all scum", post_id="plain"),
    post_of("hello @someone_else, https://example.org/a you are scum", post_id="masked"),
    post_of("you are all sc\u200bum", post_id="invisible"),
    post_of("good day", title="vermin", parent="hello", post_id="titled"),
    post_of("the cat sat on the mat . " * 60, post_id="long"),
    post_of("the cat sat on the mat . " * 7 + "you are vermin", post_id="late"),
    post_of("😀😀😀", post_id="emoji"),
    post_of("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎦᏬᏂᎯᏍᏗ", post_id="unknown script"),
    post_of(" \n\u200b", post_id="blank"),
)


@pytest.fixture(scope="module")
def chain(pack: Pack, policy: Policy) -> Processors:
    return build_chain(OPTIONS, Models(pack, policy))


@pytest.fixture(scope="module")
def alone(chain: Processors) -> dict[str, Decision]:
    """The decision on each post, scored by itself."""
    return {post.post_id: decided(run_chain(chain, [received(post)])[0]) for post in POSTS}


def decided(outcome: object) -> Decision:
    assert isinstance(outcome, Record)
    assert outcome.decision is not None
    return replace(outcome.decision, timings_ms={})


def test_the_chain_is_built_of_the_stages_that_are_asked_for(pack: Pack, policy: Policy, chain: Processors) -> None:
    assert tuple(processor.stage for processor in chain) == TEXT_STAGES
    some = build_chain(OPTIONS, Models(pack, policy), stages=[Stage.FUSE, Stage.PACK])
    assert [processor.stage for processor in some] == [Stage.PACK, Stage.FUSE]


@pytest.mark.parametrize("name", ["plain", "masked", "invisible", "titled", "late"])
def test_abuse_is_found_however_it_is_posted(alone: dict[str, Decision], name: str) -> None:
    assert alone[name].action is not Action.APPROVE
    assert "abuse" in alone[name].flags
    assert alone[name].evidence


@pytest.mark.parametrize("name", ["harmless", "emoji"])
def test_harmless_posts_are_approved(alone: dict[str, Decision], name: str) -> None:
    assert alone[name].action is Action.APPROVE


@pytest.mark.parametrize(
    ("name", "status"), [("long", Status.PARTIAL), ("unknown script", Status.PARTIAL), ("blank", Status.FAILED)]
)
def test_what_could_not_be_read_is_reviewed(alone: dict[str, Decision], name: str, status: Status) -> None:
    assert alone[name].action is Action.REVIEW
    assert alone[name].modalities["text"].status is status


def test_a_post_is_decided_the_same_in_any_batch_and_order(chain: Processors, alone: dict[str, Decision]) -> None:
    for seed in range(4):
        posts = list(POSTS) * 3
        random.Random(seed).shuffle(posts)
        outcomes = run_chain(chain, [received(post) for post in posts])
        assert [decided(outcome) for outcome in outcomes] == [alone[post.post_id] for post in posts]


def test_a_topic_between_every_two_stages_changes_nothing(chain: Processors, alone: dict[str, Decision]) -> None:
    records: Sequence[Record] = [received(post) for post in POSTS]
    for processor in chain:
        outcomes = run_chain([processor], [decode_record(encode_record(record)) for record in records])
        records = [outcome for outcome in outcomes if isinstance(outcome, Record)]
    assert [decided(record) for record in records] == [alone[post.post_id] for post in POSTS]


def test_evidence_covers_the_disguised_word_as_it_was_posted(alone: dict[str, Decision]) -> None:
    assert any("sc\u200bum" in (piece.text or "") for piece in alone["invisible"].evidence)


def original(post: Post, field: str | None) -> str:
    return ((post.context.title if post.context else None) if field == "title" else post.text) or ""


# Lone surrogates cannot reach a post: its decoder refuses them.
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
pieces = st.lists(st.sampled_from(["scum", "v3rm1n", "@some_one", "https://a.b/c", "ﬁ", "e\u0301", "\u202e", "\r\n"]))


@settings(max_examples=60, deadline=None)
@given(text=anything | pieces.map(" ".join), title=st.none() | anything)
@example(text="\u0345" * 200, title="\x00")
@example(text="scum\x00\ufeff", title=None)
def test_whatever_is_posted_ends_as_a_decision_whose_evidence_is_in_the_post(
    chain: Processors, text: str, title: str | None
) -> None:
    post = post_of(text or "x", title=title)
    [outcome] = run_chain(chain, [received(post)])
    decision = decided(outcome)
    assert isinstance(outcome, Record)
    assert len(decision_messages(outcome).flags) == len(decision.flags)
    for piece in decision.evidence:
        assert piece.span is not None
        start, end = piece.span
        assert 0 <= start < end
        assert piece.text == original(post, piece.field)[start:end]
    if decision.action is Action.APPROVE:
        assert decision.modalities["text"].status is Status.OK
