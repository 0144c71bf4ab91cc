"""What modstream publishes on a post: `decision/1`, `confidence/1` and `flag/1`.

Probabilities and scores are calibrated, in 0..1, and already rounded to 3 decimals by whoever makes these objects.
They must be finite: JSON has no NaN, and the encoder would write null.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from schemas.post import MAX_POST_BYTES, Timestamp
from schemas.source import Source
from schemas.taxonomy import Action, Status
from schemas.wire import decode_json

MAX_MESSAGE_BYTES = 2 * MAX_POST_BYTES
"""The largest message of the internal and output topics: records, decisions and dead letters."""

Probability = Annotated[float, Meta(ge=0, le=1)]
Probabilities = dict[str, Probability]


class Modality(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one modality of a post was read, and what it said."""

    status: Status
    reason: str | None = None
    """Set where the status is `partial`, `failed` or `unsafe`."""
    score: Probability | None = None
    confidence: Probability | None = None
    weight: Probability | None = None
    """This modality's share in the fused probabilities."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a post that speaks for the decision: a text span, a box in a picture or a stretch of sound."""

    modality: str
    media_id: str | None = None
    field: Literal["title", "parent"] | None = None
    """The text field that `span` counts in; left out for the post's own text."""
    span: tuple[int, int] | None = None
    """[start, end) in Unicode code points of the text as it was posted."""
    text: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    """[x, y, width, height] in pixels of the picture or frame."""
    t_start: float | None = None
    """Seconds from the start of the media."""
    t_end: float | None = None
    confidence: Probability | None = None
    """Of the reading or the hearing, where `text` was read in a picture or heard in a sound; 0 for what was heard and
    is not to be trusted."""
    score: Probability


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A policy rule that fired."""

    rule: str
    code: str
    guideline: str | None = None
    text: str
    evidence: tuple[int, ...] = ()
    """Indices into the decision's evidence."""


class Versions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What made a decision."""

    code: str
    pack: str
    """`name@sha`."""
    policy: str
    """`name@sha`."""
    layers: tuple[str, ...]
    """The policy's layers in effect, from the weakest to the strongest."""
    engines: dict[str, str] = {}
    """What ran where: graph -> execution provider."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """`decision/1`."""

    schema: Literal["decision/1"] = "decision/1"
    decision_id: str
    post_id: str
    tenant: str
    lang: str | None
    source: Source
    action: Action
    confidence: Probability
    labels: Probabilities
    not_assessed: tuple[str, ...] = ()
    """Labels that the pack has no measured head for; never in `labels`."""
    targets: Probabilities = {}
    attacks: Probabilities = {}
    explicitness: Literal["explicit", "implicit"] | None = None
    severity: Annotated[int, Meta(ge=0, le=4)]
    """0 none, 1 weak, 2 moderate, 3 strong, 4 extreme."""
    modalities: dict[str, Modality]
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    versions: Versions
    timings_ms: dict[str, float] = {}
    decided_at: Timestamp


class Confidence(msgspec.Struct, frozen=True, kw_only=True):
    """`confidence/1`: one per decision, a row per modality."""

    schema: Literal["confidence/1"] = "confidence/1"
    decision_id: str
    post_id: str
    modalities: dict[str, Modality]
    combined: Probabilities
    """Label -> probability."""
    versions: Versions


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """`flag/1`: one per flag of a decision."""

    schema: Literal["flag/1"] = "flag/1"
    flag_id: str
    decision_id: str
    post_id: str
    tenant: str
    flag: str
    probability: Probability | None = None
    """None where the flag is a fact and no label's, such as `lang.unsupported`; so is the threshold then."""
    threshold: Probability | None = None
    severity: Annotated[int, Meta(ge=0, le=4)]
    action: Action
    evidence: tuple[Evidence, ...] = ()
    decided_at: Timestamp


T = TypeVar("T", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_decision_decoder = msgspec.json.Decoder(Decision)
_confidence_decoder = msgspec.json.Decoder(Confidence)
_flag_decoder = msgspec.json.Decoder(Flag)


def encode_decision(decision: Decision) -> bytes:
    """JSON of `decision/1`; optional fields of evidence and modalities are left out where they are None."""
    return _encoder.encode(decision)


def encode_confidence(confidence: Confidence) -> bytes:
    """JSON of `confidence/1`."""
    return _encoder.encode(confidence)


def encode_flag(flag: Flag) -> bytes:
    """JSON of `flag/1`."""
    return _encoder.encode(flag)


def decode_decision(raw: bytes | bytearray | memoryview) -> Decision:
    """Raises `InvalidMessage`."""
    return _decode(raw, _decision_decoder, "decision/1")


def decode_confidence(raw: bytes | bytearray | memoryview) -> Confidence:
    """Raises `InvalidMessage`."""
    return _decode(raw, _confidence_decoder, "confidence/1")


def decode_flag(raw: bytes | bytearray | memoryview) -> Flag:
    """Raises `InvalidMessage`."""
    return _decode(raw, _flag_decoder, "flag/1")


def _decode(raw: Any, decoder: msgspec.json.Decoder[T], schema: str) -> T:
    return decode_json(raw, decoder, schema=schema, max_bytes=MAX_MESSAGE_BYTES)
