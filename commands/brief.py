"""Messages of the output topics for people, on one line each, and for programs, as JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from commands.terminal import cut, printable
from schemas import Modality, decode_confidence, decode_decision, decode_flag
from streams.reader import Read
from streams.tail import Followed

KEY_COLUMNS = 40
REASON_COLUMNS = 160


def object_of(message: Read, what: Followed) -> Any:
    """The message for JSON: as it was published, where it is JSON. Raises orjson.JSONDecodeError."""
    if what is Followed.DEAD_LETTERS:
        return dead_letter_object(message)
    if message.value is None:
        return {"post_id": text_of(message.key), "deleted": True}
    return orjson.loads(message.value)


def dead_letter_object(message: Read) -> dict[str, Any]:
    """A dead letter for JSON: every byte of it, and where it lies."""
    return {
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "timestamp_ms": message.timestamp_ms,
        "key": text_of(message.key),
        "headers": {name: text_of(value) for name, value in message.headers},
        "value_base64": None if message.value is None else base64.b64encode(message.value).decode(),
    }


def line_of(message: Read, what: Followed) -> str:
    """The message on one line, fit for a terminal. Raises InvalidMessage."""
    if what is Followed.DEAD_LETTERS:
        return _dead_letter_line(message)
    key = cut(printable(text_of(message.key) or "–"), KEY_COLUMNS)
    if message.value is None:
        return f"{key}  deleted"
    match what:
        case Followed.DECISIONS:
            decision = decode_decision(message.value)
            flags = " ".join(decision.flags) or "–"
            line = f"{decision.action:<7}  {decision.lang or 'und':<3}  {top_labels(decision.labels)}  {flags}"
        case Followed.CONFIDENCE:
            modalities = decode_confidence(message.value).modalities
            line = ", ".join(_modality(name, found) for name, found in modalities.items())
        case Followed.FLAGS:
            flag = decode_flag(message.value)
            probability = "" if flag.probability is None else f" {flag.probability:.2f}"
            line = f"{flag.flag}{probability}  {flag.action}"
    return printable(f"{key}  {line}")


def top_labels(labels: Mapping[str, float], count: int = 3) -> str:
    """The labels with the highest probabilities, with these."""
    highest = sorted(labels.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{label} {score:.2f}" for label, score in highest)


def why_dead(message: Read) -> str:
    """Why a message was given up: field and reason, in bounded length."""
    origin = message.origin
    reason = origin.reason or "no reason was given"
    return cut(printable(f"{origin.field}: {reason}" if origin.field else reason), REASON_COLUMNS)


def text_of(value: bytes | None) -> str | None:
    """Bytes as text; what is no UTF-8 becomes replacement characters."""
    return None if value is None else value.decode("utf-8", "replace")


def _dead_letter_line(message: Read) -> str:
    origin = message.origin
    came_from = f"{origin.topic}-{origin.partition}:{origin.offset}"
    key = cut(printable(text_of(message.key) or "–"), KEY_COLUMNS)
    return printable(f"{key}  {came_from}  {origin.stage}  {origin.cause}  {why_dead(message)}")


def _modality(name: str, found: Modality) -> str:
    return f"{name} {found.status}" + ("" if found.confidence is None else f" {found.confidence:.2f}")
