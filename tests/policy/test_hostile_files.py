"""A hostile or broken file ends as one clear problem, quickly and whatever it holds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.policy import Level, Mark, Policy, PolicyError, Problem, check_policy, parse_policy

HEAD = 'schema: policy/1\nname: test\nversion: "1"\nlayers:\n  default:\n'

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

FILES = {
    "empty": (b"", Mark(1, 1), "the file is empty; expected a policy"),
    "only a comment": (b"# nothing\n", Mark(1, 1), "the file is empty"),
    "an alias bomb": (BOMB.encode(), Mark(1, 4), "anchor 'a'; anchors and aliases are refused"),
    "an alias": (b"a: 1\nb: *a\n", Mark(2, 4), "alias 'a'; write the value out"),
    "an anchor on a text": (b"a: &x 1\n", Mark(1, 4), "anchor 'x'"),
    "a Python object": (b"a: !!python/object/apply:os.system [ls]\n", Mark(1, 4), "tag 'tag:yaml.org,2002:python/obj"),
    "a tag": (b"a: !!str 5\n", Mark(1, 4), "tag 'tag:yaml.org,2002:str'; expected no tags"),
    "a key twice": (
        (HEAD + "    categories: {}\n    categories: {}\n").encode(),
        Mark(7, 5),
        "'categories' is set twice (first",
    ),
    "a key twice, quoted": (b'a: 1\n"a": 2\n', Mark(2, 1), "'a' is set twice (first in line 1)"),
    "a list as a key": (b"? [a]\n: b\n", Mark(1, 3), "a list or mapping as a key"),
    "a merge key": (b"<<: {a: b}\n", Mark(1, 1), "no field '<<'"),
    "two documents": (b"a: 1\n---\nb: 2\n", Mark(2, 1), "a second document starts here"),
    "deep lists": (b"[" * 5000, Mark(1, 13), "nested deeper than 12 levels"),
    "deep mappings": (b"{a: " * 5000, Mark(1, 49), "nested deeper than 12 levels"),
    "deep blocks": (b"".join(b" " * n + b"a:\n" for n in range(200)), Mark(13, 13), "nested deeper than 12 levels"),
    "too large": (b"#" * (512 * 1024 + 1), None, "524,289 bytes; expected at most 524,288"),
    "too many values": (b"[" + b"a," * 30_001 + b"]", Mark(1, 60_000), "more than 30,000 values"),
    "a very long text": (b"a: " + b"x" * 5000, Mark(1, 4), "a text of 5,000 characters; expected at most 4,000"),
    "no UTF-8": (b"a: \xff\n", None, "byte 3 is not UTF-8"),
    "a NUL": (b"a: \0\n", None, "not valid YAML"),
    "half a surrogate pair": (b'a: "\\ud800"\n', Mark(1, 4), "half a surrogate pair"),
    "an open bracket": (b"a: [1, 2\n", Mark(2, 1), "not valid YAML: while parsing a flow sequence"),
    "a tab": (b"a:\n\tb: 1\n", Mark(2, 1), "not valid YAML"),
    "no YAML at all": (b"\x7fELF\x01\x01", None, "not valid YAML"),
}


@pytest.mark.parametrize("name", FILES)
def test_such_a_file_is_one_problem(name: str, tmp_path: Path) -> None:
    raw, mark, message = FILES[name]
    path = tmp_path / "policy.yaml"
    path.write_bytes(raw)
    problems = [problem for problem in check_policy(path, ["hate"]) if problem.level is Level.ERROR]
    assert problems[0].mark == mark, problems[0]
    assert message in problems[0].message


def test_a_file_full_of_mistakes_does_not_make_a_message_of_its_size(
    problems_of: Callable[..., list[Problem]],
) -> None:
    keys = "".join(f"    x{number}: 1\n" for number in range(1000))
    problems = problems_of(HEAD + keys)
    assert len(problems) == 100
    assert all(len(problem.message) < 500 for problem in problems)


def test_a_flood_of_warnings_does_not_hide_an_error(problems_of: Callable[..., list[Problem]]) -> None:
    tenants = "".join(f"    t{number}: {{}}\n" for number in range(200))
    text = HEAD + "    message_language: en\n  tenants:\n" + tenants + "    last: {disabled_rules: [nothing]}\n"
    assert any(problem.level is Level.ERROR for problem in problems_of(text))


def test_norwegian_is_a_language_and_not_false(policy_of: Callable[..., Policy]) -> None:
    layers = """
        default: {message_language: no}
        languages:
          no: {thresholds: {hate: 0.3}}
    """
    assert policy_of(layers).effective(None, None, "no").layers == ("default", "language:no")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_policy_or_a_policy_error(raw: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(raw, "policy.yaml", {"hate": 0.5})


_FIELDS = [
    "schema: policy/1\n",
    "name: a\n",
    'version: "1"\n',
    "layers:\n",
    "  default:\n",
    "    ",
    "rules:\n",
    "when: ",
]
_SIGNS = [
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "'",
    '"',
    "|\n",
    ">\n",
    "&a ",
    "*a",
    "!!int ",
    "\n",
    " ",
    "#",
    "%",
    "? ",
    "\t",
    "é",
]


@given(st.lists(st.sampled_from(_FIELDS + _SIGNS), max_size=40))
def test_pieces_of_a_policy_in_any_order_are_a_policy_or_a_policy_error(pieces: list[str]) -> None:
    with contextlib.suppress(PolicyError):
        parse_policy("".join(pieces).encode(), "policy.yaml", {"hate": 0.5})
