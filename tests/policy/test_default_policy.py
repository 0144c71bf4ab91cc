"""The policy that ships: blocks when sure, asks a person when not, and lets profanity pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from processors.policy import EffectivePolicy, Facts, Level, Policy, PostFacts, check_policy, load_policy
from schemas import LABELS, Action, Modality, Status

PATH = Path(__file__).resolve().parents[2] / "policies" / "default.yaml"

ASSESSED = ("abuse", "hate", "insult", "threat", "violence", "sexual", "profanity", "sexism")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(PATH, dict.fromkeys(ASSESSED, 0.5))


@pytest.fixture(scope="module")
def effective(policy: Policy) -> EffectivePolicy:
    return policy.effective("any", "EU", "en")


def test_it_has_no_problems_with_a_pack_that_assesses_everything() -> None:
    assert check_policy(PATH, LABELS) == []


def test_it_warns_of_each_label_that_a_pack_does_not_assess() -> None:
    problems = check_policy(PATH, ASSESSED)
    assert {problem.level for problem in problems} == {Level.WARNING}
    assert len(problems) == len(LABELS) - len(ASSESSED)


def test_it_leaves_the_thresholds_to_the_pack(effective: EffectivePolicy) -> None:
    assert {setting.source for setting in effective.settings.thresholds.values()} == {"pack"}


def test_a_harmless_post_is_approved(effective: EffectivePolicy, facts_of: Callable[..., Facts]) -> None:
    verdict = effective.evaluate(facts_of())
    assert (verdict.action, verdict.flags, verdict.severity, verdict.reasons) == (Action.APPROVE, (), 0, ())


@pytest.mark.parametrize("label", [label for label in ASSESSED if label != "profanity"])
def test_a_label_over_its_threshold_is_reviewed(
    effective: EffectivePolicy, facts_of: Callable[..., Facts], label: str
) -> None:
    verdict = effective.evaluate(facts_of({label: 0.6}))
    assert verdict.action is Action.REVIEW
    assert [reason.code for reason in verdict.reasons] == [label]


@pytest.mark.parametrize("label", LABELS)
def test_every_label_but_profanity_restricts_once_a_pack_assesses_it(label: str) -> None:
    effective = load_policy(PATH, {label: 0.5}).effective(None, None, None)
    text = Modality(status=Status.OK)
    facts = Facts(scores={label: 0.7}, post=PostFacts(), modalities={"text": text})
    assert effective.evaluate(facts).action is (Action.APPROVE if label == "profanity" else Action.REVIEW)


@pytest.mark.parametrize("label", ["hate", "threat"])
def test_hate_and_threats_are_blocked_when_sure(
    effective: EffectivePolicy, facts_of: Callable[..., Facts], label: str
) -> None:
    verdict = effective.evaluate(facts_of({label: 0.95}))
    assert verdict.action is Action.BLOCK
    assert verdict.severity == 4
    assert effective.evaluate(facts_of({label: 0.949})).action is Action.REVIEW


def test_profanity_alone_is_flagged_and_restricts_nothing(
    effective: EffectivePolicy, facts_of: Callable[..., Facts]
) -> None:
    verdict = effective.evaluate(facts_of({"profanity": 1.0}))
    assert (verdict.action, verdict.flags) == (Action.APPROVE, ("profanity",))


def test_known_content_is_reviewed_whatever_its_scores(
    effective: EffectivePolicy, facts_of: Callable[..., Facts]
) -> None:
    verdict = effective.evaluate(facts_of(flags=("known.some-list",)))
    assert (verdict.action, verdict.flags) == (Action.REVIEW, ("known.some-list",))
    assert [reason.code for reason in verdict.reasons] == ["known-content"]


def test_german_posts_get_german_reasons(policy: Policy, facts_of: Callable[..., Facts]) -> None:
    facts = facts_of({"insult": 0.6}, post={"lang": "de"})
    (reason,) = policy.effective(None, None, "de").evaluate(facts).reasons
    assert reason.text == "Dieser Beitrag beleidigt womöglich jemanden."


def test_every_message_is_in_english_and_german(effective: EffectivePolicy) -> None:
    assert {tuple(rule.value.messages) for rule in effective.settings.rules.values()} == {("en", "de")}
