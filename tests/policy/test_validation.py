"""Every mistake in a policy is told with its line, its column and what is expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from processors.policy import Level, Mark, PolicyError, Problem, check_policy, load_policy, parse_policy

HEAD = 'schema: policy/1\nname: test\nversion: "1"\nlayers:\n  default:\n'
RULE = "    rules:\n      it:\n"

# `»` stands in front of the place that the problem names, and is taken out before the policy is read.
ERRORS = {
    "no mapping": ("»- a\n", "the policy: found a list; expected a mapping with schema"),
    "a text": ("»hello\n", "the policy: found 'hello'; expected a mapping"),
    "missing fields": ("»schema: policy/1\nversion: 1\n", "the policy: name is missing"),
    "unknown top field": (HEAD.replace("name: test", "name: test\n»layer: {}") + "    {}\n", "did you mean 'layers'?"),
    "wrong schema": (
        HEAD.replace("policy/1", "»policy/2") + "    {}\n",
        "schema: 'policy/2'; did you mean 'policy/1'?",
    ),
    "bad name": (HEAD.replace("test", "»Test me") + "    {}\n", "name: 'Test me'; expected a name of lower-case"),
    "empty version": (HEAD.replace('"1"', '»""') + "    {}\n", "version: ''; expected a version"),
    "no version": (HEAD.replace(' "1"', "»") + "    {}\n", "version: found nothing; expected a version"),
    "no default": ('schema: policy/1\nname: a\nversion: "1"\nlayers:\n  »tenants: {}\n', "layers: default is missing"),
    "unknown group": (HEAD + "    {}\n  »tenant: {}\n", "layers: no field 'tenant'; did you mean 'tenants'?"),
    "layers are a list": (
        'schema: policy/1\nname: a\nversion: "1"\nlayers: »[]\n',
        "layers: found a list; expected a map",
    ),
    "layer is a text": (HEAD + "    »yes\n", "layers.default: found 'yes'; expected a mapping with any of thresholds"),
    "unknown layer field": (HEAD + "    »thresolds: {}\n", "no field 'thresolds'; did you mean 'thresholds'?"),
    "tenants a list": (
        HEAD + "    {}\n  tenants: »[a]\n",
        "layers.tenants: found a list; expected a mapping of tenant",
    ),
    "blank tenant": (HEAD + '    {}\n  tenants: {»" ": {}}\n', "layers.tenants: ' ' is no tenant; expected 1 to 256"),
    "unknown language": (
        HEAD + "    {}\n  languages:\n    »eng: {}\n",
        "'eng' is no language code; expected a lower-case",
    ),
    "language variant": (HEAD + "    {}\n  languages:\n    »de-AT: {}\n", "'de-AT' is no language code"),
    "unknown label": (HEAD + "    thresholds: {»hat: 0.5}\n", "thresholds: no label 'hat'; did you mean 'hate'?"),
    "unknown target": (HEAD + "    thresholds: {»hate.rase: 0.5}\n", "no label 'hate.rase'; did you mean 'hate.race'?"),
    "unknown severity": (HEAD + "    thresholds: {»severity.4: 0.5}\n", "no label 'severity.4'"),
    "refined insult": (HEAD + "    thresholds: {»insult.race: 0.5}\n", "no label 'insult.race'"),
    "threshold over 1": (
        HEAD + "    thresholds: {hate: »50}\n",
        "thresholds.hate: '50'; expected a number from 0 to 1",
    ),
    "threshold below 0": (HEAD + "    thresholds: {hate: »-0.1}\n", "'-0.1'; expected a number from 0 to 1"),
    "threshold as text": (HEAD + '    thresholds: {hate: »"0.5"}\n', "expected a number from 0 to 1"),
    "threshold is nan": (HEAD + "    thresholds: {hate: ».nan}\n", "'.nan'; expected a number from 0 to 1"),
    "threshold missing": (HEAD + "    thresholds: {hate:» }\n", "thresholds.hate: found nothing; expected a number"),
    "category with space": (
        HEAD + "    categories: {hate: »my own}\n",
        "categories.hate: 'my own'; expected a category",
    ),
    "category of nothing": (
        HEAD + "    categories: {»hatred: x}\n",
        "categories: no label 'hatred'; did you mean 'hate'?",
    ),
    "severity 5": (HEAD + "    severity: {hate: »5}\n", "severity.hate: '5'; expected a whole number from 1 to 4"),
    "severity 0": (HEAD + "    severity: {hate: »0}\n", "expected a whole number from 1 to 4"),
    "huge severity": (HEAD + f"    severity: {{hate: »{'9' * 3000}}}\n", "expected a whole number from 1 to 4"),
    "one step": (
        HEAD + "    severity_steps: »[0.5]\n",
        "severity_steps: expected two numbers from 0 to 1, the lower first",
    ),
    "steps turned": (HEAD + "    severity_steps: »[0.7, 0.2]\n", "the lower first"),
    "step over 1": (HEAD + "    severity_steps: [0.7, »2]\n", "severity_steps: '2'; expected a number from 0 to 1"),
    "approve unread": (
        HEAD + "    unsupported_language_action: »approve\n",
        "'approve'; expected one of review, block",
    ),
    "message language": (HEAD + "    message_language: »english\n", "message_language: 'english' is no language code"),
    "rules a list": (HEAD + "    rules: »[]\n", "rules: found a list; expected a mapping of name to rule"),
    "rule name": (HEAD + "    rules:\n      »It: {}\n", "rules: 'It'; expected a rule name of lower-case"),
    "rule is nothing": (
        HEAD + "    rules:\n      it:» \n",
        "rules.it: found nothing; expected a mapping with when, action",
    ),
    "rule without when": (
        HEAD + RULE + "        »action: block\n        message: {en: a}\n",
        "rules.it: when is missing",
    ),
    "unknown rule field": (
        HEAD + RULE + "        »if: true\n",
        "rules.it: no field 'if'; expected one of when, action",
    ),
    "unknown action": (HEAD + RULE + "        action: »blok\n", "rules.it.action: 'blok'; did you mean 'block'?"),
    "bad code": (
        HEAD + RULE + "        code: »Hate Speech\n",
        "rules.it.code: 'Hate Speech'; expected a code of lower",
    ),
    "our code": (
        HEAD + RULE + "        code: »policy.error\n",
        "'policy.error'; expected at most 64 characters, not beg",
    ),
    "guideline a list": (
        HEAD + RULE + "        guideline: »[]\n",
        "rules.it.guideline: found a list; expected where the",
    ),
    "rule severity": (HEAD + RULE + "        severity: »9\n", "rules.it.severity: '9'; expected a whole number from 1"),
    "flags a text": (HEAD + RULE + "        flags: »bad\n", "rules.it.flags: found 'bad'; expected a list of flags"),
    "flag is a label": (HEAD + RULE + "        flags: [»hate]\n", "rules.it.flags: 'hate'; expected another name"),
    "flag refines a label": (HEAD + RULE + "        flags: [»hate.race]\n", "'hate.race'; expected another name"),
    "our flag": (HEAD + RULE + "        flags: [»lang.unsupported]\n", "'lang.unsupported'; expected another name"),
    "a list's flag": (HEAD + RULE + "        flags: [»known.mine]\n", "'known.mine'; expected another name"),
    "too many flags": (
        HEAD + RULE + f"        flags: »[{', '.join('abcdefghijklmnopq')}]\n",
        "17 flags; expected at most 16",
    ),
    "message a text": (
        HEAD + RULE + "        message: »Hello\n",
        "message: found 'Hello'; expected a mapping of language",
    ),
    "message without en": (
        HEAD + RULE + "        message: »{de: Hallo}\n",
        "message: en is missing, which is used where",
    ),
    "message in elvish": (HEAD + RULE + "        message: {en: a, »xx: b}\n", "message: 'xx' is no language code"),
    "empty message": (HEAD + RULE + '        message: {en: "» "}\n', "message.en: an empty message; expected a text"),
    "unknown placeholder": (
        HEAD + RULE + '        message: {en: "a »{lable} b"}\n',
        "'{lable}'; did you mean 'label'?",
    ),
    "attribute in placeholder": (HEAD + RULE + '        message: {en: "»{label.__class__}"}\n', "no placeholder"),
    "lone brace": (HEAD + RULE + '        message: {en: "a »} b"}\n', "a brace that belongs to no placeholder"),
    "long message": (
        HEAD + RULE + f"        message: {{en: »{'a' * 501}}}\n",
        "a message of 501 characters; expected at most",
    ),
    "disabled a text": (
        HEAD + "    disabled_rules: »it\n",
        "disabled_rules: found 'it'; expected a list of rule names",
    ),
    "disabled bad name": (HEAD + "    disabled_rules: [»It]\n", "disabled_rules: 'It'; expected a rule name"),
    "disabled at the bottom": (HEAD + "    disabled_rules: [»it]\n", "'it' is disabled, but no layer below has rules"),
}


def _when(line: str) -> str:
    return HEAD + RULE + f"        when: {line}\n        action: block\n        message: {{en: a}}\n"


CONDITIONS = {
    "empty": (_when('"»"'), "no expression; expected a condition in CEL"),
    "missing": (HEAD + RULE + "        when:» \n", "rules.it.when: found nothing; expected a condition in CEL"),
    "a list": (_when("»[true]"), "rules.it.when: found a list; expected a condition"),
    "syntax": (_when("scores.hate >»"), "Syntax error: mismatched input the end"),
    "two expressions": (_when("true »true"), "Syntax error"),
    "number too large": (_when("severity > »99999999999999999999"), "invalid int literal"),
    "unknown fact": (_when("»score.hate > 0.5"), "no fact is called 'score'; did you mean 'scores'?"),
    "unknown label": (_when("»scores.hte > 0.5"), "scores has no label 'hte'; did you mean 'hate'?"),
    "unknown label, indexed": (_when("""'»scores["hte"] > 0.5'"""), "scores has no label 'hte'"),
    "unknown label, asked for": (_when("""'"hte" in »scores'"""), "scores has no label 'hte'"),
    "unknown label in has": (_when("has(»scores.hte)"), "scores has no label 'hte'"),
    "flag of no list": (_when("""'»"known." in flags'"""), "no flag is 'known.'"),
    "unknown flag": (_when("""'»"hte" in flags'"""), "no flag is 'hte'; did you mean 'hate'?"),
    "unknown refinement": (_when("""'»"hate.men" in flags'"""), "no flag is 'hate.men'"),
    "all scores": (_when("size(»scores) > 2"), "scores is a group of facts; expected scores.<label>"),
    "walk over scores": (_when("»scores.exists(s, true)"), "scores is a group of facts"),
    "score's field": (_when("»scores.hate.max > 0.5"), "scores.hate has no fields"),
    "unknown post field": (_when('»post.author == "a"'), "post has no field 'author'; expected one of tenant"),
    "unknown modality": (_when("»modalities.video.score > 0.5"), "modalities has no modality 'video'"),
    "modality alone": (
        _when('»modalities.ocr == "ok"'),
        "modalities.ocr is a group of facts; expected modalities.ocr.",
    ),
    "unknown modality field": (_when("»modalities.ocr.sore > 0.5"), "did you mean 'score'?"),
    "computed name": (_when("""'scores»["ha" + "te"] > 0.5'"""), "an index that is no name"),
    "computed member": (_when("""'"ha" + "te" in »flags'"""), "expected a name before in"),
    "member that is no text": (_when("scores.hate in »flags"), "expected a name before in"),
    "list by number": (_when("""'flags»[0] == "hate"'"""), "an index that is no name"),
    "unknown function": (_when('»matches(post.tenant, "a+")'), "no function 'matches'; expected one of has, size"),
    "unknown method": (_when('post.tenant.»matches("a+")'), "no method 'matches'"),
    "map macro": (_when("size(flags.»map(f, 1)) > 1"), "no method 'map'"),
    "walk in a walk": (_when("flags.exists(f, flags.»exists(g, f == g))"), "exists inside another walk over a list"),
    "walk hidden in brackets": (
        _when("flags.exists(f, (size(flags.»filter(g, true)) > 1))"),
        "filter inside another walk",
    ),
    "element named as a fact": (_when("flags.exists(»scores, true)"), "'scores' is taken"),
    "element's field": (_when("flags.exists(f, »f.size > 1)"), "f stands for a text, which has no fields"),
    "field of a call": (_when("flags.filter(f, true).»size > 1"), "a field 'size' of something that has no fields"),
    "leading dot": (_when("true && .»scores.hate > 0.5"), "a field 'scores' of something that has no fields"),
    "dot after in": (_when("""'"a" in .»flags'"""), "a field 'flags' of something"),
    "raw text": (_when("""'post.tenant == r»"a"'"""), "a text right after a name or text"),
    "bytes": (_when("""'post.tenant == b»"a"'"""), "a text right after a name or text"),
    "triple quotes": (_when('\'post.tenant == ""»"scores.hate"""\''), "a text right after a name or text"),
    "escape": (_when("""'post.tenant == »"\\x41"'"""), "a text without an end, or with an escape"),
    "map": (_when("'»{} == {}'"), "braces; rules need no maps"),
    "stray character": (_when("scores.hate > 0.5 »; true"), "unexpected character ';'"),
    "number for a text": (_when("post.tenant == »5"), "post.tenant is no number; expected a text instead of 5"),
    "text for a number": (_when("""'scores.hate > »"high"'"""), "scores.hate is a number; expected a number"),
    "turned around": (_when("""'»"high" < scores.hate'"""), "scores.hate is a number; expected a number"),
    "null": (_when("post.region == »null"), "post.region is never null; a text that is not known"),
    "unknown priority": (_when("""'post.priority == »"hihg"'"""), "no priority is 'hihg'; did you mean 'high'?"),
    "unknown status": (_when("""'modalities.ocr.status != »"okay"'"""), "no status is 'okay'"),
    "unknown kind": (_when("""'»"picture" in post.kinds'"""), "no kind of media is 'picture'"),
    "unknown language": (_when("""'post.lang in ["en", »"eng"]'"""), "'eng' is no language code"),
    "no condition": (_when("»scores.hate"), "the condition fails: gives a float, expected true or false"),
    "wrong types": (_when("»scores.hate * 2 > 1"), "the condition fails: Unsupported operation: float * int"),
    "division by zero": (_when("»scores.hate / post.reach > 0.1"), "the condition fails:"),
    "unbound name": (_when("»f == 1"), "no fact is called 'f'"),
    "element outside its walk": (
        _when('»f == "a" || flags.exists(f, true)'),
        "the condition fails: Undefined variable",
    ),
    "long": (_when("»" + " || ".join(["true"] * 150)), "an expression of 1,196 characters; expected at most 1,000"),
    "many tokens": (_when("'" + "!" * 200 + "»true'"), "more than 200 names, values and operators"),
    "deep": (_when("(" * 8 + "»(true" + ")" * 9), "brackets nested deeper than 8"),
}


