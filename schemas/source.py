"""Where a message came from."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A post's place in its input topic. Of two decisions on one post the later (timestamp_ms, offset) holds."""

    topic: str
    """The posts topic of its lane."""
    partition: int
    """Of that topic."""
    offset: int
    """In that partition."""
    timestamp_ms: int
    """Kafka's timestamp of the message, in milliseconds since the epoch."""
