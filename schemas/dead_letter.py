"""The headers of dead letters and retries; the value, key and other headers of such a message stay as received."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

HEADER_PREFIX = "modstream-"

MAX_HEADER_CHARS = 1000
"""Headers count towards the size of a message; an error's text must not make a dead letter undeliverable."""

HeaderValue = str | bytes | None
Headers = Iterable[tuple[str, HeaderValue]]


class Cause(StrEnum):
    """Why a message was given up or put off. Stable: operators and alerts match on these codes."""

    INVALID_POST = "invalid_post"
    """The value is no valid post; `field` and `reason` say what is wrong."""
    INVALID_RECORD = "invalid_record"
    """The value of an internal topic is no record."""
    UNSUPPORTED_VERSION = "unsupported_version"
    """A version that will not be supported; a newer one waits for newer workers instead."""
    TOO_LARGE = "too_large"
    """The output is over the limit of its topic, also after trimming."""
    POISON = "poison"
    """The message made its batch fail."""
    CRASH_LOOP = "crash_loop"
    """The message killed or hung its process, more than once."""
    TRANSIENT = "transient"
    """A passing fault, to be tried again (retries only)."""
    RETRIES_EXHAUSTED = "retries_exhausted"
    """A passing fault that did not pass."""


class DeadLetterHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a message. A field that is None has no header."""

    stage: str | None = None
    """Of a dead letter, the stage that gave it up; of a retry, the stage whose topic it goes back to."""
    cause: str | None = None
    """A `Cause`; another string where a later version of modstream wrote it."""
    reason: str | None = None
    """One sentence."""
    field: str | None = None
    """The field at fault, where there is one."""
    attempt: int | None = None
    """The number of the try, from 1."""
    not_before_ms: int | None = None
    """Milliseconds since the epoch."""
    topic: str | None = None
    """Where the message was first read from, with the next three."""
    partition: int | None = None
    """Of that topic."""
    offset: int | None = None
    """In that partition."""
    timestamp_ms: int | None = None
    """Milliseconds since the epoch."""
    code: str | None = None
    """The release of modstream."""
    pack: str | None = None
    """The model pack at work, `name@sha`."""
    policy: str | None = None
    """The policy at work, `name@sha`."""
    traceparent: str | None = None
    """Its trace (W3C), where it has one."""

    def to_headers(self, received: Headers = ()) -> list[tuple[str, bytes]]:
        """Kafka headers: those `received` with the message that are not ours, then ours."""
        kept = [(name, _bytes(value)) for name, value in received if name not in _FIELDS]
        ours: list[tuple[str, bytes]] = []
        for header, attribute in _FIELDS.items():
            value = getattr(self, attribute)
            if value is not None:
                ours.append((header, str(value)[:MAX_HEADER_CHARS].encode("utf-8", "replace")))
        return kept + ours

    @classmethod
    def from_headers(cls, headers: Headers | None) -> DeadLetterHeaders:
        """Reads what is there: a header that is missing or not readable is None, of repeated ones the last holds."""
        found: dict[str, str | int | None] = {}
        for name, value in headers or ():
            attribute = _FIELDS.get(name)
            if attribute is None or value is None:
                continue
            text = _bytes(value).decode("utf-8", "replace")
            found[attribute] = _integer(text) if attribute in _INTEGERS else text
        return msgspec.convert(found, cls)

    @staticmethod
    def names() -> dict[str, str]:
        """Header -> attribute."""
        return dict(_FIELDS)


_INTEGERS = frozenset({"attempt", "not_before_ms", "partition", "offset", "timestamp_ms"})
_FIELDS = {
    HEADER_PREFIX + name.removesuffix("_ms").replace("_", "-"): name for name in DeadLetterHeaders.__struct_fields__
}
"""Header -> attribute."""

_MAX_DIGITS = 18
"""As many as surely fit into Kafka's 64-bit integers."""


def _integer(text: str) -> int | None:
    # Also Kafka's own -1 (no offset, no timestamp); anything that is no such number is garbage.
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None


def _bytes(value: HeaderValue) -> bytes:
    if value is None:
        return b""
    return value if isinstance(value, bytes) else value.encode("utf-8", "replace")
