"""Messages for insights: decisions, confidences, flags, dead letters and posts, dated as a test wants."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from schemas import (
    LABELS,
    Action,
    Cause,
    Confidence,
    DeadLetterHeaders,
    Decision,
    Flag,
    Modality,
    Post,
    Source,
    Stage,
    Status,
    Versions,
    encode_confidence,
    encode_decision,
    encode_flag,
    encode_post,
)
from streams.insights import Message
from streams.insights import Source as Topic

LANGUAGES = ("en", "de", "tlh", None)
TENANTS = ("default", "acme", "stranger")
FLOOD = "buy the best watches of the world today for very little money from our friendly shop"


def decision_of(number: int, draw: random.Random) -> Decision:
    labels = {label: round(draw.random() ** 3, 3) for label in LABELS[:4]}
    return Decision(
        decision_id=f"d-{number}",
        post_id=f"p-{number}",
        tenant=draw.choice(TENANTS),
        lang=draw.choice(LANGUAGES),
        source=Source(topic="posts", partition=0, offset=number, timestamp_ms=0),
        action=draw.choice(tuple(Action)),
        confidence=round(draw.random(), 3),
        labels=labels,
        severity=draw.randrange(5),
        modalities=_modalities(draw),
        flags=tuple(label for label, score in labels.items() if score > 0.5),
        versions=_versions(draw),
        decided_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


def confidence_of(number: int, draw: random.Random) -> Confidence:
    return Confidence(
        decision_id=f"d-{number}",
        post_id=f"p-{number}",
        modalities=_modalities(draw),
        combined={},
        versions=_versions(draw),
    )


def flag_of(number: int, draw: random.Random) -> Flag:
    return Flag(
        flag_id=f"f-{number}",
        decision_id=f"d-{number}",
        post_id=f"p-{number}",
        tenant=draw.choice(TENANTS),
        flag=draw.choice(("hate", "hate.race", "lang.unsupported", "not a name\n")),
        severity=2,
        action=Action.REVIEW,
        decided_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


def post_of(number: int, draw: random.Random) -> Post:
    return Post(post_id=f"p-{number}", text=f"{FLOOD} {draw.randrange(10**9)}" if draw.random() < 0.5 else "hello")


def dead_letter_headers(draw: random.Random) -> list[tuple[str, bytes]]:
    cause, stage = draw.choice((*Cause, "of its own")), draw.choice((*Stage, "nowhere"))
    return DeadLetterHeaders(stage=str(stage), cause=str(cause)).to_headers()


def message_of(topic: Topic, partition: int, offset: int, at_ms: int, draw: random.Random) -> Message:
    """A message of a topic, of a post of its own."""
    number = partition * 1_000_000 + offset
    headers: list[tuple[str, bytes]] = []
    match topic:
        case Topic.DECISIONS:
            value = encode_decision(decision_of(number, draw))
        case Topic.CONFIDENCE:
            value = encode_confidence(confidence_of(number, draw))
        case Topic.FLAGS:
            value = encode_flag(flag_of(number, draw))
        case Topic.DEAD_LETTERS:
            value, headers = b"whatever it was", dead_letter_headers(draw)
        case _:
            value = encode_post(post_of(number, draw))
    return Message(topic, partition, offset, at_ms, value, tuple(headers))


def traffic(
    count: int,
    *,
    start_ms: int,
    span_ms: int,
    partitions: int = 3,
    topics: tuple[Topic, ...] = tuple(Topic),
    seed: int = 7,
) -> Iterator[Message]:
    """`count` messages of each topic over a span of time, in the order of time within each partition."""
    draw = random.Random(seed)
    for topic in topics:
        offsets = [0] * partitions
        for at_ms in sorted(start_ms + draw.randrange(span_ms) for _ in range(count)):
            partition = draw.randrange(partitions)
            yield message_of(topic, partition, offsets[partition], at_ms, draw)
            offsets[partition] += 1


def _modalities(draw: random.Random) -> dict[str, Modality]:
    return {
        "text": Modality(status=Status.OK, score=0.1, confidence=round(draw.random(), 3), weight=1.0),
        "ocr": Modality(status=draw.choice((Status.ABSENT, Status.FAILED)), reason=None),
    }


def _versions(draw: random.Random) -> Versions:
    return Versions(code="0", pack=draw.choice(("embedded@1", "embedded@2")), policy="default@1", layers=("default",))
