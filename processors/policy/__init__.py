"""Policies: versioned YAML files that turn probabilities into an action, flags, reasons and a severity."""

from processors.policy.describe import describe
from processors.policy.effective import EffectivePolicy
from processors.policy.facts import Facts, PostFacts
from processors.policy.policy import Policy, check_policy, load_policy, parse_policy
from processors.policy.problems import Level, Mark, PolicyError, Problem
from processors.policy.verdict import RuleError, Verdict
from processors.policy.vocabulary import INTERACTION_EMERGENT, INTERACTION_NEUTRALISED, LANG_UNSUPPORTED, known_flag

__all__ = [
    "INTERACTION_EMERGENT",
    "INTERACTION_NEUTRALISED",
    "LANG_UNSUPPORTED",
    "EffectivePolicy",
    "Facts",
    "Level",
    "Mark",
    "Policy",
    "PolicyError",
    "PostFacts",
    "Problem",
    "RuleError",
    "Verdict",
    "check_policy",
    "describe",
    "known_flag",
    "load_policy",
    "parse_policy",
]
