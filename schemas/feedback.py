"""`feedback/1`: what reviewers say about decisions."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.post import MAX_POST_BYTES, PATTERN_REASONS, Id, Name, Timestamp
from schemas.taxonomy import Action
from schemas.wire import InvalidMessage, decode_json

FEEDBACK_SCHEMA = "feedback/1"

MAX_LABELS = 256
"""Labels and marks of one feedback; a person sets a handful."""

Seconds = Annotated[float, Meta(ge=0)]
Point = Annotated[int, Meta(ge=0)]


class InvalidFeedback(InvalidMessage):
    """Not a valid `feedback/1`: `field` names the place, `reason` says why."""


class SpanMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of text that a reviewer marked."""

    span: tuple[Point, Point]
    """[start, end) in Unicode code points of the text as it was posted."""
    field: Literal["title", "parent"] | None = None
    """The text field; left out for the post's own text."""
    label: Name | None = None
    """What is wrong with it."""


class BoxMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a picture or frame that a reviewer marked."""

    media_id: Id
    """The post's media item."""
    bbox: tuple[float, float, float, float]
    """[x, y, width, height] in pixels."""
    label: Name | None = None
    """What is wrong with it."""


class TimeMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of sound or video that a reviewer marked."""

    media_id: Id
    """The post's media item."""
    t_start: Seconds
    """Seconds from the start of the media."""
    t_end: Seconds
    """The same."""
    label: Name | None = None
    """What is wrong with it."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's judgement of one decision."""

    schema: Literal["feedback/1"] = FEEDBACK_SCHEMA
    feedback_id: Id
    """Unique to this judgement."""
    decision_id: Id
    """The decision that was judged."""
    post_id: Id
    """The post that it is about."""
    reviewer: Name | None = None
    """Who judged."""
    role: Name | None = None
    """As what."""
    source: Literal["review", "appeal", "audit", "gold"]
    """What made somebody judge."""
    verdict: Action
    """The action that would have been right."""
    labels: Annotated[dict[Name, bool], Meta(max_length=MAX_LABELS)] = {}
    """Label -> whether it holds. A label that is not named was not judged."""
    spans: Annotated[tuple[SpanMark, ...], Meta(max_length=MAX_LABELS)] = ()
    """What was marked in the text."""
    boxes: Annotated[tuple[BoxMark, ...], Meta(max_length=MAX_LABELS)] = ()
    """What was marked in pictures."""
    times: Annotated[tuple[TimeMark, ...], Meta(max_length=MAX_LABELS)] = ()
    """What was marked in sounds and videos."""
    explanation_rating: Annotated[int, Meta(ge=1, le=5)] | None = None
    """How well the decision explained itself, 5 being best."""
    comment: str | None = None
    """The reviewer's own words."""
    seconds_spent: Seconds | None = None
    """How long it took the reviewer."""
    created_at: Timestamp
    """When."""


_decoder = msgspec.json.Decoder(Feedback)
_encoder = msgspec.json.Encoder()


def decode_feedback(raw: bytes | bytearray | memoryview) -> Feedback:
    """The feedback in a message's value; raises `InvalidFeedback` and nothing else, whatever the bytes are."""
    try:
        feedback = decode_json(
            raw, _decoder, schema=FEEDBACK_SCHEMA, max_bytes=MAX_POST_BYTES, patterns=PATTERN_REASONS
        )
    except InvalidMessage as error:
        raise InvalidFeedback(error.field, error.reason) from None
    for index, mark in enumerate(feedback.spans):
        if mark.span[0] >= mark.span[1]:
            raise InvalidFeedback(f"spans[{index}].span", "expected [start, end) with start before end")
    for index, stretch in enumerate(feedback.times):
        if stretch.t_start > stretch.t_end:
            raise InvalidFeedback(f"times[{index}]", "expected t_start not after t_end")
    return feedback


def encode_feedback(feedback: Feedback) -> bytes:
    """The JSON of a feedback; fields at their defaults are left out."""
    return _encoder.encode(feedback)
