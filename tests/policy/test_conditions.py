"""Conditions: whatever is let through gives a yes, a no or an error, for any facts; whatever is not, is refused."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
from collections.abc import Callable

import cel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.policy import EffectivePolicy, Facts, PostFacts
from processors.policy.expression import EvaluationFailed, Expression, compile_expression
from processors.policy.facts import FactView
from processors.policy.tokens import ExpressionProblem
from processors.policy.vocabulary import KNOWN_FLAGS
from schemas import LABELS, MODALITIES, Action, Modality, Status

# --- what conditions are made of -------------------------------------------------------------------------------------

PROBABILITIES = st.sampled_from(
    [f"scores.{label}" for label in LABELS]
    + [f'scores["{label}"]' for label in LABELS]
    + [f"modalities.{name}.{field}" for name in MODALITIES for field in ("score", "confidence")]
)
NUMBERS = st.one_of(
    PROBABILITIES,
    st.sampled_from(
        ["post.reach", "post.text_length", "severity", "features.letters", "size(flags)", "0", "1.5", "-2"]
    ),
)
TEXTS = st.sampled_from(["post.tenant", "post.region", "post.platform", '"a"', "'b'"])
LISTS = st.sampled_from(["flags", "post.kinds"])
FLAGS = st.sampled_from(KNOWN_FLAGS)
COMPARISONS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])

TERMS = st.one_of(
    st.tuples(NUMBERS, COMPARISONS, NUMBERS).map(" ".join),
    st.tuples(TEXTS, COMPARISONS, TEXTS).map(" ".join),
    st.tuples(NUMBERS, st.sampled_from("+-*/%"), NUMBERS, COMPARISONS, NUMBERS).map(" ".join),
    FLAGS.map(lambda flag: f'"{flag}" in flags'),
    st.sampled_from(LABELS).map(lambda label: f"has(scores.{label})"),
    st.tuples(LISTS, st.sampled_from(["exists", "all", "exists_one"])).map(
        lambda pair: f'{pair[0]}.{pair[1]}(x, x == "a")'
    ),
    st.sampled_from(["true", "false", "has(features.letters)"]),
)
CONDITIONS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" && ", " || "]), inner).map(lambda parts: f"({''.join(parts)})"),
        inner.map(lambda condition: f"!({condition})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts)),
    ),
    max_leaves=6,
)

SCORES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
ANY_FACTS = st.builds(
    Facts,
    scores=st.dictionaries(st.sampled_from(LABELS), SCORES),
    post=st.builds(
        PostFacts,
        tenant=st.text(max_size=5),
        region=st.text(max_size=5),
        reach=st.one_of(st.integers(0, 2**53), st.floats(0, 2.0**53)),
        text_length=st.integers(0, 10**7),
        kinds=st.lists(st.sampled_from(["image", "video", "audio"]), max_size=3).map(tuple),
    ),
    flags=st.lists(FLAGS, max_size=4).map(tuple),
    modalities=st.dictionaries(
        st.sampled_from(MODALITIES),
        st.builds(Modality, status=st.sampled_from(Status), score=st.none() | SCORES, confidence=st.none() | SCORES),
    ),
    features=st.dictionaries(st.just("letters"), st.floats(allow_nan=False, allow_infinity=False)),
)


def evaluate(expression: Expression, facts: Facts) -> bool:
    variables = FactView(expression.paths).variables(facts, facts.scores, facts.flags, 2)
    return expression.holds(cel.Context(variables=variables), variables)


def compiled(condition: str) -> Expression | None:
    """The condition, None where it is refused at a place that it has; anything else that is raised fails the test."""
    place, expression = 0, None
    try:
        expression = compile_expression(condition)
    except ExpressionProblem as problem:
        place = problem.at
    assert 0 <= place <= max(len(condition), 1)
    return expression


@given(CONDITIONS, ANY_FACTS)
def test_a_condition_that_is_let_through_holds_or_not_or_fails(condition: str, facts: Facts) -> None:
    expression = compiled(condition)
    if expression is not None:
        with contextlib.suppress(EvaluationFailed):
            assert evaluate(expression, facts) in {True, False}


@given(CONDITIONS, ANY_FACTS)
def test_facts_that_a_condition_does_not_name_do_not_count(condition: str, facts: Facts) -> None:
    """What is found statically is all that the condition reads: with the whole world it says the same."""
    expression = compiled(condition)
    if expression is None:
        return
    everything = [("flags",), ("severity",), ("features", "letters")]
    everything += [("scores", label) for label in LABELS]
    everything += [("post", name) for name in PostFacts.__dataclass_fields__]
    everything += [("modalities", name, field) for name in MODALITIES for field in ("status", "score", "confidence")]
    world = FactView(everything).variables(facts, facts.scores, facts.flags, 2)
    outcomes: list[bool | str] = []
    for variables in (world, FactView(expression.paths).variables(facts, facts.scores, facts.flags, 2)):
        try:
            outcomes.append(expression.holds(cel.Context(variables=variables), variables))
        except EvaluationFailed as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@given(st.text(max_size=200))
def test_any_text_is_a_condition_or_a_problem_with_a_place(text: str) -> None:
    compiled(text)


NAMES = [
    "scores.hate",
    "scores",
    "flags",
    "post.lang",
    "severity",
    "features.x",
    "f",
    ".exists(f,",
    ".size()",
    "size(",
    "has(",
]
SIGNS = [
    "[",
    "]",
    "(",
    ")",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "?",
    ":",
    ".",
    ",",
    "//",
    "in",
]
VALUES = ['"hate"', "0.5", "1", "true", "null", "0x1F", "1e9", "9999999999999999999", "é"]


@given(st.lists(st.sampled_from(NAMES + SIGNS + VALUES), max_size=60), st.sampled_from(["", " "]))
def test_words_of_the_language_in_any_order_are_a_condition_or_a_problem(words: list[str], between: str) -> None:
    compiled(between.join(words))


HOSTILE = {
    "brackets": "(" * 100_000,
    "closed brackets": "(" * 400 + "true" + ")" * 400,
    "lists": "[" * 300 + "]" * 300,
    "nots": "!" * 990 + "true",
    "minuses": "-" * 990 + "1 > 0",
    "pluses": "1" + "+1" * 400 + " > 0",
    "comparisons": "1" + "<1" * 400,
    "conditionals": "true?true:" * 90 + "true",
    "fields": "scores" + ".hate" * 150,
    "indexes": "flags" + "[0]" * 300,
    "calls": "size(" * 150 + "flags" + ")" * 150,
    "walks": "flags.exists(a, " * 50 + "true" + ")" * 50,
    "long text": "'" + "a" * 1_000_000 + "'",
    "megabytes": "true || " * 500_000 + "true",
    "quotes": "'" * 999,
    "nothing but NUL": "\0" * 999,
    "a number of 900 digits": "9" * 900 + " > 1",
}

# A thread with as small a stack as some systems give (musl: 128 KiB, macOS: 512 KiB).
IN_A_SMALL_THREAD = """
import json, sys, threading
from processors.policy.expression import compile_expression
from processors.policy.tokens import ExpressionProblem

