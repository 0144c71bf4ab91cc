"""What is counted together: a kind of insight and one value of one dimension. The key that messages are grouped by."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec


class Kind(StrEnum):
    """What a group counts. `drift` is no group of its own: it is told from the scores that `decisions` has."""

    DECISIONS = "decisions"
    CONFIDENCE = "confidence"
    FLAGS = "flags"
    DEAD_LETTERS = "dead_letters"
    FLOODS = "floods"


class Source(StrEnum):
    """The topics that are read."""

    DECISIONS = "decisions"
    CONFIDENCE = "confidence"
    FLAGS = "flags"
    DEAD_LETTERS = "dead_letters"
    POSTS = "posts"
    POSTS_URGENT = "posts_urgent"


FED_BY: dict[Kind, tuple[Source, ...]] = {
    Kind.DECISIONS: (Source.DECISIONS,),
    Kind.CONFIDENCE: (Source.CONFIDENCE,),
    Kind.FLAGS: (Source.FLAGS,),
    Kind.DEAD_LETTERS: (Source.DEAD_LETTERS,),
    Kind.FLOODS: (Source.POSTS, Source.POSTS_URGENT),
}
"""Whose messages a kind counts, and so whose progress closes its windows."""

ALL = ("", "")


class Group(NamedTuple):
    """`dimension` and `value` are empty for everything together."""

    kind: Kind
    dimension: str = ""
    value: str = ""

    def encode(self) -> bytes:
        """The key in the topic and in the table."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, raw: bytes) -> Group:
        return _decoder.decode(raw)

    @property
    def dimensions(self) -> dict[str, str]:
        return {self.dimension: self.value} if self.dimension else {}


_decoder = msgspec.json.Decoder(Group)


class Observation(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """What one message adds to one group. All numbers are whole, so that sums do not depend on their order."""

    source: Source
    partition: int
    offset: int
    """The message's place. A group counts a place once, however often it is told of it."""
    at_ms: int
    """When it happened: the message's timestamp, in milliseconds since the epoch."""
    counts: dict[str, int]
    examples: dict[str, str] = {}
    """Name of a count -> the id of the post that it comes from (floods)."""


class Progress(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """Follows observations, on every partition: what these partitions of a topic hold of earlier times came before."""

    source: Source
    partitions: int
    """How many the topic has."""
    times_ms: dict[int, int]
    """Partition -> the time that its reading has reached; those of another worker are missing."""


Grouped = Observation | Progress
"""A message of the topic of grouped observations."""

_grouped_encoder = msgspec.msgpack.Encoder()
_grouped_decoder: msgspec.msgpack.Decoder[Grouped] = msgspec.msgpack.Decoder(Grouped)


def encode_grouped(message: Grouped) -> bytes:
    return _grouped_encoder.encode(message)


def decode_grouped(raw: bytes) -> Grouped:
    return _grouped_decoder.decode(raw)
