"""The policy that is in effect for one tenant, region and language: facts in, verdict out."""

from __future__ import annotations

from collections.abc import Mapping

import cel

from processors.policy.document import Rule
from processors.policy.expression import EvaluationFailed
from processors.policy.facts import Facts, FactView, UnusableFact
from processors.policy.floors import (
    FACTS_FLOOR,
    SCORES_FLOOR,
    Match,
    error_floor,
    language_floor,
    modality_floors,
)
from processors.policy.languages import primary_language
from processors.policy.messages import FALLBACK_LANGUAGE
from processors.policy.settings import Settings
from processors.policy.severity import measured_severity, post_severity
from processors.policy.verdict import RuleError, Verdict
from processors.policy.vocabulary import LANG_UNSUPPORTED, SEVERITIES
from schemas import ACTION_ORDER, DOUBTFUL_STATUSES, REFINED_LABEL, Action, Reason

_STRICTNESS = {action: place for place, action in enumerate(ACTION_ORDER)}
_NO_SCORE = "–"


class EffectivePolicy:
    """Immutable, pure, and safe to use on several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._thresholds = {label: threshold.value for label, threshold in settings.thresholds.items()}
        self._refinements = [
            (name, name.removeprefix(f"{REFINED_LABEL}."), threshold.value)
            for name, threshold in settings.refinements.items()
        ]
        self._severities = {SEVERITIES[name]: threshold.value for name, threshold in settings.severities.items()}
        self._rules = tuple(rule.value for rule in settings.rules.values())
        self._view = FactView(path for rule in self._rules for path in rule.condition.paths)
        self._categories = {label: category.value for label, category in settings.categories.items()}
        self._base_severity = {label: base.value for label, base in settings.base_severity.items()}

    @property
    def layers(self) -> tuple[str, ...]:
        """Ids of the layers in effect, from the weakest to the strongest: `("default", "tenant:acme")`."""
        return self.settings.layers

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Label -> the probability over which it is a flag."""
        return self._thresholds

    def evaluate(self, facts: Facts) -> Verdict:
        """The verdict on a post. Whatever cannot be evaluated raises the action to `review` at least."""
        errors: list[RuleError] = []
        scores = self._scores(facts, errors)
        thresholds = self._raised(scores, facts.targets)
        flags = _distinct((*thresholds, *facts.flags))
        severity = post_severity(scores, thresholds, self._base_severity, self.settings.severity_steps.value)
        if thresholds:
            severity = max(severity, measured_severity(facts.severities, self._severities))
        matched = self._matching(facts, scores, flags, severity, errors)
        lang = primary_language(facts.post.lang)
        matches = [self._match(rule, scores, lang) for rule in matched]
        matches += modality_floors(facts.modalities)
        if LANG_UNSUPPORTED in facts.flags:
            matches.append(language_floor(self.settings.unsupported_language_action.value))
        matches += map(error_floor, errors)
        matches.sort(key=lambda match: (-_STRICTNESS[match.action], match.reason.rule))
        return Verdict(
            action=matches[0].action if matches else Action.APPROVE,
            flags=_distinct((*flags, *sorted(flag for rule in matched for flag in rule.flags))),
            reasons=tuple(match.reason for match in matches),
            reason_labels=tuple(match.labels for match in matches),
            severity=max(severity, *(rule.severity or 0 for rule in matched), 0),
            thresholds=thresholds,
            errors=tuple(errors),
        )

    def _scores(self, facts: Facts, errors: list[RuleError]) -> dict[str, float]:
        """The scores that can be used. The others are an error: an unusable score must not look like a low one."""
        scores: dict[str, float] = {}
        wrong: list[str] = []
        for label, probability in facts.scores.items():
            if label not in self._thresholds:
                wrong.append(f"{label} has a score, and the pack has no threshold for it")
            elif not 0.0 <= probability <= 1.0:  # also true of NaN
                wrong.append(f"the score of {label} is {probability}; expected 0 to 1")
            else:
                scores[label] = probability
        details = [(f"target {target}", probability) for target, probability in facts.targets.items()]
        details += [(f"severity {least}", probability) for least, probability in facts.severities.items()]
        for what, probability in details:
            if not 0.0 <= probability <= 1.0:
                wrong.append(f"the score of {what} is {probability}; expected 0 to 1")
        if len(facts.scores) < len(self._thresholds) and not _is_doubtful(facts):
            found = {*facts.scores, *facts.not_assessed}
            if missing := ", ".join(label for label in self._thresholds if label not in found):
                wrong.append(f"no score for {missing}, which the pack assesses")
        if wrong:
            errors.append(RuleError(SCORES_FLOOR, "; ".join(wrong)))
        return scores

    def _raised(self, scores: Mapping[str, float], targets: Mapping[str, float]) -> dict[str, float]:
        """The flags that thresholds raise, with their thresholds."""
        raised: dict[str, float] = {}
        for label, threshold in self._thresholds.items():
            if scores.get(label, 0.0) > threshold:
                raised[label] = threshold
                if label == REFINED_LABEL:
                    raised |= {
                        name: over for name, target, over in self._refinements if targets.get(target, 0.0) > over
                    }
        return raised

    def _matching(
        self,
        facts: Facts,
        scores: dict[str, float],
        flags: tuple[str, ...],
        severity: int,
        errors: list[RuleError],
    ) -> list[Rule]:
        if not self._rules:
            return []
        try:
            variables = self._view.variables(facts, scores, flags, severity)
            context = cel.Context(variables=variables)
        except (UnusableFact, ValueError, OverflowError) as error:  # the latter two: values that CEL cannot hold
            errors.append(RuleError(FACTS_FLOOR, str(error)))
            return []
        matched: list[Rule] = []
        for rule in self._rules:
            try:
                if rule.condition.holds(context, variables):
                    matched.append(rule)
            except EvaluationFailed as error:
                errors.append(RuleError(rule.name, str(error)))
        return matched

    def _match(self, rule: Rule, scores: dict[str, float], lang: str) -> Match:
        messages = rule.messages
        template = (
            messages.get(lang) or messages.get(self.settings.message_language.value) or messages[FALLBACK_LANGUAGE]
        )
        labels = rule.condition.labels
        text = template.fill(self._placeholders(labels, scores) if template.names else {})
        code = self._categories.get(rule.code, rule.code)
        return Match(rule.action, Reason(rule=rule.name, code=code, guideline=rule.guideline, text=text), labels)

    def _placeholders(self, labels: tuple[str, ...], scores: dict[str, float]) -> dict[str, str]:
        """About the leading label: the rule's most probable one, of equals the first in the taxonomy."""
        label = max(labels, key=lambda label: scores.get(label, -1.0))
        return {
            "label": label,
            "category": self._categories.get(label, label),
            "score": _two_places(scores.get(label)),
            "threshold": _two_places(self._thresholds.get(label)),
        }


def _is_doubtful(facts: Facts) -> bool:
    """Whether a modality could not be read: then scores may be missing, and the action is `review` as it is."""
    return any(modality.status in DOUBTFUL_STATUSES for modality in facts.modalities.values())


def _two_places(number: float | None) -> str:
    return _NO_SCORE if number is None else f"{number:.2f}"


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