def _unmark(text: str) -> tuple[str, Mark]:
    before, _, _ = text.partition("»")
    return text.replace("»", ""), Mark(before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1)


@pytest.mark.parametrize("name", ERRORS)
def test_a_mistake_in_the_file_is_named_with_its_place(name: str, problems_of: Callable[..., list[Problem]]) -> None:
    _expect(*ERRORS[name], problems_of)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_mistake_in_a_condition_is_named_with_its_place(name: str, problems_of: Callable[..., list[Problem]]) -> None:
    _expect(*CONDITIONS[name], problems_of)


def _expect(marked: str, message: str, problems_of: Callable[..., list[Problem]]) -> None:
    text, mark = _unmark(marked)
    errors = [problem for problem in problems_of(text) if problem.level is Level.ERROR]
    assert any(problem.mark == mark and message in problem.message for problem in errors), list(map(str, errors))


def test_a_condition_in_a_block_is_placed_at_the_block(problems_of: Callable[..., list[Problem]]) -> None:
    text, mark = _unmark(_when("»>-\n          true &&\n          scores.hte > 0.5"))
    assert [problem.mark for problem in problems_of(text)] == [mark]


def test_features_are_checked_where_their_names_are_known(problems_of: Callable[..., list[Problem]]) -> None:
    text, mark = _unmark(_when("»features.leters > 5.0"))
    assert problems_of(text) == []
    (problem,) = problems_of(text, features=["letters", "tokens"])
    assert problem.mark == mark
    assert "features has no feature 'leters'; did you mean 'letters'?" in problem.message


