"""Severity is a number from 0 to 4 that follows from probabilities, thresholds and the policy's settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.policy import EffectivePolicy, Facts
from processors.policy.severity import label_severity
from schemas import Action

PROBABILITIES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
STEPS = st.tuples(PROBABILITIES, PROBABILITIES).map(lambda pair: (min(pair), max(pair)))


@pytest.mark.parametrize(
    ("probability", "base", "severity"),
    [
        (0.3, 3, 0),  # under the threshold
        (0.5, 3, 0),  # at it
        (0.55, 3, 2),  # barely over
        (0.7, 3, 3),
        (0.9, 3, 4),  # close to certain
        (0.55, 1, 1),  # never under 1 once over the threshold
        (0.9, 4, 4),  # never over 4
    ],
)
def test_severity_follows_the_way_from_threshold_to_certainty(probability: float, base: int, severity: int) -> None:
    assert label_severity(probability, 0.5, base, (0.25, 0.75)) == severity


@given(PROBABILITIES, PROBABILITIES, st.integers(1, 4), STEPS)
def test_a_higher_probability_is_never_less_severe(
    one: float, other: float, base: int, steps: tuple[float, float]
) -> None:
    low, high = sorted((one, other))
    assert label_severity(low, 0.4, base, steps) <= label_severity(high, 0.4, base, steps)


@given(PROBABILITIES, PROBABILITIES, st.integers(1, 4), STEPS)
def test_only_what_is_over_its_threshold_is_severe(
    probability: float, threshold: float, base: int, steps: tuple[float, float]
) -> None:
    severity = label_severity(probability, threshold, base, steps)
    assert (severity > 0) == (probability > threshold)
    assert severity in range(5)


def test_a_post_is_as_severe_as_its_most_severe_label(
    effective_of: Callable[..., EffectivePolicy], facts_of: Callable[..., Facts]
) -> None:
    effective = effective_of("severity: {hate: 3, insult: 1}")
    assert effective.evaluate(facts_of()).severity == 0
    assert effective.evaluate(facts_of({"insult": 0.7})).severity == 1
    assert effective.evaluate(facts_of({"insult": 0.7, "hate": 0.7})).severity == 3
    assert effective.evaluate(facts_of({"abuse": 0.7})).severity == 2  # what the policy does not say is moderate


@pytest.mark.parametrize(
    ("measured", "severity"),
    [
        ({2: 0.9, 3: 0.1}, 2),
        ({2: 0.9, 3: 0.7}, 3),
        ({2: 0.1, 3: 0.7}, 3),
        ({2: 0.5, 3: 0.6}, 1),  # at the thresholds, not over them
        ({}, 1),
    ],
)
def test_a_flagged_post_is_at_least_as_severe_as_was_measured(
    effective_of: Callable[..., EffectivePolicy],
    facts_of: Callable[..., Facts],
    measured: dict[int, float],
    severity: int,
) -> None:
    effective = effective_of("severity: {insult: 1}")
    assert effective.evaluate(facts_of({"insult": 0.7}, severities=measured)).severity == severity
    assert effective.evaluate(facts_of({"insult": 0.7, "threat": 0.99}, severities=measured)).severity == 3
    assert effective.evaluate(facts_of(severities=measured)).severity == 0  # no label is a flag


def test_a_policy_may_set_what_it_takes_to_be_severe(
    effective_of: Callable[..., EffectivePolicy], facts_of: Callable[..., Facts]
) -> None:
    effective = effective_of("{severity: {insult: 1}, thresholds: {severity.2: 1.0, severity.3: 0.8}}")
    assert effective.evaluate(facts_of({"insult": 0.7}, severities={2: 0.99, 3: 0.7})).severity == 1
    assert effective.evaluate(facts_of({"insult": 0.7}, severities={2: 0.99, 3: 0.9})).severity == 3


def test_rules_see_the_measured_severity(
    rule_of: Callable[..., EffectivePolicy], facts_of: Callable[..., Facts]
) -> None:
    effective = rule_of("severity >= 3", "block")
    assert effective.evaluate(facts_of({"insult": 0.6}, severities={3: 0.9})).action is Action.BLOCK
    assert effective.evaluate(facts_of({"insult": 0.6}, severities={3: 0.1})).action is Action.APPROVE


def test_a_rule_raises_the_severity_and_never_lowers_it(
    effective_of: Callable[..., EffectivePolicy], facts_of: Callable[..., Facts]
) -> None:
    effective = effective_of("""
        severity: {hate: 3}
        rules:
          low: {when: scores.insult > 0.5, action: review, severity: 1, message: {en: Low.}}
          high: {when: scores.threat > 0.5 && severity < 4, action: review, severity: 4, message: {en: High.}}
    """)
    assert effective.evaluate(facts_of({"hate": 0.7, "insult": 0.6})).severity == 3
    assert effective.evaluate(facts_of({"threat": 0.6})).severity == 4
