"""A pair of judgements on one post: the one that was published, and the one that a replay came to. A line of a replay's
`pairs.jsonl`."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.source import Source
from schemas.taxonomy import Action


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What of a decision is compared."""

    action: Action
    labels: dict[str, float]
    """Label -> probability, rounded to 3 decimals; only labels that were assessed."""
    flags: tuple[str, ...]
    severity: int | None
    """None where a policy alone cannot tell it from the published decision, and nothing else hangs on it."""
    rules: tuple[str, ...]
    """Of the reasons, the strictest first."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The latest that a person said of the post."""

    verdict: Action
    labels: dict[str, bool] = {}
    """A label that is not named was not judged."""
    about: Literal["decision", "post"]
    """`post`: about another decision on the same version of the post, such as one by an earlier policy."""


class Pair(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One post, judged twice; or judged once, and why it was not judged again."""

    post_id: str
    tenant: str
    lang: str | None
    source: Source
    decision_id: str
    pack: str
    """`name@hash` of the published decision; so is the policy."""
    policy: str
    was: Judged
    was_ms: float | None = None
    """From receipt to decision, as published."""
    now: Judged | None = None
    undecided: str | None = None
    """Where `now` is None: the code of the reason."""
    said: Said | None = None
    author: str | None = None
    """A keyed hash of the author's id; None without a key, or where the post was not read."""
    text: str | None = None
    """The beginning of the post's text; only where it was asked for."""


_decoder = msgspec.json.Decoder(Pair)
_encoder = msgspec.json.Encoder()


def encode_pair(pair: Pair) -> bytes:
    """JSON, without a line feed."""
    return _encoder.encode(pair)


def decode_pair(line: bytes) -> Pair:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(line)
