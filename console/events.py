"""Decisions, flags and dead letters as the page shows them: no word of a post's content is in any of these."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from schemas import Decision, Flag
from streams.reader import Read

TOP_LABELS = 3
"""Labels with the highest probabilities that a row has room for."""

MAX_HEADER_CHARS = 400


class DecisionEvent(Struct, frozen=True, kw_only=True):
    """A row of the list of decisions."""

    decision_id: str
    post_id: str
    tenant: str
    lang: str | None
    action: str
    confidence: float
    top: list[tuple[str, float]]
    flags: tuple[str, ...]
    decided_at_ms: int
    severity: int

    @classmethod
    def of(cls, decision: Decision) -> DecisionEvent:
        top = sorted(decision.labels.items(), key=lambda label: -label[1])[:TOP_LABELS]
        return cls(
            decision_id=decision.decision_id,
            post_id=decision.post_id,
            tenant=decision.tenant,
            lang=decision.lang,
            action=decision.action,
            confidence=decision.confidence,
            top=top,
            flags=decision.flags,
            decided_at_ms=milliseconds(decision.decided_at),
            severity=decision.severity,
        )


class FlagEvent(Struct, frozen=True, kw_only=True):
    """A row of the newest flags."""

    flag: str
    post_id: str
    decision_id: str
    probability: float | None
    threshold: float | None
    severity: int
    action: str
    decided_at_ms: int

    @classmethod
    def of(cls, flag: Flag) -> FlagEvent:
        return cls(
            flag=flag.flag,
            post_id=flag.post_id,
            decision_id=flag.decision_id,
            probability=flag.probability,
            threshold=flag.threshold,
            severity=flag.severity,
            action=flag.action,
            decided_at_ms=milliseconds(flag.decided_at),
        )


class LetterEvent(Struct, frozen=True, kw_only=True):
    """A row of the dead letters: where it is and why, without its value."""

    partition: int
    offset: int
    timestamp_ms: int
    stage: str | None
    cause: str | None
    reason: str | None
    field: str | None
    attempt: int | None
    topic: str | None
    post_id: str | None

    @classmethod
    def of(cls, letter: Read) -> LetterEvent:
        origin = letter.origin
        return cls(
            partition=letter.partition,
            offset=letter.offset,
            timestamp_ms=letter.timestamp_ms,
            stage=_short(origin.stage),
            cause=_short(origin.cause),
            reason=_short(origin.reason),
            field=_short(origin.field),
            attempt=origin.attempt,
            topic=_short(origin.topic),
            post_id=None if letter.key is None else letter.key.decode("utf-8", "replace")[:MAX_HEADER_CHARS],
        )


class Held(Struct, frozen=True):
    """A decision that is held: its row, and where it and its post are."""

    row: DecisionEvent
    place: tuple[int, int]
    """Partition and offset of the decision."""
    order: tuple[int, int]
    """Of two decisions on a post the later one holds: the timestamp (ms) and offset of its source."""


class Took(Struct, frozen=True):
    """One message of a followed topic, decoded. `row` None: a tombstone, or what is no message of ours."""

    topic: Literal["decisions", "flags", "dead-letters"]
    key: tuple[int, int]
    """Partition and offset."""
    timestamp_ms: int
    post_id: str
    row: Held | FlagEvent | LetterEvent | None
    deleted: bool = False


def milliseconds(at: datetime) -> int:
    """Since the epoch."""
    return int(at.timestamp() * 1000)


def _short(text: Any) -> str | None:
    return None if text is None else str(text)[:MAX_HEADER_CHARS]
