"""The examples of docs/policy.md are policies, and what it lists is what there is."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from processors.pack.features import FEATURES
from processors.policy import Facts, Policy, PolicyError, parse_policy
from processors.policy.messages import PLACEHOLDERS
from processors.policy.reader import LAYER_FIELDS
from processors.policy.rule_reader import RULE_FIELDS
from processors.policy.tokens import MAX_BRACKETS, MAX_CHARS, MAX_TOKENS
from processors.policy.vocabulary import FUNCTIONS, MACROS, METHODS, MODALITY_FIELDS, POST_FIELDS, ROOTS
from schemas import LABELS, Action

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)


def load(example: str) -> Policy:
    """A whole policy, or the default layer of one."""
    if not example.startswith("schema:"):
        head = 'schema: policy/1\nname: example\nversion: "1"\nlayers:\n  default:\n'
        example = head + textwrap.indent(example, "    ")
    return parse_policy(example.encode(), "docs/policy.md", dict.fromkeys(LABELS, 0.5))


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_loads_without_any_problem(number: int) -> None:
    assert load(EXAMPLES[number]).warnings == ()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


def test_the_layered_example_does_what_the_text_says(facts_of: Callable[..., Facts]) -> None:
    effective = load(EXAMPLES[1]).effective("acme", "DE", "de-AT")
    assert effective.layers == ("default", "language:de", "region:DE", "tenant:acme")
    facts = facts_of(dict.fromkeys(LABELS, 0.1) | {"hate": 0.4}, post={"reach": 1000, "lang": "de"})
    verdict = effective.evaluate(facts)
    assert verdict.action is Action.BLOCK
    (reason,) = verdict.reasons
    assert reason.code == "hateful_conduct"
    assert reason.text == "Dieser Beitrag verstößt gegen unsere Regel zu hateful_conduct."


@pytest.mark.parametrize(
    "name",
    [*LAYER_FIELDS, *RULE_FIELDS, *FUNCTIONS, *METHODS, *MACROS, *(f"{{{name}}}" for name in PLACEHOLDERS)],
)
def test_everything_that_can_be_written_is_in_the_documentation(name: str) -> None:
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize("name", [*ROOTS, *POST_FIELDS, *MODALITY_FIELDS])
def test_every_fact_is_in_the_documentation(name: str) -> None:
    assert re.search(rf"`[a-z<>.]*\b{name}\b[a-z<>.]*`", DOCS)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_in_the_documentation(name: str) -> None:
    assert f"| `{name}` |" in DOCS


def test_limits_are_as_documented() -> None:
    sentence = f"{MAX_CHARS:,} characters, {MAX_TOKENS} names, values and operators, and {MAX_BRACKETS} nested brackets"
    assert sentence in " ".join(DOCS.split())


def test_the_example_of_a_message_is_a_real_one() -> None:
    text = 'schema: policy/1\nname: m\nversion: "1"\nlayers:\n  default:\n    rules:\n      hate-block:\n'
    text += "        when: scores.hte > 0.5\n"
    with pytest.raises(PolicyError) as caught:
        parse_policy(text.encode(), "policies/mine.yaml", {})
    told = str(caught.value).splitlines()[-1].partition("error:")[2]
    assert told in DOCS
