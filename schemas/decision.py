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
    """How it was read."""
    reason: str | None = None
    """Set where the status is `partial`, `failed` or `unsafe`."""
    score: Probability | None = None
    """The highest probability that it alone gives a label."""
    confidence: Probability | None = None
    """How sure that judgement is."""
    weight: Probability | None = None
    """This modality's share in the fused probabilities."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a post that speaks for the decision: a text span, a box in a picture or a stretch of sound."""

    modality: str
    """`text`, `ocr`, `image` or `speech`."""
    media_id: str | None = None
    """The media item that it is in."""
    field: Literal["title", "parent"] | None = None
    """The text field that `span` counts in; left out for the post's own text."""
    span: tuple[int, int] | None = None
    """[start, end) in Unicode code points of the text as it was posted."""
    text: str | None = None
    """What stands there, or what was read or heard there; left out for a line that cannot be read."""
    bbox: tuple[float, float, float, float] | None = None
    """[x, y, width, height] in pixels of the picture or frame."""
    t_start: float | None = None
    """Seconds from the start of the media."""
    t_end: float | None = None
    """The same; left out where it is a moment."""
    confidence: Probability | None = None
    """Of the reading or the hearing, where `text` was read in a picture or heard in a sound; 0 for what was heard and
    is not to be trusted."""
    score: Probability
    """Probability of what speaks against the post, of this piece alone."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A policy rule that fired."""

    rule: str
    """Its name in the policy."""
    code: str
    """The rule's stable code, for programs; of a label, the tenant's own name for it."""
    guideline: str | None = None
    """Where the rule that was broken is written down."""
    text: str
    """The rule's message for people."""
    evidence: tuple[int, ...] = ()
    """Indices into the decision's evidence."""


class Versions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What made a decision."""

    code: str
    """The release of modstream."""
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
    """A function of the post's id and bytes, its media as fetched, the pack and the policy."""
    post_id: str
    """The post's."""
    tenant: str
    """The post's."""
    lang: str | None
    """The language found; null where there is nothing to tell it by."""
    source: Source
    """The post's place in its input topic. Of two decisions on one post, the one with the later source holds."""
    action: Action
    """What is to happen to the post."""
    confidence: Probability
    """Mean of the modalities' confidence; those that say most and are trusted most count most."""
    labels: Probabilities
    """Label -> probability, of every label that was assessed."""
    not_assessed: tuple[str, ...] = ()
    """Labels that the pack has no measured head for; never in `labels`."""
    targets: Probabilities = {}
    """Target -> probability that the post is aimed at it, where the pack was measured on it."""
    attacks: Probabilities = {}
    """Attack -> probability that the post does it so, where the pack was measured on it."""
    explicitness: Literal["explicit", "implicit"] | None = None
    """Of a post over the threshold of `abuse`, where the pack was measured on it."""
    severity: Annotated[int, Meta(ge=0, le=4)]
    """0 none, 1 weak, 2 moderate, 3 strong, 4 extreme."""
    modalities: dict[str, Modality]
    """Modality -> how it was read: `text`, `ocr`, `image`, `speech`."""
    evidence: tuple[Evidence, ...] = ()
    """Bounded in number and length by settings; the first to go where the message would be too large."""
    flags: tuple[str, ...] = ()
    """Labels over their thresholds, refinements (`hate.race`), facts (`lang.unsupported`) and flags of rules."""
    reasons: tuple[Reason, ...] = ()
    """The rules that fired, the strictest first."""
    versions: Versions
    """What made the decision."""
    timings_ms: dict[str, float] = {}
    """Stage -> milliseconds, and their `total`."""
    decided_at: Timestamp
    """When."""


class Confidence(msgspec.Struct, frozen=True, kw_only=True):
    """`confidence/1`: one per decision, a row per modality."""

    schema: Literal["confidence/1"] = "confidence/1"
    decision_id: str
    """The decision's."""
    post_id: str
    """The post's."""
    modalities: dict[str, Modality]
    """As in the decision."""
    combined: Probabilities
    """Label -> probability."""
    versions: Versions
    """As in the decision."""


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """`flag/1`: one per flag of a decision."""

    schema: Literal["flag/1"] = "flag/1"
    flag_id: str
    """A function of the decision's id and the flag."""
    decision_id: str
    """The decision's."""
    post_id: str
    """The post's."""
    tenant: str
    """The post's."""
    flag: str
    """Its name."""
    probability: Probability | None = None
    """None where the flag is a fact and no label's, such as `lang.unsupported`; so is the threshold then."""
    threshold: Probability | None = None
    """Of the policy in effect."""
    severity: Annotated[int, Meta(ge=0, le=4)]
    """The decision's."""
    action: Action
    """The decision's."""
    evidence: tuple[Evidence, ...] = ()
    """As in the decision."""
    decided_at: Timestamp
    """As in the decision."""


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
