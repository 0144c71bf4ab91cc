"""`insight/1`: what happened within one window, for one dimension. Approximate by design: nothing decides by it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.post import Timestamp
from schemas.wire import decode_json

MAX_INSIGHT_BYTES = 1024 * 1024
"""An insight has at most a few thousand short names with a number each."""

InsightKind = Literal["decisions", "drift", "confidence", "flags", "dead_letters", "floods"]


class Insight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One window of one dimension. Its key is unique to both; of two messages with one key, the later holds."""

    schema: Literal["insight/1"] = "insight/1"
    kind: InsightKind
    """What was counted."""
    window_start: Timestamp
    """In the time of the messages, not of the counting."""
    window_end: Timestamp
    """The window is [start, end)."""
    dimensions: dict[str, str] = {}
    """Such as {"tenant": "acme"}; empty for everything together."""
    values: dict[str, float] = {}
    """Shares and means in 0..1, rates per second, PSI: derived from `counts`, rounded to 6 digits."""
    counts: dict[str, Annotated[int, Meta(ge=0)]] = {}
    """Messages counted, `total` of them, and parts of them by name."""
    examples: dict[str, str] = {}
    """Of floods: name of a count -> the id of a post that is in it."""
    notable: tuple[str, ...] = ()
    """Names of values or counts that passed a threshold of the settings, sorted."""

    @property
    def key(self) -> str:
        """The message's key: window, kind and dimension."""
        start = int(self.window_start.timestamp())
        end = int(self.window_end.timestamp())
        dimensions = ",".join(f"{name}={value}" for name, value in sorted(self.dimensions.items()))
        return f"{start}-{end}|{self.kind}|{dimensions or 'all'}"


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Insight)


def encode_insight(insight: Insight) -> bytes:
    """JSON of `insight/1`; equal insights give equal bytes."""
    return _encoder.encode(insight)


def decode_insight(raw: bytes | bytearray | memoryview) -> Insight:
    """Raises `InvalidMessage`."""
    return decode_json(raw, _decoder, schema="insight/1", max_bytes=MAX_INSIGHT_BYTES)
