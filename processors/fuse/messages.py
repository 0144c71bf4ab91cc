"""The messages of a finished record: its decision, its confidence and its flags, each within the size of its topic."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from processors.contract import ProcessingError
from schemas import (
    MAX_MESSAGE_BYTES,
    Cause,
    Confidence,
    Decision,
    Flag,
    Record,
    encode_confidence,
    encode_decision,
    encode_flag,
)


@dataclass(frozen=True, slots=True)
class DecisionMessages:
    """JSON, ready for the topics."""

    decision: bytes
    confidence: bytes
    flags: tuple[bytes, ...]
    """One per flag, in the decision's order."""


def decision_messages(record: Record, *, max_bytes: int = MAX_MESSAGE_BYTES) -> DecisionMessages:
    """What a record at the end of its route says to the world.

    Messages that would be too large go without their evidence. Raises `ProcessingError` (`too_large`) where that does
    not help, and ValueError for a record without a decision.
    """
    if record.decision is None:
        raise ValueError("the record has no decision; expected one at the end of its route")
    decision = encode_decision(record.decision)
    if len(decision) > max_bytes:
        decision = encode_decision(trim_evidence(record.decision))
    messages = DecisionMessages(
        decision=decision,
        confidence=encode_confidence(confidence_of(record.decision)),
        flags=tuple(_flag(flag, max_bytes) for flag in record.flags),
    )
    for message in (messages.decision, messages.confidence, *messages.flags):
        if len(message) > max_bytes:
            reason = f"{len(message):,} bytes without evidence; expected at most {max_bytes:,}"
            raise ProcessingError(Cause.TOO_LARGE, reason)
    return messages


def confidence_of(decision: Decision) -> Confidence:
    """The decision's `confidence/1` message."""
    return Confidence(
        decision_id=decision.decision_id,
        post_id=decision.post_id,
        modalities=decision.modalities,
        combined=decision.labels,
        versions=decision.versions,
    )


def trim_evidence(decision: Decision) -> Decision:
    """The decision without its evidence, and so without the reasons' references to it."""
    reasons = tuple(replace(reason, evidence=()) for reason in decision.reasons)
    return replace(decision, evidence=(), reasons=reasons)


def _flag(flag: Flag, max_bytes: int) -> bytes:
    message = encode_flag(flag)
    return message if len(message) <= max_bytes else encode_flag(replace(flag, evidence=()))
