"""The closed vocabularies of version 1: labels, targets, attacks, modalities, actions, stages, statuses."""

from __future__ import annotations

from enum import StrEnum

LABELS = (
    "abuse",
    "hate",
    "harassment",
    "insult",
    "threat",
    "violence",
    "sexual",
    "self_harm",
    "profanity",
    "sexism",
    "extremism",
    "spam",
    "misinformation",
)

TARGETS = (
    "race",
    "religion",
    "nationality",
    "sex",
    "sexual_orientation",
    "disability",
    "age",
    "political",
    "other",
)

REFINED_LABEL = "hate"
"""The label whose flag is refined by whom it is aimed at: `hate.race`."""

ATTACKS = ("contempt", "mocking", "inferiority", "slurs", "exclusion", "dehumanizing", "inciting_violence")

GRADED_SEVERITIES = (2, 3)
"""Severities k for which a text expert may say how probable it is that a post's severity is at least k."""

MODALITIES = ("text", "ocr", "image", "speech")


class Action(StrEnum):
    """What happens to a post. Compare with `strictest`, never with `<`: as strings, "block" sorts before "review"."""

    APPROVE = "approve"
    REVIEW = "review"
    BLOCK = "block"


ACTION_ORDER = (Action.APPROVE, Action.REVIEW, Action.BLOCK)
"""From the mildest to the strictest."""


def strictest(*actions: Action) -> Action:
    """The strictest of the actions given; `approve` when there are none."""
    return max(actions, key=ACTION_ORDER.index, default=Action.APPROVE)


class Stage(StrEnum):
    """A stage of the chain, in the order in which a post meets them; `retry` stands beside the chain."""

    INGEST = "ingest"
    FETCH = "fetch"
    OCR = "ocr"
    ASR = "asr"
    PACK = "pack"
    ENCODE = "encode"
    FUSE = "fuse"
    RETRY = "retry"


class Status(StrEnum):
    """How one modality of a post was read."""

    OK = "ok"
    ABSENT = "absent"
    PARTIAL = "partial"
    """A limit left something unread."""
    FAILED = "failed"
    UNSAFE = "unsafe"
    """Read, but not to be trusted."""


DOUBTFUL_STATUSES = frozenset({Status.PARTIAL, Status.FAILED, Status.UNSAFE})
"""With one of these a modality carries a reason, and the action is at least `review`."""


class Priority(StrEnum):
    """How soon a producer wants the decision; it chooses the lane."""

    STANDARD = "standard"
    HIGH = "high"
    URGENT = "urgent"
