"""Builds policies from YAML text, and facts from what a test cares about."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection
from typing import Any

import pytest

from processors.policy import EffectivePolicy, Facts, Policy, PolicyError, PostFacts, Problem, parse_policy
from schemas import Modality, Status

THRESHOLDS = {
    "abuse": 0.5,
    "hate": 0.4,
    "insult": 0.5,
    "threat": 0.5,
    "violence": 0.5,
    "sexual": 0.5,
    "profanity": 0.5,
    "sexism": 0.5,
}
"""The labels that the pack of these tests assesses."""

DETAIL_THRESHOLDS = {"hate.race": 0.5, "hate.religion": 0.5, "hate.sex": 0.5, "severity.2": 0.5, "severity.3": 0.6}
"""What else it assesses."""

HEAD = 'schema: policy/1\nname: test\nversion: "1"\n'

PolicyOf = Callable[..., Policy]
EffectiveOf = Callable[..., EffectivePolicy]
FactsOf = Callable[..., Facts]
ProblemsOf = Callable[..., list[Problem]]


def _parse(text: str, features: Collection[str] | None = None) -> Policy:
    return parse_policy(text.encode(), "test.yaml", THRESHOLDS | DETAIL_THRESHOLDS, features)


@pytest.fixture(scope="session")
def policy_of() -> PolicyOf:
    """Layers, as YAML below `layers:`, -> policy."""

    def build(layers: str, features: Collection[str] | None = None) -> Policy:
        body = textwrap.indent(textwrap.dedent(layers).strip("\n"), "  ")
        return _parse(f"{HEAD}layers:\n{body}\n", features)

    return build


@pytest.fixture(scope="session")
def effective_of(policy_of: PolicyOf) -> EffectiveOf:
    """The default layer, as YAML, -> what is in effect for everybody."""

    def build(layer: str, features: Collection[str] | None = None) -> EffectivePolicy:
        body = textwrap.indent(textwrap.dedent(layer).strip("\n"), "  ")
        return policy_of(f"default:\n{body}\n", features).effective("any", None, None)

    return build


@pytest.fixture(scope="session")
def rule_of(effective_of: EffectiveOf) -> EffectiveOf:
    """The condition of one rule, and what follows from it, -> what is in effect."""

    def build(when: str, action: str = "review", extra: str = "", features: Collection[str] | None = None) -> Any:
        quoted = when.replace("'", "''")
        return effective_of(
            f"rules:\n  it:\n    when: '{quoted}'\n    action: {action}\n    message: {{en: It holds.}}\n{extra}",
            features,
        )

    return build


@pytest.fixture(scope="session")
def problems_of() -> ProblemsOf:
    """A whole file -> its problems, warnings included."""

    def check(text: str, features: Collection[str] | None = None) -> list[Problem]:
        try:
            return list(_parse(text, features).warnings)
        except PolicyError as error:
            return list(error.problems)

    return check


@pytest.fixture(scope="session")
def facts_of() -> FactsOf:
    """Facts of a post whose text was read and scored: every score 0.1 but those given."""

    def build(scores: dict[str, float] | None = None, **others: Any) -> Facts:
        post = PostFacts(**others.pop("post", {}))
        modalities = {"text": Modality(status=Status.OK, score=0.1, confidence=0.9)} | others.pop("modalities", {})
        everything = dict.fromkeys(THRESHOLDS, 0.1) | (scores or {})
        return Facts(scores=everything, post=post, modalities=modalities, **others)

    return build