def work():
    for name, condition in json.load(sys.stdin).items():
        try:
            compile_expression(condition)
            print(name, "accepted")
        except ExpressionProblem as problem:
            print(name, "refused")

threading.stack_size(256 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_hostile_conditions_neither_crash_the_process_nor_pass() -> None:
    """In a process of its own: a parser that overflows its stack takes the process with it."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SMALL_THREAD], input=json.dumps(HOSTILE), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name} refused" for name in HOSTILE]


LARGEST = {
    "nots": "!" * 198 + "true",
    "minuses": "-" * 197 + "1 > 0",
    "pluses": "1" + "+1" * 98 + " > 0",
    "equals": "true" + "==true" * 99,
    "brackets": "(" * 8 + "true" + ")" * 8,
    "ors": "||".join(["scores.hate>0.5"] * 33),
    "conditionals": "true?true:" * 24 + "true",
}


def test_the_largest_conditions_that_pass_are_safe_in_a_small_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SMALL_THREAD], input=json.dumps(LARGEST), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name} accepted" for name in LARGEST]


# --- what follows from rules -----------------------------------------------------------------------------------------

STRICTNESS = [Action.APPROVE, Action.REVIEW, Action.BLOCK]
ACTIONS = st.sampled_from([action.value for action in Action])
RULES = st.lists(st.tuples(CONDITIONS, ACTIONS), max_size=4)


def layer_of(rules: list[tuple[str, str]]) -> str:
    lines = ["rules:"] if rules else ["{}"]
    for number, (when, action) in enumerate(rules):
        quoted = when.replace("'", "''")
        lines.append(f"  r{number}: {{when: '{quoted}', action: {action}, message: {{en: A.}}}}")
    return "\n".join(lines)


def compiles(rule: tuple[str, str]) -> bool:
    return compiled(rule[0]) is not None


@given(RULES.map(lambda rules: [rule for rule in rules if compiles(rule)]), ACTIONS, ANY_FACTS)
def test_adding_a_matching_rule_never_weakens_the_action(
    effective_of: Callable[..., EffectivePolicy], rules: list[tuple[str, str]], action: str, facts: Facts
) -> None:
    before = effective_of(layer_of(rules)).evaluate(facts)
    after = effective_of(layer_of([*rules, ("true", action)])).evaluate(facts)
    assert STRICTNESS.index(after.action) >= STRICTNESS.index(before.action)
    assert STRICTNESS.index(after.action) >= STRICTNESS.index(Action(action))
    assert set(before.flags) <= set(after.flags)
    assert after.severity >= before.severity
    assert len(after.reasons) == len(before.reasons) + 1


@given(RULES.map(lambda rules: [rule for rule in rules if compiles(rule)]), ANY_FACTS)
def test_an_approved_post_was_read_and_judged_in_full(
    effective_of: Callable[..., EffectivePolicy], rules: list[tuple[str, str]], facts: Facts
) -> None:
    verdict = effective_of(layer_of(rules)).evaluate(facts)
    doubtful = any(part.status in {Status.PARTIAL, Status.FAILED, Status.UNSAFE} for part in facts.modalities.values())
    if verdict.errors or doubtful or "lang.unsupported" in facts.flags:
        assert verdict.action is not Action.APPROVE
    else:
        strictest = max((STRICTNESS.index(Action(action)) for _, action in rules), default=0)
        assert STRICTNESS.index(verdict.action) <= strictest
    assert verdict.severity in range(5)
    assert all(0.0 <= threshold <= 1.0 and not math.isnan(threshold) for threshold in verdict.thresholds.values())


@pytest.mark.parametrize(
    ("condition", "labels"),
    [
        ("scores.hate > 0.5", ("hate",)),
        ('scores["threat"] > 0.5 && "abuse" in flags', ("abuse", "threat")),
        ('"hate.race" in flags || has(scores.spam)', ("hate", "spam")),
        ('"insult" in scores', ("insult",)),
        ('"lang.unsupported" in flags && post.tenant == "hate" && severity > 1', ()),
        ("true // scores.hate", ()),
        ('post.tenant == "scores.hate"', ()),
    ],
)
def test_the_labels_of_a_condition_are_found_without_running_it(condition: str, labels: tuple[str, ...]) -> None:
    assert compile_expression(condition).labels == labels
