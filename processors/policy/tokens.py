"""Cuts a CEL expression into tokens, and refuses what a rule never needs and a hostile one would use.

The CEL library parses recursively, without a limit of its own on how much stack that takes: an expression gets there
only when its length, its tokens and its nesting are within the limits below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from processors.policy.problems import quote

MAX_CHARS = 1_000
"""Some twenty comparisons. A rule that needs more is two rules."""

MAX_TOKENS = 200
"""The library recurses once per operator: with these limits it stays far inside the stack of a small thread."""

MAX_BRACKETS = 8
"""Brackets in brackets. The parser's own limit is ten times this, and it takes a stack of half a MiB to reach it."""


class TokenKind(Enum):
    NAME = auto()
    TEXT = auto()
    NUMBER = auto()
    OPERATOR = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is the text without its quotes; `at` the offset of the token in the expression."""

    kind: TokenKind
    value: str
    at: int


class ExpressionProblem(ValueError):
    """What is wrong with an expression, and at which offset."""

    def __init__(self, at: int, message: str) -> None:
        self.at = at
        super().__init__(message)


# Strings have no escapes, prefixes or line breaks: then the text between the quotes is what CEL sees, and the names
# found here are the names that CEL will look up.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|//[^\n]*)
      | (?P<text>"[^"\\\r\n]*"|'[^'\\\r\n]*')
      | (?P<number>0x[0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE,
)

_KINDS = {
    "text": TokenKind.TEXT,
    "number": TokenKind.NUMBER,
    "name": TokenKind.NAME,
    "operator": TokenKind.OPERATOR,
}


def tokenise(source: str) -> list[Token]:
    """The tokens of `source` and an END token. Raises `ExpressionProblem`."""
    if len(source) > MAX_CHARS:
        raise ExpressionProblem(0, f"an expression of {len(source):,} characters; expected at most {MAX_CHARS:,}")
    tokens: list[Token] = []
    position = depth = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise ExpressionProblem(position, _unreadable(source[position]))
        group = match.lastgroup or ""
        if group != "space":
            token = _token(group, match)
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.value, 0) if group == "operator" else 0
            _check(tokens, token, depth)
            tokens.append(token)
        position = match.end()
    if not tokens:
        raise ExpressionProblem(0, "no expression; expected a condition in CEL, such as scores.hate > 0.9")
    tokens.append(Token(TokenKind.END, "", len(source)))
    return tokens


def _token(group: str, match: re.Match[str]) -> Token:
    text = match.group()
    return Token(_KINDS[group], text[1:-1] if group == "text" else text, match.start())


def _check(before: list[Token], token: Token, depth: int) -> None:
    if len(before) >= MAX_TOKENS:
        raise ExpressionProblem(token.at, f"more than {MAX_TOKENS} names, values and operators; split the rule in two")
    if depth > MAX_BRACKETS:
        raise ExpressionProblem(token.at, f"brackets nested deeper than {MAX_BRACKETS}; split the rule in two")
    if token.kind is TokenKind.TEXT and before and _sticks(before[-1]):
        raise ExpressionProblem(token.at, "a text right after a name or text; write texts as \"…\" or '…'")


def _sticks(token: Token) -> bool:
    """Whether a text after it would be read as one with it: `r"…"`, or the second quote of three."""
    return token.kind is TokenKind.TEXT or (token.kind is TokenKind.NAME and token.value != "in")


def _unreadable(character: str) -> str:
    if character in {'"', "'"}:
        return "a text without an end, or with an escape; write texts as \"…\" or '…', without backslashes"
    if character in "{}":
        return "braces; rules need no maps"
    return f"unexpected character {quote(character)}"
