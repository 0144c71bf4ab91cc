"""Tenant over region over language over default; what a layer does not mention comes from below."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from processors.policy import Facts, Policy, Problem, describe
from schemas import Action

PolicyOf = Callable[..., Policy]
FactsOf = Callable[..., Facts]

ALL_FOUR = """
default:
  thresholds: {hate: 0.10, abuse: 0.10, insult: 0.10, threat: 0.10}
languages:
  de: {thresholds: {hate: 0.20, abuse: 0.20, insult: 0.20}}
regions:
  EU: {thresholds: {hate: 0.30, abuse: 0.30}}
tenants:
  acme: {thresholds: {hate: 0.40}}
"""


def threshold(policy: Policy, label: str, *who: str | None) -> tuple[float, str]:
    setting = policy.effective(*who).settings.thresholds[label]
    return setting.value, setting.source


@pytest.mark.parametrize(
    ("label", "value", "source"),
    [
        ("hate", 0.40, "tenant:acme"),
        ("abuse", 0.30, "region:EU"),
        ("insult", 0.20, "language:de"),
        ("threat", 0.10, "default"),
        ("sexism", 0.50, "pack"),
    ],
)
def test_the_strongest_layer_that_mentions_a_value_sets_it(
    policy_of: PolicyOf, label: str, value: float, source: str
) -> None:
    assert threshold(policy_of(ALL_FOUR), label, "acme", "EU", "de") == (value, source)


def test_precedence_is_fixed_and_not_the_file_s_order(policy_of: PolicyOf) -> None:
    parts = ["default:" + ALL_FOUR.split("default:")[1].split("languages:")[0]]
    parts = ["tenants:" + ALL_FOUR.split("tenants:")[1], *parts, "regions:\n  EU: {thresholds: {hate: 0.30}}\n"]
    policy = policy_of("".join(parts))
    assert threshold(policy, "hate", "acme", "EU", "de") == (0.40, "tenant:acme")
    assert threshold(policy, "hate", "other", "EU", "de") == (0.30, "region:EU")


@pytest.mark.parametrize(
    ("who", "layers"),
    [
        (("acme", "EU", "de"), ("default", "language:de", "region:EU", "tenant:acme")),
        (("acme", None, None), ("default", "tenant:acme")),
        (("other", "US", "en"), ("default",)),
        ((None, None, "de"), ("default", "language:de")),
        ((None, None, "de-AT"), ("default", "language:de")),
        ((None, None, "DE_at"), ("default", "language:de")),
        (("ACME", "eu", None), ("default",)),
        (("", "", ""), ("default",)),
        (("default", "default", "default"), ("default",)),
    ],
)
def test_layers_in_effect_are_named_from_the_weakest(
    policy_of: PolicyOf, who: tuple[str | None, ...], layers: tuple[str, ...]
) -> None:
    assert policy_of(ALL_FOUR).effective(*who).layers == layers


def test_tenants_that_are_not_listed_share_one_effective_policy(policy_of: PolicyOf) -> None:
    policy = policy_of(ALL_FOUR)
    first = policy.effective("nobody", "nowhere", "xx")
    assert all(policy.effective(f"t{number}", f"r{number}", f"l{number}") is first for number in range(5000))
    assert policy.effective("acme", None, None) is policy.effective("acme", "nowhere", None)
    assert policy._effective.cache_info().currsize == 2


RULES = """
default:
  rules:
    one: {when: scores.hate > 0.5, action: review, message: {en: One.}}
    two: {when: scores.hate > 0.5, action: review, message: {en: Two.}}
languages:
  de: {disabled_rules: [one]}
regions:
  EU:
    disabled_rules: [two]
    rules:
      one: {when: scores.hate > 0.8, action: block, message: {en: One in the EU.}}
tenants:
  acme:
    rules:
      two: {when: scores.hate > 0.9, action: block, message: {en: Two for Acme.}}
