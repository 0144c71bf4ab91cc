"""A rule's condition: checked, compiled once, and evaluated for every decision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import cel

from processors.policy.comparisons import check_comparisons
from processors.policy.facts import sample_variables
from processors.policy.references import Reference, find_references
from processors.policy.tokens import ExpressionProblem, Token, TokenKind, tokenise
from processors.policy.vocabulary import Path
from schemas import LABELS

# What the CEL library raises when a fact is missing, has another type, overflows or divides by zero. A panic of the
# library is no Exception: it ends the stage's batch as any crash does, and nothing is decided.
_CEL_ERRORS = (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError)

_CEL_MESSAGE = re.compile(r"ERROR: <input>:(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<said>[^\n]*)")


class EvaluationFailed(Exception):
    """A condition that gives no answer for these facts: neither yes nor no may be assumed."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition over the facts. Pure, and safe to evaluate on several threads."""

    source: str
    paths: frozenset[Path]
    """The facts that it speaks of."""
    labels: tuple[str, ...]
    """The labels that it reads as scores or flags, in the taxonomy's order."""
    warnings: tuple[tuple[int, str], ...]
    """Offset and message of what is allowed and surely not meant."""
    may_fail: bool
    """Whether more can go wrong than a score that is not there."""
    program: cel.Program

    def holds(self, context: cel.Context, variables: Mapping[str, object]) -> bool:
        """Whether the condition holds; `context` has been made of `variables`, as `FactView.variables` gives them.

        A condition that hangs on the score of a label without one does not hold; in `a || b` the other side counts.
        Raises `EvaluationFailed`.
        """
        try:
            return self._evaluate(context)
        except KeyError as error:
            name = error.args[0]
            scores = cast("Mapping[str, float]", variables.get("scores", {}))
            unscored = [label for label in self.labels if label not in scores]
            if name not in unscored or ("features", name) in self.paths:
                raise EvaluationFailed(f"no fact {name!r}") from None
        if self.may_fail:
            # Of two faults CEL tells one. Whatever the score were, nothing else may be wrong.
            for score in (0.0, 1.0):
                supposed = {**variables, "scores": {**scores, **dict.fromkeys(unscored, score)}}
                self._evaluate_all(cel.Context(variables=supposed))
        return False

    def _evaluate_all(self, context: cel.Context) -> None:
        """Evaluates with a score for every label, where a missing fact is an error like any other."""
        try:
            self._evaluate(context)
        except KeyError as error:
            raise EvaluationFailed(f"no fact {error.args[0]!r}") from None

    def _evaluate(self, context: cel.Context) -> bool:
        """Raises KeyError with the name of what is missing, and `EvaluationFailed` for all else."""
        try:
            result = self.program.execute(context)
        except KeyError:
            raise
        except _CEL_ERRORS as error:
            raise EvaluationFailed(_first_sentence(str(error))) from None
        if not isinstance(result, bool):
            raise EvaluationFailed(f"gives a {type(result).__name__}, expected true or false")
        return result


def compile_expression(source: str, features: frozenset[str] | None = None) -> Expression:
    """Checks and compiles a condition; `features` are the names that posts have, None where they are not known.

    Raises `ExpressionProblem` with the offset of what is wrong.
    """
    tokens = tokenise(source)
    program = _compile(source)  # before the names: what follows reads tokens that CEL has found to be in order
    references = find_references(tokens, features)
    warnings = check_comparisons(tokens, references)
    expression = Expression(
        source=source,
        paths=frozenset(reference.path for reference in references),
        labels=_labels(references),
        warnings=tuple(warnings),
        may_fail=_may_fail(tokens, references),
        program=program,
    )
    _try(expression)
    return expression


def _labels(references: list[Reference]) -> tuple[str, ...]:
    read = {reference.path[1] for reference in references if reference.path[0] == "scores"}
    read |= {(reference.member or "").partition(".")[0] for reference in references if reference.path == ("flags",)}
    return tuple(label for label in LABELS if label in read)


_FALLIBLE = frozenset({"+", "-", "*", "/", "%", "?", "int", "double", "string"})


def _may_fail(tokens: list[Token], references: list[Reference]) -> bool:
    """False for what most conditions are: scores compared with numbers, and flags looked for."""
    speaks_of_more = any(reference.path[0] not in {"scores", "flags"} for reference in references)
    return speaks_of_more or any(token.value in _FALLIBLE for token in tokens if token.kind is not TokenKind.TEXT)


def _compile(source: str) -> cel.Program:
    try:
        return cel.compile(source)
    except ValueError as error:
        raise _compile_problem(source, str(error)) from None


def _compile_problem(source: str, text: str) -> ExpressionProblem:
    """The library tells several errors at once, those of its own inner steps among them: a syntax error says most."""
    found = sorted(_CEL_MESSAGE.finditer(text), key=lambda match: not match["said"].startswith("Syntax error"))
    if not found:
        return ExpressionProblem(0, _first_sentence(text))
    line, column = int(found[0]["line"]), int(found[0]["column"])
    offset = sum(len(before) + 1 for before in source.split("\n")[: line - 1]) + column - 1
    said = found[0]["said"].split(" expecting ")[0].replace("'<EOF>'", "the end")
    return ExpressionProblem(min(max(offset, 0), len(source)), said)


def _try(expression: Expression) -> None:
    """Type errors that can be had without a post are had now."""
    for variables in sample_variables(expression.paths):
        try:
            expression.holds(cel.Context(variables=variables), variables)
        except EvaluationFailed as error:
            raise ExpressionProblem(0, f"the condition fails: {error}") from None


def _first_sentence(text: str) -> str:
    """The library's messages end in advice that does not fit here."""
    return text.split("\n", 1)[0].split(". ", 1)[0][:200]
