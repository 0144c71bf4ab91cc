"""What a policy says of a post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from schemas import Action, Reason


@dataclass(frozen=True, slots=True)
class RuleError:
    """A rule, or the check named in `rule`, that gave no answer; the action is at least `review` because of it."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one post: a function of the policy, the pack's thresholds and the facts alone."""

    action: Action
    flags: tuple[str, ...]
    """Labels in the taxonomy's order, each before its refinements; then other stages' flags, then those of rules."""
    reasons: tuple[Reason, ...]
    """One per rule that matched and per floor that held, the strictest first. Their evidence is empty."""
    reason_labels: tuple[tuple[str, ...], ...]
    """The labels that each reason is about, in step with `reasons`."""
    severity: int
    """0 none, 1 weak, 2 moderate, 3 strong, 4 extreme."""
    thresholds: Mapping[str, float]
    """Flag -> threshold, for the flags that a threshold raised."""
    errors: tuple[RuleError, ...]
    """Empty unless something could not be evaluated; to be counted."""

    def with_evidence(self, by_label: Mapping[str, Sequence[int]]) -> Verdict:
        """The verdict with evidence in its reasons; `by_label`: label -> indices into the decision's evidence."""
        reasons = tuple(
            msgspec.structs.replace(
                reason, evidence=tuple(sorted({index for label in labels for index in by_label.get(label, ())}))
            )
            for reason, labels in zip(self.reasons, self.reason_labels, strict=True)
        )
        return replace(self, reasons=reasons)