def test_all_mistakes_are_told_at_once_and_in_the_file_s_order(problems_of: Callable[..., list[Problem]]) -> None:
    text = HEAD + "    categories: {hat: a}\n    thresholds: {hate: 2, x: 1}\n" + RULE + "        action: blok\n"
    problems = problems_of(text)
    assert len(problems) == 6
    assert [problem.mark for problem in problems] == sorted(problem.mark or Mark(0, 0) for problem in problems)


def test_a_problem_reads_like_a_compiler_s() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy((HEAD + "    thresholds: {hat: 0.5}\n").encode(), "policies/mine.yaml", {})
    expected = "policies/mine.yaml:6:18: error: layers.default.thresholds: no label 'hat'; did you mean 'hate'?"
    assert str(caught.value) == expected


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    (problem,) = check_policy(missing, [])
    assert (
        str(problem) == f"{missing}: error: cannot be read (No such file or directory); expected a policy file in YAML"
    )
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(missing, {})
    with pytest.raises(PolicyError, match=r"cannot be read \(Is a directory\)"):
        load_policy(tmp_path, {})


def test_check_and_load_find_the_same(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(_when("scores.hte > 0.5"), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(path, {"hate": 0.5})
    assert check_policy(path, ["hate"]) == list(caught.value.problems)
