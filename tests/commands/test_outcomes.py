"""The demo finds the outcome of every message it published, and notices one that is missing or doubled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commands.outcomes import Outcomes
from schemas import Action, DeadLetterHeaders, Decision, Source, Versions, encode_decision
from streams.publish import Delivered
from streams.reader import Read
from streams.topology import Topics

TOPICS = Topics("t.")
POSTS = "t.posts"


def decided(offset: int, topic: str = POSTS) -> Read:
    decision = Decision(
        decision_id=f"d-{offset}",
        post_id=f"p-{offset}",
        tenant="default",
        lang="en",
        source=Source(topic=topic, partition=0, offset=offset, timestamp_ms=1),
        action=Action.APPROVE,
        confidence=0.9,
        labels={"abuse": 0.1},
        severity=0,
        modalities={},
        versions=Versions(code="1", pack="tiny@1", policy="default@1", layers=("default",)),
        decided_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    return Read(TOPICS.decisions, 0, 100 + offset, 1, f"p-{offset}".encode(), encode_decision(decision), ())


def dead(offset: int) -> Read:
    headers = DeadLetterHeaders(stage="ingest", cause="invalid_post", topic=POSTS, partition=0, offset=offset)
    return Read(TOPICS.dead_letters, 0, 200 + offset, 1, None, b"{", tuple(headers.to_headers()))


def tombstone(key: bytes) -> Read:
    return Read(TOPICS.decisions, 0, 300, 1, key, None, ())


@pytest.fixture
def outcomes() -> Outcomes:
    made = Outcomes(TOPICS)
    made.expect(Delivered(line, POSTS, 0, line) for line in (1, 2))
    made.expect((), [("p-1", Delivered(None, POSTS, 0, 3))])
    return made


def test_a_decision_a_dead_letter_and_a_tombstone_answer_everything(outcomes: Outcomes) -> None:
    for message in (decided(1), dead(2), tombstone(b"p-1")):
        assert outcomes.waiting
        outcomes.take(message)
    assert outcomes.waiting == set()
    assert outcomes.decisions[POSTS, 0, 1].post_id == "p-1"
    assert outcomes.dead[POSTS, 0, 2].value == b"{"
    assert outcomes.doubled == []


def test_what_others_published_is_passed_over(outcomes: Outcomes) -> None:
    for message in (decided(7), decided(1, topic="t.posts.urgent"), dead(8), tombstone(b"another")):
        outcomes.take(message)
    assert len(outcomes.waiting) == 3
    assert outcomes.doubled == []


@pytest.mark.parametrize(("first", "second"), [(decided(1), decided(1)), (decided(1), dead(1)), (dead(2), dead(2))])
def test_two_answers_to_one_message_are_noticed(first: Read, second: Read, outcomes: Outcomes) -> None:
    outcomes.take(first)
    outcomes.take(second)
    assert len(outcomes.doubled) == 1


def test_the_second_tombstone_of_a_delete_is_no_second_answer(outcomes: Outcomes) -> None:
    outcomes.take(tombstone(b"p-1"))
    outcomes.take(tombstone(b"p-1"))
    assert outcomes.doubled == []
