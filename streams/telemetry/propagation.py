"""W3C Trace Context in the headers of Kafka messages: `traceparent`, and `tracestate` passed on as it came.

Written here and not taken from OpenTelemetry's own propagator, which logs a warning for each broken header: whoever
sends posts could fill our logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from schemas import HEADER_PREFIX

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
LAST_TRY = HEADER_PREFIX + TRACEPARENT
"""What a retry and a dead letter carry: a post that no sender traces has no other header of its trace."""
_NAMES = frozenset({TRACEPARENT, TRACESTATE, LAST_TRY})

Headers = Iterable[tuple[str, str | bytes | None]]

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x20-\x7e]{0,200})?")
_STATE_KEY = rb"[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_STATE_VALUE = rb"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_STATE_MEMBER = re.compile(rb"[ \t]*(" + _STATE_KEY + rb")=(" + _STATE_VALUE + rb")[ \t]*")
_MAX_STATE_BYTES = 512
_MAX_STATE_MEMBERS = 32
"""Both as the standard says."""


def extract(headers: Headers | None) -> SpanContext | None:
    """The context that a message came with, or None where there is none or it is malformed. Of several, the last; of a
    message that comes back from a retry or from the dead letters, that of its last try."""
    found: dict[str, bytes] = {}
    for name, value in headers or ():
        if name in _NAMES:
            found[name] = _bytes(value)
    if LAST_TRY in found and (context := _context(found[LAST_TRY], found.get(TRACESTATE))) is not None:
        return context
    return _context(found[TRACEPARENT], found.get(TRACESTATE)) if TRACEPARENT in found else None


def _context(parent: bytes, state: bytes | None) -> SpanContext | None:
    match = _TRACEPARENT.fullmatch(parent)
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == b"ff" or (version == b"00" and rest is not None):  # later versions may say more at the end
        return None
    context = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
        trace_state=_state(state),
    )
    return context if context.is_valid else None  # ids of zeros are not


def inject(context: SpanContext) -> list[tuple[str, bytes]]:
    """The headers that make `context` the parent of whoever reads the message; none for an invalid context."""
    if not context.is_valid:
        return []
    headers = [(TRACEPARENT, traceparent(context).encode("ascii"))]
    if context.trace_state:
        headers.append((TRACESTATE, context.trace_state.to_header().encode("ascii")))
    return headers


def traceparent(context: SpanContext) -> str:
    """The context in one line, as in the headers of dead letters."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _state(raw: bytes | None) -> TraceState | None:
    if not raw or len(raw) > _MAX_STATE_BYTES:
        return None
    entries: dict[str, str] = {}
    members = [member for member in raw.split(b",") if member.strip(b" \t")]
    for member in members:
        match = _STATE_MEMBER.fullmatch(member)
        if match is None:
            return None
        entries[match[1].decode("ascii")] = match[2].decode("ascii")
    if len(entries) != len(members) or len(members) > _MAX_STATE_MEMBERS:  # a key twice is not legal
        return None
    return TraceState(list(entries.items()))


def _bytes(value: str | bytes | None) -> bytes:
    if isinstance(value, bytes):
        return value
    return (value or "").encode("utf-8", "replace")
