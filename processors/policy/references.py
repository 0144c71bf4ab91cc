"""Finds what an expression speaks of, and checks it against the vocabulary, without running it.

The CEL library names the variables of an expression but not the fields (`scores.hate` is just `scores`), so the names
are read from the tokens. That is sound because the rules' CEL is a part of CEL: every path is spelled out with
literal names (`scores.hate`, `scores["hate"]`), and only the two lists (`flags`, `post.kinds`) can be walked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from processors.policy.problems import expected, quote
from processors.policy.tokens import ExpressionProblem, Token, TokenKind
from processors.policy.vocabulary import FUNCTIONS, MACROS, METHODS, ROOTS, Leaf, Path, UnknownPath, leaf_at

_WORDS = frozenset({"true", "false", "null", "in"})


@dataclass(frozen=True, slots=True)
class Reference:
    """One path in an expression, from the token `first` to the token `last`."""

    path: Path
    leaf: Leaf
    first: int
    last: int
    member: str | None = None
    """The literal before `in`: "hate" of `"hate" in flags`."""


def find_references(tokens: list[Token], features: frozenset[str] | None) -> list[Reference]:
    """All paths in an expression; `features` as in `leaf_at`.

    Raises `ExpressionProblem` at the first name, function or form that is not in the vocabulary.
    """
    bound = _check_calls(tokens)
    return list(_references(tokens, bound, features))


def is_operator(tokens: list[Token], index: int, *values: str) -> bool:
    """Whether the token there is one of these operators or words; a quoted text never is."""
    return 0 <= index < len(tokens) and tokens[index].kind is not TokenKind.TEXT and tokens[index].value in values


# What may stand beside `a < b` or `a in b` for a and b to be all there is on either side.
_BOUNDARIES = ("&&", "||", "(", ")", "[", "]", "?", ":", ",")


def is_boundary(tokens: list[Token], index: int) -> bool:
    """Whether the token there takes no part in the comparison next to it; so does the start, and the end."""
    inside = 0 <= index < len(tokens) and tokens[index].kind is not TokenKind.END
    return not inside or is_operator(tokens, index, *_BOUNDARIES)


def _check_calls(tokens: list[Token]) -> frozenset[str]:
    """Refuses unknown functions and walks inside walks; returns the names that walks give to their elements."""
    bound: set[str] = set()
    open_walks: list[bool] = []  # of each open parenthesis, whether it belongs to a walk over a list
    for index, token in enumerate(tokens):
        if is_operator(tokens, index, ")") and open_walks:
            open_walks.pop()
        if not is_operator(tokens, index, "("):
            continue
        callee = tokens[index - 1] if index else token
        called = callee.kind is TokenKind.NAME and callee.value not in _WORDS
        method = called and is_operator(tokens, index - 2, ".")
        if called:
            _check_callee(callee, method)
        walk = method and callee.value in MACROS
        if walk:
            if any(open_walks):
                message = f"{callee.value} inside another walk over a list; split the rule in two"
                raise ExpressionProblem(callee.at, message)
            bound.add(_bound_name(tokens, index, callee.value))
        open_walks.append(walk)
    return frozenset(bound)


def _check_callee(callee: Token, method: bool) -> None:
    allowed = (*METHODS, *MACROS) if method else FUNCTIONS
    if callee.value not in allowed:
        what = "method" if method else "function"
        raise ExpressionProblem(callee.at, f"no {what} {quote(callee.value)}; {expected(callee.value, allowed)}")


def _bound_name(tokens: list[Token], opening: int, macro: str) -> str:
    name = tokens[opening + 1]
    if name.kind is not TokenKind.NAME or not is_operator(tokens, opening + 2, ","):
        raise ExpressionProblem(name.at, f'expected {macro}(name, condition), such as flags.{macro}(f, f == "hate")')
    if name.value in ROOTS or name.value in _WORDS:
        raise ExpressionProblem(name.at, f"{quote(name.value)} is taken; choose another name for the element")
    return name.value


def _references(tokens: list[Token], bound: frozenset[str], features: frozenset[str] | None) -> Iterator[Reference]:
    for index, token in enumerate(tokens):
        if token.kind is not TokenKind.NAME or token.value in _WORDS or is_operator(tokens, index + 1, "("):
            continue
        if is_operator(tokens, index - 1, "."):
            if not _is_path_element(tokens, index - 2):
                raise ExpressionProblem(token.at, f"a field {quote(token.value)} of something that has no fields")
            continue  # part of the path that was read from its root
        path, last = _path(tokens, index)
        if token.value not in bound:
            yield _reference(tokens, path, index, last, features)
        elif len(path) > 1 or is_operator(tokens, last + 1, "["):
            raise ExpressionProblem(token.at, f"{token.value} stands for a text, which has no fields")


def _is_path_element(tokens: list[Token], index: int) -> bool:
    if index < 0:
        return False
    name = tokens[index].kind is TokenKind.NAME and tokens[index].value not in _WORDS
    return name or is_operator(tokens, index, "]")


def _path(tokens: list[Token], root: int) -> tuple[Path, int]:
    """The longest path of literal names from `root`, and the index of its last token."""
    path = [tokens[root].value]
    last = root
    while last + 2 < len(tokens):
        name = tokens[last + 2]
        is_call = is_operator(tokens, last + 3, "(")
        if is_operator(tokens, last + 1, ".") and name.kind is TokenKind.NAME and not is_call:
            path.append(name.value)
            last += 2
        elif is_operator(tokens, last + 1, "[") and name.kind is TokenKind.TEXT and is_operator(tokens, last + 3, "]"):
            path.append(name.value)
            last += 3
        else:
            break
    return tuple(path), last


def _reference(tokens: list[Token], path: Path, first: int, last: int, features: frozenset[str] | None) -> Reference:
    at = tokens[first].at
    if is_operator(tokens, last + 1, "["):
        message = 'an index that is no name; write scores.hate or scores["hate"], and for lists "hate" in flags'
        raise ExpressionProblem(tokens[last + 1].at, message)
    member: str | None = None
    if is_operator(tokens, first - 1, "in"):
        if first < 2 or tokens[first - 2].kind is not TokenKind.TEXT or not is_boundary(tokens, first - 3):
            raise ExpressionProblem(at, f'expected a name before in, such as "hate" in {".".join(path)}')
        member = tokens[first - 2].value
        if path in {("scores",), ("features",)}:  # "hate" in scores: whether there is a score
            path = (*path, member)
    try:
        return Reference(path, leaf_at(path, features), first, last, member)
    except UnknownPath as error:
        raise ExpressionProblem(at, str(error)) from None
