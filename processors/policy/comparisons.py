"""Checks the literals that an expression compares its facts with: `post.priority == "hihg"`, `scores.hate > 80`."""

from __future__ import annotations

from collections.abc import Iterator

from processors.policy.problems import quote
from processors.policy.references import Reference, is_boundary, is_operator
from processors.policy.tokens import ExpressionProblem, Token, TokenKind
from processors.policy.vocabulary import Kind

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_NUMBERS = frozenset({Kind.PROBABILITY, Kind.NUMBER})


def check_comparisons(tokens: list[Token], references: list[Reference]) -> list[tuple[int, str]]:
    """Warnings, each with its offset, on what says nothing. Raises `ExpressionProblem` for values that no fact has."""
    warnings: list[tuple[int, str]] = []
    for reference in references:
        for literal in _literals(tokens, reference):
            _check_kind(literal, reference)
            if reference.leaf.kind is Kind.PROBABILITY and not 0 <= _number(literal) <= 1:
                name = ".".join(reference.path)
                message = f"{name} lies between 0 and 1; comparing it with {literal.value} says nothing"
                warnings.append((literal.at, message))
    return warnings


def _literals(tokens: list[Token], reference: Reference) -> Iterator[Token]:
    """The literals that stand alone on the other side of a comparison with the path."""
    after, before = reference.last + 1, reference.first - 1
    if is_operator(tokens, after, *_COMPARISONS) and is_boundary(tokens, before) and is_boundary(tokens, after + 2):
        yield from _literal(tokens[after + 1])
    if is_operator(tokens, before, *_COMPARISONS) and is_boundary(tokens, after) and is_boundary(tokens, before - 2):
        yield from _literal(tokens[before - 1])
    if reference.leaf.kind is Kind.TEXTS and reference.member is not None:
        yield from _literal(tokens[before - 1])
    if is_operator(tokens, after, "in") and is_operator(tokens, after + 1, "["):
        for member in tokens[after + 2 :]:
            if member.kind is TokenKind.OPERATOR and member.value != ",":
                break
            yield from _literal(member)


def _literal(token: Token) -> Iterator[Token]:
    if token.kind in {TokenKind.TEXT, TokenKind.NUMBER} or token.value == "null":
        yield token


def _check_kind(literal: Token, reference: Reference) -> None:
    name, leaf = ".".join(reference.path), reference.leaf
    is_text = literal.kind is TokenKind.TEXT
    if literal.kind is TokenKind.NAME:
        raise ExpressionProblem(literal.at, f'{name} is never null; a text that is not known is "", a number is 0')
    if is_text and leaf.kind in _NUMBERS:
        raise ExpressionProblem(literal.at, f"{name} is a number; expected a number instead of {quote(literal.value)}")
    if not is_text and leaf.kind not in _NUMBERS:
        raise ExpressionProblem(literal.at, f"{name} is no number; expected a text instead of {literal.value}")
    wrong = leaf.check(literal.value) if is_text and leaf.check else None
    if wrong:
        raise ExpressionProblem(literal.at, wrong)


def _number(literal: Token) -> float:
    return float(int(literal.value, 16)) if literal.value.startswith("0x") else float(literal.value)
