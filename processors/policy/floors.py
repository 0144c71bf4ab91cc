"""What no policy can undo: a post that was not read in full, or not judged in full, is never approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from processors.policy.verdict import RuleError
from processors.policy.vocabulary import LANG_UNSUPPORTED
from schemas import DOUBTFUL_STATUSES, Action, Modality, Reason, Status

# Rule names have no dots, so nobody's rule is mistaken for one of these.
MODALITY_FLOOR = "floor.modality"
LANGUAGE_FLOOR = "floor.language"
SCORES_FLOOR = "floor.scores"
FACTS_FLOOR = "floor.facts"

ERROR_CODE = "policy.error"

_STATUS_TEXTS = {
    Status.PARTIAL: "A limit left part of the {modality} unread.",
    Status.FAILED: "The {modality} could not be read.",
    Status.UNSAFE: "The {modality} was read, but cannot be trusted.",
}
_MODALITY_NAMES = {"ocr": "text in the pictures", "speech": "speech"}


@dataclass(frozen=True, slots=True)
class Match:
    """A rule or floor that holds: what it asks for, why, and the labels that it is about."""

    action: Action
    reason: Reason
    labels: tuple[str, ...] = ()


def modality_floors(modalities: Mapping[str, Modality]) -> Iterator[Match]:
    """`review` for each modality that is partial, failed or unsafe."""
    for name, modality in sorted(modalities.items()):
        if modality.status in DOUBTFUL_STATUSES:
            text = _STATUS_TEXTS[modality.status].format(modality=_MODALITY_NAMES.get(name, name))
            yield Match(Action.REVIEW, Reason(rule=MODALITY_FLOOR, code=f"modality.{modality.status.value}", text=text))


def language_floor(action: Action) -> Match:
    """The policy's action for a language that the pack does not support; it cannot be `approve`."""
    text = "The language of the post is not one that the model was measured for."
    return Match(action, Reason(rule=LANGUAGE_FLOOR, code=LANG_UNSUPPORTED, text=text))


def error_floor(error: RuleError) -> Match:
    """`review` for what could not be evaluated."""
    text = f"{error.rule} could not be evaluated; a person has to decide."
    return Match(Action.REVIEW, Reason(rule=error.rule, code=ERROR_CODE, text=text))
