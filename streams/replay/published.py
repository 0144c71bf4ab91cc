"""A published decision, as far as a replay needs it: a third of the time that decoding all of it would take."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas import MAX_MESSAGE_BYTES, Action, Modality
from schemas.decision import Probability
from schemas.replay import Judged
from schemas.source import Source
from schemas.wire import decode_json

MAX_NAMES = 1024
"""Labels, flags and reasons of one decision: far more than a policy gives, and a bound on what a message can do."""

Probabilities = Annotated[dict[str, Probability], Meta(max_length=MAX_NAMES)]


class _Reason(msgspec.Struct, frozen=True):
    rule: str


class _Versions(msgspec.Struct, frozen=True, kw_only=True):
    pack: str
    policy: str
    layers: tuple[str, ...]


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """`decision/1` without evidence and texts."""

    decision_id: str
    post_id: str
    tenant: str
    lang: str | None
    source: Source
    action: Action
    labels: Probabilities
    targets: Probabilities = {}
    severity: int
    modalities: Annotated[dict[str, Modality], Meta(max_length=MAX_NAMES)]
    flags: Annotated[tuple[str, ...], Meta(max_length=MAX_NAMES)] = ()
    reasons: Annotated[tuple[_Reason, ...], Meta(max_length=MAX_NAMES)] = ()
    versions: _Versions
    timings_ms: dict[str, float] = {}

    @property
    def judged(self) -> Judged:
        return Judged(
            action=self.action,
            labels=self.labels,
            flags=self.flags,
            severity=self.severity,
            rules=tuple(reason.rule for reason in self.reasons),
        )


_json = msgspec.json.Decoder(Published)
_stored = msgspec.msgpack.Decoder(Published)
_encoder = msgspec.msgpack.Encoder()


def decode_published(raw: bytes) -> Published:
    """From a message of the decisions' topic. Raises `InvalidMessage`."""
    return decode_json(raw, _json, schema="decision/1", max_bytes=MAX_MESSAGE_BYTES)


def packed(decision: Published) -> bytes:
    """For the replay's own folder."""
    return _encoder.encode(decision)


def unpacked(raw: bytes) -> Published:
    return _stored.decode(raw)