"""


@pytest.mark.parametrize(
    ("who", "matching"),
    [
        ((None, None, None), {"one": "One.", "two": "Two."}),
        ((None, None, "de"), {"two": "Two."}),
        ((None, "EU", None), {"one": "One in the EU."}),
        ((None, "EU", "de"), {"one": "One in the EU."}),
        (("acme", None, None), {"one": "One.", "two": "Two for Acme."}),
        (("acme", "EU", "de"), {"one": "One in the EU.", "two": "Two for Acme."}),
    ],
)
def test_rules_are_replaced_by_name_and_taken_away_by_higher_layers(
    policy_of: PolicyOf, facts_of: FactsOf, who: tuple[str | None, ...], matching: dict[str, str]
) -> None:
    verdict = policy_of(RULES).effective(*who).evaluate(facts_of({"hate": 0.95}))
    assert {reason.rule: reason.text for reason in verdict.reasons} == matching


def test_a_replaced_rule_is_gone_also_where_the_new_one_does_not_match(policy_of: PolicyOf, facts_of: FactsOf) -> None:
    verdict = policy_of(RULES).effective(None, "EU", None).evaluate(facts_of({"hate": 0.7}))
    assert verdict.action is Action.APPROVE


def test_what_is_in_effect_can_be_described_with_the_layer_that_set_it(policy_of: PolicyOf) -> None:
    description = describe(policy_of(RULES).effective("acme", "EU", "de"))
    assert description["layers"] == ["default", "language:de", "region:EU", "tenant:acme"]
    assert description["message_language"] == {"value": "en", "from": "built in"}
    assert description["thresholds"]["hate"] == {"value": 0.4, "from": "pack"}
    assert {name: rule["from"] for name, rule in description["rules"].items()} == {
        "one": "region:EU",
        "two": "tenant:acme",
    }
    assert describe(policy_of(RULES).effective(None, None, "de"))["disabled_rules"] == {"one": "language:de"}


@pytest.mark.parametrize(
    ("layers", "warnings"),
    [
        ("default: {}\ntenants: {a: {}}", ["tenant:a sets nothing"]),
        (
            "default: {thresholds: {hate: 0.5}}\ntenants: {a: {thresholds: {hate: 0.5}}}",
            ["tenant:a: threshold of hate is the same as in the layers below and has no effect"],
        ),
        (
            "default: {thresholds: {hate: 0.5}}\nregions: {EU: {thresholds: {hate: 0.6}}}\n"
            "tenants: {a: {thresholds: {hate: 0.5}}}",
            [],
        ),
        ("default: {}\ntenants: {a: {thresholds: {hate: 0.5}}}", []),
        (
            "default: {message_language: de}\nregions: {EU: {message_language: de}}",
            ["region:EU: message_language is the same as in the layers below and has no effect"],
        ),
        ("default: {}\nregions: {EU: {message_language: de}}", []),
        (
            "default: {severity: {hate: 3}, severity_steps: [0, 1]}\n"
            "languages: {de: {severity: {hate: 3}, severity_steps: [0, 1]}}",
            [
                "language:de: severity of hate is the same as in the layers below and has no effect",
                "language:de: severity_steps is the same as in the layers below and has no effect",
            ],
        ),
        (
            "default: {rules: {a: {when: 'true', action: review, message: {en: A.}}}}\n"
            "tenants: {a: {rules: {a: {when: 'true', action: review, message: {en: A.}}}}}",
            ["tenant:a: rule a is the same as in the layers below and has no effect"],
        ),
        (
            "default: {rules: {a: {when: 'true', action: review, message: {en: A.}}}}\n"
            "regions: {EU: {disabled_rules: [a]}}\n"
            "tenants: {a: {rules: {a: {when: 'true', action: review, message: {en: A.}}}}}",
            [],
        ),
        (
            "default: {thresholds: {spam: 0.5}}",
            ["default: threshold of spam has no effect: the pack does not assess spam"],
        ),
        ("default: {thresholds: {hate.race: 0.6, severity.3: 0.6}}", []),
        (
            "default: {thresholds: {hate.age: 0.5}}",
            ["default: threshold of hate.age has no effect: the pack does not assess hate.age"],
        ),
        (
            "default: {rules: {a: {when: scores.spam > 0.5, action: review, message: {en: A.}}}}",
            ["default: rule a: the pack does not assess spam: what the condition says of it does not hold"],
        ),
        (
            "default: {rules: {a: {when: scores.hate > 80, action: review, message: {en: A.}}}}",
            ["layers.default.rules.a.when: scores.hate lies between 0 and 1; comparing it with 80 says nothing"],
        ),
        ("default: {categories: {spam: junk}}", []),
    ],
)
def test_what_has_no_effect_is_a_warning(policy_of: PolicyOf, layers: str, warnings: list[str]) -> None:
    assert [problem.message for problem in policy_of(layers).warnings] == warnings


def test_disabling_a_rule_that_is_not_below_is_an_error(problems_of: Callable[..., list[Problem]]) -> None:
    text = 'schema: policy/1\nname: a\nversion: "1"\nlayers:\n'
    rule = "rules: {spam-check: {when: 'true', action: review, message: {en: A.}}}"
    (problem,) = problems_of(f"{text}  default: {{{rule}}}\n  tenants: {{a: {{disabled_rules: [spam-chek]}}}}\n")
    assert problem.message == "tenant:a: no rule 'spam-chek' in the layers below; did you mean 'spam-check'?"
    problem, *_ = problems_of(
        f"{text}  default: {{{rule}}}\n  tenants: {{a: {{disabled_rules: [spam-check], {rule}}}}}\n"
    )
    assert problem.message == "tenant:a: 'spam-check' is both disabled and set here; expected one of the two"


def test_the_hash_is_of_the_content_and_not_of_the_file(policy_of: PolicyOf) -> None:
    first = policy_of("default: {thresholds: {hate: 0.5, abuse: 0.60}}")
    same = policy_of("# a comment\ndefault:\n  thresholds:\n    abuse: 0.6\n    hate: .5\n")
    other = policy_of("default: {thresholds: {hate: 0.5, abuse: 0.61}}")
    assert first.reference == same.reference == f"test@{first.hash}"
    assert first.hash != other.hash
    assert len(first.hash) == 12
    assert first.hash == "af0c744e0e55"  # decisions in topics name it: it must not change with the code
