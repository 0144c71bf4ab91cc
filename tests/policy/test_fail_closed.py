"""What cannot be evaluated goes to a person: no fault of a rule or a fact looks like a "no"."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from processors.policy import EffectivePolicy, Facts, PostFacts, Verdict
from schemas import Action, Modality, Status

EffectiveOf = Callable[..., EffectivePolicy]
FactsOf = Callable[..., Facts]


def assert_reviewed(verdict: Verdict, rule: str, message: str) -> None:
    assert verdict.action is Action.REVIEW
    assert [(reason.rule, reason.code) for reason in verdict.reasons] == [(rule, "policy.error")]
    assert [error.rule for error in verdict.errors] == [rule]
    assert message in verdict.errors[0].message


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("features.missing > 0.5", "no fact 'missing'"),
        ("scores.spam > 0.5 || features.missing > 0.5", "no fact 'missing'"),
        ("features.missing > 0.5 || scores.spam > 0.5", "no fact 'missing'"),
        ("features.missing > 0.5 && scores.spam > 0.5", "no fact 'missing'"),
        ("scores.spam > 0.5 || (scores.hate > 0.0 && scores.hate < 1.0 && int(post.tenant) > 3)", ""),
        ("!(features.missing > 0.5)", "no fact 'missing'"),
        ("scores.hate < 0.05 || 10 / (5 - post.text_length) > 3", "division by zero"),
        ("post.text_length > 2 && post.text_length * 9223372036854775807 > 0", "overflow"),
        ("scores.hate > 0.0 && scores.hate < 1.0 ? severity : true", "gives a int"),
        ("scores.hate > 0.0 && scores.hate < 1.0 ? severity < post.tenant : true", "No such overload"),
        ("scores.hate > 0.0 && scores.hate < 1.0 && post.tenant + 1 == 'a'", "Unsupported operation"),
        ("scores.hate > 0.0 && scores.hate < 1.0 && int(post.tenant) > 3", ""),
    ],
)
def test_a_rule_that_fails_is_reviewed_explained_and_counted(
    rule_of: EffectiveOf, facts_of: FactsOf, when: str, message: str
) -> None:
    verdict = rule_of(when, "approve").evaluate(facts_of(post={"text_length": 5, "tenant": "acme"}))
    assert_reviewed(verdict, "it", message)
    assert verdict.reasons[0].text == "it could not be evaluated; a person has to decide."


def test_a_rule_that_fails_does_not_keep_others_from_matching(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("""
        rules:
          broken: {when: features.missing > 0.5, action: approve, message: {en: Broken.}}
          sound: {when: scores.hate > 0.5, action: block, message: {en: Sound.}}
    """)
    verdict = effective.evaluate(facts_of({"hate": 0.9}))
    assert verdict.action is Action.BLOCK
    assert [reason.rule for reason in verdict.reasons] == ["sound", "broken"]
    assert len(verdict.errors) == 1


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("scores.spam > 0.5", False),
        ("scores.spam < 0.5", False),
        ("!(scores.spam > 0.5)", False),
        ("scores.spam == 0.0", False),
        ("scores.spam > 0.5 || scores.hate > 0.5", True),
        ("scores.hate > 0.5 || scores.spam > 0.5", True),
        ("scores.spam > 0.5 && scores.hate > 0.5", False),
        ("has(scores.spam) && scores.spam > 0.5", False),
        ("!has(scores.spam) && scores.hate > 0.5", True),
        ("'spam' in scores", False),
        ("'spam' in flags", False),
        ("!('spam' in flags)", True),
        ("flags.exists(f, f == 'hate' && scores.spam > 0.5)", False),
    ],
)
def test_a_label_that_the_pack_does_not_assess_is_no_error_and_no_match(
    rule_of: EffectiveOf, facts_of: FactsOf, when: str, holds: bool
) -> None:
    effective = rule_of(when, "block")
    verdict = effective.evaluate(facts_of({"hate": 0.9}))
    assert verdict.errors == ()
    assert verdict.action is (Action.BLOCK if holds else Action.APPROVE)


def test_a_feature_named_as_a_label_that_is_not_assessed_is_still_an_error(
    rule_of: EffectiveOf, facts_of: FactsOf
) -> None:
    verdict = rule_of("features.spam > 0.5 && !has(scores.spam)").evaluate(facts_of())
    assert_reviewed(verdict, "it", "no fact 'spam'")


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.001, 1.001, -math.inf])
def test_a_score_that_is_no_probability_is_an_error(rule_of: EffectiveOf, facts_of: FactsOf, score: float) -> None:
    verdict = rule_of("scores.hate > 0.5").evaluate(facts_of({"hate": score}))
    assert_reviewed(verdict, "floor.scores", f"the score of hate is {score}; expected 0 to 1")
    assert verdict.flags == ()
    assert verdict.severity == 0


def test_a_target_s_score_that_is_no_probability_is_an_error(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    verdict = effective_of("{}").evaluate(facts_of(targets={"race": math.nan}))
    assert_reviewed(verdict, "floor.scores", "the score of target race is nan")


def test_a_severity_s_score_that_is_no_probability_is_an_error(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    verdict = effective_of("{}").evaluate(facts_of({"hate": 0.9}, severities={2: math.nan, 3: 0.1}))
    assert_reviewed(verdict, "floor.scores", "the score of severity 2 is nan")


def test_a_score_that_the_pack_should_have_given_is_missed(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    facts = facts_of()
    scores = {label: score for label, score in facts.scores.items() if label not in {"hate", "threat"}}
    verdict = rule_of("scores.hate > 0.5").evaluate(replace(facts, scores=scores))
    assert_reviewed(verdict, "floor.scores", "no score for hate, threat, which the pack assesses")


def test_a_score_without_a_threshold_is_an_error(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    verdict = rule_of("scores.spam > 0.5", "block").evaluate(facts_of({"spam": 0.9}))
    assert_reviewed(verdict, "floor.scores", "spam has a score, and the pack has no threshold for it")


def test_a_post_without_any_scores_is_never_approved(effective_of: EffectiveOf) -> None:
    verdict = effective_of("{}").evaluate(Facts(scores={}, post=PostFacts()))
    assert_reviewed(verdict, "floor.scores", "no score for abuse, hate")


@pytest.mark.parametrize(
    ("when", "change", "message"),
    [
        ("modalities.ocr.score < 0.5", {"modalities": {"ocr": Modality(status=Status.OK, score=math.nan)}}, "is nan"),
        ("features.letters != 3.0", {"features": {"letters": math.inf}}, "features.letters is inf"),
        ("post.reach != 3", {"post": {"reach": math.nan}}, "post.reach is nan"),
        ("post.tenant != 'a'", {"post": {"tenant": "\ud800"}}, ""),
    ],
)
def test_another_fact_that_is_unusable_is_an_error(
    rule_of: EffectiveOf, facts_of: FactsOf, when: str, change: dict[str, object], message: str
) -> None:
    assert_reviewed(rule_of(when, "approve").evaluate(facts_of(**change)), "floor.facts", message)


def test_facts_that_no_rule_asks_for_are_not_looked_at(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    facts = facts_of(features={"letters": math.nan}, post={"tenant": "\ud800"})
    assert rule_of("scores.hate > 0.5").evaluate(facts).action is Action.APPROVE


def test_one_effective_policy_serves_several_threads(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = rule_of("scores.hate > 0.5 && post.text_length > 10 && flags.exists(f, f == 'hate')")
    posts = [facts_of({"hate": number / 100}, post={"text_length": number}) for number in range(100)]
    alone = [effective.evaluate(post) for post in posts]
    results: list[list[Verdict]] = []

    def work() -> None:
        results.append([effective.evaluate(post) for _ in range(20) for post in posts])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone * 20] * 4


def test_a_label_that_the_post_gives_no_ground_for_is_no_missing_score(
    effective_of: EffectiveOf, facts_of: FactsOf
) -> None:
    facts = facts_of()
    scores = {label: score for label, score in facts.scores.items() if label != "sexual"}
    effective = effective_of("rules: {}")
    assert effective.evaluate(replace(facts, scores=scores)).action is Action.REVIEW
    assert effective.evaluate(replace(facts, scores=scores, not_assessed=("sexual",))).action is Action.APPROVE
    assert effective.evaluate(replace(facts, scores={}, not_assessed=("sexual",))).action is Action.REVIEW


def test_a_rule_may_name_any_list_of_known_content(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = rule_of('"known.my list" in flags', "block")
    assert effective.evaluate(facts_of(flags=("known.my list",))).action is Action.BLOCK
    assert effective.evaluate(facts_of(flags=("known.other",))).action is Action.APPROVE
